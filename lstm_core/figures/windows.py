"""A table's splits and one window of it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS
from lstm_core.figures.theme import (
    FONT_SIZE,
    MOST_NAMES,
    MOST_POINTS,
    SAID,
    SPLIT_COLORS,
    SPLIT_NAMES,
    TRUTH,
    figure_layout,
    text,
)
from lstm_core.training.history import thin


def row_axis(windows: Windows, rows: np.ndarray) -> np.ndarray:
    """What stands under these rows: the time column, or, without one or with several groups, row numbers."""
    plain = windows.when is None or windows.spec.group is not None
    return rows if plain else windows.when[rows]



def row_title(windows: Windows) -> str:
    plain = windows.when is None or windows.spec.group is not None
    return "row" if plain else text(windows.spec.time)



def split_figure(windows: Windows, start: int | None, height: int = 300) -> go.Figure:
    """The first target over all rows, coloured by part, and one window's place marked.

    start: first row of the window that is marked, None for none.
    """
    column = 0
    values = np.where(windows.y < 0, np.nan, windows.y) if windows.classes else windows.y[:, column]
    figure = go.Figure()
    lonely = np.isnan(values).mean() > 0.5  # such as one answer a sequence: a line would join nothing
    for k, part in enumerate(SPLITS):
        rows = np.flatnonzero((windows.part_of_row == k) & ~(lonely & np.isnan(values)))
        if not len(rows):
            continue
        drawn, y = thin(rows, values[rows].astype(np.float64), MOST_POINTS)
        breaks = np.flatnonzero(np.diff(drawn) > max(2, 4 * len(rows) // MOST_POINTS)) + 1
        y = np.insert(y, breaks, np.nan)  # parts of several groups interleave: no line from one to the next
        drawn = np.insert(drawn, breaks, drawn[breaks - 1] if len(breaks) else [])
        figure.add_scatter(
            x=row_axis(windows, drawn), y=y.astype(np.float32), name=f"{SPLIT_NAMES[part]} ({len(rows):,} rows)",
            mode="markers" if windows.classes or lonely else "lines", connectgaps=False,
            line={"color": SPLIT_COLORS[part], "width": 2}, marker={"color": SPLIT_COLORS[part], "size": 4},
        )  # fmt: skip
    if windows.classes:
        apart = -(-len(windows.classes) // MOST_NAMES)
        places = list(range(0, len(windows.classes), apart))
        figure.update_yaxes(tickvals=places, ticktext=[text(windows.classes[k], 16) for k in places])
    if start is not None:
        seen = _edges(windows, np.array([start, start + windows.spec.seq_len - 1]))
        said = _edges(windows, windows.target_rows(np.array([start]))[0][[0, -1]])
        figure.add_vrect(*seen, fillcolor=TRUTH, opacity=0.3, line_width=0)
        figure.add_vrect(*said, fillcolor=SAID, opacity=0.9, line_color=SAID, line_width=3)
    figure.update_xaxes(title=row_title(windows))
    figure.update_yaxes(title=text(windows.spec.targets[column]))
    return figure_layout(figure, height)



def _edges(windows: Windows, rows: np.ndarray) -> list:
    """row_axis for a shape: plotly draws none between numpy's own times."""
    return [str(at) if isinstance(at, np.datetime64) else at for at in row_axis(windows, rows)]



def window_figure(windows: Windows, start: int, height: int = 300) -> go.Figure:
    """One window: what the model sees (every feature) and what it must say."""
    rows = np.arange(start, start + windows.spec.seq_len)
    figure = go.Figure()
    for k, name in enumerate(windows.spec.features[:6]):
        seen, y = thin(rows, windows.x[rows, k].astype(np.float64), MOST_POINTS)
        figure.add_scatter(x=row_axis(windows, seen), y=y, name=f"sees {text(name)}", mode="lines+markers",
                           marker={"size": 5}, line={"width": 2})  # fmt: skip
    wanted = windows.target_rows(np.array([start]))[0]
    truth = windows.truth(np.array([start]))[0]
    if windows.classes:
        label = text(windows.classes[truth], 30)
        figure.add_vline(_edges(windows, wanted)[0], line={"color": SAID, "width": 3})
        figure.add_annotation(x=row_axis(windows, wanted)[0], y=1, yref="paper", xanchor="right", showarrow=False,
                              text=f"must say: <b>{label}</b>", font={"size": FONT_SIZE + 1, "color": SAID})  # fmt: skip
    else:
        for k, name in enumerate(windows.spec.targets[:6]):
            figure.add_scatter(x=row_axis(windows, wanted), y=truth[:, k], name=f"must say {text(name)}",
                               mode="markers", marker={"size": 12, "color": SAID, "symbol": "diamond"})  # fmt: skip
    figure.update_xaxes(title=row_title(windows))
    return figure_layout(figure, height)
