"""Resting states: fixed and slow points in three dimensions, their time constants, and how long answers are kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lstm_core.analysis.fixed_points import Connection, FixedPoint, Retention, StateProjection
from lstm_core.figures.theme import (
    COMPARED_COLORS,
    FONT_SIZE,
    GREY,
    LILAC,
    LIME,
    SLATE,
    VIOLET,
    figure_layout,
    plain_label,
)

KINDS = {  # kind → name, colour, symbol in three dimensions and in two, size
    "stable": ("stable", VIOLET, "circle", "circle", 8),
    "saddle": ("saddle", COMPARED_COLORS[5], "diamond", "diamond", 6),
    "slow": ("slow", LIME, "x", "x", 5),
}
PATH_COLOR, CURRENT_COLOR, GRID = SLATE, LILAC, GREY  # opaque: WebGL draws a pale line white on a white page
MIN_CONSTANT, MAX_CONSTANT = 0.3, 1e5  # steps; what is quicker is not drawn, what is slower ends there
MAX_DRAWN = 200  # points of one kind


def resting_states_figure(
    points: Sequence[FixedPoint],
    projection: StateProjection,
    path: np.ndarray | None = None,
    connections: Sequence[Connection] = (),
    readouts: Sequence[str] = (),
    height: int = 520,
) -> go.Figure:
    """Points by kind, told apart by colour and shape, along the projection's three axes.

    path: (steps, h_size) hidden states of a window, drawn as a line whose end is marked. connections: for each saddle
    with one unstable direction a line through it, from the stable point on one side to that on the other. readouts:
    what the model answers at each point, in words; none: it is not told.
    """
    figure = go.Figure()
    _add_connections(figure, points, projection, connections)
    if path is not None and len(path):
        places = projection(path)
        steps = np.arange(1, len(places) + 1)
        _add(figure, places, "this window", "lines", line={"color": PATH_COLOR, "width": 4}, text=steps)
        figure.data[-1].hovertemplate = "step %{text}<extra></extra>"
        marker = {"symbol": "circle-open", "size": 12, "color": CURRENT_COLOR, "line": {"width": 4}}
        _add(figure, places[-1:], "its last step", "markers", marker=marker, hoverinfo="name")
    for kind, (name, color, symbol, _, size) in KINDS.items():
        chosen = [k for k, point in enumerate(points) if point.kind == kind]
        if not chosen:
            continue
        shown = [chosen[k] for k in np.unique(np.linspace(0, len(chosen) - 1, MAX_DRAWN).astype(int))]
        places = projection(np.stack([points[k].h for k in shown]))
        marker = {"symbol": symbol, "size": size, "color": color, "line": {"width": 0}}
        _add(figure, places, f"{name} ({len(chosen)})", "markers", marker=marker)
        told = [_told(k, points[k], readouts[k] if readouts else "") for k in shown]
        figure.data[-1].update(text=told, hoverinfo="text", customdata=shown)
    figure_layout(figure, height).update_layout(hovermode="closest")
    names = [f"axis {k + 1} ({100 * share:.0f}\u202f%)" for k, share in enumerate(projection.explained)]
    font = {"font": {"size": FONT_SIZE - 1}}
    style = {"backgroundcolor": "rgba(0,0,0,0)", "gridcolor": GRID, "zerolinecolor": GRID, "nticks": 5}
    style |= {"linecolor": GRID, "showgrid": True}
    axes = {f"{axis}axis": {**style, "title": {"text": name, **font}} for axis, name in zip("xyz", names, strict=True)}
    camera = {"eye": {"x": 1.45, "y": 1.45, "z": 0.75}, "center": {"x": 0, "y": 0, "z": -0.12}}
    return figure.update_layout(scene={**axes, "aspectmode": "cube", "camera": camera}, uirevision="resting states")


def time_constants_of_points(points: Sequence[FixedPoint]) -> go.Figure:
    """How fast a small push dies out at each point, and on a saddle how fast it grows: ±1 / ln|λ| in steps, log axis.

    Time constants under 0.3 steps are left out; those beyond 100,000 end there.
    """
    figure = go.Figure()
    for kind, (name, color, _, symbol, _) in KINDS.items():
        for grows in (False, True):
            x, y = [], []
            for number, point in enumerate(points):
                if point.kind != kind:
                    continue
                sizes = np.abs(point.eigenvalues)
                sizes = sizes[sizes >= 1] if grows else sizes[(sizes < 1) & (sizes > 0)]
                with np.errstate(divide="ignore"):
                    constants = np.minimum(np.abs(1 / np.log(sizes)), MAX_CONSTANT)
                constants = constants[constants >= MIN_CONSTANT]
                x += [number] * len(constants)
                y += constants.tolist()
            if x:
                marker = {"color": color, "size": 9, "symbol": "triangle-up-open" if grows else symbol}
                label = f"{name}: {'a push grows' if grows else 'a push fades'}"
                hover = "point %{x}: %{y:.3g} steps<extra></extra>"
                figure.add_scatter(x=x, y=y, mode="markers", name=label, marker=marker, hovertemplate=hover)
    figure.update_xaxes(title="point", dtick=max(1, len(points) // 10), range=[-0.6, max(1, len(points)) - 0.4])
    figure.update_yaxes(title="time constant (steps)", type="log", tickformat="~g", dtick=1)
    return figure_layout(figure, 320).update_layout(hovermode="closest")


def retention_figure(retention: Retention, longest: float | None = None) -> go.Figure:
    """The share of answers left by the number of silent steps; longest: the longest time constant of a stable point."""
    figure = go.Figure()
    steps = [max(step, 1) for step in retention.silent_steps]  # a log axis has no 0
    line = {"color": VIOLET, "width": 3}
    hover = "after %{x} silent steps: %{y:.1%}<extra></extra>"
    figure.add_scatter(x=steps, y=retention.share, mode="lines+markers", line=line, hovertemplate=hover, name="kept")
    figure.add_hline(retention.forgotten, line={"color": GREY, "dash": "dot", "width": 2})
    figure.add_annotation(
        x=np.log10(steps[-1]),
        y=retention.forgotten,
        text="one answer for all",
        showarrow=False,
        xanchor="right",
        yanchor="bottom" if retention.forgotten < 0.8 else "top",
    )
    if longest is not None and np.isfinite(longest) and longest >= 1:
        figure.add_vline(longest, line={"color": GREY, "dash": "dash", "width": 1.5})
        figure.add_annotation(
            x=np.log10(longest),
            y=0.04,
            yref="paper",
            text="longest time constant",
            showarrow=False,
            xanchor="right" if longest**2 > steps[-1] else "left",
        )
    figure.update_xaxes(title="silent steps after the window", type="log", tickformat="~g", dtick=1)
    figure.update_yaxes(title="answers kept", tickformat=".0%", range=[-0.03, 1.03])
    return figure_layout(figure, 280).update_layout(showlegend=False, hovermode="closest")


def _add(figure: go.Figure, places: np.ndarray, name: str, mode: str, **style: object) -> None:
    x, y, z = places.T
    figure.add_scatter3d(x=x, y=y, z=z, name=name, mode=mode, **style)


def _add_connections(
    figure: go.Figure, points: Sequence[FixedPoint], projection: StateProjection, connections: Sequence[Connection]
) -> None:
    """One line for all of them, with gaps."""
    parts = []
    for connection in connections:
        if points[connection.saddle].n_unstable == 1:
            for end in connection.ends:
                if end is not None:
                    parts += [points[connection.saddle].h, points[end].h, np.full_like(points[end].h, np.nan)]
    if parts:
        line = {"color": GREY, "width": 3, "dash": "dash"}
        _add(figure, projection(np.stack(parts)), "from a saddle to both sides", "lines", line=line, hoverinfo="skip")


def _told(number: int, point: FixedPoint, readout: str) -> str:
    text = f"point {number}: {KINDS[point.kind][0]}, q = {point.q:.1g}"
    if point.n_unstable:
        text += f"<br>unstable directions: {point.n_unstable}"
    elif len(point.time_constants):
        text += f"<br>longest time constant: {point.time_constants[0]:.3g} steps"
    return text + (f"<br>{plain_label(readout)}" if readout else "")
