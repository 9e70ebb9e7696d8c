"""The model's prediction over the truth, as a run goes on: computed beside the training, never too often."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS
from lstm_core.figures.lines import Line
from lstm_core.figures.theme import SAID, SPLIT_NAMES, TRUTH
from lstm_core.forecasting.metrics import Score, scores
from lstm_core.forecasting.predict import predict
from lstm_core.runs.run import Run

MOST_WINDOWS = 1500
WORK = 3e9  # multiply-adds that one look may cost
OFTEN = 0.7  # seconds between two looks at least
REST = 4  # a look that took a second of this thread's time is not repeated for four


@dataclass(frozen=True)
class Forecast:
    """Predictions for a stretch of windows. truth, said: (windows, ahead, targets), or classes/probabilities."""

    step: int  # of training
    starts: np.ndarray
    truth: np.ndarray
    said: np.ndarray
    scores: dict[str, list[Score]]  # part → rows, of the windows in the stretch


def latest(run: Run) -> Forecast:
    """The run's forecast, renewed if it has trained on since and the last one was not too costly."""
    known, cost, at = run.memo.get("forecast", (None, 0.0, 0.0))
    begin = time.thread_time()
    rested = time.monotonic() - at > max(OFTEN, REST * cost)
    if known is not None and (known.step == run.step or (run.live and not rested)):
        return known
    step, model, windows = run.step, run.model(), run.windows
    starts = _stretch(windows, run)
    said = predict(model, windows, starts)
    parts = windows.part_of_row[windows.target_rows(starts)[:, -1]]
    table = {
        part: scores(windows, starts[parts == k], said[parts == k])
        for k, part in enumerate(SPLITS)
        if (parts == k).any()
    }
    found = Forecast(step, starts, windows.truth(starts), said, table)
    run.memo["forecast"] = (found, time.thread_time() - begin, time.monotonic())
    return found


def _stretch(windows: Windows, run: Run) -> np.ndarray:
    """All windows if they are few; else as many as may be, around where validation begins."""
    most = int(np.clip(WORK / (run.parameter_count * windows.spec.seq_len), 40, MOST_WINDOWS))
    parts = [windows.starts[part] for part in SPLITS]
    everything = np.concatenate(parts)
    if len(everything) <= most:
        return np.sort(everything)
    middle = len(parts[0])
    return np.sort(everything[max(0, middle - most // 2) :][:most])


@dataclass(frozen=True)
class Picture:
    """What live_plot draws of a forecast."""

    lines: list[Line]
    x_title: str
    y_title: str
    x_start: np.datetime64 | None = None  # if set, x is in seconds after it
    y_range: tuple[float, float] | None = None


def picture(run: Run, forecast: Forecast, ahead: int = 0) -> Picture:
    """The forecast as curves; `ahead` picks one of the rows that each window says."""
    windows, cell = run.windows, run.experiment.model.cell.upper()
    if windows.classes:
        right = forecast.said[np.arange(len(forecast.said)), forecast.truth]
        x = np.arange(len(right), dtype=float)
        marks = [Line("a sure and right answer", x, np.ones_like(x), TRUTH, "dot"),
                 Line(f"the {cell}'s probability of the true class", x, right, SAID)]  # fmt: skip
        return Picture(marks, "window", "probability", y_range=(-0.03, 1.06))
    rows = windows.target_rows(forecast.starts)[:, ahead]
    x, x_title, x_start = _axis(windows, rows)
    truth, said = (values[:, ahead, 0].astype(float) for values in (forecast.truth, forecast.said))
    gaps = np.flatnonzero(np.diff(rows) != 1) + 1 if windows.spec.group is None else []
    x, truth, said = (np.insert(values, gaps, np.nan) for values in (x, truth, said))
    drawn = [
        Line("truth", x, truth, TRUTH, width=3),
        *_by_part(cell, windows, x, said, np.insert(rows, gaps, 0)),
    ]
    return Picture(drawn, x_title, windows.spec.targets[0], x_start)


def _by_part(cell: str, windows: Windows, x: np.ndarray, said: np.ndarray, rows: np.ndarray) -> list[Line]:
    """The prediction, thin where it was trained on and bold where it was not."""
    seen = windows.part_of_row[rows] == 0
    parts = ((SPLIT_NAMES["train"], seen, 1.5, 0.55), ("validation and test", ~seen, 2.5, 1.0))
    return [
        Line(f"{cell}, {name}", x, np.where(mask, said, np.nan), SAID, width=width, opacity=opacity)
        for name, mask, width, opacity in parts
        if mask.any()
    ]


def _axis(windows: Windows, rows: np.ndarray) -> tuple[np.ndarray, str, np.datetime64 | None]:
    """(x, its title, x_start): row numbers, a time column of numbers such as years, or seconds after a time."""
    if windows.when is None or windows.spec.group is not None:
        return rows.astype(float), "row", None
    when = windows.when[rows]
    if when.dtype.kind != "M":
        return when.astype(float), windows.spec.time, None
    start = when.min()
    return (when - start) / np.timedelta64(1, "s"), windows.spec.time, start
