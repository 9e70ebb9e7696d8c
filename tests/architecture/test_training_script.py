"""The training script, run by itself in a folder of its own: it prints the score of the run that trained here."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

from lstm_core.architecture.script_zip import script_zip
from lstm_core.architecture.training_script import training_script
from lstm_core.data.generators import generate
from lstm_core.data.samples import load_sample
from lstm_core.data.windows import make_windows
from lstm_core.experiment import SPLITS, DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.training.batches import WindowTensors
from lstm_core.training.trainer import Trainer
from tests.conftest import quick
from tests.factories import table_of, timed

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


def two():
    """Two positive columns that grow, with gaps, and one that is known ahead."""
    rng, row = np.random.default_rng(3), np.arange(120)
    k = rng.normal(size=120)
    a = np.exp(row / 60 + 0.2 * np.sin(row) + 0.1 * k)
    b = np.exp(0.3 * rng.normal(size=120))
    b[[17, 50, 51]] = np.nan
    return table_of(a=a, b=b, k=k)


def days():
    """Two series by day, one without some of its days."""
    rng, day = np.random.default_rng(4), np.tile(np.datetime64("2024-01-01") + np.arange(90), 2)
    a = rng.normal(size=180) + 5 * (day.astype(int) % 7)
    keep = np.ones(180, bool)
    keep[[20, 33, 34]] = False
    g = np.repeat(["north", "south"], 90)
    return timed(day[keep], a=a[keep], k=rng.normal(size=180)[keep], g=g[keep])


GROUPED = {
    "source": "csv",
    "targets": ('=1+"1"',),
    "features": ('=1+"1"', "split"),
    "time": "t",
    "group": "g",
    "seq_len": 6,
}
LABELLED = {"source": "csv", "targets": ("label",), "features": ("v",), "group": "s", "seq_len": 6, "horizon": 0}
TWO = {"source": "csv", "targets": ("a", "b"), "features": ("k", "a", "b"), "seq_len": 5, "horizon": 2}
CALENDAR = {
    "source": "csv",
    "name": "days",
    "targets": ("a",),
    "features": ("a", "k"),
    "time": "time",
    "group": "g",
    "seq_len": 5,
    "horizon": 2,
    "start": "season",
    "season": 7,
    "calendar": ("weekday", "weekend"),
    "series_id_input": True,
    "grid": "regular",
}
FORECAST = SUNSPOTS | {"horizon": 4, "season": 11, "seq_len": 8}
SEVERAL = GROUPED | {"horizon": 3, "season": 5, "start": "season_change"}
BEST = {"patience": 2, "epochs": 5, "refit": True}
SHRUNK = BEST | {"shrink": True}
SKIP = {"linear_skip": True}
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
    "start and refit": (FORECAST | {"start": "smooth"}, {"zero_head": True}, SHRUNK),
    "linear skip": (FORECAST | {"start": "last"}, SKIP | {"chrono_t_max": 8, "zero_head": True}, SHRUNK),
    "linear skip without a start, both ways": (
        GROUPED | {"horizon": 2},
        SKIP | {"bidirectional": True, "batch_first": False},
        BEST | {"weight_decay": 0.1, "optimizer": "AdamW"},
    ),
    "linear skip, the untrained model is the best": (
        TWO | {"start": "smooth", "valid_share": 0.3},
        SKIP,
        SHRUNK | {"lr": 30.0, "epochs": 3},
    ),
    "linear skip, random states": (GROUPED | {"start": "last"}, SKIP, {"initial_state": "random"}),
    "mean, several series": (SEVERAL | {"start": "mean", "scale_per_series": True}, {}, {"refit": True}),
    "last": (FORECAST | {"start": "last", "scaling": "none"}, {"head": "per_step"}, SHRUNK | {"batch_size": 50}),
    "season": (FORECAST | {"start": "season", "horizon": 13, "scaling": "minmax"}, {"zero_head": True}, {}),
    "season change, several series": (SEVERAL | {"scale_per_series": True}, {"cell": "gru"}, BEST),
    "season change, gaps skipped": (SEVERAL | {"missing": "skip", "scaling": "minmax"}, {"head": "per_step"}, {}),
    "smooth without a season, two targets": (TWO | {"start": "smooth", "log": True}, {}, BEST),
    "smooth, several series": (SEVERAL | {"start": "smooth", "season": 3}, {}, SHRUNK | {"initial_state": "random"}),
    "known ahead": (TWO | {"start": "last", "known_future": ("k",), "features": ("a", "k", "b")}, {}, BEST),
    "known ahead without a start": (TWO | {"known_future": ("k",), "horizon": 1}, {}, {}),
    "calendar of two series": (CALENDAR, {"num_layers": 2, "dropout": 0.2}, BEST),
    "refit without a test split": (FORECAST | {"start": "season", "valid_share": 0.3}, {}, SHRUNK),
    "shrunk, not refitted": (
        FORECAST | {"start": "last"},
        {"num_layers": 2, "dropout": 0.1},
        SHRUNK | {"refit": False},
    ),
}


def table_for(data: DataSpec):
    if data.source == "csv":
        if data.targets[0] == "a":
            return days() if data.calendar else two()
        return labelled() if data.horizon == 0 else grouped()
    return load_sample(data.name) if data.source == "sample" else generate(data)


def train_here(experiment: Experiment, windows) -> Trainer:
    torch.set_num_threads(1)
    trainer = Trainer(windows, experiment)
    for _ in trainer:
        pass
    return trainer


def score_of(trainer: Trainer) -> list[str]:
    """Predict all windows of the last split, and score them with numpy alone."""
    windows, per_step = trainer.windows, trainer.experiment.model.head == "per_step"
    split = windows.last_split
    starts = torch.from_numpy(windows.starts[split])
    tensors = WindowTensors(windows, torch.device("cpu"), per_step)
    with torch.no_grad():
        outputs = trainer.scored_models()[split](tensors.inputs(starts)).numpy()
    if not per_step:
        outputs = outputs[:, None]
    steps = np.arange(windows.spec.seq_len) if per_step else np.array([windows.spec.seq_len - 1])
    rows = starts.numpy()[:, None, None] + steps[:, None] + windows.offsets
    scored = windows.split_of_row[rows] == SPLITS.index(split)
    if windows.classes:
        truth, scored = windows.y[rows[..., 0]], scored[..., 0]
        return [f"{(outputs.argmax(-1) == truth)[scored & (truth >= 0)].mean():.4f}"]
    error = (windows.inverse_transform(outputs, rows[..., 0] - windows.offsets[0]) - windows.y[rows])[scored]
    error = error[~np.isnan(error)]
    return [f"{np.sqrt(np.square(error).mean()):.4g}", f"{np.abs(error).mean():.4g}"]


def forecast_of(trainer: Trainer) -> np.ndarray:
    """(rows, targets) after the last row of each sequence that has a target and ends a window without a gap."""
    windows, length = trainer.windows, trainer.windows.spec.seq_len
    forecasts = []
    for first, end in pairwise(windows.groups):
        for row in range(end - 1, first + length - 2, -1):
            window = windows.scaled_x[row + 1 - length : row + 1]
            has_start = windows.target is None or np.isfinite(windows.target.base[row]).all()
            if has_start and not np.isnan(windows.y[row]).all() and not np.isnan(window).any():
                with torch.no_grad():
                    outputs = trainer.model.eval()(torch.from_numpy(window)[None]).numpy()
                outputs = outputs[:, -1] if outputs.ndim == 3 else outputs
                forecasts.append(windows.inverse_transform(outputs, np.array([row]))[0])
                break
    return np.concatenate(forecasts)


AND_SAVE = "exec(open('train_lstm.py').read()); torch.save(model.state_dict(), 'weights.pt')"


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", quick(CONFIGURATIONS, "start and refit"))  # each starts a process
def test_the_script_ends_with_the_weights_the_score_and_the_forecast_of_the_run(name, tmp_path):
    experiment = experiment_of(*CONFIGURATIONS[name])
    table = table_for(experiment.data)
    windows = make_windows(table, experiment.data)
    with zipfile.ZipFile(io.BytesIO(script_zip(experiment, windows))) as archive:
        assert sorted(archive.namelist()) == ["data.csv", "train_lstm.ipynb", "train_lstm.py"]
        archive.extractall(tmp_path)
    done = subprocess.run([sys.executable, "-c", AND_SAVE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Warning" not in done.stderr.replace("UserWarning: LSTM with projections", "")
    trainer = train_here(experiment, windows)
    for key, weights in torch.load(tmp_path / "weights.pt").items():
        assert torch.equal(weights, trainer.model.state_dict()[key]), key  # bit for bit

    title = {"test": "test ", "valid": "validation "}[windows.last_split]
    score = next(line for line in done.stdout.splitlines() if line.startswith(title))
    for number in score_of(trainer):
        assert number in score.replace(",", " ").split(), (score, number)
    assert f"({len(windows.starts[windows.last_split]):,} windows)" in score
    if windows.spec.horizon:
        forecast = pd.read_csv(tmp_path / "forecast.csv")
        assert forecast["step"].tolist() == windows.offsets.tolist() * (len(windows.groups) - 1)
        values = forecast.iloc[:, -windows.y.shape[1] :].to_numpy()
        np.testing.assert_allclose(values, forecast_of(trainer), rtol=1e-5, atol=1e-5)
    assert ("known ahead end" in done.stdout) == any("ahead" in one for one in windows.input_names)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_script_is_plain(name):
    experiment = experiment_of(*CONFIGURATIONS[name])
    script = training_script(experiment, make_windows(table_for(experiment.data), experiment.data))
    assert max(map(len, script.splitlines())) <= 120
    assert "\n\n\n\n" not in script
    imports = {line.split()[1].partition(".")[0] for line in script.splitlines() if line.startswith(("import", "from"))}
    assert imports <= {"copy", "itertools", "numpy", "pandas", "torch"}
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


@pytest.mark.slow
def test_rows_with_values_known_ahead_are_forecast(tmp_path):
    experiment = experiment_of(TWO | {"start": "last", "known_future": ("k",)})
    windows = make_windows(two(), experiment.data)
    with zipfile.ZipFile(io.BytesIO(script_zip(experiment, windows))) as archive:
        archive.extractall(tmp_path)
    data = pd.read_csv(tmp_path / "data.csv")
    to_come = pd.DataFrame({"sequence": [0, 0], "k": [0.5, 0.7]})
    pd.concat([data, to_come]).to_csv(tmp_path / "data.csv", index=False)
    done = subprocess.run([sys.executable, "train_lstm.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "known ahead end" not in done.stdout
    assert np.isfinite(pd.read_csv(tmp_path / "forecast.csv").to_numpy()).all()
    for number in score_of(train_here(experiment, windows)):
        assert number in done.stdout.replace(",", " ").split()
