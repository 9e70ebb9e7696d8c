"""The view "Gates": six heatmaps of units over steps, one unit's curves, and the export of the trace."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lstm_core.analysis.saturation import CLOSED_BELOW, OPEN_ABOVE, gate_saturation
from lstm_core.figures.theme import GATE_NAMES
from lstm_core.trace.files import trace_csv, trace_npz
from pages.shared.components.download import download_when_made
from pages.shared.components.gate_heatmaps import gate_heatmaps, heatmap_of
from pages.shared.gates.export import step_columns
from pages.shared.gates.selection import (
    ALL,
    Selection,
    activations,
    prediction_text,
    weights_moment,
    window_read,
    window_trace,
)
from pages.shared.session import state

QUICK_ROWS = 5000  # rows of a trace's CSV that are written while the page is drawn: 30 ms


def show(selection: Selection) -> None:
    trace = window_trace(selection)
    difference = trace.max_difference
    text_column, badge = st.columns([0.62, 0.38], vertical_alignment="center")
    text_column.markdown(prediction_text(selection))
    with badge.container(key="parity", horizontal_alignment="right"):
        st.badge(
            f"max |Δ| vs nn.LSTM: {difference:.1e}",
            icon=":material/verified:",
            color="green" if difference < 1e-5 else "red",
            help="Largest difference between every h and the last c of this trace, computed from the gates below, "
            f"and those of torch.nn.LSTM itself. Weights of {weights_moment(selection.run, selection.snapshot.step)}.",
        )
    current_trace = window_trace(replace(selection, step=None))  # its color scale stays while the slider moves
    maps = [
        heatmap_of(name, activations(trace, name, selection), common=[activations(current_trace, name, selection)])
        for name in GATE_NAMES
    ]
    shares = gate_saturation(trace, selection.layer, selection.direction)
    curves = {
        "Average over units": shares["mean"],
        f"Share below {CLOSED_BELOW:g}": shares["closed"],
        f"Share above {OPEN_ABOVE:g}": shares["open"],
    }
    chosen = gate_heatmaps(
        "gate_view",
        maps,
        unit=selection.unit,
        **window_read(selection.run.windows, selection.start),
        curves=curves,
        large=None if selection.gate == ALL else selection.gate,
    )
    state.set_state("unit", chosen)
    st.caption("A gate that sits near 0 or 1 at every step is saturated: it learns slowly.")
    _exports(selection)


def _exports(selection: Selection) -> None:
    name, trace = f"trace_row_{selection.start}", window_trace(selection)
    of = (selection.run.id, selection.snapshot.step, selection.start, trace.max_difference)
    now = trace.i.numel() <= QUICK_ROWS
    with st.container(horizontal=True):
        download_when_made(
            "Trace as CSV",
            lambda: trace_csv(trace, step_columns(selection)),
            f"{name}.csv",
            "text/csv",
            key="trace_csv",
            of=of,
            now=now,
        )
        download_when_made(
            "Trace as NPZ",
            lambda: trace_npz(trace),
            f"{name}.npz",
            key="trace_npz",
            of=of,
            now=now,
            help="Every layer and direction, for numpy.load",
        )
