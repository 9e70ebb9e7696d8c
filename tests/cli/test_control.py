"""resume, stop and pause: whoever started the run, and whether somebody trains it, waits to, or was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lstm_core.cli import control, main
from lstm_core.data.load import load_table
from lstm_core.data.windows import make_windows
from lstm_core.runs import launcher, pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import folder_of, id_at, run_path
from lstm_core.runs.records import read_records
from lstm_core.runs.run import Run
from lstm_core.training.checkpoint import load_checkpoint
from tests.cli.conftest import FOREVER, experiment_of
from tests.factories import until
from tests.runs.shelves import shelve

ROOT = Path(__file__).parents[2]


@pytest.fixture
def detached(call, write):
    """A run that trains without end, started by the command line; its folder."""

    def start(*arguments: str) -> RunFolder:
        said = call("train", write(**FOREVER), "--detach", *arguments)
        id, path = said.split()
        folder = RunFolder(Path(path), id)
        until(lambda: folder.status().get("step", 0) > 20)
        return folder

    return start


def test_pause_resume_and_stop(call, capsys, detached, tmp_path):
    folder = detached("--out", tmp_path / "run")
    paused = call("pause", folder.id, "--json")
    assert paused["status"] == "paused" and paused["step"] > 20
    checkpoint = load_checkpoint((tmp_path / "run" / "model.safetensors").read_bytes())
    assert checkpoint.progress["step"] == paused["step"]
    assert call("pause", folder.id, "--json") == paused
    assert "paused already" in (main(["pause", folder.id]), capsys.readouterr().err)[1]
    again = call("resume", tmp_path / "run", "--detach", "--json")
    assert (again["id"], again["score"]) == (folder.id, None)
    assert again["status"] in ("waiting", "running")
    until(lambda: folder.status().get("step", 0) > paused["step"])
    stopped = call("stop", tmp_path / "run", "--json")
    assert stopped["status"] == "stopped" and stopped["step"] > paused["step"]
    assert stopped["score"]["step"] == stopped["step"]
    assert call("stop", folder.id, "--json") == stopped
    assert not pool.wanted_runs()


def test_stop_all_reaches_a_run_that_no_worker_trains(call, monkeypatch):
    """As torchrun's processes do: they hold its lock, and it is not wanted by anybody."""
    folder, ended = shelve("running"), []
    monkeypatch.setattr(control, "end", lambda folders, command: ended.append([one.id for one in folders]))
    with folder.locked(1.0):
        call("stop", "--all")
    call("stop", "--all")  # by now its processes are gone
    assert ended == [[folder.id], []]


def test_resume_attaches_to_a_live_run_and_ends_with_it(call, capsys, write):
    id, _ = call("train", write(), "--set", "train.epochs=50", "--set", "train.patience=0", "--detach").split()
    end = call("resume", id, "--json")
    assert (end["id"], end["status"], end["epoch"]) == (id, "finished", 50)
    assert call("resume", id, "--json") == end
    main(["resume", id])
    assert "nothing left to train" in capsys.readouterr().err


def test_stop_all_ends_runs_of_pages_too(call, write, detached):
    mine = detached()
    experiment = experiment_of(write(**FOREVER))
    table = load_table(experiment.data)
    run = Run.new(make_windows(table, experiment.data), experiment, table)
    run.start()
    until(lambda: run.step > 5)
    ended = call("stop", "--all", "--json")["runs"]
    assert {one["id"] for one in ended} == {mine.id, run.id}
    assert {one["status"] for one in ended} == {run.status} == {"stopped"}
    assert call("stop", "--all", "--json") == {"runs": []}
    assert call("stop", "--all") == "No run trains or waits to.\n"


def test_a_run_that_waits_for_a_slot_obeys_at_once(call, write, monkeypatch):
    monkeypatch.setattr(pool, "claim", lambda: None)
    first, second = (call("train", write(**FOREVER), "--detach").split()[0] for _ in range(2))
    assert call("stop", first, "--json")["status"] == "stopped"
    assert call("pause", second, "--json")["status"] == "paused"
    assert not pool.wanted_runs()
    monkeypatch.undo()
    assert call("resume", first, "--detach", "--json")["status"] in ("waiting", "running")
    assert call("stop", first, "--json")["status"] == "stopped"


def test_a_folder_that_was_moved_or_copied_goes_on_under_an_id_of_its_own(call, detached, tmp_path):
    folder = detached("--out", tmp_path / "run")
    step = call("pause", folder.id, "--json")["step"]
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    (tmp_path / "run").rename(tmp_path / "moved")
    assert id_at(tmp_path / "moved") is None and folder_of(folder.id) is None
    assert json.loads(call("export", tmp_path / "moved"))["format"] == 2  # looking gives it no id
    assert id_at(tmp_path / "moved") is None
    ids = {call("resume", tmp_path / name, "--detach", "--json")["id"] for name in ("moved", "copy")}
    assert len(ids) == 2 and folder.id not in ids
    for id in ids:
        end = call("stop", id, "--json")
        assert end["step"] >= step
        assert run_path(id).resolve() in (tmp_path / "moved", tmp_path / "copy")


@pytest.mark.parametrize("command", ["resume", "stop", "pause", "export", "score"])
def test_what_is_no_run_is_refused(refuse, command, tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("AAAAAAAAAAAAAAAA", "../..", "", tmp_path / "empty", tmp_path / "none"):
        said = refuse(command, name)
        assert "No run has the" in said and "python -m lstm_core runs" in said


def test_stop_needs_one_run_or_all(refuse):
    assert "required" in refuse("stop")
    assert "not allowed with" in refuse("stop", "AAAAAAAAAAAAAAAA", "--all")


@pytest.fixture
def other_home(tmp_path, monkeypatch) -> Iterator[Path]:
    """A home whose runs real processes train; at the end they are gone."""
    home = tmp_path / "home"
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(home))
    yield home
    main(["stop", "--all"])
    until(lambda: shutil.rmtree(home, ignore_errors=True) or not home.exists())  # a worker may just be writing
    until(lambda: not workers_of(home))


def workers_of(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "lstm_core.runs.worker" in (process.info["cmdline"] or ()):
            try:
                if process.environ().get("LSTM_PLAYGROUND_HOME") == str(home):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue  # it has just ended, or is another user's
    return found


@pytest.mark.slow
def test_a_run_outlives_its_command_and_its_worker(call, write, tmp_path, other_home, monkeypatch):
    """The command is interrupted, then the worker is killed: nothing is lost but the last second."""
    folder = RunFolder(tmp_path / "run")
    listens = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, sys.argv[1:])"
    )
    command = [sys.executable, "-m", "lstm_core", "train", write(**FOREVER), "--out", str(folder.path)]
    command = [sys.executable, "-c", listens, *command]  # tests in the background (nohup … &) hear no SIGINT
    with monkeypatch.context() as patch:
        patch.setattr(pool, "claim", lambda: None)  # the threads of this process are workers, too
        patch.setattr(launcher, "ensure_workers", lambda standby=False: None)  # and are to take no worker's place
        train = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: folder.status().get("step", 0) > 0, seconds=120)
        train.send_signal(signal.SIGINT)
        out, said = train.communicate(timeout=60)
        assert (train.returncode, out) == (130, "")
        assert "Detached: the run goes on" in said and "Traceback" not in said
        step = folder.status()["step"]
        until(lambda: folder.status()["step"] > step)
        for worker in workers_of(other_home):
            worker.kill()
        until(lambda: not folder.is_locked)
        saved = load_checkpoint(folder.file("state.safetensors").read_bytes()).progress["step"]
        (run,) = call("runs", "--json")["runs"]
        assert run["status"] == "waiting" and run["step"] >= saved > 0
    assert call("resume", folder.path, "--detach", "--json")["status"] in ("waiting", "running")
    until(lambda: folder.status().get("step", 0) > saved)
    end = call("stop", folder.path, "--json")
    records = read_records(folder.file("records.bin"))
    assert (end["status"], end["step"]) == ("stopped", len(records))
    assert os.listdir(other_home / "runs") == [end["id"]]


def test_stop_all_passes_over_a_folder_that_was_deleted(call, write, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "claim", lambda: None)
    call("train", write(**FOREVER), "--detach", "--out", tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    assert call("stop", "--all", "--json") == {"runs": []}
    assert not (tmp_path / "run").exists()
    monkeypatch.undo()
    until(lambda: not pool.wanted_runs())  # a worker forgets it
