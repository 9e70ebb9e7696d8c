"""Exports of Model and Gates: the script beside the model's code, and what stands beside the gates of a trace."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting.predict import predict
from lstm_core.runs import archive
from pages.shared.gates.export import step_columns
from pages.shared.gates.selection import Selection
from tests.pages.conftest import labelled_csv, series_csv, trained


def test_the_model_page_shows_the_model_alone_and_the_script(visit):
    tab = visit("model").set("hidden_size", 5)
    alone, script = (block.value for block in tab.at.code)
    assert "optimizer" not in alone
    assert "optimizer.step()" in script
    assert "hidden_size=5" in alone and "hidden_size=5" in script
    (button,) = tab.at.get("download_button")
    assert button.proto.label == "Script, notebook and data.csv as ZIP"
    tab.go("train").set("initial_state", "stateful")
    tab.go("model")
    assert len(tab.at.code) == 1
    assert "another initial state" in tab.words()


def last_window(tab) -> Selection:
    return Selection(tab.training, int(tab.training.windows.starts["test"][-1]))


def test_the_trace_has_time_inputs_prediction_and_target(visit, downloads):
    tab = visit("gates", run=trained(hidden_size=3))
    name = next(name for name in downloads if name.startswith("trace") and name.endswith(".csv"))
    frame = pd.read_csv(io.BytesIO(downloads[name]()))
    windows, start = tab.training.windows, last_window(tab).start
    rows = np.arange(start, start + windows.spec.seq_len)
    for unit in range(3):
        table = frame[frame["unit"] == unit]
        assert table["row"].tolist() == rows.tolist()
        assert table["time"].tolist() == windows.time[rows].tolist()
        assert table["input SUNACTIVITY"].to_numpy() == pytest.approx(windows.x[rows, 0], rel=1e-6)
        assert table["prediction"].isna().tolist() == [True] * (len(rows) - 1) + [False]
        assert table["target"].iloc[-1] == pytest.approx(windows.y[rows[-1] + 1, 0])
        expected = predict(last_window(tab).snapshot.model, windows, np.array([start]))[0, 0, 0]
        assert table["prediction"].iloc[-1] == pytest.approx(expected, rel=1e-5)


def test_several_targets_and_rows_ahead_have_a_column_each(visit):
    tab = visit("data").upload(series_csv(), "load.csv").set("target", ["load", "price"]).set("horizon", 2)
    columns = step_columns(last_window(tab.go("model").set("head", "per_step").train(epochs=1)))
    assert [name for name in columns if name.startswith("prediction")] == [
        f"prediction {target} +{ahead}" for target in ("load", "price") for ahead in (1, 2)
    ]
    assert not any(np.isnan(columns["prediction load +2"]))
    assert columns["target load +1"][1:].tolist() == columns["target load +2"][:-1].tolist()
    assert columns["input load"][1:].tolist() == columns["target load +1"][:-1].tolist()


def test_classes_are_named(visit):
    tab = visit("data").upload(labelled_csv(), "labels.csv").set("target", ["state"]).set("horizon", 0)
    columns = step_columns(last_window(tab.train(epochs=1)))
    assert columns["target"][-1] in ("high", "low")
    assert columns["prediction"][-1] in ("high", "low")
    assert set(columns["target"][:-1]) == {""}


def test_everything_is_taken_along_once_it_is_asked_for(visit, downloads, monkeypatch):
    def no_onnx(*_):
        raise PlaygroundError("No ONNX here.")

    monkeypatch.setattr(archive, "onnx_model", no_onnx)  # an export takes seconds
    tab = visit("train", run=trained(hidden_size=3))
    assert "lstm_playground.zip" not in downloads
    tab.press("make_take_it_all")
    with zipfile.ZipFile(io.BytesIO(downloads["lstm_playground.zip"]())) as files:
        names = set(files.namelist())
        assert files.read("results/forecast.svg").count(b"<polyline") == 6  # actual, forecast and four edges
    assert {"README.txt", "table.csv", "train_lstm.ipynb", "results/loss.svg", "results/forecast.csv"} <= names
