"""The gates of several runs for the same window under one cursor: which window, which layer of each."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.figures.theme import GATE_NAMES, SPLIT_NAMES
from lstm_core.runs.compare import SharedWindows
from lstm_core.runs.run import Run
from pages.shared.components.compared_gates import ComparedRun, compared_gates
from pages.shared.gates.selection import Selection, activations, cell_name, input_series, window_trace
from pages.shared.session.fields import set_widget
from pages.shared.session.messages import escape_markdown


def compared_gates_view(runs: list[Run], labels: list[str], colors: list[str], shared: SharedWindows) -> None:
    fitting = [k for k, run in enumerate(runs) if run.experiment.model.cell == "lstm"]
    others = [k for k in range(len(runs)) if k not in fitting]
    if others:
        names = ", ".join(f"{labels[k]} ({cell_name(runs[k].experiment.model.cell)})" for k in others)
        st.markdown(f"Without the gates of an LSTM, and so not here: {escape_markdown(names)}.")
    if not fitting:
        return
    index, places = _controls(runs, labels, shared, fitting)
    shown = []
    for k in fitting:
        layer, direction = places[k]
        selection = Selection(runs[k], int(shared.starts[k][index]), layer, direction)
        trace = window_trace(selection)
        gates = {name: activations(trace, name, selection) for name in GATE_NAMES}
        shown.append(ComparedRun(labels[k], colors[k], gates))
    longest = max(fitting, key=lambda k: runs[k].windows.spec.seq_len)
    series = input_series(runs[longest].windows, int(shared.starts[longest][index]))
    compared_gates("compared_gates", shown, series)
    if len({one.steps for one in shown}) > 1:
        st.caption("The windows end at the same row. Where a run's is shorter, its heatmaps begin later.")


def _controls(
    runs: list[Run], labels: list[str], shared: SharedWindows, fitting: list[int]
) -> tuple[int, dict[int, tuple[int, int]]]:
    """(the window's index among the shared ones, of each run its layer and direction)."""
    last, places = len(shared.rows) - 1, {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="compared_controls"):
        index = last
        if last:
            set_widget("compare_window", _kept(last), (shared.split, last))
            index = st.slider(
                f"{SPLIT_NAMES[shared.split]} window",
                0,
                last,
                key="compare_window",
                width=380,
                help="Windows in order of time: all runs are shown at the one that predicts the same row",
            )
        for k in fitting:
            model = runs[k].experiment.model
            options = [(layer, way) for layer in range(model.num_layers) for way in range(model.num_directions)]
            places[k] = options[0]
            if len(options) > 1:
                places[k] = st.selectbox(
                    f"layer of {escape_markdown(labels[k])}",
                    options,
                    format_func=lambda place: f"{place[0]}{', reverse' if place[1] else ''}",
                    key=f"compare_layer_{runs[k].id}",
                    width=180,
                )
    row = int(shared.rows[index])
    st.markdown(f"The window that predicts **{escape_markdown(runs[fitting[0]].windows.label(row))}**.")
    return index, places


def _kept(last: int) -> int:
    from pages.shared.session import state

    return int(np.clip(state.get_state("compare_window", last), 0, last))
