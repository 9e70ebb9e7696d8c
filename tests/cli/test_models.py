"""score and trace: the numbers of the page, and the very arrays of trace_lstm."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from lstm_core.cli import main, models
from lstm_core.data.ingest.read import read_table
from lstm_core.data.load import load_table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.runs.run import Run
from lstm_core.trace import trace_lstm
from tests.cli.conftest import OWN_SPEC

NILE = DataSpec(name="nile", seq_len=5, targets=("volume",), features=("volume",))


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


@pytest.mark.parametrize(
    "model", [{}, {"num_layers": 2, "bidirectional": True, "batch_first": False}, {"proj_size": 2, "head": "per_step"}]
)
def test_a_trace_has_the_arrays_of_trace_lstm(saved_model, call, tmp_path, model):
    path, run = saved_model(load_table(NILE), NILE, **model)
    out = tmp_path / "any.name"
    about = call("trace", path, "--out", out, "--split", "valid", "--json")
    starts, lstm = run.windows.starts["valid"], run.current_model().lstm
    x = torch.from_numpy(run.windows.inputs(starts))
    trace = trace_lstm(lstm, x if lstm.batch_first else x.transpose(0, 1))
    with np.load(out) as arrays:
        assert set(arrays) == {*"ifgoch", "x", "start_row"}
        assert np.array_equal(arrays["x"], x)
        assert np.array_equal(arrays["start_row"], starts)
        for name in "ifgoch":
            assert np.array_equal(arrays[name], getattr(trace, name)), name
    assert about["windows"] == len(starts) and about["shape"] == list(trace.i.shape)
    assert about["max_difference"] == trace.max_difference < 1e-5


def test_a_trace_of_some_windows_spreads_them_over_the_test_split(saved_model, call, tmp_path):
    path, run = saved_model(load_table(NILE), NILE)
    out = tmp_path / "trace.npz"
    assert "3 test windows" in call("trace", path, "--out", out, "--windows", "3")
    starts = run.windows.starts["test"]
    with np.load(out) as arrays:
        assert arrays["start_row"].tolist() == [starts[0], starts[(len(starts) - 1) // 2], starts[-1]]


def test_a_trace_that_would_not_fit_in_memory_names_the_windows_that_do(saved_model, refuse, tmp_path, monkeypatch):
    path, _ = saved_model(load_table(NILE), NILE)
    one = 2 * 4 * 5 * (6 * 4 + 1)
    monkeypatch.setattr(models, "free_memory", lambda: 2.5 * one / models.MEMORY_SHARE)
    assert "with --windows 2 it fits" in refuse("trace", path, "--out", tmp_path / "trace.npz")
    assert not (tmp_path / "trace.npz").exists()


def test_what_cannot_be_traced_is_refused(saved_model, refuse, tmp_path):
    path, _ = saved_model(load_table(NILE), NILE)
    assert "--windows is 0" in refuse("trace", path, "--out", tmp_path / "t.npz", "--windows", "0")
    assert "cannot be written" in refuse("trace", path, "--out", tmp_path / "none" / "t.npz")
    whole = dataclasses.replace(NILE, train_share=0.7, valid_share=0.3)
    path, _ = saved_model(load_table(whole), whole)
    assert "The test split has no window" in refuse("trace", path, "--out", tmp_path / "t.npz")
    path, _ = saved_model(load_table(NILE), NILE, cell="gru")
    assert "nn.GRU" in refuse("trace", path, "--out", tmp_path / "t.npz")


def test_a_runs_folder_is_a_model_with_its_data(call, refuse, write, own_file, tmp_path):
    end = call("train", write(data=OWN_SPEC), "--data", own_file, "--out", tmp_path / "run", "--json")
    assert call("score", tmp_path / "run", "--json") == {k: v for k, v in end["score"].items() if k != "step"}
    model = tmp_path / "run" / "model.safetensors"
    assert call("score", end["id"]) == call("score", model, "--data", own_file)
    call("trace", end["id"], "--out", tmp_path / "t.npz")
    assert "leave --data out" in refuse("score", end["id"], "--data", own_file)
    model.unlink()
    assert "no model file yet" in refuse("score", tmp_path / "run")
