"""What this browser tab works on: its workspace, its lesson, its small state, and the parameters of its address.

Everything a person sets up lives in a Workspace of the server's WorkspaceStore, whose unguessable id is in the URL:
page changes, a lost connection, F5 and a second tab all come back to the same one. Widgets mirror it (fields.py).
Only the modules of this folder use st.session_state and st.query_params.
"""

from __future__ import annotations

import importlib
import threading
import time
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from lstm_core.data.load import load_table
from lstm_core.data.samples import EXAMPLE_MODEL
from lstm_core.data.table import Table
from lstm_core.experiment import DataSpec
from lstm_core.lessons import lessons
from lstm_core.model.devices import limit_to_one_thread
from lstm_core.training.checkpoint import Checkpoint, load_checkpoint
from lstm_core.workspace import Workspace, WorkspaceStore
from pages.shared.session.address import ask_for_file, open_address, show_address
from pages.shared.session.messages import clear_messages, errors_on_top, show_info
from pages.shared.session.owner import owner

if TYPE_CHECKING:
    from lstm_core.lessons.open_lesson import OpenLesson

PAINTING = 2.0  # seconds that the first visit's browser needs both cores for
_ID, _LESSONS = "_workspace", "_lessons"


@st.cache_resource(show_spinner=False)
def workspace_store() -> WorkspaceStore:
    """The process's one store: a module-level one would double at a hot reload."""
    return WorkspaceStore()


def workspace() -> Workspace:
    """This tab's workspace: the one of the URL, or a new one that holds the trained example.

    Every page and every fragment calls this first, so this is also where its thread is limited to one core.
    """
    limit_to_one_thread()
    _hand_over_to_app()
    requested_id, store, mine = st.session_state.get(_ID) or st.query_params.get("run"), workspace_store(), owner()
    current = store.get(requested_id) or store.restore(requested_id, *_example())
    if current is not None and current.owner not in ("", mine):
        current = store.watch(current, mine, *_example())
        if current.run.watch_only:
            show_info(
                "You are watching somebody else's run. **Train** starts one of your own, with the settings that you "
                "choose."
            )
    if current is None:
        current = open_example(store, mine)
        if not open_address(current) and requested_id:
            show_info(
                "This link's run is no longer on the server (it was restarted, or many others came since). "
                "Here is the example instead; a saved model file can be loaded on Train."
            )
    st.session_state[_ID] = current.id
    store.keep(current)
    ask_for_file(current)
    show_address(current)
    return current


def open_example(store: WorkspaceStore, owner: str = "") -> Workspace:
    """A new workspace with the trained example in it, as if its model file had just been loaded."""
    return store.create(*_example(), owner)


@st.cache_resource(show_spinner=False)
def _example() -> tuple[Table, Checkpoint]:
    checkpoint = load_checkpoint(EXAMPLE_MODEL.read_bytes())
    return load_table(checkpoint.experiment.data), checkpoint


def open_lesson(name: str) -> OpenLesson:
    """Switch this tab to that lesson's workspace: the one it had before, or a new one with the pretrained model.

    The workspace it had outside lessons is kept: leave_lesson returns to it.
    """
    from lstm_core.lessons.open_lesson import OpenLesson
    from lstm_core.lessons.runs import pretrained

    current, store = workspace(), workspace_store()
    if current.lesson is not None and current.lesson.lesson.name == name:
        return current.lesson
    workspace_ids = st.session_state.setdefault(_LESSONS, {})
    opened = store.get(workspace_ids.get(name))
    if opened is None:
        lesson = lessons()[name]
        home = current.lesson.return_to if current.lesson is not None else current.id
        opened = store.create(*pretrained(lesson), owner())
        opened.lesson = OpenLesson(lesson, opened, home)
        workspace_ids[name] = opened.id
    _go_to(opened.id)
    return opened.lesson


def leave_lesson() -> None:
    """Return this tab to the workspace that it had before the lesson."""
    current = workspace()
    if current.lesson is not None:
        _go_to(current.lesson.return_to)
    st.query_params.pop("lesson", None)
    clear_messages()


def _go_to(id: str) -> None:
    st.session_state[_ID] = id
    show_address(workspace_store().get(id) or workspace())


def _hand_over_to_app() -> None:
    """Let app.py draw the page: a fresh server's first visitor on a link such as /train gets pages/train.py alone.

    Streamlit takes a folder called pages for its older kind of app until st.navigation has run once.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def table_for(spec: DataSpec) -> Table:
    """The table that an experiment of a model file was trained on.

    Raises:
        PlaygroundError: it is a CSV file, and the current table is another one.
    """
    current = workspace()
    return load_table(spec, current.table if current.experiment.data.source == "csv" else None)


def start_training(start: bool = True) -> None:
    """Train a new model with the current settings, or only create it (start=False); an error is shown."""
    with errors_on_top():
        run = workspace().start_training()
        if start:
            run.start()


def set_state(key: str, value: Any) -> None:
    """Keep a small state of a page, which is not part of the experiment, for this tab."""
    st.session_state[key] = value


def get_state(key: str, default: Any = None) -> Any:
    return st.session_state.get(key, default)


def set_query(key: str, value: str | None) -> None:
    """Put this parameter into the URL; None takes it out."""
    if value is None:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def get_query(key: str) -> str | None:
    """This parameter of the URL; None if it is not there."""
    return st.query_params.get(key)


@st.cache_resource(show_spinner=False)
def preload() -> None:
    """Import in the background, once a process, what the first click on Train or on a lesson needs."""
    threading.Thread(target=_load_training, name="warm-up", daemon=True).start()


def _load_training() -> None:
    from lstm_core.runs import launcher

    for module in ("lstm_core.lessons.runs", "lstm_core.figures.theme"):  # which the first lesson needs
        importlib.import_module(module)
    time.sleep(PAINTING)
    launcher.watch_over()  # a standby worker, for the first click on Train
