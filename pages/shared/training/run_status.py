"""The run's status in the sidebar of every page, and its progress bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.data.number_format import format_duration
from pages.shared.session import state
from pages.shared.session.messages import escape_markdown
from pages.shared.training.live import STATUS_SECONDS, poll

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

STATUS = {
    "ready": ("Not trained yet", "gray"),
    "waiting": ("Queued", "orange"),
    "running": ("Training", "green"),
    "paused": ("Paused", "orange"),
    "finished": ("Trained", "blue"),
    "stopped": ("Stopped", "gray"),
    "failed": ("Failed", "red"),
}


def sidebar_status(page: str) -> None:
    """The run's status in the sidebar, on every page but Train; while it trains, also its heartbeat."""
    if page == "Train":  # which has its progress bar
        return
    active = state.workspace().is_active
    with st.sidebar:
        _lesson_status(page)
        poll(_status, seconds=STATUS_SECONDS, active=active, has_changed=lambda: state.workspace().is_active != active)


def _lesson_status(page: str) -> None:
    """On the other pages: which lesson's model this is, and the way back."""
    opened = state.workspace().lesson
    if opened is None or page == "Lessons":
        return
    st.caption(f"Lesson: {opened.lesson.title}")
    st.page_link("pages/lessons.py", label="Back to the lesson", icon=":material/school:")
    st.button(
        "Back to my own work",
        key="leave_lesson",
        on_click=state.leave_lesson,
        width="stretch",
        icon=":material/logout:",
        help="The lesson stays as it is",
    )


def _status() -> None:
    run = state.workspace().run
    label, color = STATUS[run.status]
    st.badge(label, color=color)
    st.caption(f"epoch {run.epoch:,} of {run.train_spec.epochs:,}")


def progress(run: Run, brief: bool = False) -> None:
    """The progress bar with epoch, step, speed and time left; brief: less of it, for a column."""
    label, color = STATUS[run.status]
    rate, seconds_left = run.steps_per_second, run.seconds_left
    parts = [
        f"epoch **{run.epoch:,}** of {max(run.epoch, run.train_spec.epochs):,}",
        *([] if brief else [f"step **{run.step:,}**"]),
    ]
    if run.status == "running" and rate and not brief:
        parts.append(f"**{rate:,.0f}** steps/s")
    if seconds_left is not None:
        parts.append(f"**{format_duration(seconds_left)}** left")
    if run.status == "waiting" and not brief:
        parts.append(f"number {run.queue_position} in the queue: it starts when another run ends or pauses")
    total = run.total_steps
    st.progress(min(1.0, run.step / total), f":{color}-badge[{label}] " + " · ".join(parts))
    if run.message:
        st.warning(escape_markdown(run.message))
