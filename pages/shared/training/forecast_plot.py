"""The forecast of a run and its actual values, computed beside the training, never too often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.data.windows import Windows
from lstm_core.figures.lines import Line
from lstm_core.figures.theme import ACTUAL_COLOR, PREDICTION_COLOR, SPLIT_NAMES
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.scores import SAMPLE, Evaluation, evaluate
from lstm_core.runs.run import Run

MAX_WINDOWS = 1500
MAX_MACS = 3e9  # multiply-adds of one forecast at most
MIN_SECONDS = 0.7  # seconds between two forecasts at least


@dataclass(frozen=True)
class LivePrediction:
    """Predictions for the last windows, as many as are drawn.

    targets, predictions: (windows, output_steps, targets); of classes (windows,) and (windows, classes), probabilities.
    """

    starts: np.ndarray
    targets: np.ndarray
    predictions: np.ndarray
    of: int  # windows there are


def live_prediction(run: Run) -> LivePrediction:
    """The run's forecast, recomputed if its weights have changed, but not too soon after a costly one."""
    every = MIN_SECONDS if run.is_active else None
    return run.cached("forecast", run.weights_key, lambda: _forecast(run), every=every)


def sample_score(run: Run) -> Evaluation:
    """While a run trains: the score on a sample of the last of its shown_splits, the test split if there is one."""
    windows = run.windows
    sample = min(SAMPLE, _affordable_windows(run))
    return run.cached(
        "sample score",
        run.weights_key,
        lambda: evaluate(run.current_model(), windows, run.shown_splits[-1], sample),
        every=MIN_SECONDS,
    )


def _forecast(run: Run) -> LivePrediction:
    windows = run.windows
    everything = np.concatenate([windows.starts[split] for split in run.shown_splits])
    starts = np.sort(everything[-min(MAX_WINDOWS, _affordable_windows(run)) :])
    predictions = predict(run.current_model(), windows, starts)
    return LivePrediction(starts, windows.targets(starts), predictions, len(everything))


def _affordable_windows(run: Run) -> int:
    """How many windows MAX_MACS allows, 40 at least."""
    return max(40, int(MAX_MACS / (run.parameter_count * run.windows.spec.seq_len)))


@dataclass(frozen=True)
class ForecastPlot:
    """What live_plot draws of a forecast."""

    lines: list[Line]
    x_title: str
    y_title: str
    x_start: np.datetime64 | None = None  # if set, x is in seconds after it
    y_range: tuple[float, float] | None = None


def prediction_plot(run: Run, forecast: LivePrediction, horizon_step: int = 0) -> ForecastPlot:
    """The forecast as lines; horizon_step: which of the output steps of each window, from 0."""
    windows, cell = run.windows, run.experiment.model.cell.upper()
    if windows.classes:
        probability = forecast.predictions[np.arange(len(forecast.predictions)), forecast.targets]
        x = np.arange(len(probability), dtype=float)
        lines = [
            Line("certain and correct", x, np.ones_like(x), ACTUAL_COLOR, "dot"),
            Line(f"the {cell}'s probability of the true class", x, probability, PREDICTION_COLOR),
        ]
        return ForecastPlot(lines, f"window{_shortened(forecast)}", "probability", y_range=(-0.03, 1.06))
    rows = windows.target_rows(forecast.starts)[:, horizon_step]
    x, x_title, x_start = _axis(windows, rows)
    targets, predictions = (
        values[:, horizon_step, 0].astype(float) for values in (forecast.targets, forecast.predictions)
    )
    gaps = np.flatnonzero(np.diff(rows) != 1) + 1 if windows.spec.group is None else []
    x, targets, predictions = (np.insert(values, gaps, np.nan) for values in (x, targets, predictions))
    lines = [
        Line("actual", x, targets, ACTUAL_COLOR, width=3),
        *_by_split(cell, windows, x, predictions, np.insert(rows, gaps, 0)),
    ]
    return ForecastPlot(lines, x_title + _shortened(forecast), windows.spec.targets[0], x_start)


def _shortened(forecast: LivePrediction) -> str:
    """For the axis: that not all windows are drawn."""
    drawn = len(forecast.starts)
    return "" if drawn == forecast.of else f" (the last {drawn:,} of {forecast.of:,} windows)"


def _by_split(cell: str, windows: Windows, x: np.ndarray, predictions: np.ndarray, rows: np.ndarray) -> list[Line]:
    """The prediction, thin on the training set and bold beyond it."""
    split = windows.split_of_row[rows]
    is_train = split == 0
    others = "validation and test" if (split == 2).any() else "validation"  # as of a trial of a sweep
    groups = ((SPLIT_NAMES["train"], is_train, 1.5, 0.55), (others, ~is_train, 2.5, 1.0))
    return [
        Line(f"{cell}, {name}", x, np.where(mask, predictions, np.nan), PREDICTION_COLOR, width=width, opacity=opacity)
        for name, mask, width, opacity in groups
        if mask.any()
    ]


def _axis(windows: Windows, rows: np.ndarray) -> tuple[np.ndarray, str, np.datetime64 | None]:
    """(x, its title, x_start): row numbers, a time column of numbers such as years, or seconds after a time."""
    time, title = windows.axis(rows)
    if time.dtype.kind != "M":
        return time.astype(float), title, None
    start = time.min()
    return (time - start) / np.timedelta64(1, "s"), title, start
