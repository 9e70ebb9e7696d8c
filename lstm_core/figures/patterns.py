"""Pictures of a pattern search: the places found, one below the other with the span marked, and what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lstm_core.analysis.pattern_labels import Lift
from lstm_core.figures.theme import (
    ACTUAL_COLOR,
    FONT_SIZE,
    GATE_COLORS,
    GATE_SCALE,
    PREDICTION_COLOR,
    SIGNED_SCALE,
    figure_layout,
    plain_label,
)

CONTEXT = 6  # steps drawn before and after a place
MAX_SPAN = 60  # steps of a place that are drawn
MAX_ROWS = 24
MAX_BARS = 10
SERIES_COLUMNS = 4  # small multiples side by side
ROW_HEIGHT, ROW_GAP = 165, 62  # pixels: of a row of them, and from one to the next, where a title and numbers stand


@dataclass(frozen=True, eq=False)
class DrawnPlace:
    """A place with its surroundings.

    title: what it is called; first: the step of the sequence, from 0, that `on` begins with; span: the place's first
    and last step within `on`; on: (steps,) how many of the pattern's units are on; texts: a symbol for each step, or
    empty; values: (steps,) of one input, or None.
    """

    title: str
    first: int
    span: tuple[int, int]
    on: np.ndarray
    texts: tuple[str, ...] = ()
    values: np.ndarray | None = None


def around(t0: int, t1: int, seq_len: int) -> tuple[int, int]:
    """The steps from … up to (not including) … that are drawn of a place."""
    return max(0, t0 - CONTEXT), min(seq_len, min(t1, t0 + MAX_SPAN - 1) + CONTEXT + 1)


def places_figure(places: Sequence[DrawnPlace], units: int) -> go.Figure:
    """One row a place, aligned at its first step: how many of the pattern's `units` are on, the place framed, and the
    symbols that were read, if there are any."""
    places = places[:MAX_ROWS]
    offsets = [place.span[0] for place in places]
    before = max(offsets)
    width = max(before - offset + len(place.on) for place, offset in zip(places, offsets, strict=True))
    z, text = np.full((len(places), width), np.nan), np.full((len(places), width), "", object)
    hover = np.full((len(places), width), "", object)
    for row, (place, offset) in enumerate(zip(places, offsets, strict=True)):
        cells = slice(before - offset, before - offset + len(place.on))
        z[row, cells] = place.on
        if place.texts:
            text[row, cells] = [plain_label(symbol) for symbol in place.texts]
        hover[row, cells] = [
            f"{plain_label(place.title)}, step {place.first + k + 1}: {count} of {units} units on"
            for k, count in enumerate(place.on)
        ]
    figure = go.Figure(
        go.Heatmap(
            z=z,
            x0=-before,
            dx=1,
            zmin=0,
            zmax=units,
            text=text,
            texttemplate="%{text}" if any(place.texts for place in places) else None,
            textfont={"size": FONT_SIZE},
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            colorscale=GATE_SCALE,
            colorbar={
                "thickness": 14,
                "title": {"text": "units on"},
                "tickfont": {"size": FONT_SIZE - 1},
                "dtick": -(-units // 5),
            },
            xgap=1,
            ygap=3,
        )
    )
    for row, place in enumerate(places):
        length = min(place.span[1], len(place.on) - 1) - place.span[0]
        frame = {"color": PREDICTION_COLOR, "width": 2.5}
        figure.add_shape(type="rect", x0=-0.5, x1=length + 0.5, y0=row - 0.44, y1=row + 0.44, line=frame)
    titles = [plain_label(place.title, 24) for place in places]
    figure.update_yaxes(tickvals=list(range(len(places))), ticktext=titles, autorange="reversed", showgrid=False)
    figure.update_xaxes(title="steps from the beginning of the place", showgrid=False, zeroline=False)
    return figure_layout(figure, 90 + 26 * len(places)).update_layout(hovermode="closest")


def series_figure(places: Sequence[DrawnPlace], y_title: str) -> go.Figure:
    """Small multiples of one input around each place, all on one scale, the place shaded."""
    places = places[:MAX_ROWS]
    rows = -(-len(places) // SERIES_COLUMNS)
    titles = [plain_label(place.title, 22) for place in places]
    figure = make_subplots(
        rows=rows,
        cols=min(SERIES_COLUMNS, len(places)),
        subplot_titles=titles,
        shared_yaxes="all",
        horizontal_spacing=0.02,
        vertical_spacing=ROW_GAP / (rows * ROW_HEIGHT) if rows > 1 else 0,
    )
    for k, place in enumerate(places):
        where = {"row": k // SERIES_COLUMNS + 1, "col": k % SERIES_COLUMNS + 1}
        x = place.first + 1 + np.arange(len(place.on))
        line = {"color": ACTUAL_COLOR, "width": 2.5}
        hover = "step %{x}: %{y:.4~g}<extra></extra>"
        figure.add_scatter(x=x, y=place.values, line=line, mode="lines", hovertemplate=hover, **where)
        t0, t1 = (place.first + 1 + min(step, len(place.on) - 1) for step in place.span)
        figure.add_vrect(x0=t0 - 0.5, x1=t1 + 0.5, fillcolor=PREDICTION_COLOR, opacity=0.25, line_width=0, **where)
    figure.update_yaxes(title=plain_label(y_title, 24), col=1)
    figure.update_annotations(font={"size": FONT_SIZE - 2})
    return figure_layout(figure, 40 + ROW_HEIGHT * rows).update_layout(showlegend=False, hovermode="closest")


def lift_figure(lifts: Sequence[Lift]) -> go.Figure:
    """Of each label its share of the steps in the places as a bar, and of all steps as a mark; the first on top."""
    lifts = lifts[:MAX_BARS]
    names = [f"{plain_label(lift.column, 26)}: {plain_label(lift.label, 34)}" for lift in lifts]
    names = [name + "\u200b" * names[:k].count(name) for k, name in enumerate(names)]  # bars of one name would add up
    counts = [f"{lift.count:,} of {lift.of:,}, {lift.lift:.3g} times as often" for lift in lifts]
    figure = go.Figure()
    figure.add_bar(
        y=names,
        x=[lift.share for lift in lifts],
        orientation="h",
        name="in the places",
        marker={"color": GATE_COLORS["c"]},
        customdata=counts,
        hovertemplate="%{x:.1%} in the places: %{customdata}<extra></extra>",
    )
    figure.add_scatter(
        y=names,
        x=[lift.base_rate for lift in lifts],
        mode="markers",
        name="anywhere",
        marker={"symbol": "line-ns-open", "size": 20, "line": {"width": 4}, "color": ACTUAL_COLOR},
        hovertemplate="%{x:.1%} of all steps<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(title="share of the steps", tickformat=".0%", range=[0, 1.02])
    return figure_layout(figure, 110 + 30 * len(lifts)).update_layout(hovermode="closest", bargap=0.35)


def window_figure(states: np.ndarray, span: tuple[int, int], names: Sequence[str], height: int = 230) -> go.Figure:
    """The states of a window, (seq_len, units), the span from its first to its last step framed; a drag across it
    selects steps, as points whose x counts from 1. names: of its steps."""
    seq_len, units = states.shape
    steps = np.arange(1, seq_len + 1)
    figure = go.Figure(
        go.Heatmap(
            z=states.T,
            x=steps,
            zmin=-1,
            zmax=1,
            colorscale=SIGNED_SCALE,
            colorbar={"thickness": 14, "title": {"text": "tanh c"}, "tickfont": {"size": FONT_SIZE - 1}},
            hoverinfo="skip",
        )
    )
    figure.add_scatter(  # a drag does not reach the cells of a heatmap
        x=steps,
        y=np.full(seq_len, (units - 1) / 2),
        mode="markers",
        marker={"size": 12, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        text=[plain_label(name) for name in names],
        hovertemplate="step %{x}: %{text}<extra></extra>",
        showlegend=False,
    )
    figure.add_shape(
        x0=span[0] + 0.5, x1=span[1] + 1.5, y0=-0.5, y1=units - 0.5, line={"color": PREDICTION_COLOR, "width": 3}
    )
    figure.update_xaxes(title="step", range=[0.5, seq_len + 0.5], showgrid=False)
    figure.update_yaxes(title="unit", range=[-0.5, units - 0.5], showgrid=False)
    return figure_layout(figure, height).update_layout(dragmode="select", selectdirection="h", hovermode="closest")
