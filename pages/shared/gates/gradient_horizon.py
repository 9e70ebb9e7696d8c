"""The view "How far back?": the gradient of one prediction with respect to every step, backwards through time."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.analysis.gradient_horizon import GradientHorizon, memory_horizon, steps_until_faded
from lstm_core.data.number_format import THIN_SPACE
from lstm_core.figures.gradients import horizon_figure, time_constants_figure
from lstm_core.forecasting.predict import predict
from pages.shared.gates import cell_comparison
from pages.shared.gates.selection import Selection, prediction_text, window_input


def show(selection: Selection) -> None:
    horizon, output = _horizon(selection)
    st.markdown(prediction_text(selection))
    st.markdown(horizon_sentence(horizon))
    gradient = horizon_figure(horizon, selection.layer, selection.direction)
    if horizon.time_constants is None:
        st.plotly_chart(gradient, key="horizon_figure")
    else:
        constants = horizon.time_constants[selection.layer, selection.direction, 0]
        left, right = st.columns([0.58, 0.42])
        left.plotly_chart(gradient, key="horizon_figure")
        seq_len = selection.run.windows.spec.seq_len
        right.plotly_chart(time_constants_figure(constants, seq_len), key="time_constants")
        st.markdown(time_constants_sentence(constants))
    cell_comparison.show(selection, output)


def _horizon(selection: Selection) -> tuple[GradientHorizon, int]:
    """The horizon of the run's model, and the index of its output: the first target, or the most likely class."""
    snapshot, windows = selection.snapshot, selection.run.windows

    def compute() -> tuple:
        starts = np.array([selection.start])
        output = int(predict(snapshot.model, windows, starts)[0].argmax()) if windows.classes else 0
        horizon = memory_horizon(snapshot.model, window_input(selection), output)
        return horizon, output

    return selection.run.cached("horizons", (snapshot, selection.start), compute)


def horizon_sentence(horizon: GradientHorizon) -> str:
    """How many steps back the gradient of the input has faded."""
    half, hundredth = (steps_until_faded(horizon.d_x[0], share) for share in (0.5, 0.01))
    seq_len = horizon.d_x.shape[1]
    if hundredth >= seq_len:
        though = "" if half >= seq_len else f", though steps more than **{half}** before the end have less than half"
        return (
            f"The gradient reaches back over the whole window: even its first step has more than 1{THIN_SPACE}% of the "
            f"strongest influence{though}."
        )
    return (
        f"Steps more than **{half}** before the end have less than half of the strongest influence on the "
        f"prediction, steps more than **{hundredth}** before it less than 1{THIN_SPACE}%: what lies further back is as "
        "good as forgotten."
    )


def time_constants_sentence(constants: np.ndarray) -> str:
    """The units' time constants, by their forget gates alone; constants: (units,), in steps."""
    middle, longest = (_steps(value) for value in (np.median(constants), constants.max()))
    endless = np.isinf(constants.max())
    if len(constants) == 1:
        text = "the unit never forgets" if endless else f"the unit forgets within {longest}"
    else:
        slowest = "never forgets" if endless else f"remembers for about {longest}"
        text = f"half of the units forget within {middle}; the slowest {slowest}"
    remark = f"A unit's time constant is −1/ln f: after it, 37{THIN_SPACE}% of c is left."
    return f"By the forget gates alone, {text}. ({remark})"


def _steps(value: float) -> str:
    if value < 0.95:
        return "less than a step"
    count = f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{value:,.0f}"
    return f"**{count}** step{'s' if count != '1' else ''}"
