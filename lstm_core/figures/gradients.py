"""How far back a prediction looks: gradients over the steps, time constants, and cells compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from lstm_core.analysis.gradient_horizon import GradientHorizon
from lstm_core.figures.diagram import label
from lstm_core.figures.theme import (
    ACTUAL_COLOR,
    CELL_COLORS,
    CELL_DASHES,
    FONT_SIZE,
    GATE_COLORS,
    MAX_POINTS,
    MIN_SHARE,
    figure_layout,
    power_of_ten,
)
from lstm_core.training.history import downsample_min_max


def horizon_figure(horizon: GradientHorizon, layer: int = 0, direction: int = 0, sample: int = 0) -> go.Figure:
    """A GradientHorizon's gradients by step, each divided by its largest, beside what the forget gates let through.

    Divided, since x, h and c have units of their own: what counts is how each falls off towards the past. nn.GRU
    and nn.RNN have neither c nor forget gates.
    """
    index = layer, direction, sample
    lines = [
        ("|∂ŷ/∂x|", horizon.d_x[sample], ACTUAL_COLOR, "solid"),
        ("|∂ŷ/∂h|", horizon.d_h[index], GATE_COLORS["h"], "solid"),
    ]
    if horizon.d_c is not None:
        lines.append(("|∂ŷ/∂c|", horizon.d_c[index], GATE_COLORS["c"], "solid"))
        lines.append(("product of f to the end", horizon.forget_product[index], GATE_COLORS["f"], "dash"))
    figure, least = go.Figure(), 0.5
    for name, values, color, dash in lines:
        share = _share_of_largest(values) if dash == "solid" else np.where(values > 0, values, np.nan)
        least = np.nanmin(share, initial=least)
        _add_line(figure, np.arange(1, len(share) + 1), share, name, {"color": color, "width": 2.5, "dash": dash})
    figure.update_xaxes(title="step")
    return _share_axis(figure_layout(figure, 320), least)


def _add_line(figure: go.Figure, x: np.ndarray, y: np.ndarray, name: str, line: dict, **style: str) -> None:
    x, y = downsample_min_max(x, y, MAX_POINTS)
    figure.add_scatter(x=x, y=y, name=name, line=line, mode="lines+markers" if len(y) < 3 else "lines", **style)


def _share_axis(figure: go.Figure, least: float) -> go.Figure:
    """Shares on a log axis from `least` to 1, named at whole powers of ten only."""
    minimum, maximum = np.log10([least / 2, 2])
    stride = int(np.ceil((maximum - minimum) / 6))
    powers = [power for power in range(0, int(minimum) - 1, -stride) if power >= minimum]
    return figure.update_yaxes(
        title="share of the largest",
        type="log",
        range=[minimum, maximum],
        tickvals=[10.0**power for power in powers],
        ticktext=[power_of_ten(power) for power in powers],
    )


def _share_of_largest(values: np.ndarray) -> np.ndarray:
    """Divided by the largest; NaN where there is nothing, which a log axis could not show."""
    return np.where(values > 0, values, np.nan) / (values.max(initial=0) or 1.0)


def _level(figure: go.Figure, y: float, name: str) -> None:
    """A dashed line across a log axis, its name above the left end."""
    figure.add_hline(y, line={"color": ACTUAL_COLOR, "width": 1.5, "dash": "dash"})
    figure.add_annotation(label(0, np.log10(y), name, FONT_SIZE, xref="paper", xanchor="left", yanchor="bottom"))


def time_constants_figure(constants: np.ndarray, seq_len: int) -> go.Figure:
    """How long each unit remembers, shortest first, on a log axis, beside the window's length.

    constants: (units,) in steps, as in GradientHorizon.time_constants. What is longer than a hundred windows, inf
    too, ends there under an arrow, since no window tells it from more.
    """
    longest, shortest = 100.0 * seq_len, 0.1
    order = np.argsort(constants, kind="stable")
    order = order[np.unique(np.linspace(0, len(order) - 1, MAX_POINTS).astype(int))]
    values, position = constants[order], np.arange(len(order))
    figure = go.Figure(
        go.Bar(
            x=position,
            y=np.clip(values, shortest, longest),
            marker={"color": GATE_COLORS["f"], "line": {"width": 0}},
            hovertext=[f"unit {unit}: {constants[unit]:.3g} steps" for unit in order],
            hoverinfo="text",
            showlegend=False,
        )
    )
    if (beyond := values > longest).any():
        name, tops = f"more than {longest:,.0f} steps", np.full(beyond.sum(), longest)
        style = {"mode": "markers", "hoverinfo": "skip", "showlegend": True}
        arrow = {"symbol": "triangle-up", "size": 14, "color": GATE_COLORS["c"]}
        figure.add_scatter(x=position[beyond], y=tops, name=name, marker=arrow, **style)
    _level(figure, seq_len, f"the window: {seq_len:,} steps")
    minimum = np.nanmin(np.clip(values, shortest, seq_len)) / 2
    maximum = np.nanmax(np.clip(values, seq_len, longest)) * 2.5
    figure.update_xaxes(title="units, the most forgetful first", showticklabels=False)
    y_range = np.log10([minimum, maximum]).tolist()
    figure.update_yaxes(title="steps", type="log", range=y_range, tickformat="~g", dtick=1)
    return figure_layout(figure, 320).update_layout(hovermode="closest", bargap=0.1 if len(position) < 65 else 0)


def cells_figure(curves: Mapping[str, np.ndarray], through_c: np.ndarray | None = None) -> go.Figure:
    """How the gradients of different cells fall off towards the past, each divided by its largest.

    curves: cell → (seq_len,) by input time; the last stands one step back from the prediction. through_c: nn.LSTM's
    with respect to c_t, drawn beside its own.
    """
    lines = [(cell.upper(), cell, values, CELL_DASHES[cell], 3.0) for cell, values in curves.items()]
    if through_c is not None:
        lines.append(("LSTM, its cell state c", "lstm", through_c, "dashdot", 1.8))
    figure, least = go.Figure(), 0.005
    for name, cell, values, dash, width in lines:
        share = _share_of_largest(values[::-1])
        least = min(least, np.nanmin(share, initial=1.0))
        line = {"color": CELL_COLORS[cell], "width": width, "dash": dash}
        _add_line(figure, np.arange(1, len(share) + 1), share, name, line, hovertemplate="%{y:.2g}")
    _level(figure, 0.01, "1 %")
    figure.update_xaxes(title="steps back from the prediction")
    return _share_axis(figure_layout(figure, 340), max(least, MIN_SHARE))
