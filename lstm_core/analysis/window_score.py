"""One number that tells models on the same windows apart, again and again: the app's own RMSE or accuracy, the loss
beside it, and what an answer without a memory gets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting.predict import predict, predict_steps
from lstm_core.forecasting.scores import BASELINE_NAMES, MAJORITY, MEAN, PERSISTENCE, evaluate_windows
from lstm_core.model.recurrent import SequenceModel

LEAST_PROBABILITY = 1e-12  # of the true class, so that a loss stays finite
KEPT = 0.95  # of the lead over an answer without a memory: as good as all of it


def spread_starts(starts: np.ndarray, limit: int) -> np.ndarray:
    """At most so many of these windows, evenly spread.

    Raises:
        PlaygroundError: there is no window.
    """
    if not len(starts):
        raise PlaygroundError("There is no window to score: choose another split.")
    return starts[np.linspace(0, len(starts) - 1, min(limit, len(starts))).round().astype(int)]


@dataclass(frozen=True)
class Scored:
    """A model's score, RMSE in the table's own units or accuracy, and its loss, mean squared error or cross-entropy."""

    score: float
    loss: float


@dataclass(frozen=True)
class Scale:
    """What a score is measured between: that of the best answer without a memory and that of the whole model."""

    measure: str  # "RMSE" or "accuracy"
    answer: str  # that needs no memory, in words: "the training mean"
    without: float  # its score
    full: float

    @property
    def has_lead(self) -> bool:
        """Whether the whole model is better than the answer without a memory at all."""
        return self.without > self.full if self.measure == "RMSE" else self.full > self.without

    def lead_kept(self, score: float) -> float:
        """The share of the lead over the answer without a memory that a score keeps: 1 the whole model's, 0 its."""
        return (self.without - score) / (self.without - self.full) if self.without != self.full else math.nan

    def text(self, score: float) -> str:
        """A score as it is read."""
        return format_percent(score) if self.measure == "accuracy" else format_significant(score, 3)


class WindowScore:
    """Scores models on these windows: all that they score there or, at_end, what they predict at each window's end."""

    def __init__(self, windows: Windows, starts: np.ndarray, at_end: bool = False) -> None:
        self.windows, self.starts, self.at_end = windows, np.asarray(starts), at_end
        self.measure = "accuracy" if windows.classes else "RMSE"

    def of(self, model: SequenceModel) -> Scored:
        """Raises PlaygroundError where nothing in these windows is scored."""
        if self.at_end:
            predictions, rows = predict(model, self.windows, self.starts), self.windows.target_rows(self.starts)
            scored = np.ones(rows.shape, bool)
        else:
            rows, scored, predictions = predict_steps(model, self.windows, self.starts)
        truth = self.windows.y[rows]
        if self.windows.classes:
            known = scored[:, 0] & (truth[:, 0] >= 0)
            predictions, truth = predictions[known].astype(np.float64), truth[known, 0]
            self._check(len(truth))
            probabilities = predictions[np.arange(len(truth)), truth].clip(LEAST_PROBABILITY)
            return Scored(float((predictions.argmax(1) == truth).mean()), float(-np.log(probabilities).mean()))
        errors = (predictions - truth)[scored[..., None] & ~np.isnan(truth)]
        self._check(len(errors))
        loss = float(np.square(errors, dtype=np.float64).mean())
        return Scored(math.sqrt(loss), loss)

    def scale(self, model: SequenceModel) -> Scale:
        """What the scores of models that are made of this one are measured between."""
        full = self.of(model).score
        baselines = evaluate_windows(model, self.windows, "", self.starts).baselines
        if self.windows.classes:
            return Scale(self.measure, BASELINE_NAMES[MAJORITY], baselines[MAJORITY].accuracy, full)
        without = {name: baselines[name].rmse for name in (MEAN, PERSISTENCE) if name in baselines}
        best = min(without, key=without.get)
        return Scale(self.measure, BASELINE_NAMES[best], without[best], full)

    def _check(self, count: int) -> None:
        if not count:
            raise PlaygroundError("Nothing is scored in these windows: choose another split.")
