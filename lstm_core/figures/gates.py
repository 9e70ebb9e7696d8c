"""One gate of one window as a heatmap."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_core.figures.theme import FONT_SIZE, GATE_SCALE, MAX_CELLS, SIGNED_SCALE, figure_layout
from lstm_core.trace.gate_trace import GateTrace


def gate_heatmap(
    trace: GateTrace, gate: str, layer: int = 0, direction: int = 0, sample: int = 0, height: int = 300
) -> go.Figure:
    """Units × steps of one gate or state of a GateTrace, as an interactive figure."""
    values = trace.gate(gate)[layer, direction, sample].float().cpu().numpy().T  # (units, seq_len)
    strides = [max(1, -(-size // MAX_CELLS)) for size in values.shape]
    values = values[:: strides[0], :: strides[1]]
    signed = gate in ("g", "c", "h")
    max_abs = float(np.nanmax(np.abs(values), initial=1e-6)) if gate == "c" else 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x0=1,  # steps count from 1, units from 0, as everywhere on screen
            dx=strides[1],
            y0=0,
            dy=strides[0],
            zmin=-max_abs if signed else 0,
            zmax=max_abs,
            colorscale=SIGNED_SCALE if signed else GATE_SCALE,
            colorbar={"thickness": 14, "tickfont": {"size": FONT_SIZE - 1}},
            hovertemplate="step %{x}, unit %{y}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="unit")
    return figure_layout(figure, height).update_layout(hovermode="closest")
