"""Pictures of a forecast: the past, the test part and the future with its bands; and what a forecast is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lstm_core.figures.theme import (
    ACTUAL_COLOR,
    FEATURE_COLORS,
    FONT_SIZE,
    MAX_POINTS,
    PREDICTION_COLOR,
    SIDE_COLORS,
    figure_layout,
    plain_label,
)
from lstm_core.training.history import downsample_min_max

BAND_ALPHA = {0.8: 0.4, 0.95: 0.24}  # the narrower band lies within the wider one, so that it is darker still
NUMBER = "%{y:.4~g}"
SKIP_COLOR = FEATURE_COLORS[0]


@dataclass(frozen=True, eq=False)
class Curve:
    """x: (points,) times or numbers, y: (points,) float64, NaN for a gap."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, eq=False)
class ForecastCurves:
    """One series and one target, in its units.

    actual: the known rows, its last point the last one; tested: predictions of known rows; future: the forecast, and
    lower, upper: level → (points,) around it, NaN where no band is known; before: another forecast of the same rows,
    drawn pale, such as that before an edit.
    """

    actual: Curve
    tested: Curve
    future: Curve
    lower: dict[float, np.ndarray] = field(default_factory=dict)
    upper: dict[float, np.ndarray] = field(default_factory=dict)
    before: np.ndarray | None = None


def forecast_figure(
    curves: ForecastCurves, tested_name: str, x_title: str, y_title: str, height: int = 400
) -> go.Figure:
    """All of it on one axis, the bands behind the lines."""
    figure = go.Figure()
    for level in sorted(curves.upper, reverse=True):
        _add_band(figure, curves, level)
    _add_line(figure, "actual", curves.actual, ACTUAL_COLOR, width=2.5)
    _add_line(figure, tested_name, curves.tested, PREDICTION_COLOR, width=1.8, opacity=0.85)
    if curves.before is not None:
        before = _joined(curves, curves.before)
        _add_line(figure, "forecast before the change", before, PREDICTION_COLOR, dash="dash", width=2, opacity=0.55)
    _add_line(figure, "forecast", _joined(curves, curves.future.y), PREDICTION_COLOR, width=3.2)
    forecast = figure.data[-1]
    texts = _band_texts(curves)
    if texts:  # the bands' own points would be two lines more for each level
        forecast.customdata = [""] * (len(forecast.x) - len(texts)) + texts
        forecast.hovertemplate = NUMBER + "%{customdata}"
    _mark_end(figure, curves.actual)
    figure.update_xaxes(title=plain_label(x_title), range=_range(curves.actual.x, curves.future.x))
    figure.update_yaxes(title=plain_label(y_title))
    return figure_layout(figure, height).update_layout(showlegend=True)


def _joined(curves: ForecastCurves, y: np.ndarray) -> Curve:
    """A future line or edge from the last known point on: one row alone would be no line, and no band."""
    last = curves.actual.y[-1:]
    keep = len(last) and np.isfinite(last[0])
    x = np.concatenate([curves.actual.x[-1:], curves.future.x]) if keep else curves.future.x
    return Curve(x, np.concatenate([last, y]) if keep else y)


def _add_band(figure: go.Figure, curves: ForecastCurves, level: float) -> None:
    if not np.isfinite(curves.upper[level]).any():
        return
    name, color = f"{level * 100:.0f}\u202f% band", _pale(BAND_ALPHA[level])
    for edge, fill in ((curves.lower[level], None), (curves.upper[level], "tonexty")):
        line = _joined(curves, edge)
        figure.add_scatter(
            x=line.x,
            y=line.y.astype(np.float32),
            mode="lines",
            line={"width": 0, "color": PREDICTION_COLOR},
            fill=fill,
            fillcolor=color,
            name=name,
            legendgroup=name,
            showlegend=fill is not None,
            hoverinfo="skip",
        )


def _pale(alpha: float, color: str = PREDICTION_COLOR) -> str:
    """So transparent that it serves on a light and on a dark page."""
    return f"{color}{round(255 * alpha):02X}"


def _band_texts(curves: ForecastCurves) -> list[str]:
    """Of each row to come: its bands in words."""
    levels = [level for level in sorted(curves.upper) if np.isfinite(curves.upper[level]).any()]
    return [
        "".join(
            f"<br>{level * 100:.0f}\u202f%: {curves.lower[level][k]:.4g} to {curves.upper[level][k]:.4g}"
            for level in levels
        )
        for k in range(len(curves.future.x))
        if levels
    ]


def _add_line(figure: go.Figure, name: str, curve: Curve, color: str, row: int | None = None, **style) -> None:
    if not np.isfinite(curve.y).any():
        return
    x, y = downsample_min_max(curve.x, curve.y, MAX_POINTS)
    figure.add_scatter(
        x=x,
        y=y.astype(np.float32),
        name=name,
        mode="lines" if len(x) > 1 else "markers",
        marker={"size": 6, "color": color},
        line={"color": color, "width": style.get("width", 2), "dash": style.get("dash", "solid")},
        opacity=style.get("opacity", 1.0),
        hovertemplate=NUMBER,
        connectgaps=False,
        **({} if row is None else {"row": row, "col": 1}),
    )


def _range(*parts: np.ndarray) -> list:
    """Of the x axis: all of it, with a little room beside the last row."""
    x = np.concatenate([part for part in parts if len(part)])
    first, last = x.min(), x.max()
    ends = [first, last + (last - first) // 50 if x.dtype.kind == "M" else last + (last - first) / 50]
    return [str(end) if isinstance(end, np.datetime64) else float(end) for end in ends]


def _mark_end(figure: go.Figure, actual: Curve) -> None:
    """Where the table ends."""
    if len(actual.x):
        at = actual.x[-1]
        x = str(at) if isinstance(at, np.datetime64) else at
        figure.add_vline(x, line={"color": ACTUAL_COLOR, "width": 1.5, "dash": "dot"})


def _without_gaps(curve: Curve) -> list[Curve]:
    """The stretches between its gaps: an area would be filled across them."""
    known = np.flatnonzero(np.isfinite(curve.y))
    stretches = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else []
    return [Curve(curve.x[rows], curve.y[rows]) for rows in stretches]


@dataclass(frozen=True, eq=False)
class Parts:
    """What a forecast is made of, of one series and one target, in its units.

    actual: the known rows, its last point the last one; start; skip: start and linear skip, NaN without one; result:
    the forecast. All three of the same rows, NaN between the test part and the future. model: what makes the rest.
    """

    actual: Curve
    start: Curve
    skip: Curve
    result: Curve
    model: str


def parts_figure(parts: Parts, x_title: str, y_title: str, height: int = 380) -> go.Figure:
    """Start and result over each other, and beneath them what is added to the start: the differences."""
    start, skip, result, model = parts.start, parts.skip, parts.result, parts.model
    has_skip = bool(np.isfinite(skip.y).any())
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.66, 0.34], vertical_spacing=0.06)
    _add_line(figure, "actual", parts.actual, ACTUAL_COLOR, row=1, width=2.5)
    _add_line(figure, "start", start, SIDE_COLORS[1], row=1, width=2, dash="dot")
    _add_line(figure, "start + linear skip", skip, SKIP_COLOR, row=1, width=2, dash="dash")
    names = f"linear skip + {model}" if has_skip else model
    _add_line(figure, f"start + {names} = forecast", result, PREDICTION_COLOR, row=1, width=2.5)
    if has_skip:
        _add_area(figure, "what the linear skip adds", Curve(skip.x, skip.y - start.y), SKIP_COLOR)
    added = Curve(result.x, result.y - (skip if has_skip else start).y)
    _add_area(figure, f"what the {model} adds", added, PREDICTION_COLOR)
    _mark_end(figure, parts.actual)
    figure.update_xaxes(range=_range(result.x))
    figure.update_xaxes(title=plain_label(x_title), row=2, col=1)
    figure.update_yaxes(title=plain_label(y_title, 24), row=1, col=1)
    title = "added" if has_skip else f"{model} adds"
    figure.update_yaxes(title=title, zeroline=True, zerolinecolor=ACTUAL_COLOR, row=2, col=1)
    figure = figure_layout(figure, height).update_layout(showlegend=True)
    return figure.update_annotations(font_size=FONT_SIZE)


def _add_area(figure: go.Figure, name: str, curve: Curve, color: str) -> None:
    """What a part adds, from zero, in the lower plot."""
    for k, part in enumerate(_without_gaps(curve)):
        x, added = downsample_min_max(part.x, part.y, MAX_POINTS)
        figure.add_scatter(
            x=x,
            y=added.astype(np.float32),
            name=name,
            legendgroup=name,
            showlegend=k == 0,
            mode="lines",
            line={"color": color, "width": 1.5},
            fill="tozeroy",
            fillcolor=_pale(0.3, color),
            hovertemplate=NUMBER,
            row=2,
            col=1,
        )
