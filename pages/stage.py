"""Stage: one window played step by step through the drawn LSTM cell, for an audience."""

import dataclasses

import streamlit as st

from lstm_core.figures.stage_scene import build_scene, earlier_snapshots
from pages.shared.components.stage.stage import stage
from pages.shared.gates.selection import Selection, cell_name, window_trace
from pages.shared.gates.window_picker import pick_window
from pages.shared.session import state
from pages.shared.session.messages import draw_messages, errors_here
from pages.shared.training.live import WINDOW_SECONDS, poll

run = state.workspace().run
active = run.is_active  # asked once: the page and its polling must agree
IRRELEVANT_FIELDS = {"seed": 0, "forget_bias": None, "dropout": 0.0, "batch_first": True}  # of a comparison of weights


def comparison_weights() -> dict:
    """The previous run's weights, by name, if they are comparable: the same data and the same shapes."""
    if state.workspace().previous_model is None:
        return {}
    experiment, snapshot = state.workspace().previous_model
    specs = (dataclasses.replace(spec, **IRRELEVANT_FIELDS) for spec in (experiment.model, run.experiment.model))
    alike = experiment.data == run.experiment.data and next(specs) == next(specs)
    return {"the run before": snapshot.flat_weights} if alike else {}


def draw_stage(start: int, split: str, index: int) -> None:
    if state.workspace().run is not run:  # another tab trains another model
        st.rerun()
    selection = Selection(run, start)
    snapshot = selection.snapshot
    with errors_here(icon=None):
        earlier = earlier_snapshots(run.snapshots, snapshot.step, run.is_active)
        trace, others = window_trace(selection), comparison_weights()
        header, arrays = build_scene(run.windows, snapshot, earlier, trace, start, others, run.steps_per_epoch)
        id = f"{run.id} {snapshot.step} {run.status} {start}"
        stage("stage", header, arrays, id, {"part": split, "window": index})


title, *controls = st.columns([1.1, 1, 2.6, 2.2], vertical_alignment="bottom")
title.title("Stage")
draw_messages("stage")
if run.experiment.model.cell != "lstm":
    st.info(
        f"This model is {cell_name(run.experiment.model.cell)}, and the Stage draws an LSTM cell. Choose LSTM on Model "
        "and train."
    )
else:
    chosen = pick_window("stage", run, controls)
    poll(draw_stage, *chosen, seconds=WINDOW_SECONDS, active=active, has_changed=lambda: run.is_active != active)
