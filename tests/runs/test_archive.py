"""The ZIP file that is taken along: what is in it, and that its files do what README.txt says of them."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.forecasting.future import forecast, measure_bands
from lstm_core.runs import archive
from lstm_core.runs.archive import take_along
from lstm_core.runs.run import Run
from lstm_core.training.checkpoint import load_checkpoint
from tests.factories import labelled, table_of, wave_table

SPEC = {"targets": ("a",), "features": ("a",), "seq_len": 6, "horizon": 2, "start": "last", "source": "csv"}
ALWAYS = {
    "README.txt",
    "table.csv",
    "experiment.json",
    "model.safetensors",
    "data.csv",
    "train_lstm.py",
    "train_lstm.ipynb",
    "results/scores.json",
    "results/curves.csv",
}


def run_of(windows=None, table=None, **train) -> Run:
    if windows is None:
        table = wave_table()
        windows = make_windows(table, DataSpec(**SPEC))
    train = TrainSpec(**({"epochs": 3, "device": "cpu", "refit": True} | train))
    run = Run.new(windows, Experiment(windows.spec, ModelSpec(hidden_size=5), train), table or windows.table)
    run.train_here()
    return run


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as files:
        assert files.testzip() is None
        return {name: files.read(name) for name in files.namelist()}


def future(run: Run):
    models = run.scored_models()
    return forecast(models["test"], run.windows, 4, measure_bands(models["valid"], run.windows))


@pytest.fixture
def without_onnx(monkeypatch):
    def refuse(*_):
        raise PlaygroundError("No ONNX here.")

    monkeypatch.setattr(archive, "onnx_model", refuse)


def test_everything_is_in_it_and_told_in_its_readme(without_onnx):
    run = run_of()
    files = opened(take_along(run, future(run), {"loss.svg": "<svg/>"}))
    assert files.keys() == ALWAYS | {"results/forecast.csv", "results/loss.svg"}
    readme = files["README.txt"].decode()
    assert all(f"\n{name}\n" in readme for name in files.keys() - {"README.txt"})
    assert "model.onnx is not here\n    No ONNX here." in readme
    assert "the very weights" in readme.replace("\n", " ")
    assert Experiment.from_json(files["experiment.json"].decode()) == run.experiment
    assert load_checkpoint(files["model.safetensors"]).experiment == run.experiment
    assert json.loads(files["results/scores.json"])["test"]["windows"] == len(run.windows.starts["test"])
    table = pd.read_csv(io.BytesIO(files["table.csv"]))
    np.testing.assert_array_equal(table[["a", "y"]].to_numpy(), run.table.numbers)
    assert len(pd.read_csv(io.BytesIO(files["results/forecast.csv"]))) == 4
    curves = pd.read_csv(io.BytesIO(files["results/curves.csv"]))
    assert set(curves["curve"]) == {"train_loss", "valid_loss", "grad_norm"}
    assert (curves["curve"] == "valid_loss").sum() == 3


def test_what_an_experiment_does_not_allow_is_left_out_and_said(without_onnx):
    run = run_of(labelled(), initial_state="stateful", batch_size=8, refit=False)
    files = opened(take_along(run))
    assert files.keys() == ALWAYS - {"data.csv", "train_lstm.py", "train_lstm.ipynb"}
    assert "train_lstm.py is not here" in files["README.txt"].decode()


def test_texts_of_the_table_are_no_formulas(without_onnx):
    table = table_of(**{"=1+1": np.sin(np.arange(80)), "g": ["=cmd|x"] * 40 + ["b"] * 40})
    spec = DataSpec(**SPEC | {"targets": ("=1+1",), "features": ("=1+1",), "group": "g"})
    files = opened(take_along(run_of(make_windows(table, spec), table)))
    for name in ("table.csv", "data.csv"):
        assert all(not cell.startswith("=") for line in files[name].decode().splitlines() for cell in line.split(","))


def test_the_readme_says_when_the_script_ends_elsewhere(without_onnx):
    run = run_of()
    loaded = Run.from_checkpoint(load_checkpoint(run.checkpoint()), run.windows, run.table)
    assert "began from a saved model" in opened(take_along(loaded))["README.txt"].decode()
    short = dataclasses.replace(run.experiment, train=dataclasses.replace(run.train_spec, epochs=9))
    unfinished = Run.new(run.windows, short, run.table)
    unfinished.train_here(2)
    assert "not come to its end" in opened(take_along(unfinished))["README.txt"].decode()


@pytest.mark.slow
def test_its_files_work_without_the_app(tmp_path: Path):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (requirements-extras.txt)")
    run = run_of()
    with zipfile.ZipFile(io.BytesIO(take_along(run, future(run)))) as files:
        files.extractall(tmp_path)
    done = subprocess.run([sys.executable, "train_lstm.py"], cwd=tmp_path, capture_output=True, text=True)
    score = json.loads((tmp_path / "results/scores.json").read_text())["test"]
    assert f"test RMSE {score['rmse']:.4g}, MAE {score['mae']:.4g}" in done.stdout, done.stderr[-2000:]
    app = pd.read_csv(tmp_path / "results/forecast.csv")["forecast"]
    script = pd.read_csv(tmp_path / "forecast.csv")
    np.testing.assert_allclose(script["a"], app[:2], rtol=1e-5)
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    history = session.get_inputs()[0].shape[1]
    (outputs,) = session.run(None, {"rows": run.table.column("a").values[None, -history:, None]})
    np.testing.assert_allclose(outputs[0, :, 0], app[:2], rtol=1e-5)
