"""Stage: one window played step by step through the drawn LSTM cell, for an audience."""

import dataclasses

import streamlit as st

from lstm_core.experiment import PlaygroundError
from lstm_core.figures.stage_scene import scene
from pages.shared import session
from pages.shared.components.stage.stage import stage
from pages.shared.gates import selection
from pages.shared.gates.selection import Look
from pages.shared.gates.window_picker import choose_window
from pages.shared.training import run_status

run = session.workspace().run
live = run.live
UNSEEN = {
    "seed": 0,
    "forget_bias": None,
    "dropout": 0.0,
    "batch_first": True,
}  # changes no shape and no meaning


def others() -> dict:
    """Weights of the run before this one, if they mean the same: the same data, the same shapes."""
    if session.workspace().before is None:
        return {}
    experiment, moment = session.workspace().before
    specs = (dataclasses.replace(spec, **UNSEEN) for spec in (experiment.model, run.experiment.model))
    alike = experiment.data == run.experiment.data and next(specs) == next(specs)
    return {"the run before": moment.flat} if alike else {}


def picture(start: int, part: str, place: int) -> None:
    if session.workspace().run is not run:  # another tab trains another model
        st.rerun()
    look = Look(run, start)
    moment = look.moment
    try:
        header, arrays = scene(run, moment, selection.trace_of(look), start, others())
    except PlaygroundError as error:
        st.error(session.plain(str(error)))
    else:
        stage(
            "stage",
            header,
            arrays,
            f"{run.number} {moment.step} {run.status} {start}",
            {"part": part, "window": place},
        )
    if run.live != live:
        st.rerun()  # polling follows


title, *controls = st.columns([1.1, 1, 2.6, 2.2], vertical_alignment="bottom")
title.title("Stage")
session.show_messages("stage")
if run.experiment.model.cell != "lstm":
    st.info(f"This model is a {run.experiment.model.module_name}: the cell that is drawn here is an LSTM's. Choose LSTM "
            "on Model and train.")  # fmt: skip
else:
    chosen = choose_window("stage", run, controls)
    st.fragment(picture, run_every=run_status.SLOW_TICK / 2 if live else None)(*chosen)
