"""The menu with which a lesson is taken along: one HTML file with its stage, and a notebook where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.lessons.lesson import StageMoment
from lstm_core.lessons.take_along import has_notebook, notebook_refusal
from pages.shared.components.download import download_when_made

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from lstm_core.lessons.open_lesson import OpenLesson

HTML, NOTEBOOK = "text/html", "application/x-ipynb+json"


def menu(container: DeltaGenerator, opened: OpenLesson) -> None:
    """Both files are made when they are asked for, of the runs as they are then."""
    lesson, active = opened.lesson, opened.is_active
    why = "When the training has ended" if active else "To show or train this lesson where LSTM Playground is not"
    popover = container.popover(
        "Take along", icon=":material/download:", disabled=active, help=why, width="content", key="take_along"
    )
    if active:
        return
    made_of = tuple((str(run.id), run.weights_key, run.status) for run in opened.runs.values())
    with popover:
        parts = "text, pictures, result and stage" if opened.lstm_run else "text, pictures and result"
        st.markdown(f"**One HTML file** with {parts}: opens in any browser, without a network.")
        common = {"of": made_of, "now": False}
        name = f"{lesson.name}.html"
        download_when_made("Make the HTML file", lambda: page(opened), name, HTML, key="page", **common)
        if not has_notebook(lesson.name):
            return
        st.markdown("**A notebook** that trains this lesson with plain PyTorch, from the same seed to the same result.")
        if refusal := notebook_refusal(lesson, opened.runs):
            st.caption(refusal)
            return
        name = f"{lesson.name}.ipynb"
        download_when_made("Make the notebook", lambda: notebook(opened), name, NOTEBOOK, key="notebook", **common)


def page(opened: OpenLesson) -> bytes:
    """The lesson as it is now, as one HTML file."""
    from lstm_core.lessons.take_along.page import lesson_page
    from pages.shared.components.stage.offline import font_face

    parts = {"stage": stage(opened), "font": font_face()}
    return lesson_page(opened.lesson, opened.runs, opened.seed, opened.change, **parts).encode()


def notebook(opened: OpenLesson) -> bytes:
    """A notebook that trains the lesson's experiments as they are now."""
    from lstm_core.lessons.take_along.notebook import lesson_notebook

    return lesson_notebook(opened.lesson, opened.runs, opened.seed).encode()


def stage(opened: OpenLesson) -> str:
    """The page of a stage that opens where the lesson's own does; empty where no run is an LSTM."""
    from lstm_core.figures.stage_scene import build_scene, earlier_snapshots
    from pages.shared.components.stage.offline import offline_stage
    from pages.shared.gates.selection import Selection, best_epoch_shown, window_trace

    run = opened.lstm_run
    if run is None:
        return ""
    moment = opened.stage_moment(run) or StageMoment(run.shown_splits[-1], 0, 0, 0)
    start = int(run.windows.starts[moment.split][moment.window])
    selection = Selection(run, start)
    snapshot = selection.snapshot
    earlier = earlier_snapshots(run.snapshots, snapshot.step, is_active=True)  # few of a large model: one small file
    trace = window_trace(selection)
    header, arrays = build_scene(run.windows, snapshot, earlier, trace, start, {}, run.steps_per_epoch)
    header["opening"] = {name: getattr(moment, name) for name in ("unit", "layer", "direction", "step")}
    header["model"], header["best"] = "", best_epoch_shown(run)
    return offline_stage(header, arrays)
