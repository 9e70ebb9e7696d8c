"""The shelf: what is true of each run, however its files were left; whose it is; names that a stranger wrote."""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError
from lstm_core.runs import pool, shelf
from lstm_core.runs.home import home
from lstm_core.runs.loss_thumbnail import POINTS, WHOLE, loss_thumbnail
from lstm_core.runs.shelf import Shelf, change_about, plain_text
from tests.conftest import examples
from tests.runs.shelves import STEPS_PER_EPOCH, shelve, write_records


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))


def only(owner: str | None = None) -> shelf.RunSummary:
    (run,) = Shelf().runs(owner)
    return run


def test_an_empty_home_has_no_runs():
    assert Shelf().runs() == Shelf().trashed() == []


def test_a_run_is_told_without_its_model():
    experiment = Experiment(DataSpec(name="nile"), ModelSpec(hidden_size=5, num_layers=2))
    folder = shelve(experiment=experiment, name="best", note="of all", pinned=True, created=5.0)
    run = only()
    assert (run.id, run.name, run.note, run.is_pinned, run.created) == (folder.id, "best", "of all", True, 5.0)
    assert (run.state, run.step, run.epochs, run.total_epochs, run.seconds) == ("Finished", 12, 3.0, 3, 5.0)
    assert (run.data_title, run.model_title, run.title) == ("Nile", "LSTM 2 × 5", "best")
    assert run.table_sha256 == "t1" and run.experiment == experiment
    assert len(run.loss.train) == 12 and run.loss.valid.tolist() == [0.5, 0.25, pytest.approx(1 / 6)]


@pytest.mark.parametrize(
    ("status", "locked", "wanted", "state"),
    [
        ("running", True, True, "Training"),
        ("running", False, True, "Queued"),  # its process was killed; the next free worker goes on with it
        ("running", False, False, "Interrupted"),
        ("waiting", False, True, "Queued"),
        ("waiting", False, False, "Interrupted"),
        (None, False, True, "Queued"),
        (None, False, False, "Interrupted"),
        ("paused", False, False, "Paused"),
        ("ready", False, False, "Paused"),
        ("stopped", False, False, "Stopped"),
        ("finished", True, False, "Finished"),  # it is being scored
        ("failed", False, False, "Failed"),
        ("nonsense", False, False, "Interrupted"),
    ],
)
def test_the_lock_tells_who_is_at_work(status, locked, wanted, state):
    folder = shelve(status)
    if wanted:
        pool.want(folder)
    with folder.locked(0.1 if locked else 0.0) if locked else nullcontext():
        run = only()
    assert run.state == state and run.state in shelf.STATES.values()
    assert run.is_active == (state in ("Training", "Queued"))
    assert bool(run.message) == (state == "Interrupted")


def test_a_command_that_comes_as_a_run_is_let_go_of_never_seems_lost():
    """The worker that has paused it removes its mark, sees the command, and sets the mark again: all under its lock."""
    folder = shelve("paused")
    with folder.locked(0.1):
        folder.ask("train", steps=1)
        assert only().state == "Queued"
    assert only().state == "Paused"  # nobody is to obey it


@pytest.mark.parametrize("end", ["finished", "stopped"])
def test_an_ended_run_is_live_until_its_last_step_is_scored(end):
    folder = shelve(end)
    score, step = folder.file("score.json"), only().step
    score.unlink(missing_ok=True)
    assert not only().is_live  # nobody is at work on it
    with folder.locked(0.1):
        before = only()
        assert before.is_being_scored and before.is_live and not before.is_active
        score.write_text(json.dumps({"step": step - 1}))
        assert only().is_live  # the score is of an earlier end
        score.write_text(json.dumps({"step": step}))
        assert not only().is_live
    assert before.is_live and only().progress != before.progress  # a summary stays as it was read


def test_a_paused_run_that_was_asked_to_go_on_is_queued():
    folder = shelve("paused")
    pool.want(folder)
    assert only().state == "Paused"
    folder.ask("train", steps=None)
    assert only().state == "Queued"


def test_runs_of_others_are_seen_by_their_id_only_and_nobodys_by_all():
    mine, nobodys, others = shelve(owner="me"), shelve(), shelve(owner="you")
    assert {run.id for run in Shelf().runs("me")} == {mine.id, nobodys.id}
    assert {run.id for run in Shelf().runs(None)} == {nobodys.id}
    assert Shelf().run(others.id).id == others.id
    for change in ({"name": "x"}, {"pinned": True}):
        with pytest.raises(PlaygroundError, match="somebody else's"):
            change_about(others.id, "me", **change)
    change_about(mine.id, "me", name="new")
    assert Shelf().run(mine.id).name == "new" and mine.about()["owner"] == "me"


@pytest.mark.parametrize("id", ["", "..", "../runs", "a" * 23, "a" * 24, "a/b" * 8, "\u0661" * 24])
def test_an_id_of_no_run_is_none(id):
    assert Shelf().run(id) is None
    with pytest.raises(PlaygroundError, match="not there any more"):
        change_about(id, None, name="x")


def test_parts_of_something_else_are_left_out_and_so_is_what_is_no_run():
    hidden = shelve(hidden=True)
    (home() / "runs" / "not a run").mkdir()
    (home() / "runs" / ("d" * 24)).mkdir()  # it has no experiment yet
    assert Shelf().runs() == []
    assert [run.id for run in Shelf().runs(hidden=True)] == [hidden.id]


def test_what_has_changed_is_read_again_and_nothing_else(monkeypatch):
    kept, folder = Shelf(), shelve("running")
    assert [run.state for run in kept.runs()] == ["Interrupted"]
    monkeypatch.setattr(shelf, "loss_thumbnail", lambda *args: pytest.fail("read again"))
    monkeypatch.setattr(shelf, "_read_experiment", lambda *args: pytest.fail("read again"))
    folder.write_status({"status": "finished", "step": 12, "steps_per_epoch": STEPS_PER_EPOCH, "seconds": 7.0})
    assert [(run.state, run.seconds) for run in kept.runs()] == [("Finished", 7.0)]
    change_about(folder.id, None, name="other")
    assert [run.name for run in kept.runs()] == ["other"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("status", "step", "steps_per_epoch", "epochs", "seconds", "time", "message", "best_loss", "parameters")
ABOUT = ("name", "note", "pinned", "created", "hidden", "deleted")


@examples(60)
@example({"step": 2**70, "seconds": -(10**400), "time": float("inf")}, {"created": 10**400})
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.dictionaries(st.sampled_from(ABOUT), JSON))
def test_whatever_the_files_say_there_is_a_summary(status, about):
    shutil.rmtree(home() / "runs", ignore_errors=True)  # of an example before
    folder = shelve("paused")
    folder.write_status(status)
    folder.write_about(about)
    (run,) = Shelf().runs(hidden=True)
    assert run.state in shelf.STATES.values()
    for value in (run.name, run.note, run.title, run.message):
        assert isinstance(value, str)
    for value in (run.created, run.seconds, run.step, run.epochs or 0, run.total_epochs or 0, run.best_loss or 0):
        assert isinstance(value, int | float)
    assert isinstance(run.is_pinned, bool)


@example("000\r0", 4, False)
@example("0 \x1b\r0", 4, False)
@given(st.text(), st.integers(1, 30), st.booleans())
def test_plain_text_is_short_and_has_no_control_characters(text, size, lines):
    plain = plain_text(text, size, lines)
    assert len(plain) <= size
    assert not any(ord(c) < 32 and not (lines and c == "\n") for c in plain)
    assert "\u202e" not in plain and "\ud800" not in plain
    assert plain_text(plain, size, lines) == plain


def test_a_name_that_is_no_text_is_none():
    shelve(name={"a": 1}, note=["x"])
    assert (only().name, only().note) == ("", "")


def test_a_long_runs_loss_is_read_at_some_places(tmp_path):
    folder = shelve(steps=0)
    steps = WHOLE + 1003
    folder.file("records.bin").unlink()
    write_records(folder, steps)
    loss = loss_thumbnail(folder.file("records.bin"), STEPS_PER_EPOCH)
    assert len(loss.train) == POINTS and len(loss.valid) == POINTS and loss.last_step == steps
    assert (np.diff(loss.train) < 0).all() and (np.diff(loss.valid) < 0).all()
    assert loss.valid[0] == pytest.approx(2 / STEPS_PER_EPOCH)
    assert loss.valid[-1] == pytest.approx(2 / (steps // STEPS_PER_EPOCH * STEPS_PER_EPOCH))
    assert len(loss_thumbnail(folder.file("records.bin"), 0).valid) == 0
    assert loss_thumbnail(tmp_path / "none", 4).last_step == 0


def test_two_hundred_runs_are_listed_in_a_fifth_of_a_second():
    for _ in range(200):
        shelve()
    kept = Shelf()
    kept.runs()
    best = min(_seconds(kept) for _ in range(3))
    assert len(kept.runs()) == 200
    assert best < 0.2, f"{best:.3f} s"


def _seconds(kept: Shelf) -> float:
    began = time.thread_time()
    kept.runs()
    return time.thread_time() - began


def test_a_look_changes_nothing_and_a_run_is_as_old_as_its_settings():
    folder = shelve("paused")
    folder.write_about({})
    os.utime(folder.file("experiment.json"), (1e9, 1e9))
    before = sorted(folder.path.iterdir())
    assert only().created == 1e9
    folder.write_status({"status": "paused", "time": 2e9})
    assert only().created == 1e9 and sorted(folder.path.iterdir()) == before
