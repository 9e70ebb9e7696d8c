"""The live pictures of Start and Train: loss curves, gradient norm, and the prediction over the series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.figures.lines import Line
from lstm_core.figures.theme import TRAIN, VALID
from lstm_core.forecasting import metrics
from lstm_core.workspace import Workspace
from pages.shared import session
from pages.shared.components.live_plot import live_plot

if TYPE_CHECKING:
    from lstm_core.runs.run import Run
    from pages.shared.training.forecast_plot import Forecast


POINTS = 1000  # of a curve: about three for every two pixels of its width



def losses(here: Workspace, log_y: bool, height: int = 250) -> None:
    """The live loss curves, in epochs. Asks for no run, which would take torch."""
    train, valid = (here.curves[name].points(POINTS) for name in ("train_loss", "valid_loss"))
    lines = [Line("training (each batch)", *train, TRAIN, width=1.3, opacity=0.7)]
    if len(valid[0]):
        lines.append(Line("validation (each epoch)", *valid, VALID, width=3))
    live_plot("loss_curve", lines, x_title="epoch", y_title=f"loss ({here.loss_name})", log_y=log_y,
              height=height, revision=str(here.built_run.number if here.built_run else 0))  # fmt: skip



def gradient_norm(run: Run, height: int = 200) -> None:
    x, y = run.curves["grad_norm"].points(POINTS)
    live_plot("grad_curve", [Line("gradient norm, before clipping", x, y, "#009E73", width=1.5)],
              x_title="epoch", y_title="norm", log_y=True, height=height, revision=str(run.number))  # fmt: skip



def prediction(run: Run, height: int = 250) -> Forecast:
    """The prediction over the truth, as of now."""
    from pages.shared.training import forecast_plot

    found = forecast_plot.latest(run)
    ahead = min(session.recall("ahead", 1), run.windows.ahead) - 1
    drawn = forecast_plot.picture(run, found, ahead)
    live_plot("forecast_curve", drawn.lines, x_title=drawn.x_title, y_title=drawn.y_title, x_start=drawn.x_start,
              y_range=drawn.y_range, height=height, revision=str(run.number))  # fmt: skip
    return found



def verdict(run: Run, found: Forecast) -> None:
    """One sentence: is the model better than a naive answer, on data that it was not trained on?"""

    part = next((part for part in ("test", "valid", "train") if part in found.scores), None)
    if part:
        name = {
            "test": "On the test part",
            "valid": "On the validation part",
            "train": "On the training part",
        }
        st.markdown(f"**{name[part]}:** " + session.plain(metrics.verdict(found.scores[part])))
