"""BackgroundJob: a computation beside the page, in a thread of its own, with its progress."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import torch

from lstm_core.experiment import PlaygroundError

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class BackgroundJob(Generic[Result]):
    """Begins at once. result is None until there is one: a first, partial one may come before the job is done."""

    def __init__(self, compute: Callable[[BackgroundJob[Result]], Result]) -> None:
        """compute: called with this job, whose report it calls now and then."""
        self.progress = 0.0  # share done
        self.what = ""  # is under way
        self.result: Result | None = None
        self.message = ""  # why it failed
        self.cancelled = False
        self._thread = threading.Thread(target=self._run, args=(compute,), name="background", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Until it is done, but no longer than this."""
        self._thread.join(seconds)

    def cancel(self) -> None:
        """It ends at its next report; what it has published stays."""
        self.cancelled = True

    def report(self, share: float, what: str) -> None:
        """From inside: the share done and what is under way; ends the job if it was cancelled."""
        if self.cancelled:
            raise _CancelledError
        self.progress, self.what = min(1.0, max(0.0, share)), what

    def _run(self, compute: Callable[[BackgroundJob[Result]], Result]) -> None:
        torch.set_num_threads(1)  # of this thread: beside a training and a browser more would lose time
        try:
            self.result = compute(self)
        except _CancelledError:
            return
        except PlaygroundError as error:
            self.message = str(error)
        except (MemoryError, torch.OutOfMemoryError):
            self.message = "There is not enough memory for this now."
        except Exception:
            log.exception("a background thread failed")
            self.message = "This failed on an internal error, which is in the server's log."


class _CancelledError(Exception):
    pass
