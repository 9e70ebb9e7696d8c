"""Stage: one window played step by step through the drawn LSTM cell, for an audience."""

import dataclasses
import time

import streamlit as st

from lstm_core.figures.stage_scene import build_scene, earlier_snapshots
from lstm_core.lessons.lesson import StageMoment
from lstm_core.runs.run import Run
from pages.shared.components.stage.stage import stage
from pages.shared.gates.run_picker import pick_run, run_label, shown_run
from pages.shared.gates.selection import Selection, best_epoch_shown, cell_name, window_trace
from pages.shared.gates.window_picker import choose_window, pick_window
from pages.shared.session import state
from pages.shared.session.messages import draw_messages, errors_here
from pages.shared.theme import wide_button
from pages.shared.training.live import WINDOW_SECONDS, poll

DRAWN = ("lstm",)  # cells
IRRELEVANT_FIELDS = {"seed": 0, "forget_bias": None, "dropout": 0.0, "batch_first": True}  # of a comparison of weights


def comparison_weights(run: Run) -> dict:
    """The previous run's weights, by name, if they are comparable: the same data and the same shapes."""
    if state.workspace().previous_model is None:
        return {}
    experiment, snapshot = state.workspace().previous_model
    specs = (dataclasses.replace(spec, **IRRELEVANT_FIELDS) for spec in (experiment.model, run.experiment.model))
    alike = experiment.data == run.experiment.data and next(specs) == next(specs)
    return {"the run before": snapshot.flat_weights} if alike else {}


def lesson_moment(run: Run) -> StageMoment | None:
    """The unit and step that the lesson is about; its window is chosen once, unless the address names another.

    Once for all runs of the lesson: to compare two, one looks at the same window of both.
    """
    lesson = state.workspace().lesson
    moment = lesson.stage_moment(run) if lesson is not None else None
    if moment is not None and state.get_state("stage_opened") != (training := lesson.lstm_run.id):
        state.set_state("stage_opened", training)
        if state.get_query("window") is None:
            choose_window(moment.split, moment.window)
    return moment


def opening(moment: StageMoment | None, split: str, index: int) -> dict:
    """What the stage shows first, where its address names nothing else: the step is that of one window."""
    if moment is None:
        return {}
    choices = {"unit": moment.unit, "layer": moment.layer, "direction": moment.direction}
    return choices | ({"step": moment.step} if (split, index) == (moment.split, moment.window) else {})


def draw_stage(run: Run, moment: StageMoment | None, talk: dict | None, start: int, split: str, index: int) -> None:
    if shown_run(DRAWN) is not run:  # another tab trains another model
        st.rerun()
    run.heartbeat()
    selection = Selection(run, start)
    snapshot = selection.snapshot
    with errors_here(icon=None):
        earlier = earlier_snapshots(run.snapshots, snapshot.step, run.is_active)
        trace, others = window_trace(selection), comparison_weights(run)
        header, arrays = build_scene(run.windows, snapshot, earlier, trace, start, others, run.steps_per_epoch)
        id = f"{run.id} {snapshot.step} {run.status} {start}"
        if talk is not None:
            header["talk"], id = talk, f"{id} {talk['at']}"
        header["opening"] = opening(moment, split, index)
        header["model"] = run_label(run)
        header["best"] = best_epoch_shown(run)
        stage("stage", header, arrays, id, {"part": split, "window": index})


def wanted_talk() -> dict | None:
    """The talk that the address asks for, once: it opens when the page does, and not again with the next scene."""
    if (name := state.get_query("talk")) is not None:
        state.set_query("talk", None)
        state.set_state("wanted_talk", {"name": name, "at": time.time()})
    return state.get_state("wanted_talk")


def train_lstm() -> None:
    """The same data and settings with an LSTM in the cell's place."""
    state.workspace().change("model", cell="lstm")
    state.start_training()


def offer_lstm(run: Run) -> None:
    """What to do where there is no LSTM to draw."""
    model = run.experiment.model
    st.info(f"This model is {cell_name(model.cell)}, and the Stage draws an LSTM cell.")
    train, gates, _ = st.columns([1.4, 1.2, 2])
    help_text = "The same data and settings with an LSTM in its place, which you can watch here as it learns"
    wide_button(train, "Train an LSTM instead", "play_arrow", train_lstm, key="train", type="primary", help=help_text)
    label = f"See this {model.cell.upper()} on Gates"
    gates.page_link("pages/gates.py", label=label, icon=":material/grid_on:")


row = st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="stage_controls")
title = row.container(width=90)
title.title("Stage")
pick_run("stage", row, 124, DRAWN)
controls = [row.container(width=width) for width in (112, "stretch", "content")]
draw_messages("stage")
shown = shown_run(DRAWN)
if shown is None:
    offer_lstm(state.workspace().run)
else:
    active = shown.is_active  # asked once: the page and its polling must agree
    telling = lesson_moment(shown)
    chosen = pick_window("stage", shown, controls)
    poll(
        draw_stage,
        shown,
        telling,
        wanted_talk(),
        *chosen,
        seconds=WINDOW_SECONDS,
        active=active,
        has_changed=lambda: shown.is_active != active,
    )
