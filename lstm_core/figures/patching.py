"""Patching as pictures: how far each cell moves the answer, and how much of it the best units carry together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from lstm_core.analysis.gate_weights import round_up_nicely
from lstm_core.analysis.patching.unit_sets import BestUnits
from lstm_core.data.number_format import format_percent
from lstm_core.figures.theme import (
    ACTUAL_COLOR,
    FONT_SIZE,
    MAX_CELLS,
    RUN_COLORS,
    SIGNED_SCALE,
    figure_layout,
    plain_label,
)

MAX_CLICKABLE = 4000  # cells with a mark of their own, which alone a click can hit
MAX_TICKS, MANY, SHORT = 12, 40, 3  # names on the axis of steps: all of up to MANY where they are as short as SHORT
MAX_NAME = 24
LIMITS = 0.1, 1.0  # of the colours, the least and the most: all of the answer


def effect_map(
    effects: np.ndarray,
    step_names: Sequence[str],
    cell: tuple[int, int] | None = None,
    changed: Sequence[int] = (),
    height: int = 380,
) -> go.Figure:
    """Units × steps: how much of the way from B's prediction to A's each patched cell goes, coloured up to the largest.

    effects: (seq_len, units), NaN where not computed. cell: (step, unit) that is marked. changed: the steps at which
    the two inputs differ, marked above the map. Of up to MAX_CLICKABLE cells each can be clicked: its point's x is the
    step, from 1 as everywhere on screen, and its y the unit, from 0.
    """
    seq_len, units = effects.shape
    strides = [-(-size // MAX_CELLS) for size in (seq_len, units)]
    shown = effects[:: strides[0], :: strides[1]]
    names = [plain_label(name, MAX_NAME) for name in step_names]
    x, y = 1 + np.arange(0, seq_len, strides[0]), np.arange(0, units, strides[1])
    is_named = shown.size <= MAX_CLICKABLE
    largest = np.nanmax(np.abs(shown)) if np.isfinite(shown).any() else 0.0
    limit = min(LIMITS[1], max(LIMITS[0], round_up_nicely(float(largest))))
    end = format_percent(limit, 0)
    figure = go.Figure(
        go.Heatmap(
            z=np.round(shown.T, 4),
            x=x,
            y=y,
            zmin=-limit,
            zmax=limit,
            colorscale=SIGNED_SCALE,
            colorbar={
                "thickness": 14,
                "tickfont": {"size": FONT_SIZE - 1},
                "tickvals": [-limit, 0, limit],
                "ticktext": [f"−{end}", "0", end],
            },
            hovertemplate=None if is_named else "step %{x}, unit %{y}: %{z:.1%}<extra></extra>",
            hoverinfo="skip" if is_named else None,
        )
    )
    if is_named:  # a click does not reach the cells of a heatmap
        at = np.argwhere(np.isfinite(shown))
        figure.add_scatter(
            x=x[at[:, 0]],
            y=y[at[:, 1]],
            mode="markers",
            marker={"size": 14, "symbol": "square", "opacity": 0},
            text=[names[step - 1] for step in x[at[:, 0]]],
            customdata=np.round(shown[tuple(at.T)], 4),
            hovertemplate="%{text}, unit %{y}: %{customdata:.1%}<extra></extra>",
            showlegend=False,
            name="cells",
        )
    if len(changed):
        figure.add_scatter(
            x=[step + 1 for step in changed[:MAX_CELLS]],
            y=[units - 0.5 + units * 0.03] * min(len(changed), MAX_CELLS),
            mode="markers",
            marker={"symbol": "triangle-down", "size": 11, "color": ACTUAL_COLOR},
            name="the inputs differ here",
            hovertemplate="the inputs differ here<extra></extra>",
        )
    if cell is not None:
        figure.add_scatter(
            x=[cell[0] + 1],
            y=[cell[1]],
            mode="markers",
            marker={"symbol": "square-open", "size": 16, "color": ACTUAL_COLOR, "line": {"width": 3}},
            name=f"chosen: {names[cell[0]]}, unit {cell[1]}",
            hoverinfo="skip",
        )
    all_fit = seq_len <= MANY and max(map(len, names)) <= SHORT
    stride = 1 if all_fit else -(-seq_len // MAX_TICKS)
    ticks = list(range(seq_len - 1, -1, -stride))[::-1]
    figure.update_xaxes(
        tickvals=[t + 1 for t in ticks], ticktext=[names[t] for t in ticks], range=[0.5, seq_len + 0.5], showgrid=False
    )
    figure.update_yaxes(title="unit", range=[-0.5, units - 0.5 + (units * 0.07 if len(changed) else 0)], showgrid=False)
    return figure_layout(figure, height).update_layout(hovermode="closest")


def units_figure(curves: Mapping[str, BestUnits], height: int = 260) -> go.Figure:
    """How much of the answer the best k units carry together, one line for each way to choose them, by its name."""
    figure, longest = go.Figure(), 1
    for (name, best), color, dash in zip(curves.items(), RUN_COLORS, ("solid", "dash", "dot", "dashdot"), strict=False):
        k = np.arange(1, len(best.units) + 1)
        longest = max(longest, len(k))
        figure.add_scatter(
            x=k,
            y=best.effects,
            name=plain_label(name, MAX_NAME),
            mode="lines+markers",
            line={"color": color, "width": 2.5, "dash": dash},
            marker={"size": 8},
            text=[", ".join(map(str, best.units[:size])) for size in k],
            hovertemplate="units %{text}: %{y:.1%}<extra></extra>",
        )
    figure.add_hline(1, line={"color": ACTUAL_COLOR, "width": 1.5, "dash": "dash"})
    figure.update_xaxes(title="units patched together", range=[0.5, longest + 0.5], dtick=max(1, longest // 8), tick0=1)
    figure.update_yaxes(title="of the answer", tickformat=".0%", rangemode="tozero")
    return figure_layout(figure, height).update_layout(hovermode="closest")
