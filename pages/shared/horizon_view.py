"""The view "How far back?": the gradient of one prediction with respect to every step, backwards through time."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.figures import horizon_figure
from lstm_core.horizon import Horizon, memory_horizon, steps_back
from lstm_core.predictions import predict
from pages.shared import gates_view
from pages.shared.gates_view import Look


def show(look: Look) -> None:
    moment = gates_view.moment_of(look)
    key = id(moment), look.start
    horizon, _ = gates_view.remembered(look.run, "horizons", key, lambda: (horizon_of(look), moment))
    st.markdown(gates_view.sentence(look))
    st.markdown(horizon_sentence(horizon))
    st.plotly_chart(horizon_figure(horizon, look.layer, look.direction), key="horizon_figure")


def horizon_of(look: Look) -> Horizon:
    """How far back the prediction for this window looks: of a regression's first number, or of the likeliest class."""
    windows, model = look.run.trainer.windows, gates_view.moment_of(look).model
    likeliest = int(predict(model, windows, np.array([look.start]))[0].argmax()) if windows.classes else 0
    return memory_horizon(model, gates_view.inputs_of(look), likeliest)


def horizon_sentence(horizon: Horizon) -> str:
    """How many steps back the gradient of the input has faded."""
    half, hundredth = (steps_back(horizon.d_x[0], share) for share in (0.5, 0.01))
    seq_len = horizon.d_x.shape[1]
    if hundredth >= seq_len:
        return (
            "It looks back over the whole window: even its first step has more than 1 % of the strongest influence "
            f"(half of it fades within {half} steps of the end)."
        )
    return (
        f"Steps more than **{half}** before the end have less than half of the strongest influence on the "
        f"prediction, steps more than **{hundredth}** before it less than 1 %: what lies further back is as good as "
        "forgotten."
    )
