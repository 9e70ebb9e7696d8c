"""What a page reads of sweeps, what it asks of a dispatcher, and deleting."""

from __future__ import annotations

import threading

import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import folder_of, home, new_id, run_path
from lstm_core.runs.shelf import Shelf
from lstm_core.runs.sweeps import detached, history, trash
from lstm_core.runs.sweeps.shelf import SweepShelf
from lstm_core.runs.trash import DAY


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))


def shelved(folder):
    return SweepShelf().sweep(folder.id)


def trial_of(folder, trial: int = 0, **about) -> RunFolder:
    """A trial's run, as if it had been trained."""
    id = folder.run_id(trial, 0)
    run = RunFolder(run_path(id), id)
    about = (
        {"sweep": folder.id, "hidden": True}
        | ({"owner": folder.about()["owner"]} if folder.about().get("owner") else {})
        | about
    )
    run.create(folder.study().experiment, folder.table(), about)
    return run


def test_a_sweep_is_its_owners_and_others_find_it_by_its_id_alone(make):
    mine, nobodys = make("me"), make()
    shelf = SweepShelf()
    assert {one.id for one in shelf.sweeps("me")} == {mine.id, nobodys.id}
    assert [one.id for one in shelf.sweeps("you")] == [nobodys.id]
    found = shelf.sweep(mine.id)
    assert not found.may_be_changed_by("you") and found.may_be_changed_by("me") and found.title == "Nile"
    for id in ("../../etc", "a" * 24, ""):
        assert shelf.sweep(id) is None


@pytest.mark.parametrize(
    ("said", "state"),
    [("interrupted", "Paused"), ("finished", "Finished"), ("failed", "Failed"), ("running", "Interrupted")],
)
def test_only_the_lock_tells_whether_somebody_is_at_work(make, said, state):
    folder = make(progress={"status": said, "message": "No trial is complete."})
    assert shelved(folder).state == state and not shelved(folder).is_live
    lock = folder.lock()
    assert shelved(folder).state == "Running" and shelved(folder).is_live
    folder.ask("pause")
    assert shelved(folder).state == "Pausing"
    lock.release()
    assert shelved(folder).may_go_on == (said != "finished")
    assert ("No trial" in shelved(folder).message) == (said == "failed")


def test_a_damaged_study_is_listed_and_harms_nobody(make):
    folder = make()
    folder.file("study.json").write_text("{")
    (one,) = SweepShelf().sweeps()
    assert one.study is None and "damaged" in one.message and not one.may_go_on


def test_a_dispatcher_that_was_begun_is_starting_until_it_has_the_lock_or_is_gone(make, monkeypatch):
    monkeypatch.setattr(detached, "check_optuna", lambda: None)
    folder, go_on, begun = make(), threading.Event(), []

    def spawn(one):
        begun.append(threading.Thread(target=go_on.wait))
        begun[-1].start()
        return begun[-1]

    monkeypatch.setattr(detached, "spawn", spawn)
    detached.begin(folder)
    assert shelved(folder).state == "Starting"
    lock = folder.lock()
    detached.begin(folder)  # it is at work
    assert len(begun) == 1
    folder.obeyed()
    assert shelved(folder).state == "Running"
    lock.release()
    go_on.set()
    begun[0].join()
    folder.ask("begin")
    assert shelved(folder).message.endswith("Go on continues where it was.")
    folder.ask("begin")
    folder.file("log.txt").write_text(f"first\nThe disk is \x1b[2J full.\nSweep: {folder.path}\n")
    assert shelved(folder).state == "Interrupted" and shelved(folder).message.endswith("The disk is [2J full.")


def test_without_optuna_nothing_begins(make, monkeypatch):
    monkeypatch.setattr(history, "find_spec", lambda name: None)
    folder = make()
    with pytest.raises(PlaygroundError, match="requirements-extras.txt"):
        detached.begin(folder)
    assert folder.asked == ""


def test_a_deleted_sweep_takes_its_trials_along_and_brings_them_back_and_its_winner_stays(make):
    folder = make("me", {"status": "finished"})
    trial, winner = trial_of(folder), trial_of(folder, 1, hidden=False)
    trash.delete(folder.id, "me")
    shelf = SweepShelf()
    assert shelf.sweeps("me") == [] and [one.id for one in shelf.trashed("me")] == [folder.id]
    assert shelf.trashed("you") == []
    assert folder_of(trial.id) is None and folder_of(winner.id) is not None
    assert Shelf().trashed("me") == []  # a trial comes back with its sweep alone
    with pytest.raises(PlaygroundError, match="somebody else's"):
        trash.restore(folder.id, "you")
    trash.restore(folder.id, "me")
    assert shelf.sweep(folder.id).state == "Finished" and folder_of(trial.id) is not None
    assert "deleted" not in folder.about()


def test_a_sweep_that_is_anothers_or_at_work_is_not_deleted(make):
    folder = make("me", {"status": "interrupted"})
    with pytest.raises(PlaygroundError, match="somebody else's"):
        trash.delete(folder.id, "you")
    lock = folder.lock()
    with pytest.raises(PlaygroundError, match="at work: pause it"):
        trash.delete(folder.id, "me")
    lock.release()
    trial = trial_of(folder)
    pool.want(trial)
    with pytest.raises(PlaygroundError, match="trial of this sweep is still training"):
        trash.delete(folder.id, "me")
    pool.unwant(trial)
    trash.delete(folder.id, "me")
    for id in (folder.id, "..", new_id()):
        with pytest.raises(PlaygroundError, match="not there any more"):
            trash.delete(id, "me")


def test_what_was_deleted_long_ago_goes(make, tmp_path):
    folder, elsewhere = make(), make()
    there = tmp_path / "there"
    elsewhere.path.rename(there)
    elsewhere.path.symlink_to(there, target_is_directory=True)
    for one in (folder, elsewhere):
        trash.delete(one.id, None)
    deleted = SweepShelf().trashed()[0].about["deleted"]
    assert trash.clean_up(deleted + 29 * DAY) == []
    assert set(trash.clean_up(deleted + 31 * DAY)) == {folder.id, elsewhere.id}
    assert list((home() / "trash" / "sweeps").iterdir()) == [] and (there / "study.json").is_file()
    with pytest.raises(PlaygroundError, match="not in the trash any more"):
        trash.restore(folder.id, None)
