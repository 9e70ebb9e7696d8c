"""The run as every page shows it: the strip in the sidebar, and the live pictures of Start and Train."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.curves import Line
from lstm_core.figures import TRAIN, VALID
from lstm_core.workspaces import Workspace
from pages.shared import session
from pages.shared.live_plot import live_plot

if TYPE_CHECKING:
    from lstm_core.runs import Run
    from pages.shared.forecast import Forecast

TICK = 0.25  # seconds between two drawings while a run trains
POINTS = 1000  # of a curve: about three for every two pixels of its width
SLOW_TICK = 2.0  # of the strip on the other pages
STATUS = {
    "ready": ("Not trained yet", "gray"), "waiting": ("Waiting for a free place", "orange"),
    "running": ("Training", "green"), "paused": ("Paused", "orange"), "finished": ("Trained", "blue"),
    "stopped": ("Stopped", "gray"), "failed": ("Stopped by an error", "red"),
}  # fmt: skip


def strip(page: str) -> None:
    """The run in the sidebar, on every page; while it trains, also its heartbeat."""
    if page == "Train":  # which shows it large
        return
    live = session.workspace().live
    with st.sidebar:
        _lesson_strip(page)
        st.fragment(_strip, run_every=SLOW_TICK if live else None)(live)


def _lesson_strip(page: str) -> None:
    """On the other pages: which lesson's model this is, and the way back."""
    opened = session.workspace().lesson
    if opened is None or page == "Lessons":
        return
    st.caption(f"Lesson: {opened.lesson.title}")
    st.page_link("pages/lessons.py", label="Back to the lesson", icon=":material/school:")
    st.button("Back to my own work", key="leave_lesson", on_click=session.leave_lesson, width="stretch",
              icon=":material/logout:", help="The lesson stays as it is")  # fmt: skip


def _strip(was_live: bool) -> None:
    run = session.workspace().run
    word, color = STATUS[run.status]
    st.badge(word, color=color)
    st.caption(f"epoch {run.epoch:,} of {run.train_spec.epochs:,}")
    if run.live != was_live:
        st.rerun()  # polling follows


def progress(run: Run, brief: bool = False) -> None:
    """Epoch, step, pace and time left, in a line that keeps its height; brief: for a third of a page."""
    word, color = STATUS[run.status]
    rate, left = run.steps_per_second, run.seconds_left
    parts = [
        f"epoch **{run.epoch:,}** of {max(run.epoch, run.train_spec.epochs):,}",
        *([] if brief else [f"step **{run.step:,}**"]),
    ]
    if run.status == "running" and rate and not brief:
        parts.append(f"**{rate:,.0f}** steps/s")
    if left is not None:
        parts.append(f"**{_duration(left)}** left")
    if run.status == "waiting" and not brief:
        parts.append(f"number {run.queue_place} in the queue: it starts when another run ends or pauses")
    total = run.total_steps
    st.progress(min(1.0, run.step / total), f":{color}-badge[{word}] " + " · ".join(parts))
    if run.message:
        st.warning(session.plain(run.message))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


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
    from pages.shared import forecast

    found = forecast.latest(run)
    ahead = min(session.recall("ahead", 1), run.windows.ahead) - 1
    drawn = forecast.picture(run, found, ahead)
    live_plot("forecast_curve", drawn.lines, x_title=drawn.x_title, y_title=drawn.y_title, x_start=drawn.x_start,
              y_range=drawn.y_range, height=height, revision=str(run.number))  # fmt: skip
    return found


def verdict(run: Run, found: Forecast) -> None:
    """One sentence: is the model better than a naive answer, on data that it was not trained on?"""
    from lstm_core import predictions

    part = next((part for part in ("test", "valid", "train") if part in found.scores), None)
    if part:
        name = {
            "test": "On the test part",
            "valid": "On the validation part",
            "train": "On the training part",
        }
        st.markdown(f"**{name[part]}:** " + session.plain(predictions.verdict(found.scores[part])))
