"""A dispatcher in a process of its own, which outlives the page that begins it: `python -m lstm_core sweep DIR`."""

from __future__ import annotations

import subprocess
import threading
import time

from lstm_core.data.table import Table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import PlaygroundError
from lstm_core.runs import launcher
from lstm_core.runs.home import home, new_id
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.history import check_optuna
from lstm_core.runs.sweeps.study import Study
from lstm_core.runs.titles import plain_text

START_SECONDS = 30.0  # until a dispatcher that somebody else began has taken the lock: it imports PyTorch first
MAX_WORD = 300  # characters of a log's last line

_begun: dict[str, subprocess.Popen | threading.Thread] = {}  # by this process: id of the sweep → its dispatcher


def begin_new(study: Study, table: Table, owner: str = "") -> SweepFolder:
    """Make a sweep and begin it; owner: as SweepFolder.create has it.

    Raises:
        PlaygroundError: Optuna is missing, the table cannot be cut as the study's experiment says, there is nothing to
            validate on, or the disk is full.
    """
    check_optuna()
    if not len(make_windows(table, study.experiment.data).starts["valid"]):
        raise PlaygroundError(
            "A sweep compares validation losses, and there are no validation windows: raise the validation share, or "
            "lower seq_len."
        )
    folder = SweepFolder(home() / "sweeps" / new_id())
    try:
        folder.create(study, table, new_id(), owner)
    except OSError as error:
        raise PlaygroundError(f"The sweep cannot be saved ({error.strerror}): make room on the disk.") from None
    begin(folder)
    return folder


def begin(folder: SweepFolder) -> None:
    """Let a process go on with the sweep until it ends or is asked to pause; one that is at work goes on.

    Raises:
        PlaygroundError: Optuna is missing, or the disk is full.
    """
    check_optuna()
    if folder.is_locked:
        return
    try:
        folder.ask("begin")
        _begun[folder.id] = spawn(folder)
    except OSError as error:
        raise PlaygroundError(f"The sweep cannot begin ({error.strerror}): make room on the disk.") from None


def spawn(folder: SweepFolder) -> subprocess.Popen | threading.Thread:
    return launcher.detach(["lstm_core", "sweep", str(folder.path.resolve())], folder.file("log.txt"))


def pause(folder: SweepFolder) -> None:
    """Ask whoever is at work on the sweep to pause its trials and to end, whichever process it is.

    Raises:
        PlaygroundError: the disk is full.
    """
    try:
        folder.ask("pause")
    except OSError as error:
        raise PlaygroundError(f"The sweep cannot be paused ({error.strerror}): make room on the disk.") from None


def is_starting(folder: SweepFolder) -> bool:
    """Whether a dispatcher was begun that has not taken the lock yet."""
    if folder.asked != "begin":
        return False
    if folder.id in _begun:
        if not (lives := _lives(folder)):
            folder.obeyed()  # it has ended before it could begin: its log says why
        return lives
    try:
        return time.time() - folder.file("asked").stat().st_mtime < START_SECONDS
    except FileNotFoundError:  # it has taken the lock at this very moment
        return True


def is_ending(folder: SweepFolder) -> bool:
    """Whether a dispatcher of this process has let go of the lock and lives yet: its last word may still come."""
    return folder.id in _begun and _lives(folder) and not folder.is_locked


def _lives(folder: SweepFolder) -> bool:
    process = _begun[folder.id]
    return process.is_alive() if isinstance(process, threading.Thread) else process.poll() is None


def last_word(folder: SweepFolder) -> str:
    """The last line of the dispatcher's log, but that which names the folder first; "" where there is none."""
    try:
        lines = folder.file("log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    told = [line for line in lines if not line.startswith("Sweep: ")]
    return plain_text(told[-1], MAX_WORD) if told else ""


def reap() -> None:
    """Let the system forget the processes that have ended."""
    for process in list(_begun.values()):
        if isinstance(process, subprocess.Popen):
            process.poll()
