"""The forecast of a run and its actual values, computed beside the training, never too often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS
from lstm_core.figures.lines import Line
from lstm_core.figures.theme import ACTUAL_COLOR, PREDICTION_COLOR, SPLIT_NAMES
from lstm_core.forecasting.metrics import Score, score_with_baselines
from lstm_core.forecasting.predict import predict
from lstm_core.runs.run import Run

MAX_WINDOWS = 1500
MAX_MACS = 3e9  # multiply-adds of one forecast at most
MIN_SECONDS = 0.7  # seconds between two forecasts at least


@dataclass(frozen=True)
class LivePrediction:
    """Predictions for consecutive windows.

    targets, predictions: (windows, output_steps, targets); of classes (windows,) and (windows, classes), probabilities.
    """

    step: int  # optimiser steps of the model
    starts: np.ndarray
    targets: np.ndarray
    predictions: np.ndarray
    scores: dict[str, list[Score]]  # split → the model and its baselines, on the windows here


def live_prediction(run: Run) -> LivePrediction:
    """The run's forecast, recomputed if the run has trained since, but not too soon after a costly one."""
    every = MIN_SECONDS if run.is_active else None
    return run.cached("forecast", (run.step,), lambda: _forecast(run), every=every)


def _forecast(run: Run) -> LivePrediction:
    step, model, windows = run.step, run.current_model(), run.windows
    starts = _forecast_windows(windows, run)
    predictions = predict(model, windows, starts)
    splits = windows.split_of_row[windows.target_rows(starts)[:, -1]]
    table = {
        split: score_with_baselines(windows, starts[splits == k], predictions[splits == k])
        for k, split in enumerate(SPLITS)
        if (splits == k).any()
    }
    return LivePrediction(step, starts, windows.targets(starts), predictions, table)


def _forecast_windows(windows: Windows, run: Run) -> np.ndarray:
    """First rows of all windows, or of as many as MAX_MACS allows, around the beginning of validation."""
    max_windows = int(np.clip(MAX_MACS / (run.parameter_count * windows.spec.seq_len), 40, MAX_WINDOWS))
    by_split = [windows.starts[split] for split in SPLITS]
    everything = np.concatenate(by_split)
    if len(everything) <= max_windows:
        return np.sort(everything)
    middle = len(by_split[0])
    return np.sort(everything[max(0, middle - max_windows // 2) :][:max_windows])


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
        return ForecastPlot(lines, "window", "probability", y_range=(-0.03, 1.06))
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
    return ForecastPlot(lines, x_title, windows.spec.targets[0], x_start)


def _by_split(cell: str, windows: Windows, x: np.ndarray, predictions: np.ndarray, rows: np.ndarray) -> list[Line]:
    """The prediction, thin on the training set and bold beyond it."""
    is_train = windows.split_of_row[rows] == 0
    groups = ((SPLIT_NAMES["train"], is_train, 1.5, 0.55), ("validation and test", ~is_train, 2.5, 1.0))
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
