"""One gate of one window as a heatmap; all gates and states of one step."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_core.experiment import GATES, STATES
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


def step_gates_figure(trace: GateTrace, step: int, layer: int = -1, height: int = 250) -> go.Figure:
    """Units × gates and states of one step, from 0, of the first sequence: i, f and o in 0…1, the others in −1…1, c as
    tanh c."""
    values = {name: trace.gate(name)[layer, 0, 0, step].float().cpu().numpy() for name in GATES + STATES}
    values["c"] = np.tanh(values["c"])
    names = {"c": "tanh c"}
    rows = [name for name in values if name != "h" or len(values["h"]) == len(values["c"])]  # not where it is projected
    stride = max(1, -(-len(values["c"]) // MAX_CELLS))
    figure = go.Figure(
        go.Heatmap(
            z=np.stack([values[name][::stride] for name in rows]),
            y=[names.get(name, name) for name in rows],
            x0=0,
            dx=stride,
            zmin=-1,
            zmax=1,
            colorscale=SIGNED_SCALE,
            colorbar={"thickness": 14, "tickfont": {"size": FONT_SIZE - 1}},
            hovertemplate="%{y} of unit %{x}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="unit", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure_layout(figure, height).update_layout(hovermode="closest")
