"""Which sweep the page shows, and what its buttons do: begin, pause, go on, delete, open one of its runs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs.home import folder_of
from lstm_core.runs.sweeps import detached, trash
from lstm_core.runs.sweeps.shelf import SweepShelf, SweepSummary
from lstm_core.runs.sweeps.study import Study
from pages.shared.runs import shelf as runs_shelf
from pages.shared.session import state
from pages.shared.session.messages import errors_on_top, show_info
from pages.shared.sweeps.draft import use_study

NEW = "new"  # in the address: no sweep, but the form of another one
_SWEEP = "sweep"  # of the address
_CHOSEN, _DELETED, _MOVED_ON = "_sweep", "_deleted_sweep", "_sweep_click"


@st.cache_resource(show_spinner=False)
def sweep_shelf() -> SweepShelf:
    return SweepShelf()


def chosen(mine: list[SweepSummary]) -> SweepSummary | None:
    """The sweep of the address, whoever's it is, or the one that this tab showed last; else one of this person's: that
    at work, or the newest. None: the form of a new one."""
    requested = state.get_query(_SWEEP) or state.get_state(_CHOSEN)
    if requested == NEW:
        return None
    found = sweep_shelf().sweep(requested) if requested else None
    return found or next((one for one in mine if one.is_live), mine[0] if mine else None)


def choose(id: str | None) -> None:
    """None: the form of a new one."""
    state.set_query(_SWEEP, id or NEW)
    state.set_state(_CHOSEN, id or NEW)


def begin_new(study: Study) -> None:
    with errors_on_top():
        folder = detached.begin_new(study, state.workspace().table, state.owner())
        choose(folder.id)


def go_on(id: str) -> None:
    with errors_on_top():
        detached.begin(trash.own_sweep(id, state.owner()))


def pause(id: str) -> None:
    with errors_on_top():
        detached.pause(trash.own_sweep(id, state.owner()))


def delete(one: SweepSummary) -> None:
    with errors_on_top():
        _let_go_of(one.id)
        trash.delete(one.id, state.owner())
        state.set_state(_DELETED, (one.id, one.title))
        state.set_query(_SWEEP, None)
        state.set_state(_CHOSEN, None)


def _let_go_of(id: str) -> None:
    """Where a trial of it is this tab's run, the tab goes on with a copy."""
    run = state.workspace().loaded_run
    if run is not None and run.folder is not None and run.about.get("sweep") == id and run.is_unscored:
        runs_shelf.delete(run.id)


def deleted() -> tuple[str, str] | None:
    """(id, title) of what was deleted last in this tab."""
    return state.get_state(_DELETED)


def restore(id: str) -> None:
    state.set_state(_DELETED, None)
    with errors_on_top():
        trash.restore(id, state.owner())
        choose(id)


# ---- its runs


def open_run(id: str, name: str) -> None:
    """Make one of its runs this tab's run, as the page Runs does."""
    state.set_state(_MOVED_ON, True)
    with errors_on_top():
        runs_shelf.open_here(id)
        show_info(f"{name} is open in this tab: Train, Gates and Stage show it.")


def can_open(id: str) -> bool:
    """Whether the run is there: one whose settings were refused was never made, an old one may be in the trash."""
    return folder_of(id) is not None


def use_settings(one: SweepSummary, experiment: Experiment, name: str) -> None:
    """Put settings and the sweep's data on the table; the model there stays until the next training."""
    state.set_state(_MOVED_ON, True)
    with errors_on_top():
        _use(one, experiment, name)


def use_trial(one: SweepSummary, params: dict[str, Any], name: str) -> None:
    """The same with those of a trial, which may be such that do not go together."""
    state.set_state(_MOVED_ON, True)
    with errors_on_top():
        _use(one, one.study.with_params(params), name)


def edit(one: SweepSummary) -> None:
    """Its study in the form of a new one, and its experiment on the table."""
    with errors_on_top():
        _use(one, one.study.experiment, "the study")
        use_study(one.study)
        choose(None)


def _use(one: SweepSummary, experiment: Experiment, name: str) -> None:
    if not one.may_be_changed_by(state.owner()) and experiment.data.source == "csv":
        raise PlaygroundError("The data of this sweep is somebody else's file: you can watch it.")
    state.workspace().use_settings(experiment, one.folder.table())
    show_info(f"The settings of {name} are on the table. Train, on the page Train, trains a model with them.")


def winners_experiment(one: SweepSummary) -> Experiment | None:
    """None: it is not known, or damaged."""
    try:
        return Experiment.from_json(one.folder.file("experiment.json").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, PlaygroundError):
        return None


def was_clicked() -> bool:
    """Whether a button inside the live view has changed what other parts of the page show; asked once."""
    clicked = bool(state.get_state(_MOVED_ON))
    state.set_state(_MOVED_ON, False)
    return clicked
