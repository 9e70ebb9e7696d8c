"""The cell's equations with the numbers of one unit on one day, of the model as it is now."""

from __future__ import annotations

import streamlit as st
import torch

from lstm_core.analysis.step_arithmetic import step_arithmetic
from lstm_core.runs.run import Run
from lstm_core.trace.gate_trace import trace_lstm
from pages.shared.session.fields import clamp_widget
from pages.shared.training.live import WINDOW_SECONDS, poll


def show(runs: dict[str, Run]) -> None:
    run = runs["lstm"]
    windows = run.windows
    with st.container(border=True):
        left, right = st.columns([0.3, 0.7], vertical_alignment="center", gap="medium")
        with left:
            st.markdown("**One unit, one day: the equations with their current numbers**")
            count, days = len(windows.starts["test"]), windows.spec.seq_len
            clamp_widget("equations_window", 1, count, default=1)
            window = st.slider("window of the test split", 1, count, key="equations_window")
            clamp_widget("equations_day", 1, days)
            day = st.slider("day of the window", 1, days, key="equations_day", help="14 is the day before the forecast")
            hidden = run.experiment.model.hidden_size
            clamp_widget("equations_unit", 0, hidden - 1, default=0)
            unit = st.slider("unit", 0, max(1, hidden - 1), key="equations_unit", disabled=hidden == 1)
        with right:
            active, chosen = run.is_active, (window - 1, day - 1, min(unit, hidden - 1))

            def has_changed() -> bool:
                return run.is_active != active

            poll(_numbers, run, *chosen, seconds=WINDOW_SECONDS, active=active, has_changed=has_changed)


def _numbers(run: Run, window: int, step: int, unit: int) -> None:
    windows = run.windows
    x = torch.from_numpy(windows.inputs(windows.starts["test"][window : window + 1]))
    model = run.snapshot_at().model
    arithmetic = step_arithmetic(model.lstm, trace_lstm(model.lstm, model.to_module_layout(x)), x, step, unit)
    st.latex(arithmetic.latex)
    st.caption("In each bracket: what the day's 10 numbers bring, what the 20 values of h bring, and the two biases.")
