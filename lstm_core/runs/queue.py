"""So many runs at once, in the order of their coming."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm_core.runs.run import Run


class RunQueue:
    """Room for a number of running trainers; those that wait are served in order."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._changed = threading.Condition()
        self._queue: list[Run] = []
        self._running: set[Run] = set()

    def acquire(self, run: Run) -> bool:
        """Wait for a place; False if the run was paused meanwhile."""
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
        with self._changed:
            self._running.discard(run)
            self._changed.notify_all()

    def notify(self) -> None:
        """Let those that wait look again whether they are still wanted."""
        with self._changed:
            self._changed.notify_all()

    def position(self, run: Run) -> int:
        """How many runs must end or pause before this one starts."""
        with self._changed:
            return self._queue.index(run) + 1 if run in self._queue else 0

    def _is_next(self, run: Run) -> bool:
        return self._queue[0] is run and len(self._running) < self.size
