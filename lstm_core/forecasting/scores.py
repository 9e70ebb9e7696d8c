"""Scores of a model and of its baselines over all windows of a split, and plain sentences about them.

The only evaluation in the target's own units: Start, Train, Gates, lessons and `python -m lstm_core score` show it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstm_core.data.start import Start
from lstm_core.data.windows import Windows
from lstm_core.forecasting.predict import predict_skip, predict_steps, windows_at_once
from lstm_core.model.recurrent import SequenceModel

SAMPLE = 300  # windows of a split that are scored while a run trains
PERSISTENCE, SEASONAL_NAIVE, START, MEAN = "persistence", "seasonal_naive", "start", "mean"
SKIP = "linear_skip"  # a part of the model, scored like a baseline
MAJORITY = "majority_class"
BASELINE_NAMES = {  # on the screen
    PERSISTENCE: "persistence (the last value)",
    SEASONAL_NAIVE: "the seasonal naive forecast (the value one season before)",
    START: "the start that it corrects",
    SKIP: "its linear skip alone",
    MEAN: "the training mean",
    MAJORITY: "the majority class",
}


@dataclass(frozen=True)
class Score:
    """One row of the table of scores, over all scored values; None where it does not apply.

    rmse and mae are in the target's own units. mase: mae over the mean absolute change from row to row of the training
    rows (Hyndman & Koehler, 2006), the mean of it over several targets. balanced_accuracy: the mean recall of the
    classes that occur.
    """

    rmse: float | None = None
    mae: float | None = None
    mase: float | None = None
    accuracy: float | None = None
    balanced_accuracy: float | None = None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model and its baselines on exactly the same windows of one split.

    confusion: (classes, classes) counts, rows the true class, columns the predicted one; None for a regression.
    lag: Pearson's r of the predictions with the row that they are for, and with the row before it; None where a
    row before is not given (horizon 0, classes) or something is constant.
    """

    split: str
    windows: int
    split_windows: int  # all that the split has; more than `windows` in a sample
    model: Score
    baselines: dict[str, Score]
    confusion: np.ndarray | None = None
    lag: tuple[float, float] | None = None
    majority: str | None = None  # the commonest class of the training split

    @property
    def recall(self) -> np.ndarray:
        """(classes,) share of each true class that was predicted right, NaN for a class that does not occur."""
        with np.errstate(invalid="ignore"):
            return np.diag(self.confusion) / self.confusion.sum(1)

    @property
    def coverage(self) -> str:
        """What the score is over: "all 540 test windows", "a sample of 300 of the 5,400 test windows"."""
        name = {"train": "training", "valid": "validation"}.get(self.split, self.split)
        if self.windows < self.split_windows:
            return f"a sample of {self.windows:,} of the {self.split_windows:,} {name} windows"
        return f"all {self.windows:,} {name} windows" if self.windows != 1 else f"the only {name} window"


def evaluate(
    model: SequenceModel,
    windows: Windows,
    split: str,
    sample: int | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Evaluation | None:
    """Score a model on a split; None if the split has no window.

    With an output at every step each scored step of each window counts once; else each of a window's output steps.
    sample: so many windows at most, evenly spread. progress: called with the share done; what it raises ends this.
    """
    starts = windows.starts[split]
    if not len(starts):
        return None
    if sample is not None and sample < len(starts):
        starts = starts[np.linspace(0, len(starts) - 1, sample).round().astype(int)]
    return evaluate_windows(model, windows, split, starts, progress)


def evaluate_windows(
    model: SequenceModel,
    windows: Windows,
    split: str,
    starts: np.ndarray,
    progress: Callable[[float], None] = lambda share: None,
) -> Evaluation:
    """The same for some windows, at least one, of one split or of several."""
    with_skip = model.uses_skip
    sums = _ClassSums(windows) if windows.classes else _ErrorSums(windows, with_skip)
    at_once = windows_at_once(model, windows)
    for first in range(0, len(starts), at_once):
        progress(first / len(starts))
        chunk = starts[first : first + at_once]
        sums.add(*predict_steps(model, windows, chunk))
        if with_skip:
            sums.add_skip(windows.target_rows(chunk), predict_skip(model, windows, chunk))
    return sums.evaluation(split, len(starts), len(windows.starts.get(split, starts)))


class _ErrorSums:
    """Of a regression: float64 sums over all scored values, chunk by chunk."""

    def __init__(self, windows: Windows, with_skip: bool) -> None:
        self._windows = windows
        train = windows.split_of_row == 0
        self._center = _finite_mean(windows.y[train])
        self._scale = _mean_change(windows, train)
        self._last_known = _last_known_rows(windows)
        self._has_past = bool(windows.spec.horizon)
        self._starts = _simple_forecasts(windows)
        names = (
            "model",
            *([PERSISTENCE] if self._has_past else []),
            *self._starts,
            *([SKIP] if with_skip else []),
            MEAN,
        )
        self._squares = {name: 0.0 for name in names}
        self._absolutes = {name: np.zeros(windows.y.shape[1]) for name in names}
        self._counts = np.zeros(windows.y.shape[1])
        self._moments = np.zeros((4, 4))  # of 1, the prediction, the value, the value a row before: the first target

    def add(self, rows: np.ndarray, scored: np.ndarray, predictions: np.ndarray) -> None:
        """rows: (steps, output_steps) of the targets; scored: the same shape; predictions: (…, targets)."""
        truth = self._windows.y[rows].astype(np.float64)
        scored = scored[..., None] & ~np.isnan(truth)
        self._counts += scored.sum((0, 1))
        self._add_errors("model", predictions - truth, scored)
        self._add_errors(MEAN, self._center - truth, scored)
        if not self._has_past:
            return
        known = self._last_known[rows[:, 0] - 1]  # (steps, targets): the rows of the last values before the targets
        last = np.take_along_axis(self._windows.y, np.maximum(known, 0), 0).astype(np.float64)
        last = np.where(known >= 0, last, self._center)
        self._add_errors(PERSISTENCE, last[:, None] - truth, scored)
        for name, forecasts in self._starts.items():
            forecast = forecasts[rows[:, 0] - self._windows.offsets[0]]
            self._add_errors(name, np.where(np.isnan(forecast), self._center, forecast) - truth, scored)
        first = scored[:, 0, 0] & (known[:, 0] == rows[:, 0] - 1)
        values = np.stack([predictions[first, 0, 0], truth[first, 0, 0], last[first, 0]]) - self._center[0]
        values = np.concatenate([np.ones((1, values.shape[1])), values])
        self._moments += values @ values.T

    def add_skip(self, rows: np.ndarray, predictions: np.ndarray) -> None:
        """Of the linear skip alone, where each window predicts once; as add takes them."""
        errors = predictions - self._windows.y[rows]
        self._add_errors(SKIP, errors, ~np.isnan(errors))

    def _add_errors(self, name: str, errors: np.ndarray, scored: np.ndarray) -> None:
        errors = np.where(scored, errors, 0.0)
        self._squares[name] += float(np.square(errors).sum())
        self._absolutes[name] += np.abs(errors).sum((0, 1))

    def evaluation(self, split: str, count: int, split_windows: int) -> Evaluation:
        scores = {name: self._score(name) for name in self._squares}
        model = scores.pop("model")
        return Evaluation(split, count, split_windows, model, scores, lag=self._lag())

    def _score(self, name: str) -> Score:
        total = self._counts.sum()
        if not total:
            return Score()
        with np.errstate(divide="ignore", invalid="ignore"):
            mase = float((self._absolutes[name] / self._counts / self._scale).mean())
        rmse, mae = float(np.sqrt(self._squares[name] / total)), float(self._absolutes[name].sum() / total)
        return Score(rmse, mae, mase if np.isfinite(mase) else None)

    def _lag(self) -> tuple[float, float] | None:
        count = self._moments[0, 0]
        if count < 3 or self._windows.offsets[0] != 1:
            return None
        mean = self._moments[0, 1:] / count
        covariance = self._moments[1:, 1:] / count - np.outer(mean, mean)
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        if not (deviation > 1e-9 * np.abs(self._center[0] + mean)).all():
            return None
        return float(covariance[0, 1] / (deviation[0] * deviation[1])), float(
            covariance[0, 2] / (deviation[0] * deviation[2])
        )


class _ClassSums:
    """Of a classification: the confusion matrix, chunk by chunk."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        count = len(windows.classes)
        self._confusion = np.zeros((count, count), np.int64)
        train = windows.targets(windows.starts["train"])
        self._majority = int(np.bincount(train[train >= 0], minlength=count).argmax())

    def add(self, rows: np.ndarray, scored: np.ndarray, predictions: np.ndarray) -> None:
        """rows: (steps, 1) of the targets; scored: the same shape; predictions: (steps, classes)."""
        truth = self._windows.y[rows[:, 0]]
        scored = scored[:, 0] & (truth >= 0)
        np.add.at(self._confusion, (truth[scored], predictions[scored].argmax(1)), 1)

    def evaluation(self, split: str, count: int, split_windows: int) -> Evaluation:
        always = np.zeros_like(self._confusion)
        always[:, self._majority] = self._confusion.sum(1)
        return Evaluation(
            split,
            count,
            split_windows,
            _class_score(self._confusion),
            {MAJORITY: _class_score(always)},
            self._confusion,
            majority=self._windows.classes[self._majority],
        )


def _class_score(confusion: np.ndarray) -> Score:
    truth = confusion.sum(1)
    if not truth.any():
        return Score()
    recall = np.diag(confusion)[truth > 0] / truth[truth > 0]
    return Score(accuracy=float(np.trace(confusion) / truth.sum()), balanced_accuracy=float(recall.mean()))


def _finite_mean(values: np.ndarray) -> np.ndarray:
    """(targets,) float64: the mean of each column's values, 0 where it has none."""
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(0, dtype=np.float64) / np.maximum(known.sum(0), 1)


def _simple_forecasts(windows: Windows) -> dict[str, np.ndarray]:
    """Of windows with a start: a baseline's name → (rows, output_steps, targets), its forecasts after each row in the
    target's units, NaN before there is one."""
    if windows.target is None:
        return {}
    target, season, rows = windows.target, windows.spec.season, np.arange(windows.rows)
    forecasts = {}
    if season:
        start = Start("season", season)
        columns = [start.values(column, windows.groups, windows.offsets) for column in target.known.T]
        forecasts[SEASONAL_NAIVE] = target.from_z(np.stack(columns, axis=2), rows)
    if windows.spec.start not in ("last", "season"):  # which are persistence and seasonal naive
        forecasts[START] = target.from_z(target.base, rows)
    return forecasts


def _mean_change(windows: Windows, train: np.ndarray) -> np.ndarray:
    """(targets,) float64: the mean absolute change from one training row to the next of the same sequence."""
    inside = train[1:] & train[:-1]
    inside[windows.groups[1:-1] - 1] = False
    changes = np.abs(np.diff(windows.y.astype(np.float64), axis=0))[inside]
    known = ~np.isnan(changes)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known, changes, 0.0).sum(0) / known.sum(0)


def _last_known_rows(windows: Windows) -> np.ndarray:
    """(rows, targets): the last row of the same sequence, up to this one, that has a value; −1 if none has."""
    rows = np.arange(windows.rows)[:, None]
    missing = np.isnan(windows.y)
    if not missing.any():
        return np.broadcast_to(rows, windows.y.shape)
    begins = np.repeat(windows.groups[:-1], np.diff(windows.groups))[:, None]
    last = np.maximum.accumulate(np.where(missing, -1, rows), axis=0)
    return np.where(last >= begins, last, -1)


def window_errors(windows: Windows, starts: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """(windows,) how wrong each prediction is: mean absolute error, or 1 − the true class's probability."""
    targets = windows.targets(starts)
    if windows.classes:
        return 1 - predictions[np.arange(len(predictions)), targets]
    return np.abs(predictions - targets).mean((1, 2))
