"""The view "Gates": six heatmaps of units over steps, one unit's curves, and the trace to take away."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lstm_core.analysis.saturation import CLOSED, OPEN, saturation
from lstm_core.figures.theme import GATE_NAMES
from lstm_core.trace.files import trace_csv, trace_npz
from pages.shared import session
from pages.shared.components.gate_heatmaps import gate_map, gate_view
from pages.shared.gates import selection
from pages.shared.gates.selection import ALL, Look, units_by_steps


def show(look: Look) -> None:
    trace = selection.trace_of(look)
    difference, step = trace.max_difference, look.moment.step
    said, badge = st.columns([0.62, 0.38], vertical_alignment="center")
    said.markdown(selection.sentence(look))
    with badge.container(key="parity", horizontal_alignment="right"):
        st.badge(f"largest difference from nn.LSTM: {difference:.1e}", icon=":material/verified:",
                 color="green" if difference < 1e-5 else "red",
                 help="Every h and the last c of this trace, worked out from the gates below, against what "
                      f"torch.nn.LSTM itself computed. Weights of step {step:,}.")  # fmt: skip
    now = selection.trace_of(replace(look, step=None))  # its scale holds still while the slider moves
    maps = [
        gate_map(name, units_by_steps(trace, name, look), common=[units_by_steps(now, name, look)])
        for name in GATE_NAMES
    ]
    shares = saturation(trace, look.layer, look.direction)
    curves = {
        "All units · mean": shares["mean"],
        f"Share below {CLOSED:g}": shares["closed"],
        f"Share above {OPEN:g}": shares["open"],
    }
    series = selection.input_series(look.run.windows, look.start)
    chosen = gate_view("gate_view", maps, unit=look.unit, series=series, curves=curves,
                       large=None if look.gate == ALL else look.gate)  # fmt: skip
    session.remember("unit", chosen)
    st.caption("A gate that sits near 0 or 1 at every step is saturated: it learns slowly.")
    _exports(look)


def _exports(look: Look) -> None:
    name = f"trace_row_{look.start}"
    with st.container(horizontal=True):
        st.download_button("Trace as CSV", lambda: trace_csv(selection.trace_of(look)), f"{name}.csv",
                           "text/csv", icon=":material/download:", key="trace_csv")  # fmt: skip
        st.download_button("Trace as NPZ", lambda: trace_npz(selection.trace_of(look)), f"{name}.npz",
                           "application/octet-stream", icon=":material/download:", key="trace_npz",
                           help="Every layer and direction, for numpy.load")  # fmt: skip
