"""How far back a prediction looks: gradients over the steps, time constants, and cells compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from lstm_core.figures.theme import (
    ACTUAL_COLOR,
    CELL_COLORS,
    CELL_DASHES,
    FONT_SIZE,
    GATE_COLORS,
    MAX_POINTS,
    MIN_SHARE,
    figure_layout,
)
from lstm_core.training.history import downsample_min_max


def horizon_figure(horizon, layer: int = 0, direction: int = 0, sample: int = 0, height: int = 320) -> go.Figure:
    """A horizon.Horizon's gradients by step, each divided by its largest, beside what the forget gates let through.

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
        steps, share = downsample_min_max(np.arange(len(share)), share, MAX_POINTS)
        figure.add_scatter(
            x=steps,
            y=share,
            name=name,
            line={"color": color, "width": 2.5, "dash": dash},
            mode="lines+markers" if len(share) < 3 else "lines",
        )
    figure.update_xaxes(title="step")
    return _share_axis(figure_layout(figure, height), least)


def _share_axis(figure: go.Figure, least: float) -> go.Figure:
    """Shares on a log axis from `least` to 1, named at whole powers of ten only."""
    minimum, maximum = np.log10([least / 2, 2])
    return figure.update_yaxes(
        title="share of the largest",
        type="log",
        exponentformat="power",
        range=[minimum, maximum],
        dtick=int(np.ceil((maximum - minimum) / 6)),
    )


def _share_of_largest(values: np.ndarray) -> np.ndarray:
    """Divided by the largest; NaN where there is nothing, which a log axis could not show."""
    return np.where(values > 0, values, np.nan) / (values.max(initial=0) or 1.0)


def _level(figure: go.Figure, y: float, label: str) -> None:
    """A dashed line across a log axis, its name above the left end."""
    figure.add_hline(y, line={"color": ACTUAL_COLOR, "width": 1.5, "dash": "dash"})
    figure.add_annotation(
        x=0,
        y=np.log10(y),
        xref="paper",
        xanchor="left",
        yanchor="bottom",
        text=label,
        showarrow=False,
        font={"size": FONT_SIZE},
    )


def time_constants_figure(constants: np.ndarray, seq_len: int, height: int = 320) -> go.Figure:
    """How long each unit remembers, shortest first, on a log axis, beside the window's length.

    constants: (units,) in steps, as in horizon.Horizon.time_constants. What is longer than a hundred windows, inf
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
        figure.add_scatter(
            x=position[beyond],
            y=np.full(beyond.sum(), longest),
            mode="markers",
            hoverinfo="skip",
            name=f"more than {longest:,.0f} steps",
            showlegend=True,
            marker={"symbol": "triangle-up", "size": 14, "color": GATE_COLORS["c"]},
        )
    _level(figure, seq_len, f"the window: {seq_len:,} steps")
    minimum = np.nanmin(np.clip(values, shortest, seq_len)) / 2
    maximum = np.nanmax(np.clip(values, seq_len, longest)) * 2.5
    figure.update_xaxes(title="units, the most forgetful first", showticklabels=False)
    figure.update_yaxes(
        title="steps", type="log", range=np.log10([minimum, maximum]).tolist(), tickformat="~g", dtick=1
    )
    return figure_layout(figure, height).update_layout(hovermode="closest", bargap=0.1 if len(position) < 65 else 0)


def cells_figure(curves: Mapping[str, np.ndarray], through_c: np.ndarray | None = None, height: int = 340) -> go.Figure:
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
        back, share = downsample_min_max(np.arange(1, len(share) + 1), share, MAX_POINTS)
        figure.add_scatter(
            x=back,
            y=share,
            name=name,
            line={"color": CELL_COLORS[cell], "width": width, "dash": dash},
            mode="lines+markers" if len(share) < 3 else "lines",
            hovertemplate="%{y:.2g}",
        )
    _level(figure, 0.01, "1 %")
    figure.update_xaxes(title="steps back from the prediction")
    return _share_axis(figure_layout(figure, height), max(least, MIN_SHARE))
