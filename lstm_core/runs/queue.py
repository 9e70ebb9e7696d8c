"""Waiting in order: RunQueue for the right to train, FairLock for one trainer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_core.runs.run import Run
    from lstm_core.training.trainer import Trainer


class RunQueue:
    """Lets at most `size` runs train at once; the others wait, first come, first served."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._changed = threading.Condition()
        self._queue: list[Run] = []
        self._running: set[Run] = set()

    def acquire(self, run: Run) -> bool:
        """Wait for the run's turn; False if it was paused meanwhile."""
        with self._changed:
            self._queue.append(run)
            try:
                self._changed.wait_for(lambda: not run.should_run or self._is_next(run))
                if not run.should_run:
                    return False
                self._running.add(run)
                return True
            finally:
                self._queue.remove(run)
                self._changed.notify_all()

    def release(self, run: Run) -> None:
        """The run trains no more: the next may start."""
        with self._changed:
            self._running.discard(run)
            self._changed.notify_all()

    def notify(self) -> None:
        """Wake the waiting runs, so that one that was paused leaves the queue."""
        with self._changed:
            self._changed.notify_all()

    def position(self, run: Run) -> int:
        """The run's position among the waiting ones, from 1; 0 if it is not waiting."""
        with self._changed:
            return self._queue.index(run) + 1 if run in self._queue else 0

    def _is_next(self, run: Run) -> bool:
        return self._queue[0] is run and len(self._running) < self.size


class FairLock:
    """A lock on one trainer: `with lock as trainer:` waits until it is between two steps.

    Two locks make a fair one: whoever waits holds the first, so that the training thread, which releases the lock and
    takes it again at every step, queues behind.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._turn, self._busy = threading.Lock(), threading.Lock()

    def __enter__(self) -> Trainer:
        with self._turn:
            self._busy.acquire()
        return self._trainer

    def __exit__(self, *_: object) -> None:
        self._busy.release()
