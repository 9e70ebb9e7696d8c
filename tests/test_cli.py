"""python -m lstm_core: one JSON object on stdout, or one sentence on stderr and exit status 2."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given

from lstm_core.cli import experiment_schema, main
from lstm_core.data.ingest.read import read_table
from lstm_core.data.load import load_table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.runs.run import Run
from tests.factories import NEW, experiments

ROOT = Path(__file__).parents[1]
VALIDATOR = jsonschema.Draft202012Validator(experiment_schema())


def test_schema_is_one_json_object_on_one_line_and_takes_no_torch():
    code = "import sys, lstm_core.cli as c; c.main(['schema', '--json']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    line, torch, end = done.stdout.split("\n")
    assert json.loads(line) == experiment_schema()
    assert (torch, end, done.stderr) == ("False", "", "")


def test_the_module_runs_as_a_command():
    done = subprocess.run([sys.executable, "-m", "lstm_core", "nonsense"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "nonsense" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["train"], ["schema", "--jsn"], ["schema", "--json", "--markdown"]])
def test_bad_input_is_one_sentence(arguments, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith(".\n") and said.err.count("\n") == 1


@given(experiments())
def test_the_schema_takes_what_an_experiment_writes(experiment):
    VALIDATOR.validate(json.loads(experiment.to_json()))


@pytest.mark.parametrize(
    "parts",
    [
        {"format": 3},
        {"modell": {}},
        {"data": {"missing": "fill"}},
        {"model": {"hidden_size": 0}},
        {"model": {"frozen": ["h"]}},
        {"train": {"device": "tpu"}},
        {"train": {"momentum": 1}},
    ],
)
def test_the_schema_refuses_what_from_json_refuses(parts):
    assert not VALIDATOR.is_valid(parts | {"format": parts.get("format", 2)})
    with pytest.raises(ValueError, match=r"\.$"):
        Experiment.from_json(json.dumps({"format": 2} | parts))


def test_the_schema_takes_what_is_written_by_hand():
    VALIDATOR.validate(NEW)
    VALIDATOR.validate({})


@pytest.fixture
def saved_model(tmp_path):
    """Writes a briefly trained model; returns its file and its run."""

    def save(table, spec, **model) -> tuple[str, Run]:
        windows = make_windows(table, spec)
        run = Run.new(windows, Experiment(spec, ModelSpec(hidden_size=4, **model), TrainSpec(epochs=1)), table)
        run.train_here()
        path = tmp_path / "model.safetensors"
        path.write_bytes(run.checkpoint())
        return str(path), run

    return save


def printed(capsys) -> dict:
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


def test_score_prints_what_the_page_shows(saved_model, capsys, tmp_path):
    rows = 400
    csv = "y,b\n" + "".join(f"{np.sin(k / 7):.4f},{k % 5}\n" for k in range(rows))
    (tmp_path / "own.csv").write_text(csv)
    table = read_table(csv.encode(), "own.csv")
    spec = DataSpec(source="csv", name="own.csv", targets=("y",), features=("y", "b"), seq_len=8, horizon=2)
    path, run = saved_model(table, spec)
    assert main(["score", path, "--data", str(tmp_path / "own.csv"), "--json"]) == 0
    result = printed(capsys)
    for split in ("test", "valid"):
        job = run.score(split, wait=60)
        assert result[split] == {
            "windows": len(run.windows.starts[split]),
            "rmse": pytest.approx(job.evaluation.model.rmse),
            "mae": pytest.approx(job.evaluation.model.mae),
            "mase": pytest.approx(job.evaluation.model.mase),
        }
    last = np.sin(np.arange(rows) / 7).round(4)
    starts = run.windows.starts["test"]
    error = last[starts + 7][:, None] - last[starts[:, None] + [8, 9]]
    assert result["baselines"]["persistence"]["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert result["baselines"]["persistence"]["windows"] == len(starts)
    assert main(["score", path, "--data", str(tmp_path / "own.csv")]) == 0
    assert "test split, persistence (the last value): windows" in capsys.readouterr().out


def test_score_of_classes_names_the_majority_class(saved_model, capsys):
    table = load_table(DataSpec(source="generator", name="which_wave"))
    spec = DataSpec(source="generator", name="which_wave", **dataclasses.asdict(table.roles))
    path, run = saved_model(table, spec)
    assert main(["score", path, "--json"]) == 0
    test = printed(capsys)["test"]
    assert set(test) == {"windows", "accuracy", "balanced_accuracy", "majority_class"}
    truth = run.windows.targets(run.windows.starts["test"])
    common = np.bincount(run.windows.targets(run.windows.starts["train"])).argmax()
    assert test["majority_class"] == pytest.approx((truth == common).mean())


def test_score_without_test_windows_is_undefined(saved_model, capsys):
    table = load_table(DataSpec(name="sunspots"))
    roles = dataclasses.asdict(table.roles)
    path, _ = saved_model(table, DataSpec(name="sunspots", train_share=0.8, valid_share=0.2, **roles))
    assert main(["score", path, "--json"]) == 0
    result = printed(capsys)
    assert result["test"] == {"windows": 0, "rmse": None, "mae": None, "mase": None}
    assert result["valid"]["windows"] > 0 and result["baselines"] == {}


def test_score_refuses_in_one_sentence(saved_model, capsys, tmp_path):
    table = read_table(b"y\n" + b"1\n2\n" * 60, "own.csv")
    path, _ = saved_model(table, DataSpec(source="csv", name="own.csv", targets=("y",), features=("y",), seq_len=4))
    (tmp_path / "other.csv").write_text("z\n1\n2\n")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    for arguments, problem in {
        (path,): "give it with --data",
        (path, "--data", str(tmp_path / "other.csv")): "'y'",
        (path, "--data", str(tmp_path / "none.csv")): "cannot be read",
        (str(tmp_path / "bad.safetensors"),): "This model file cannot be used",
    }.items():
        assert main(["score", *arguments, "--json"]) == 2
        said = capsys.readouterr()
        assert said.out == "" and problem in said.err
        assert said.err.count("\n") == 1 and said.err.endswith(".\n")
