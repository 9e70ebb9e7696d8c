"""Sweep: a click begins a sweep that another process trains; whose it is, what can be done with it, how it ends."""

from __future__ import annotations

import dataclasses
import json
import threading

import pytest

from lstm_core.data.load import load_table
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, new_id, run_path
from lstm_core.runs.run import Run
from lstm_core.runs.sweeps import detached
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.study import Study
from pages.shared.session import state
from tests.factories import NILE, nile_study, until
from tests.pages.conftest import series_csv, unescaped

ME, OTHER = "0" * 64, "f" * 64
STUDY = nile_study(name="mine", trials=3, finalists=1, seeds=2)
PARAMS = (
    {"train.lr": 0.01, "model.cell": "gru"},
    {"train.lr": 0.02, "model.cell": "lstm"},
    {"train.lr": 0.05, "model.cell": "gru"},
)


pytestmark = pytest.mark.usefixtures("no_sweeps")


@pytest.fixture
def begun(monkeypatch) -> list[SweepFolder]:
    """The sweeps that a dispatcher was begun for; it does not come."""
    folders: list[SweepFolder] = []

    def spawn(folder):
        folders.append(folder)
        thread = threading.Thread(target=lambda: None)
        thread.start()
        return thread

    monkeypatch.setattr(detached, "spawn", spawn)
    return folders


def made(owner: str = ME, study: Study = STUDY, **progress) -> SweepFolder:
    folder = SweepFolder(home() / "sweeps" / new_id())
    folder.create(study, load_table(NILE), folder.id, owner)
    if progress:
        folder.write_progress(progress)
    return folder


def run_of(folder: SweepFolder, number: int, **about) -> str:
    """Trains the run of a trial; its id."""
    id = folder.run_id(number, 0, "winner" if not about else "trial")
    run = RunFolder(run_path(id), id)
    owner = folder.about().get("owner", "")
    run.create(STUDY.with_params(PARAMS[number]), load_table(NILE), {"sweep": folder.id, "owner": owner} | about)
    opened = Run.open(run)
    opened.start()
    until(lambda: not opened.is_active and not run.is_locked)
    return id


@pytest.fixture
def finished() -> SweepFolder:
    """One trial complete, one pruned, one refused, and a winner; the runs of the first and of the winner are there."""
    folder = made()
    runs = [
        run_of(folder, 0, hidden=True, unscored=True, name="mine: trial 0"),
        folder.run_id(1, 0),
        folder.run_id(2, 0),
    ]
    rows = zip(("complete", "pruned", "failed"), (0.5, 0.75, None), ("", "", "<b>refused</b>"), strict=True)
    tried = [
        {
            "trial": k,
            "run": runs[k],
            "params": PARAMS[k],
            "state": state,
            "loss": loss,
            "epochs": 2 - k,
            "message": message,
        }
        for k, (state, loss, message) in enumerate(rows)
    ]
    ends = {
        "trial": 0,
        "params": PARAMS[0],
        "runs": [runs[0], folder.run_id(0, 1)],
        "losses": [0.5, 0.625],
        "median": 0.5625,
    }
    winner = run_of(folder, 0)
    score = json.loads((run_path(winner) / "score.json").read_text())
    importance = {"train.lr": 0.75, "model.cell": 0.25}
    progress = {
        "status": "finished",
        "seeds": 2,
        "best": 0,
        "tried": tried,
        "finalists": [ends],
        "importance": importance,
    }
    folder.write_progress(progress | {"winner": {"trial": 0, "run": winner, "score": score}})
    folder.file("experiment.json").write_text(STUDY.winner(PARAMS[0]).to_json())
    return folder


# ---- a sweep that is at work


def test_a_click_begins_a_sweep_of_ones_own_in_a_process_of_its_own(visit, begun):
    tab = visit("sweep").set("sweep_name", "mine").press("sweep_begin")
    (folder,) = begun
    assert tab.at.query_params["sweep"] in (folder.id, [folder.id])
    assert folder.about()["owner"] == ME and folder.study().experiment == tab.workspace.experiment
    assert folder.table().sha256 == tab.workspace.table.sha256
    assert "mine · Sunspots" in tab.words() and "No trial of 24 has ended yet" in tab.words()


def test_a_sweep_of_a_file_keeps_it_and_is_edited_on_the_same_table(visit, begun, monkeypatch):
    tab = visit("data").upload(series_csv()).go("sweep").press("sweep_begin")
    (folder,) = begun
    table = tab.workspace.table
    assert folder.table().upload.read() == series_csv() and "mine.csv" in tab.words()
    tab.press("sweep_edit")
    assert tab.workspace.table is table and not tab.errors() and tab.pressable("sweep_begin")
    monkeypatch.setattr(state, "owner", lambda: OTHER)
    other = visit("sweep", sweep=folder.id).press("sweep_edit")
    assert "somebody else's file" in other.errors()[0] and other.workspace.experiment.data.source == "sample"


def test_a_sweep_that_has_nothing_to_validate_on_is_not_begun(visit, begun):
    tab = visit("sweep")
    tab.workspace.change("data", valid_share=0.0)
    tab.run().press("sweep_begin")
    assert "no validation windows" in tab.errors()[0] and not begun


def test_a_sweep_is_paused_goes_on_and_is_not_deleted_while_it_is_at_work(visit, begun):
    tried = [
        {"trial": 0, "run": new_id(), "params": PARAMS[0], "state": "running", "loss": None, "epochs": 1, "message": ""}
    ]
    folder = made(status="running", seeds=2, best=None, tried=tried, finalists=[])
    lock = folder.lock()
    tab = visit("sweep")
    assert "Running" in tab.words() and "trial 0 at epoch 1" in unescaped(tab.at.get("progress")[0].proto.text)
    assert not tab.pressable("sweep_delete")
    tab.press("sweep_pause")
    assert folder.asked == "pause" and "Pausing" in tab.words() and not tab.pressable("sweep_pause")
    folder.obeyed()
    folder.write_progress(folder.progress() | {"status": "interrupted"})
    lock.release()
    assert "Paused" in tab.run().words()
    tab.press("sweep_go_on")
    assert begun == begun[:1] and begun[0].id == folder.id


def test_a_deleted_sweep_comes_back(visit):
    folder = made(status="interrupted")
    tab = visit("sweep").press("sweep_delete")
    assert not folder.exists and "Deleted: **mine · Nile**" in tab.words() and tab.widget("sweep_begin")
    tab.press("undo_delete_sweep")
    assert folder.exists and "Paused" in tab.words()
    tab.press("sweep_delete").press(f"restore_sweep_{folder.id}")
    assert folder.exists and not tab.errors()


def test_a_tab_comes_back_to_what_it_showed(visit):
    older, newer = made(status="finished"), made(status="interrupted")
    tab = visit("sweep")
    tab.set("sweep_pick", older.id).go("data")
    tab.at.query_params.clear()  # as the browser does on another page
    assert tab.go("sweep").widget("sweep_pick").value == older.id and newer.exists
    tab.press("sweep_new").go("model")
    tab.at.query_params.clear()
    assert tab.go("sweep").widget("sweep_begin")


def test_others_sweeps_are_seen_by_their_address_alone_and_cannot_be_touched(visit, monkeypatch):
    folder, nobodys = (
        made(OTHER, status="interrupted"),
        made("", dataclasses.replace(STUDY, name="of the command line")),
    )
    tab = visit("sweep")
    assert "of the command line" in tab.words() and tab.widget("sweep_delete")
    assert folder.id not in tab.widget("sweep_pick").options and nobodys.id
    tab = visit("sweep", sweep=folder.id)
    assert "somebody else's sweep" in tab.words() and "mine · Nile" in tab.words()
    assert not [one.key for one in tab.at.button if one.key in ("sweep_delete", "sweep_go_on", "sweep_pause")]
    monkeypatch.setattr(state, "owner", lambda: OTHER)
    assert visit("sweep", sweep=folder.id).widget("sweep_go_on")


def test_an_invented_address_and_a_damaged_study_harm_nobody(visit):
    for id in ("../../etc", "a" * 24, "<b>"):
        assert visit("sweep", sweep=id).widget("sweep_begin")
    folder = made()
    folder.file("study.json").write_text("{")
    tab = visit("sweep", sweep=folder.id)
    assert "study.json of this sweep is damaged" in tab.words()
    assert tab.press("sweep_new").widget("sweep_begin")


# ---- its end


def test_a_sweep_that_has_ended_shows_its_winner_and_every_trial(visit, finished):
    tab = visit("sweep")
    words = tab.words()
    assert "Trial 0 of 3 wins: lr 0.0100, cell gru." in words and "test windows that no trial has seen: RMSE" in words
    lines = {line["name"] for line in tab.figure("sweep_losses")["data"]}
    assert lines == {"best so far", "complete", "pruned", "failed", "winner"}
    assert len(tab.figure("sweep_parallel")["data"]) == 2
    assert tab.figure("sweep_importance")["data"] and tab.figure("sweep_finalists")["data"]
    assert "<b>" not in json.dumps(tab.figure("sweep_losses")).replace("<br>", "")
    table = tab.at.dataframe[0].value
    assert table["trial"].tolist() == [0, 1, 2] and table["cell"].tolist() == ["gru", "lstm", "gru"]


def test_the_winners_settings_are_put_on_the_table_with_the_sweeps_data(visit, finished):
    tab = visit("sweep")
    run = tab.training
    tab.press("sweep_use_winner")
    assert tab.workspace.experiment == STUDY.winner(PARAMS[0]) and tab.training is run
    assert "settings of the winner" in tab.words()
    tab.go("train").press("train")
    tab.finish()
    assert tab.training.experiment.model.cell == "gru" and tab.training.table.name == load_table(NILE).name
    tab.go("sweep").press("sweep_edit")
    assert tab.workspace.experiment == STUDY.experiment and tab.widget("sweep_trials").value == 3


def test_a_trial_opens_as_any_run_and_no_page_looks_at_its_test_windows(visit, finished, monkeypatch):
    tab = visit("sweep")
    trial, pruned = (one["run"] for one in finished.progress()["tried"][:2])
    tab.set("sweep_trial", pruned)
    assert not tab.pressable("sweep_open")  # its run is not there
    tab.set("sweep_trial", trial).press("sweep_open")
    assert tab.training.id == trial and "Trial 0 is open in this tab" in tab.words()
    tested = set(tab.training.windows.starts["test"].tolist())
    asked = set()
    inputs = type(tab.training.windows).inputs
    monkeypatch.setattr(
        type(tab.training.windows),
        "inputs",
        lambda self, starts, *more: (asked.update(starts.tolist()), inputs(self, starts, *more))[1],
    )
    tab.go("train")
    assert "On all 15 validation windows" in tab.words() and not tab.pressable("make_take_it_all")
    tab.go("gates")
    assert tab.widget("part").options == ["training", "validation"]
    tab.go("forecast")
    assert "This is a trial of a sweep" in tab.words()
    tab.go("stage").go("start")
    assert asked and not asked & tested and not RunFolder(run_path(trial)).file("score.json").exists()


def test_a_trial_of_this_tab_that_is_deleted_with_its_sweep_stays_in_memory(visit, finished):
    tab = visit("sweep").press("sweep_open")
    tab.press("sweep_delete")
    assert not tab.errors() and tab.training.folder is None and not tab.go("gates").errors()
    assert tab.training.is_unscored and "On all 15 validation windows" in tab.go("train").words()


def test_settings_of_a_trial_that_do_not_go_together_are_a_sentence(visit, finished):
    progress = finished.progress()
    progress["tried"][2]["params"] = {"model.proj_size": 9}
    finished.write_progress(progress)
    tab = visit("sweep")
    before = tab.workspace.experiment
    tab.set("sweep_trial", progress["tried"][2]["run"]).press("sweep_use")
    assert "proj_size is 9" in tab.errors()[0] and tab.workspace.experiment == before
    tab.set("sweep_trial", progress["tried"][1]["run"]).press("sweep_use")
    assert tab.workspace.experiment == STUDY.with_params(PARAMS[1]) and not tab.errors()
