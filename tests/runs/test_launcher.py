"""Who starts workers, and what a server says of those that outlive it."""

from __future__ import annotations

from lstm_core.runs import launcher, pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, new_id
from tests.factories import TABLE, trainer_of
from tests.runs.conftest import WINDOWS


def made(**about: str) -> RunFolder:
    folder = RunFolder(home() / "runs" / new_id())
    folder.create(trainer_of(WINDOWS, epochs=1).experiment, TABLE, about)
    return folder


def test_a_server_that_ends_names_the_trainings_that_go_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))
    launcher.say_what_goes_on()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(pool, "wanted_runs", lambda: [made(name="first\x1b[2J"), made()])
    launcher.say_what_goes_on()
    said = capsys.readouterr().err
    assert (
        said.startswith("2 trainings go on") and "stop --all" in said and "\x1b" not in said and said.count("\n") == 1
    )


def test_there_are_as_many_workers_as_wanted_runs_and_one_to_stand_by_but_no_more_than_places(monkeypatch, tmp_path):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))
    started: list[int] = []

    class Process:
        """A worker that starts, and takes its time."""

    monkeypatch.setattr(launcher, "_started", [])
    monkeypatch.setattr(launcher, "_lives", lambda worker: True)
    monkeypatch.setattr(launcher, "spawn", lambda: started.append(1) or Process())
    launcher.ensure_workers()
    assert len(started) == 0
    launcher.ensure_workers(standby=True)
    launcher.ensure_workers(standby=True)
    assert len(started) == 1  # the first one is still on its way
    monkeypatch.setattr(pool, "wanted_runs", lambda: [made() for _ in range(9)])
    launcher.ensure_workers(standby=True)
    assert len(started) == pool.worker_places() == pool.cpu_slots() + 1
