"""Pictures of how long a memory holds, and of how many units it takes: a score over rows, and over units."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lstm_core.analysis.memory_span import MemorySpan
from lstm_core.analysis.unit_removal import UnitRemoval
from lstm_core.analysis.window_score import Scale
from lstm_core.figures.theme import ACTUAL_COLOR, FONT_SIZE, GATE_COLORS, PREDICTION_COLOR, figure_layout

HEIGHT = 330
SPAN_TITLES = {"cut": "rows that are left of the window, the last ones", "idle": "idle rows that are put in"}


def span_figure(span: MemorySpan) -> go.Figure:
    """The score over the rows that are left, or that are put in, between that of the whole model and that of the best
    answer without a memory."""
    needed = span.rows_needed if span.kind == "cut" else None
    figure = _curve(span.rows, span.scores, span.scale, needed, "row")
    is_log = span.rows[0] > 0 and span.rows[-1] >= 20 * span.rows[0]
    figure.update_xaxes(title=SPAN_TITLES[span.kind], type="log" if is_log else "linear")
    if is_log:
        ticks = [digit * 10**power for power in range(6) for digit in (1, 2, 5)]
        ticks = [tick for tick in ticks if span.rows[0] <= tick <= span.rows[-1]]
        figure.update_xaxes(tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    return figure


def removal_figure(removal: UnitRemoval) -> go.Figure:
    """The score over the units that are left, all of them on the right."""
    needed = removal.units_needed if removal.scale.has_lead else None
    figure = _curve(removal.units[::-1], removal.scores[::-1], removal.scale, needed, "unit")
    where = " in each layer and direction" if removal.rows > 1 else ""
    figure.update_xaxes(title=f"units left{where}", tickformat="d")
    return figure


def _curve(x: Sequence[int], scores: Sequence[float], scale: Scale, needed: int | None, thing: str) -> go.Figure:
    figure = go.Figure()
    number = "%{y:.1%}" if scale.measure == "accuracy" else "%{y:.4~g}"
    figure.add_scatter(
        x=list(x),
        y=list(scores),
        mode="lines+markers",
        name=scale.measure,
        line={"color": PREDICTION_COLOR, "width": 3},
        marker={"size": 7},
        hovertemplate=f"%{{x}} {thing}s: {number}<extra></extra>",
    )
    for level, name, dash in ((scale.full, "the whole model", "dot"), (scale.without, scale.answer, "dash")):
        figure.add_scatter(
            x=[x[0], x[-1]],
            y=[level, level],
            mode="lines",
            name=name,
            line={"color": ACTUAL_COLOR, "width": 2, "dash": dash},
            hovertemplate=f"{name}: {number}<extra></extra>",
        )
    if needed is not None and scale.has_lead:
        at = scores[list(x).index(needed)]
        figure.add_scatter(
            x=[needed],
            y=[at],
            mode="markers",
            name=f"enough: {needed:,} {thing}{'s' * (needed != 1)}",
            marker={"symbol": "circle-open", "size": 18, "line": {"width": 3}, "color": GATE_COLORS["i"]},
            hoverinfo="skip",
            cliponaxis=False,
        )
    figure.update_yaxes(title=scale.measure, rangemode="tozero")
    if scale.measure == "accuracy":
        figure.update_yaxes(tickformat=".0%", range=[0, 1.04])
    figure_layout(figure, HEIGHT).update_layout(hovermode="closest")
    return figure.update_layout(legend={"font": {"size": FONT_SIZE - 1}})
