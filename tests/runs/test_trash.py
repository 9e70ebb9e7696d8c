"""Deleting: what may be, what comes back, and what goes by age."""

from __future__ import annotations

import time

import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool, trash
from lstm_core.runs.home import folder_of, home
from lstm_core.runs.shelf import Shelf
from lstm_core.runs.trash import DAY, clean_up, delete, restore
from tests.runs.shelves import shelve


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))


def files(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("lock", "about.json")}


def test_a_deleted_run_comes_back_as_it_was():
    folder = shelve(name="mine", owner="me", created=7.0)
    before = files(folder.path)
    delete(folder.id, "me")
    assert folder_of(folder.id) is None and Shelf().runs("me") == []
    (deleted,) = Shelf().trashed("me")
    assert deleted.name == "mine" and Shelf().trashed("you") == []
    restore(folder.id, "me")
    assert files(folder.path) == before and Shelf().trashed("me") == []
    assert folder.about() == {"created": 7.0, "name": "mine", "owner": "me"}


def test_a_run_at_work_or_queued_is_not_deleted():
    folder = shelve("running")
    with folder.locked(0.1), pytest.raises(PlaygroundError, match="training or being scored"):
        delete(folder.id, None)
    pool.want(folder)
    with pytest.raises(PlaygroundError, match="stop it"):
        delete(folder.id, None)
    assert Shelf().run(folder.id).state == "Queued"
    pool.unwant(folder)
    delete(folder.id, None)
    assert Shelf().runs() == []


def test_a_mark_that_was_left_over_does_not_keep_a_run():
    folder = shelve("finished")
    pool.want(folder)
    delete(folder.id, None)
    assert pool.wanted_runs() == []


def test_anothers_run_is_neither_deleted_nor_restored():
    folder = shelve(owner="you")
    with pytest.raises(PlaygroundError, match="somebody else's"):
        delete(folder.id, "me")
    delete(folder.id, "you")
    with pytest.raises(PlaygroundError, match="somebody else's"):
        restore(folder.id, "me")


@pytest.mark.parametrize("id", ["..", "../runs", "a" * 24, ""])
def test_what_is_not_in_the_trash_is_not_restored(id):
    (home() / "trash").mkdir()
    with pytest.raises(PlaygroundError, match="not in the trash"):
        restore(id, None)


def test_what_is_old_is_cleaned_up_unless_it_is_pinned_or_at_work(monkeypatch):
    old, pinned, hidden = shelve(), shelve(pinned=True), shelve(hidden=True)
    locked, wanted = shelve("running"), shelve("waiting")
    pool.want(wanted)
    now = time.time()
    assert clean_up(now) == []
    assert clean_up(now + 2 * DAY) == [hidden.id]
    with locked.locked(0.1):
        assert clean_up(now + 31 * DAY) == [old.id]
    for folder in (pinned, locked, wanted):
        assert folder.exists
    restore(old.id, None)
    assert clean_up(time.time() + DAY) == []
    delete(old.id, None)
    gone = clean_up(time.time() + 31 * DAY)
    assert old.id in gone and hidden.id not in gone  # it went to the trash at a later time than now
    assert not (home() / "trash" / old.id).exists()


def test_a_sweeps_trials_stay_as_long_as_any_run():
    trial = shelve(hidden=True, sweep="ab")
    now = time.time()
    assert clean_up(now + 29 * DAY) == []
    assert clean_up(now + 31 * DAY) == [trial.id]


def test_one_that_cannot_be_moved_does_not_keep_the_others(monkeypatch):
    first, second = shelve(), shelve()
    move = trash._move

    def refuse(folder, *more):
        if folder.id == first.id:
            raise PlaygroundError("the disk is full")
        move(folder, *more)

    monkeypatch.setattr(trash, "_move", refuse)
    assert clean_up(time.time() + 31 * DAY) == [second.id]


@pytest.mark.parametrize("by_file", [False, True])
def test_of_a_run_elsewhere_only_the_place_goes(tmp_path, by_file):
    folder = shelve(name="elsewhere")
    there = tmp_path / "there"
    folder.path.rename(there)
    if by_file:
        folder.path.write_text(str(there))
    else:
        folder.path.symlink_to(there, target_is_directory=True)
    (run,) = Shelf().runs()
    assert (run.id, run.name) == (folder.id, "elsewhere")
    delete(folder.id, None)
    assert Shelf().runs() == [] and [one.id for one in Shelf().trashed()] == [folder.id]
    restore(folder.id, None)
    assert Shelf().run(folder.id).name == "elsewhere"
    delete(folder.id, None)
    assert clean_up(time.time() + 31 * DAY) == [folder.id]
    assert not (home() / "trash" / folder.id).exists() and (there / "experiment.json").is_file()
