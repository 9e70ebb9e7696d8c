"""A sweep in a process of its own: begun and paused by whoever looks at it; all its runs are its owner's."""

from __future__ import annotations

import threading

import pytest

from lstm_core.cli import main
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import run_ids, run_path
from lstm_core.runs.run import Run
from lstm_core.runs.shelf import Shelf
from lstm_core.runs.sweeps import detached
from lstm_core.runs.sweeps.dispatcher import Sweep
from lstm_core.runs.sweeps.shelf import SweepShelf
from tests.conftest import end_all_runs
from tests.factories import ENDLESS, until

pytest.importorskip("optuna", reason="an extra: requirements-extras.txt")
pytestmark = pytest.mark.extra


@pytest.fixture(autouse=True)
def _no_run_left():
    yield
    end_all_runs()


def test_a_sweep_that_is_asked_to_pause_pauses_its_trials_and_goes_on_later(make):
    folder = make("me", epochs=ENDLESS, trials=1, finalists=1, seeds=1, parallel=1)
    result: list[dict] = []
    thread = threading.Thread(target=lambda: result.append(Sweep(folder).run()))
    thread.start()
    trial = RunFolder(run_path(folder.run_id(0, 0)), folder.run_id(0, 0))
    until(lambda: trial.status().get("step", 0) > 5)
    detached.pause(folder)
    thread.join(20)
    assert result[0]["status"] == "interrupted" and not folder.is_locked and not pool.wanted_runs()
    assert SweepShelf().sweep(folder.id).state == "Paused" and trial.status()["status"] == "paused"
    step = trial.status()["step"]
    again = threading.Thread(target=lambda: result.append(Sweep(folder).run()))
    again.start()
    until(lambda: trial.status().get("step", 0) > step)
    assert main(["stop", "--all"]) == 0
    again.join(20)
    assert folder.asked == "" and trial.status()["status"] == "paused"


def test_all_runs_of_a_sweep_are_its_owners_and_no_trial_may_be_scored_by_a_page(make):
    folder = make("me", trials=2, finalists=1, seeds=1)
    end = Sweep(folder).run()
    runs = [RunFolder(run_path(id), id) for id in run_ids()]
    assert {run.about()["owner"] for run in runs if run.about().get("sweep") == folder.id} == {"me"}
    assert end["winner"]["run"] in {run.id for run in Shelf().runs("me")}
    assert end["winner"]["run"] not in {run.id for run in Shelf().runs("you")}
    trial, winner = (Run.open(RunFolder(run_path(id), id)) for id in (end["tried"][0]["run"], end["winner"]["run"]))
    assert trial.is_unscored and trial.shown_splits == ("train", "valid")
    assert not winner.is_unscored and winner.shown_splits == ("train", "valid", "test")
    with pytest.raises(AssertionError, match="not to be looked at"):
        trial.score("test")
    assert trial.score("valid", wait=20).evaluation is not None


@pytest.mark.slow
def test_a_process_of_its_own_trains_it_to_the_end(make, tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))
    folder = make(trials=2, finalists=1, seeds=1)
    detached.begin(folder)
    shelf = SweepShelf()
    assert shelf.sweep(folder.id).state in ("Starting", "Running")
    until(lambda: shelf.sweep(folder.id).state == "Finished", 120)
    assert shelf.sweep(folder.id).progress["winner"]["score"]["test"]["rmse"] > 0
    assert "Run:" in folder.file("log.txt").read_text()


def test_a_dispatcher_that_lives_yet_is_not_called_interrupted(make, monkeypatch):
    folder, say_it_all = make(), threading.Event()
    process = threading.Thread(target=say_it_all.wait, daemon=True)
    monkeypatch.setitem(detached._begun, folder.id, process)
    process.start()  # it holds no lock: it has let go of it, and has not written its last word
    assert SweepShelf().sweep(folder.id).state == "Running"
    folder.file("log.txt").write_text("optuna.db is damaged")
    say_it_all.set()
    process.join(20)
    ended = SweepShelf().sweep(folder.id)
    assert ended.state == "Interrupted" and "optuna.db is damaged" in ended.message


@pytest.mark.slow
def test_what_keeps_a_process_from_beginning_is_told(make, tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))
    folder = make()
    folder.file("optuna.db").write_text("no database")
    detached.begin(folder)
    shelf = SweepShelf()
    until(lambda: shelf.sweep(folder.id).state == "Interrupted", 120)
    assert "optuna.db is damaged" in shelf.sweep(folder.id).message
