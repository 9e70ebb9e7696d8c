"""The live plots of Start and Train: loss curves, gradient norm, and the forecast beside the actual values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.figures.lines import Line
from lstm_core.figures.theme import SPLIT_NAMES, TRAIN_COLOR, VALID_COLOR
from lstm_core.forecasting import metrics
from lstm_core.workspace import Workspace
from pages.shared.components.live_plot import live_plot
from pages.shared.session import state
from pages.shared.session.messages import escape_markdown

if TYPE_CHECKING:
    from lstm_core.runs.run import Run
    from pages.shared.training.forecast_plot import LivePrediction


POINTS = 1000  # of a curve: about three for every two pixels of its width


def loss_curves(workspace: Workspace, log_y: bool, height: int = 250) -> None:
    """The live loss curves, in epochs. Needs no Run, whose module imports torch."""
    train, valid = (workspace.curves[name].points(POINTS) for name in ("train_loss", "valid_loss"))
    lines = [Line("training (each batch)", *train, TRAIN_COLOR, width=1.3, opacity=0.7)]
    if len(valid[0]):
        lines.append(Line("validation (each epoch)", *valid, VALID_COLOR, width=3))
    live_plot(
        "loss_curve",
        lines,
        x_title="epoch",
        y_title=f"loss ({workspace.loss_name})",
        log_y=log_y,
        height=height,
        revision=str(workspace.loaded_run.id if workspace.loaded_run else 0),
    )


def gradient_norm(run: Run, height: int = 200) -> None:
    x, y = run.curves["grad_norm"].points(POINTS)
    live_plot(
        "grad_curve",
        [Line("gradient norm, before clipping", x, y, "#009E73", width=1.5)],
        x_title="epoch",
        y_title="norm",
        log_y=True,
        height=height,
        revision=str(run.id),
    )


def forecast(run: Run, height: int = 250) -> LivePrediction:
    """Draw the current forecast beside the actual values."""
    from pages.shared.training import forecast_plot

    live = forecast_plot.live_prediction(run)
    horizon_step = min(state.get_state("ahead", 1), run.windows.output_steps) - 1
    plot = forecast_plot.prediction_plot(run, live, horizon_step)
    live_plot(
        "forecast_curve",
        plot.lines,
        x_title=plot.x_title,
        y_title=plot.y_title,
        x_start=plot.x_start,
        y_range=plot.y_range,
        height=height,
        revision=str(run.id),
    )
    return live


def baseline_text(run: Run, live: LivePrediction) -> None:
    """One sentence: the model's error beside a baseline's, on data that it was not trained on if there is any."""
    split = next((split for split in ("test", "valid", "train") if split in live.scores), None)
    if split:
        st.markdown(f"**On the {SPLIT_NAMES[split]} set:** " + escape_markdown(metrics.summarize(live.scores[split])))
