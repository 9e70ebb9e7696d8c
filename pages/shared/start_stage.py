"""The picture on Start: the series with its splits, the last window of it, and the gates of a model that reads it.

Imported without torch, since the first curve is drawn before it has loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, SPLITS, STATES
from lstm_core.figures.symbols import symbol_texts
from lstm_core.figures.theme import MAX_POINTS, SPLIT_COLORS, SPLIT_NAMES
from lstm_core.training.history import downsample_min_max
from pages.shared.components.mini_stage import SplitLine, Valves, WindowView, mini_stage

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

GATES_SECONDS = 0.7  # between two traces while a model trains, at least


def series(windows: Windows) -> None:
    """The series and its last window, of which no model has learned anything yet."""
    _draw(windows, int(windows.starts[windows.last_split][-1]), split_lines(windows))


def gates(run: Run) -> None:
    """The series, and what one unit's valves do in its last window; without valves if the model is no LSTM."""
    from pages.shared.gates import selection  # which imports torch

    start, model, valves = selection.last_window(run), str(run.id), None
    lines = run.cached("start_series", (), lambda: split_lines(run.windows))
    if run.experiment.model.cell == "lstm":
        every = GATES_SECONDS if run.is_active else None
        valves = run.cached("start_gates", run.weights_key, lambda: _valves(run, start), every=every)
        model += "" if run.is_active else str(run.weights_key)
    _draw(run.windows, start, lines, valves, model=model, training=run.is_active)


def _valves(run: Run, start: int) -> Valves:
    from pages.shared.gates import selection

    trace = selection.window_trace(selection.Selection(run, start))
    arrays = {name: trace.gate(name)[0, 0, 0].float().cpu().numpy().T for name in (*GATES, *STATES)}
    unit = int(arrays["f"].std(axis=1).argmax())  # the one whose forget gate has most to show
    spec = run.experiment.model
    return Valves(arrays, unit, "layer 0, " if spec.num_layers > 1 else "")


def _draw(windows: Windows, start: int, lines: list[SplitLine], valves: Valves | None = None, **more: Any) -> None:
    from pages.shared.gates.selection import input_series

    steps = windows.spec.seq_len
    title, symbols = f"Last window: {steps:,} step{'s' * (steps > 1)}", symbol_texts(windows, start)
    window = WindowView(start, {} if symbols else input_series(windows, start), title, symbols)
    ends = windows.label(0), windows.label(windows.rows - 1)
    mini_stage("mini_stage", windows.spec.targets[0], lines, ends, window, valves, **more)


def split_lines(windows: Windows) -> list[SplitLine]:
    """The first target, split by split; dots for classes and for targets of few rows, which a line would not join."""
    values = np.where(windows.y < 0, np.nan, windows.y) if windows.classes else windows.y[:, 0]
    sparse = bool(windows.classes) or bool(np.isnan(values).mean() > 0.5)
    lines = []
    for k, split in enumerate(SPLITS):
        rows = np.flatnonzero((windows.split_of_row == k) & ~(sparse & np.isnan(values)))
        if len(rows):
            at, y = downsample_min_max(rows, values[rows].astype(np.float64), MAX_POINTS // 2)
            lines.append(SplitLine(SPLIT_NAMES[split], SPLIT_COLORS[split], at, y, sparse))
    return lines
