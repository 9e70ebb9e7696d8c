"""The predictions of several runs over each other and the actual values, for the same rows."""

from __future__ import annotations

import numpy as np

from lstm_core.figures.lines import Line
from lstm_core.figures.theme import ACTUAL_COLOR, SPLIT_NAMES
from lstm_core.forecasting.predict import predict
from lstm_core.runs.compare import SharedWindows
from lstm_core.runs.run import Run
from pages.shared.components.live_plot import live_plot

MAX_WINDOWS = 600  # the last ones: more would be a black band


def compared_predictions(runs: list[Run], labels: list[str], colors: list[str], shared: SharedWindows) -> None:
    windows, rows = runs[0].windows, shared.rows[-MAX_WINDOWS:]
    predictions = [_predictions(run, starts[-len(rows) :]) for run, starts in zip(runs, shared.starts, strict=True)]
    of = f"{SPLIT_NAMES[shared.split]} windows" + (
        "" if len(rows) == len(shared.rows) else f", the last {len(rows):,} of {len(shared.rows):,}"
    )
    if windows.classes:
        truth = windows.y[rows]
        x = np.arange(len(rows), dtype=float)
        lines = [
            Line(label, x, probability[np.arange(len(rows)), truth], color)
            for label, probability, color in zip(labels, predictions, colors, strict=True)
        ]
        live_plot("compared_predictions", lines, x_title=of, y_title="probability of the true class", height=320)
        return
    x, x_title = windows.axis(rows)
    x_start = None
    if x.dtype.kind == "M":
        x_start = x.min()
        x = (x - x_start) / np.timedelta64(1, "s")
    gaps = np.flatnonzero(np.diff(rows) != 1) + 1 if windows.spec.group is None else []
    x = np.insert(np.asarray(x, float), gaps, np.nan)
    lines = [Line("actual", x, np.insert(windows.y[rows, 0].astype(float), gaps, np.nan), ACTUAL_COLOR, width=3)]
    lines += [
        Line(label, x, np.insert(values[:, 0, 0].astype(float), gaps, np.nan), color)
        for label, values, color in zip(labels, predictions, colors, strict=True)
    ]
    ahead = ", first row ahead" if any(run.windows.output_steps > 1 for run in runs) else ""
    live_plot(
        "compared_predictions",
        lines,
        x_title=f"{x_title} ({of}{ahead})",
        y_title=windows.spec.targets[0],
        x_start=x_start,
        height=320,
    )


def _predictions(run: Run, starts: np.ndarray) -> np.ndarray:
    key = (*run.weights_key, int(starts[0]), int(starts[-1]), len(starts))
    return run.cached("compared", key, lambda: predict(run.current_model(), run.windows, starts))
