"""runs: all that there are, wherever they were started, also with files that are damaged or missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lstm_core.cli import listing
from lstm_core.runs.home import home
from tests.cli.conftest import FOREVER
from tests.factories import until


@pytest.fixture
def empty_home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_without_runs(call, empty_home):
    assert call("runs", "--json") == {"runs": []}
    assert "no runs yet" in call("runs")


def test_runs_are_listed_those_that_train_first(call, write, tmp_path):
    end = call("train", write(), "--out", tmp_path / "done", "--json")
    id, _ = call("train", write(**FOREVER), "--detach").split()
    call("train", write("newest.json"), "--json")

    def trains() -> bool:
        return call("runs", "--json")["runs"][0]["status"] == "running"

    until(trains)
    runs = call("runs", "--json")["runs"]
    first, newest, old = runs[0], runs[1], next(run for run in runs if run["id"] == end["id"])
    assert (first["id"], newest["name"]) == (id, "newest")
    assert first["score"] is None and first["best_baseline"] is None
    assert (old["name"], old["data"], old["folder"]) == ("done", "nile", str(tmp_path / "done"))
    assert (old["status"], old["step"], old["epoch"], old["epochs"]) == ("finished", end["step"], end["epoch"], 3)
    assert old["score"] == end["score"]["test"]
    assert old["best_baseline"]["rmse"] == min(one["rmse"] for one in end["score"]["baselines"].values())
    assert old["loss"] > 0 and old["best_loss"] > 0 and old["seconds"] > 0
    head, *rows = call("runs").splitlines()
    assert head.split() == ["id", "run", "status", "epoch", "loss", "test", "score", "best", "baseline", "age"]
    (row,) = (row for row in rows if row.startswith(end["id"]))
    assert "done (nile)" in row and "finished" in row and "RMSE" in row


def test_damaged_folders_do_not_hide_the_others(call, write, tmp_path):
    end = call("train", write(), "--out", tmp_path / "run", "--json")
    for name in ("status.json", "score.json", "records.bin", "about.json"):
        (tmp_path / "run" / name).write_bytes(b"\xff{")
    (home() / "runs" / "BBBBBBBBBBBBBBBB").mkdir()
    (home() / "runs" / "CCCCCCCCCCCCCCCC").symlink_to(tmp_path / "gone")
    runs = {run["id"]: run for run in call("runs", "--json")["runs"]}
    assert not {"BBBBBBBBBBBBBBBB", "CCCCCCCCCCCCCCCC"} & set(runs)
    assert (runs[end["id"]]["name"], runs[end["id"]]["step"], runs[end["id"]]["loss"]) == ("", 0, None)
    call("runs")
    shutil.rmtree(tmp_path / "run")
    assert end["id"] not in call("runs")


def test_ages_are_in_the_largest_unit(monkeypatch):
    monkeypatch.setattr(listing.time, "time", lambda: 1_000_000.0)
    ages = [listing._age(1_000_000.0 - seconds) for seconds in (-5, 7, 60, 7_300, 200_000)]
    assert ages == ["0 s", "7 s", "1 min", "2 h", "2 d"]
