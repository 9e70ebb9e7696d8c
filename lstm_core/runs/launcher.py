"""Starts workers, which outlive this process, and watches over them while a server or a command line waits."""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from lstm_core.runs import pool
from lstm_core.runs.home import home

START_SECONDS = 8.0  # a worker that was started so recently may not have its place yet
WATCH_SECONDS = 1.0  # between two looks of a server

log = logging.getLogger(__name__)
_started: list[tuple[float, subprocess.Popen | threading.Thread]] = []  # by this process


def ensure_workers(standby: bool = False) -> None:
    """Start as many workers as wanted runs need, and, for whoever comes next, one more (standby)."""
    now = time.monotonic()
    _started[:] = [(began, one) for began, one in _started if _lives(one) or now - began < 0.5]
    here = [folder for folder in pool.wanted_runs() if not pool.wanted_at(folder)]
    needed = min(pool.worker_places(), len(here) + standby)
    alive = pool.count_workers()
    starting = sum(now - began < START_SECONDS and _lives(one) for began, one in _started)
    for _ in range(needed - max(alive, min(starting, needed))):
        _started.append((now, spawn()))


def spawn() -> subprocess.Popen | threading.Thread:
    """Start a worker, which outlives this process."""
    return detach(["lstm_core.runs.worker"], home() / "log.txt")


def detach(module: Sequence[str], log: Path) -> subprocess.Popen:
    """Start a process that outlives this one: a module and its arguments; what it says goes to the end of the log.

    Raises:
        OSError: the disk is full.
    """
    options = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
        if os.name == "nt"
        else {"start_new_session": True}
    )
    with log.open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"OMP_NUM_THREADS": "1", "LSTM_PLAYGROUND_HOME": str(home())},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            **options,
        )


def _lives(worker: subprocess.Popen | threading.Thread) -> bool:
    return worker.is_alive() if isinstance(worker, threading.Thread) else worker.poll() is None


def say_what_goes_on() -> None:
    """As a server ends, name the trainings that do not end with it."""
    names = [folder.about().get("name") or folder.experiment().data.name for folder in pool.wanted_runs()]
    if names:
        shown = ", ".join(repr(name)[1:-1] for name in names[:5]) + (" …" if len(names) > 5 else "")
        count = f"{len(names)} trainings go" if len(names) > 1 else "A training goes"
        print(f"{count} on without this server: {shown}. python -m lstm_core stop --all ends all.", file=sys.stderr)


def watch_over() -> threading.Thread:
    """From now on keep a standby worker, and restart those that are killed, as long as this process lives."""

    def look() -> None:
        while True:
            try:
                pool.be_present()
                ensure_workers(standby=True)
            except OSError:  # the disk is full, or the home was removed: the next look may find it better
                log.warning("the runs' home cannot be used", exc_info=True)
            time.sleep(WATCH_SECONDS)

    atexit.register(say_what_goes_on)
    thread = threading.Thread(target=look, name="watch over workers", daemon=True)
    thread.start()
    return thread
