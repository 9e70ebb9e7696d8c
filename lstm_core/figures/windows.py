"""A table's splits and one window of it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS
from lstm_core.figures.diagram import label
from lstm_core.figures.theme import (
    ACTUAL_COLOR,
    FONT_SIZE,
    MAX_NAMES,
    MAX_POINTS,
    PREDICTION_COLOR,
    SPLIT_COLORS,
    SPLIT_NAMES,
    figure_layout,
    plain_label,
)
from lstm_core.training.history import downsample_min_max


def split_figure(windows: Windows, start: int | None, height: int = 300) -> go.Figure:
    """The first target over all rows, coloured by split, and one window marked.

    start: first row of the window that is marked, None for none.
    """
    values = np.where(windows.y < 0, np.nan, windows.y) if windows.classes else windows.y[:, 0]
    figure = go.Figure()
    sparse = np.isnan(values).mean() > 0.5  # such as one target a sequence: a line would join nothing
    for k, split in enumerate(SPLITS):
        rows = np.flatnonzero((windows.split_of_row == k) & ~(sparse & np.isnan(values)))
        if not len(rows):
            continue
        drawn_rows, y = downsample_min_max(rows, values[rows].astype(np.float64), MAX_POINTS)
        breaks = np.flatnonzero(np.diff(drawn_rows) > max(2, 4 * len(rows) // MAX_POINTS)) + 1
        y = np.insert(y, breaks, np.nan)  # splits of several groups interleave: no line from one to the next
        drawn_rows = np.insert(drawn_rows, breaks, drawn_rows[breaks - 1] if len(breaks) else [])
        figure.add_scatter(
            x=windows.axis(drawn_rows)[0],
            y=y.astype(np.float32),
            name=f"{SPLIT_NAMES[split]} ({len(rows):,} rows)",
            mode="markers" if windows.classes or sparse else "lines",
            connectgaps=False,
            line={"color": SPLIT_COLORS[split], "width": 2},
            marker={"color": SPLIT_COLORS[split], "size": 4},
        )
    if windows.classes:
        label_stride = -(-len(windows.classes) // MAX_NAMES)
        tick_classes = list(range(0, len(windows.classes), label_stride))
        figure.update_yaxes(tickvals=tick_classes, ticktext=[plain_label(windows.classes[k], 16) for k in tick_classes])
    if start is not None:
        input_edges = _edges(windows, np.array([start, start + windows.spec.seq_len - 1]))
        target_edges = _edges(windows, windows.target_rows(np.array([start]))[0][[0, -1]])
        figure.add_vrect(*input_edges, fillcolor=ACTUAL_COLOR, opacity=0.3, line_width=0)
        style = {"fillcolor": PREDICTION_COLOR, "line_color": PREDICTION_COLOR, "line_width": 3}
        figure.add_vrect(*target_edges, opacity=0.9, **style)
    figure.update_xaxes(title=plain_label(windows.axis(np.array([0]))[1]))
    figure.update_yaxes(title=plain_label(windows.spec.targets[0]))
    return figure_layout(figure, height)


def _edges(windows: Windows, rows: np.ndarray) -> list:
    """The rows' axis values for a shape: plotly draws none between NumPy times."""
    return [str(at) if isinstance(at, np.datetime64) else at for at in windows.axis(rows)[0]]


def window_figure(windows: Windows, start: int, height: int = 300) -> go.Figure:
    """One window: the inputs (every feature) and the targets."""
    rows = np.arange(start, start + windows.spec.seq_len)
    figure = go.Figure()
    for k, name in enumerate(windows.spec.features[:6]):
        drawn_rows, y = downsample_min_max(rows, windows.x[rows, k].astype(np.float64), MAX_POINTS)
        style = {"mode": "lines+markers", "marker": {"size": 5}, "line": {"width": 2}}
        figure.add_scatter(x=windows.axis(drawn_rows)[0], y=y, name=f"input {plain_label(name)}", **style)
    target_rows = windows.target_rows(np.array([start]))[0]
    targets = windows.targets(np.array([start]))[0]
    if windows.classes:
        text = f"target: <b>{plain_label(windows.classes[targets], 30)}</b>"
        figure.add_vline(_edges(windows, target_rows)[0], line={"color": PREDICTION_COLOR, "width": 3})
        anchor = {"yref": "paper", "xanchor": "right"}
        x = windows.axis(target_rows)[0][0]
        figure.add_annotation(label(x, 1, text, FONT_SIZE + 1, PREDICTION_COLOR, **anchor))
    else:
        x, marker = windows.axis(target_rows)[0], {"size": 12, "color": PREDICTION_COLOR, "symbol": "diamond"}
        for name, y in zip(windows.spec.targets[:6], targets.T, strict=False):
            figure.add_scatter(x=x, y=y, name=f"target {plain_label(name)}", mode="markers", marker=marker)
    figure.update_xaxes(title=plain_label(windows.axis(np.array([0]))[1]))
    return figure_layout(figure, height)
