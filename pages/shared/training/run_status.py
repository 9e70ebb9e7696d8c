"""The run's status in the sidebar of every page, and its progress bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.data.number_format import format_duration
from pages.shared.data.source_picker import dataset_title
from pages.shared.session import state
from pages.shared.session.messages import escape_markdown
from pages.shared.training.live import STATUS_SECONDS, poll

if TYPE_CHECKING:
    from lstm_core.experiment import ModelSpec
    from lstm_core.runs.run import Run

STATUS = {
    "ready": ("Not trained yet", "gray"),
    "waiting": ("Queued", "orange"),
    "running": ("Training", "green"),
    "paused": ("Paused", "orange"),
    "finished": ("Trained", "blue"),
    "stopped": ("Stopped", "gray"),
    "failed": ("Failed", "red"),
    "interrupted": ("Interrupted", "orange"),
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


def model_name(run: Run) -> str:
    """Which model a run is of, briefly: its data, its cell and its size."""
    return f"{dataset_title(run.experiment.data, run.table)} · {_shape(run.experiment.model)}"


def _shape(model: ModelSpec) -> str:
    layers = f"{model.num_layers} × " if model.num_layers > 1 else ""
    return f"{model.cell.upper()} {layers}{model.hidden_size}"


def browser_title(page: str) -> None:
    """Name the browser's tab by page, data and model: those being set up on Data and Model, else the run's."""
    workspace = state.workspace()
    if page in ("Data", "Model"):
        experiment = workspace.experiment
        name = f"{dataset_title(experiment.data, workspace.table)} · {_shape(experiment.model)}"
    elif page == "Lessons":
        name = workspace.lesson.lesson.title if workspace.lesson and state.get_query("lesson") else ""
    else:
        name = model_name(workspace.run)
    st.set_page_config(" · ".join(filter(None, (page, name))) + " – LSTM Playground")


def _badge(run: Run) -> tuple[str, str]:
    """The status in words, and its colour; weights from elsewhere were trained, though not here."""
    is_imported = run.status == "ready" and run.about.get("imported")
    return ("Imported", "blue") if is_imported else STATUS[run.status]


def _status() -> None:
    workspace = state.workspace()
    run = workspace.run
    label, color = _badge(run)
    st.badge(label, color=color)
    st.markdown(escape_markdown(model_name(run)))
    if workspace.changed_settings():
        st.caption("without the changes since")
    st.caption(f"epoch {run.epoch:,} of {run.train_spec.epochs:,}")


def progress(run: Run, brief: bool = False) -> None:
    """The progress bar with epoch, step, speed and time left; brief: less of it, for a column."""
    label, color = _badge(run)
    rate, seconds_left = run.steps_per_second, run.seconds_left
    parts = [
        f"epoch **{run.epoch:,}** of {max(run.epoch, run.train_spec.epochs):,}",
        *([] if brief else [f"step **{run.step:,}**"]),
    ]
    if run.status == "running" and rate and not brief:
        parts.append(f"**{rate:,.0f}** steps/s")
    if seconds_left is not None:
        parts.append(f"**{format_duration(seconds_left)}** left")
    if (refit := run.refit_progress) is not None:
        parts.append(f"refit: step **{refit[0]:,}** of {refit[1]:,} on the training and validation rows")
    if run.status == "waiting" and not brief:
        parts.append(f"number {run.queue_position} in the queue: it starts when another run ends or pauses")
    total = run.total_steps
    st.progress(min(1.0, run.step / total), f":{color}-badge[{label}] " + " · ".join(parts))
    if run.message:
        (st.info if run.status == "finished" else st.warning)(escape_markdown(run.message))
