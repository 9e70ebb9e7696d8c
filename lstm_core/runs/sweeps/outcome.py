"""What a trial has come to: its validation loss by epoch, and from it alone whether it is pruned, and when.

The rule is the median rule of Golovin et al. 2017, "Google Vizier", section 3.2.1, with best losses in the place of
running averages, as Optuna's MedianPruner has them. A trial's references are fixed when it is proposed: so it is pruned
at the same epoch however late anybody looks, even if it has long trained past it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from lstm_core.runs.records import read_records

MIN_REFERENCES = 5  # a median of fewer says little
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True)
class Outcome:
    """How a trial ended. loss: the validation loss that counts; curve: of each epoch that counts, in scaled units."""

    state: str  # COMPLETE, PRUNED or FAILED
    loss: float | None = None
    curve: tuple[float, ...] = ()
    message: str = ""
    seconds: float = 0.0  # of training


class Curve:
    """A run's validation loss by epoch, read as it grows."""

    def __init__(self, records: Path) -> None:
        self._records = records
        self._step = 0
        self.losses: list[float] = []  # NaN where there is no validation split

    def read(self, steps_per_epoch: int) -> list[float]:
        """All epochs that have ended. What a kill takes back comes again, the same."""
        found = read_records(self._records, self._step)
        if len(found):
            self._step = int(found["step"][-1])
            ends = found[found["step"] % steps_per_epoch == 0]
            self.losses += ends["valid_loss"].astype(np.float64).tolist()
        return self.losses


def pruned_at(curve: Sequence[float], references: Sequence[Sequence[float]], warmup: int, epochs: int) -> int | None:
    """The first epoch, from 1, after which the trial is not worth going on with; None: it is.

    references: the curves of complete trials; epochs: of the whole training, at whose end nothing is left to save.
    """
    if len(references) < MIN_REFERENCES:
        return None
    best = np.minimum.accumulate(np.asarray(curve)) if len(curve) else np.empty(0)
    others = [np.minimum.accumulate(np.asarray(one)) for one in references]
    for epoch in range(warmup + 1, min(len(curve), epochs - 1) + 1):
        if best[epoch - 1] > median(float(one[min(epoch, len(one)) - 1]) for one in others):
            return epoch
    return None


def loss_of(curve: Sequence[float], patience: int, best: float | None) -> float:
    """Of the weights that a training ends with: with patience those of the best epoch, else the last ones.

    best: the lowest loss that the training itself knows; the untrained model, epoch 0, has no place in the curve.
    """
    return min(*curve, math.inf if best is None else best) if patience else curve[-1]
