"""ScoringJob: a whole split scored beside the page, with its progress."""

from __future__ import annotations

import logging
import threading

import torch

from lstm_core.data.windows import Windows
from lstm_core.forecasting.scores import Evaluation, evaluate
from lstm_core.model.recurrent import SequenceModel

log = logging.getLogger(__name__)


class ScoringJob:
    """Begins at once, in a thread of its own. evaluation is None until `done`, and afterwards if it was cancelled."""

    def __init__(self, model: SequenceModel, windows: Windows, split: str) -> None:
        self.progress = 0.0  # share of the windows that are scored
        self.evaluation: Evaluation | None = None
        self.message = ""  # why it failed
        self._cancelled = False
        self._thread = threading.Thread(target=self._score, args=(model, windows, split), name="scoring", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Until it is done, but no longer than this."""
        self._thread.join(seconds)

    def cancel(self) -> None:
        self._cancelled = True

    def _score(self, model: SequenceModel, windows: Windows, split: str) -> None:
        torch.set_num_threads(1)  # of this thread: beside a training and a browser more would lose time
        try:
            self.evaluation = evaluate(model, windows, split, progress=self._report)
        except _CancelledError:
            return
        except (MemoryError, torch.OutOfMemoryError):
            self.message = "There is not enough memory to score this model now."
        except Exception:
            log.exception("a scoring thread failed")
            self.message = "Scoring failed on an internal error, which is in the server's log."

    def _report(self, share: float) -> None:
        if self._cancelled:
            raise _CancelledError
        self.progress = share


class _CancelledError(Exception):
    pass
