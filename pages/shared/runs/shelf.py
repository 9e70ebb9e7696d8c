"""What the Runs page reads of the runs on disk: the server's one shelf, and the runs of it that were opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import trash
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import folder_of
from lstm_core.runs.shelf import Shelf, may_write
from lstm_core.runs.sweeps import trash as sweeps_trash
from pages.shared.session import state

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

CLEAN_UP_SECONDS = 3600.0


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    return Shelf()


@st.cache_resource(show_spinner=False, ttl=CLEAN_UP_SECONDS)
def clean_up() -> None:
    """Now and then, when somebody looks at the runs."""
    trash.clean_up()
    sweeps_trash.clean_up()


def opened(id: str) -> Run:
    """The run of this id: this tab's, if it is that, else one that all tabs share.

    Raises:
        PlaygroundError: there is none, or its folder is damaged.
    """
    current = state.workspace().loaded_run
    return current if current is not None and current.id == id and current.folder is not None else _opened(id)


@st.cache_resource(show_spinner=False, max_entries=12)
def _opened(id: str) -> Run:
    from lstm_core.runs.run import Run

    path = folder_of(id)
    if path is None:
        raise PlaygroundError("This run is not there any more: it may be in the trash.")
    return Run.open(RunFolder(path, id))


def open_here(id: str) -> None:
    """Make a run this tab's one run; the run before goes on as it is."""
    from lstm_core.runs.run import Run

    workspace, path = state.workspace(), folder_of(id)
    if path is None:
        raise PlaygroundError("This run is not there any more: it may be in the trash.")
    if workspace.loaded_run is None or workspace.loaded_run.id != id:
        folder = RunFolder(path, id)
        workspace.show_run(Run.open(folder, watch_only=not may_write(folder.about(), state.owner())))


def delete(id: str) -> None:
    """Move a run to the trash; where it is this tab's, the tab goes on with a copy that is in memory only.

    Raises:
        PlaygroundError: it is another's, or it is at work.
    """
    workspace = state.workspace()
    run = workspace.loaded_run
    if run is None or run.id != id or run.is_active:
        trash.delete(id, state.owner())
        return
    from lstm_core.runs.run import Run
    from lstm_core.training.checkpoint import load_checkpoint

    about = {"unscored": True} if run.is_unscored else {}
    copy = Run.from_checkpoint(load_checkpoint(run.checkpoint()), run.windows, run.table, **about)
    trash.delete(id, state.owner())
    workspace.show_run(copy)
