"""The training script, run by itself in a folder of its own: it prints the score of the run that trained here."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from lstm_core.architecture.training_script import script_zip, training_script
from lstm_core.data.generators import generate
from lstm_core.data.samples import load_sample
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.training.batches import WindowTensors
from lstm_core.training.trainer import Trainer
from tests.conftest import quick
from tests.factories import table_of

SUNSPOTS = {"name": "sunspots", "targets": ("SUNACTIVITY",), "features": ("SUNACTIVITY",), "time": "YEAR"}
MODEL = {"hidden_size": 7, "seed": 3}
TRAIN = {"epochs": 4, "patience": 0, "batch_size": 32, "seed": 5, "lr": 0.01}


def experiment_of(data: dict, model: dict | None = None, train: dict | None = None) -> Experiment:
    return Experiment(DataSpec(**data), ModelSpec(**MODEL | (model or {})), TrainSpec(**TRAIN | (train or {})))


def grouped():
    """Three series of different levels, one after another but in no order of time, with gaps and hostile names."""
    rng = np.random.default_rng(1)
    time = np.concatenate([rng.permutation(60) for _ in range(3)])
    group = np.repeat(["b", "a", "=c"], 60)
    value = np.sin(time / 4) + np.repeat([0.0, 3.0, -2.0], 60) + 0.1 * rng.normal(size=180)
    other = rng.normal(size=180)
    other[rng.random(180) < 0.1] = np.nan
    return table_of(**{"t": time, "g": group, '=1+"1"': value, "split": other})


def labelled():
    """Sequences of a class each, in the table one after another."""
    rng = np.random.default_rng(2)
    kind = rng.integers(0, 3, 40)
    value = np.concatenate([np.sin(np.arange(8) * (k + 1) / 2) + 0.2 * rng.normal(size=8) for k in kind])
    label = np.repeat(np.array(["NA", "-up", 'it\'s "it"'])[kind], 8)
    return table_of(s=np.repeat(np.arange(40), 8), v=value, label=label)


GROUPED = {
    "source": "csv",
    "targets": ('=1+"1"',),
    "features": ('=1+"1"', "split"),
    "time": "t",
    "group": "g",
    "seq_len": 6,
}
LABELLED = {"source": "csv", "targets": ("label",), "features": ("v",), "group": "s", "seq_len": 6, "horizon": 0}
ECHO = {"source": "generator", "name": "echo", "length": 300, "n_features": 1, "seq_len": 10}
CONFIGURATIONS = {
    "one row ahead": (SUNSPOTS, {}, {}),
    "three rows ahead": (SUNSPOTS | {"horizon": 3, "scaling": "minmax"}, {}, {"patience": 2, "epochs": 8, "lr": 0.1}),
    "classes": (LABELLED, {}, {"max_grad_norm": 0.0}),
    "classes at every step": (LABELLED, {"head": "per_step"}, {}),
    "every step": (SUNSPOTS | {"horizon": 2}, {"head": "per_step", "batch_first": False}, {}),
    "two layers with dropout, both ways": (
        SUNSPOTS,
        {"num_layers": 2, "bidirectional": True, "dropout": 0.3},
        {"optimizer": "AdamW", "weight_decay": 0.1},
    ),
    "groups": (GROUPED, {"forget_bias": 1.0}, {"optimizer": "SGD", "lr": 0.05, "loss": "huber"}),
    "groups, gaps skipped": (GROUPED | {"missing": "skip"}, {"cell": "gru"}, {"optimizer": "RMSprop"}),
    "random states": (SUNSPOTS | {"scaling": "none"}, {"proj_size": 2}, {"initial_state": "random", "patience": 3}),
    "no validation split": (SUNSPOTS | {"valid_share": 0.0}, {"cell": "rnn"}, {"patience": 1, "loss": "mae"}),
}


def table_for(data: DataSpec):
    if data.source == "csv":
        return labelled() if data.horizon == 0 else grouped()
    return load_sample(data.name) if data.source == "sample" else generate(data)


def score_here(experiment: Experiment, windows) -> list[str]:
    """Train here, predict all test windows, and score them with numpy alone."""
    torch.set_num_threads(1)
    trainer = Trainer(windows, experiment)
    for _ in trainer:
        pass
    per_step = experiment.model.head == "per_step"
    starts = torch.from_numpy(windows.starts["test"])
    tensors = WindowTensors(windows, torch.device("cpu"), per_step)
    with torch.no_grad():
        outputs = trainer.model.eval()(tensors.inputs(starts)).numpy()
    if not per_step:
        outputs = outputs[:, None]
    steps = np.arange(windows.spec.seq_len) if per_step else np.array([windows.spec.seq_len - 1])
    rows = windows.starts["test"][:, None, None] + steps[:, None] + windows.offsets
    scored = windows.split_of_row[rows] == 2
    if windows.classes:
        truth, scored = windows.y[rows[..., 0]], scored[..., 0]
        return [f"{(outputs.argmax(-1) == truth)[scored & (truth >= 0)].mean():.4f}"]
    error = (windows.inverse_transform(outputs, rows[..., 0] - windows.offsets[0]) - windows.y[rows])[scored]
    error = error[~np.isnan(error)]
    return [f"{np.sqrt(np.square(error).mean()):.4g}", f"{np.abs(error).mean():.4g}"]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", quick(CONFIGURATIONS, "three rows ahead"))  # each starts a process
def test_the_script_prints_the_score_of_the_run(name, tmp_path):
    experiment = experiment_of(*CONFIGURATIONS[name])
    table = table_for(experiment.data)
    windows = make_windows(table, experiment.data)
    with zipfile.ZipFile(io.BytesIO(script_zip(experiment, windows))) as archive:
        assert sorted(archive.namelist()) == ["data.csv", "train_lstm.py"]
        archive.extractall(tmp_path)
    done = subprocess.run([sys.executable, "train_lstm.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    last = done.stdout.splitlines()[-1]
    assert last.startswith("test ")
    for number in score_here(experiment, windows):
        assert number in last.replace(",", " ").split(), (last, number)
    assert f"({len(windows.starts['test']):,} windows)" in last


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_script_is_plain(name):
    experiment = experiment_of(*CONFIGURATIONS[name])
    script = training_script(experiment, make_windows(table_for(experiment.data), experiment.data))
    assert max(map(len, script.splitlines())) <= 120
    assert "\n\n\n\n" not in script
    imports = {line.split()[1].partition(".")[0] for line in script.splitlines() if line.startswith(("import", "from"))}
    assert imports <= {"copy", "numpy", "pandas", "torch"}
    compile(script, "train_lstm.py", "exec")


def test_names_cannot_become_code_or_formulas():
    hostile = "a']; import os; os.system('x'); b=['\n\"\"\"\\"
    table = table_of(**{hostile: np.sin(np.arange(80)), "=cmd|x": np.cos(np.arange(80))})
    data = {"source": "csv", "targets": ("=cmd|x",), "features": (hostile, "=cmd|x"), "seq_len": 5}
    experiment = experiment_of(data)
    windows = make_windows(table, experiment.data)
    script = training_script(experiment, windows)
    assert script.count("os.system") == script.count(repr(hostile)) == 1
    with zipfile.ZipFile(io.BytesIO(script_zip(experiment, windows))) as archive:
        header = archive.read("data.csv").decode()
    assert "'=cmd|x" in header
    assert ",=cmd|x" not in header


@pytest.mark.parametrize(
    ("model", "train", "word"),
    [({}, {"initial_state": "stateful"}, "stateful"), ({"frozen": ("bias_hh",)}, {"weight_decay": 0.1}, "frozen")],
)
def test_what_the_script_cannot_do_is_said(model, train, word):
    experiment = experiment_of(SUNSPOTS, model, train)
    windows = make_windows(load_sample("sunspots"), experiment.data)
    with pytest.raises(PlaygroundError, match=word):
        training_script(experiment, windows)
