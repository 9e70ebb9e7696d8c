"""A table's splits and one window of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lstm_core.data.window_symbols import window_symbols
from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS
from lstm_core.figures.theme import (
    ACTUAL_COLOR,
    FEATURE_COLORS,
    MAX_NAMES,
    MAX_POINTS,
    PREDICTION_COLOR,
    SPLIT_COLORS,
    SPLIT_NAMES,
    figure_layout,
    plain_label,
)
from lstm_core.training.history import downsample_min_max

MAX_LINES = len(FEATURE_COLORS)  # features, and targets, drawn of one window
MANY_STEPS = 60  # of symbols: beyond it their marks are small
MAX_NAME = 24  # characters of a name in a legend
LEGEND_ROW = 22  # pixels
FLAT = 0.15  # of the axis: a line that moves by less is flat


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
    """One window: the inputs (every feature) and the targets, on one axis while all can be read on it.

    Where one would be a flat line beside another, each goes from its lowest to its highest value here, 0 to 1. One-hot
    inputs are symbols, each in a row of its own.
    """
    symbols = window_symbols(windows, start)
    if symbols is not None and windows.classes:
        return _symbol_window_figure(windows, start, symbols, height)
    rows = np.arange(start, start + windows.spec.seq_len)
    target_rows = windows.target_rows(np.array([start]))[0]
    targets = windows.targets(np.array([start]))[0]
    names = [f"input {plain_label(name, MAX_NAME)}" for name in windows.feature_names[:MAX_LINES]]
    n_inputs = len(names)
    lines = [(rows, windows.features[rows, k]) for k in range(n_inputs)]
    spans = [_span(y) for _, y in lines]
    if not windows.classes:
        for k, name in enumerate(windows.spec.targets[:MAX_LINES]):
            more = f" and {len(windows.spec.targets) - 1} more" if len(windows.spec.targets) > 1 and k == 0 else ""
            names.append(f"target {plain_label(name, MAX_NAME)}{more}")
            lines.append((target_rows, targets[:, k].astype(np.float64)))
            spans.append(_span(windows.y[np.union1d(rows, target_rows), k]))
            if name in windows.feature_names[:MAX_LINES]:  # on its input's scale
                spans[windows.feature_names.index(name)] = spans[-1]
    is_scaled = _one_is_flat(spans)
    figure = go.Figure()
    for k, (name, (at, values), (low, high)) in enumerate(zip(names, lines, spans, strict=True)):
        at, values = downsample_min_max(at, values, MAX_POINTS)
        y = (values - low) / (high - low or 1) if is_scaled else values
        style = {
            "mode": "lines+markers",
            "marker": {"size": 5},
            "line": {"width": 2, "color": FEATURE_COLORS[k % MAX_LINES]},
        }
        if k >= n_inputs:
            style = {"mode": "markers", "marker": {"size": 12, "color": PREDICTION_COLOR, "symbol": "diamond"}}
        hover = {"customdata": values, "hovertemplate": "%{customdata:.4~g}"}
        if k > n_inputs:  # targets have one mark: one name for all
            hover["showlegend"] = False
        figure.add_scatter(x=windows.axis(at)[0], y=y, name=name, **style, **hover)
    if windows.classes:
        _mark_class(figure, windows, start)
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title=plain_label(windows.axis(np.array([0]))[1]))
    figure.update_yaxes(title="each from its<br>minimum to its<br>maximum" if is_scaled else None)
    named = sum(line.showlegend is not False for line in figure.data)
    return figure_layout(figure, height + LEGEND_ROW * max(0, (named + 1) // 2 - 1))  # two names a row, or more


def _mark_class(figure: go.Figure, windows: Windows, start: int) -> None:
    """A line at the row of the window's target, which the legend names."""
    starts, line = np.array([start]), {"color": PREDICTION_COLOR, "width": 3}
    (target,), (target_row,) = windows.targets(starts), windows.target_rows(starts)[0]
    figure.add_vline(_edges(windows, np.array([target_row]))[0], line=line)
    name = f"target: <b>{plain_label(windows.classes[target], MAX_NAME)}</b>"
    figure.add_scatter(x=[None], y=[None], mode="lines", line=line, name=name)


def _symbol_window_figure(windows: Windows, start: int, symbols: list[int | None], height: int) -> go.Figure:
    """Which symbol is read at which row of the table: one line of the picture a symbol that occurs in the window."""
    at = np.array([k for k, symbol in enumerate(symbols) if symbol is not None])
    read, names = [symbols[k] for k in at], [plain_label(name, MAX_NAME) for name in windows.feature_names]
    present = sorted(set(read), reverse=True)  # the first at the top
    figure = go.Figure()
    figure.add_scatter(
        x=windows.axis(start + at)[0],
        y=[present.index(symbol) for symbol in read],
        mode="markers",
        marker={"size": 10 if len(symbols) <= MANY_STEPS else 6, "symbol": "square", "color": FEATURE_COLORS[0]},
        customdata=[names[symbol] for symbol in read],
        hovertemplate="reads %{customdata}<extra></extra>",
        name="input symbol",
        showlegend=False,
    )
    _mark_class(figure, windows, start)
    stride = -(-len(present) // MAX_NAMES)
    ticks = list(range(0, len(present), stride))
    figure.update_yaxes(tickvals=ticks, ticktext=[names[present[k]] for k in ticks], range=[-0.7, len(present) - 0.3])
    figure.update_xaxes(title=plain_label(windows.axis(np.array([0]))[1]))
    return figure_layout(figure.update_layout(showlegend=True), height)


def _span(values: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest of the finite values."""
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def _one_is_flat(spans: Sequence[tuple[float, float]]) -> bool:
    """Whether a line that moves would hardly be seen to, on the axis that all lines need together."""
    together = max(high for _, high in spans) - min(low for low, _ in spans)
    return any(0 < high - low < FLAT * together for low, high in spans)
