"""train and resume where torchrun starts them: these processes train the run themselves; the first alone speaks."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lstm_core.cli.attach import show_until
from lstm_core.cli.output import FAILED, INTERRUPTED, note
from lstm_core.cli.summary import print_end, print_summary
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder

if TYPE_CHECKING:
    from lstm_core.training.processes import Processes

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # that torchrun sets, and PyTorch reads
LOCK_SECONDS = 1.0  # somebody who only looks has the lock for microseconds


def is_launched() -> bool:
    """Whether this process is one of several that torchrun, or what does as it does, has started."""
    return all(name in os.environ for name in VARIABLES)


def train(find: Callable[[Callable[[Windows, Experiment], None]], RunFolder], chosen: argparse.Namespace) -> int:
    """Train the run that `find` gives the first process, which takes what is to check a new run's model; exit status.

    Raises:
        PlaygroundError: in the first process alone: what `find` raises, or the run is not to be trained here.
    """
    from lstm_core.training.processes import Processes, ProcessLostError

    processes = None
    try:
        processes = Processes()
        status = _lead(find, processes, chosen) if processes.is_first else _follow(processes)
        processes.close()
        return status
    except ProcessLostError as error:
        if processes is None:
            raise PlaygroundError(f"The processes do not find one another ({error}).") from None
        if processes.is_first:
            note("Another process is gone: the run is interrupted where it was saved last, and resume goes on with it.")
        return FAILED


def _follow(processes: Processes) -> int:
    from lstm_core.runs.shared_session import follow

    with _handling(lambda: None):  # the first process hears them, too, and says what is to be done
        follow(processes)
    return 0


def _lead(find: Callable[..., RunFolder], processes: Processes, chosen: argparse.Namespace) -> int:
    from lstm_core.runs.shared_session import end_all

    try:
        return _train(find, processes, chosen)
    except PlaygroundError:
        end_all(processes)
        processes.close()
        raise


def _train(find: Callable[..., RunFolder], processes: Processes, chosen: argparse.Namespace) -> int:
    from lstm_core.runs.shared_session import end_all, lead
    from lstm_core.training.shared_trainer import SharedTrainer

    if chosen.detach:
        raise PlaygroundError("Started by torchrun, these processes train the run themselves: leave --detach out.")
    folder = find(lambda windows, experiment: SharedTrainer(processes, windows, experiment) and None)
    with folder.locked(LOCK_SECONDS) as is_mine:
        if not is_mine or pool.is_wanted(folder):
            raise PlaygroundError("This run trains or waits to, in one process: pause it first, then resume it here.")
        if folder.status().get("status") == "finished":
            note("This run has finished: there is nothing left to train.")
            end_all(processes)
            print_summary(folder, chosen.json)
            return 0
        folder.ask("train", steps=None)
        ending, over = threading.Event(), threading.Event()
        display = threading.Thread(target=show_until, args=(folder, over.wait), name="progress", daemon=True)
        display.start()
        try:
            with _handling(ending.set):
                end = lead(folder, processes, ending.is_set)
        finally:
            over.set()
            display.join()
    if end == "waiting":
        note(f"Interrupted: saved at step {folder.status().get('step', 0):,}. resume {folder.id} goes on with it.")
        return INTERRUPTED
    return print_end(folder, chosen.json)


@contextmanager
def _handling(end: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C, and the signal with which torchrun and clusters end a process, call this instead."""
    before = {number: signal.signal(number, lambda *_: end()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
