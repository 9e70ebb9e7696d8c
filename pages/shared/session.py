"""What this browser tab has on the table. The only user of st.session_state and of the URL's parameters.

Everything a person sets up lives in a Workspace of the server's WorkspaceStore, whose unguessable id is in the URL:
page changes, a lost connection, F5 and a second tab all come back to the same one. Widgets mirror it (session_fields.py).
"""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from lstm_core.data.load import load_table
from lstm_core.data.table import Table
from lstm_core.experiment import DataSpec, PlaygroundError
from lstm_core.lessons import lessons
from lstm_core.model.devices import limit_to_one_thread
from lstm_core.workspace import Workspace, WorkspaceStore
from pages.shared import example

if TYPE_CHECKING:
    from lstm_core.lessons.open_lesson import OpenLesson

_ID, _MESSAGES, _LESSONS = "_workspace", "_messages", "_lessons"


@st.cache_resource(show_spinner=False)
def workspace_store() -> WorkspaceStore:
    """The process's one manager: a module-level one would double at a hot reload."""
    return WorkspaceStore()


def workspace() -> Workspace:
    """This tab's workspace: the one of the URL, or a new one that holds the trained example.

    Every page and every fragment begins here, so this is also where its thread is told to be modest.
    """
    limit_to_one_thread()
    _hand_over_to_app()
    requested_id = st.session_state.get(_ID) or st.query_params.get("run")
    current = workspace_store().get(requested_id)
    if current is None:
        current = example.open_workspace(workspace_store())
        if requested_id:
            show_info(
                "This link's run is no longer on the server (it was restarted, or many others came since). "
                "Here is the example instead; a saved model file can be loaded on Train."
            )
    st.session_state[_ID] = current.id
    if st.query_params.get("run") != current.id:
        st.query_params["run"] = current.id
    return current


def open_lesson(name: str) -> OpenLesson:
    """Put this tab on the workspace of that lesson: the one that it had before, or a new one in the trained state.

    What was on the table is not touched: leave_lesson goes back to it.
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
        opened = store.create(*pretrained(lesson))
        opened.lesson = OpenLesson(lesson, opened, home, store.queue)
        workspace_ids[name] = opened.id
    _go_to(opened.id)
    return opened.lesson


def leave_lesson() -> None:
    """Put this tab back on what was on the table before the lesson."""
    current = workspace()
    if current.lesson is not None:
        _go_to(current.lesson.return_to)
    st.query_params.pop("lesson", None)
    clear_messages()


def _go_to(id: str) -> None:
    st.session_state[_ID] = st.query_params["run"] = id


def _hand_over_to_app() -> None:
    """Let app.py draw the frame: a fresh server's first visitor on a link such as /train gets pages/train.py alone.

    Streamlit takes a folder called pages for its older kind of app until st.navigation has run once.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def set_widget(key: str, value: Any, of: Any = None) -> None:
    """Let the widget of this key show `value`; a value that it shows already is left alone, mid-edit too.

    of: what the widget's options or bounds come from. When they change, Streamlit takes it for a new widget
    and forgets its value, so it is then written again.
    """
    same = st.session_state.get(f"_of_{key}") == of and key in st.session_state
    if not same or st.session_state[key] != value:
        st.session_state[key] = value
        st.session_state[f"_of_{key}"] = of


def widget_value(key: str) -> Any:
    """The value of a widget inside its own callback."""
    return st.session_state.get(key)


def change_field(part: str, **fields: Any) -> None:
    """Change fields of one part of the experiment; what it refuses is reported and changes nothing."""
    clear_messages()
    try:
        workspace().change(part, **fields)
    except PlaygroundError as error:
        show_error(str(error))


def table_for(spec: DataSpec) -> Table:
    """The table that a model file's experiment speaks of.

    Raises:
        PlaygroundError: it is a CSV file that is not on the table here.
    """
    current = workspace()
    return load_table(spec, current.table if current.experiment.data.source == "csv" else None)


def start_training(start: bool = True) -> None:
    """Train a fresh model of the experiment as it is now; what stands in the way is reported."""
    clear_messages()
    try:
        run = workspace().start_training()
    except PlaygroundError as error:
        show_error(str(error))
        return
    if start:
        run.start()


def show_error(text: str) -> None:
    """Show one sentence of what went wrong at the top of the page, until something else is done."""
    st.session_state[_MESSAGES] = {"error": text}


def show_info(text: str) -> None:
    """Show one sentence of good or neutral news, likewise."""
    st.session_state[_MESSAGES] = {"info": text}


def clear_messages() -> None:
    """Something else is done: what was said before is over."""
    st.session_state.pop(_MESSAGES, None)


def draw_messages(page: str) -> None:
    """Draw what report and notify left. It stays over reruns, which come for many reasons, and ends with the page."""
    messages = st.session_state.get(_MESSAGES, {})
    if messages.setdefault("page", page) != page:
        clear_messages()
    elif "error" in messages:
        st.error(escape_markdown(messages["error"]), icon=":material/error:")
    elif "info" in messages:
        st.info(escape_markdown(messages["info"]), icon=":material/info:")


def escape_markdown(text: str) -> str:
    """Text from outside as Markdown that shows exactly that text: no links, images, colours, formulas or icons."""
    escaped = "".join(f"\\{c}" if c in r"""\`*_{}[]()<>#+-.!|~$"&'""" else c for c in text)
    return escaped.replace(":", ":\u2060").replace("\n", " ")  # a word joiner: ":red[" and ":smile:" mean nothing


def set_state(key: str, value: Any) -> None:
    """Keep a page's own small state (not part of the experiment) for this tab."""
    st.session_state[key] = value


def get_state(key: str, default: Any = None) -> Any:
    return st.session_state.get(key, default)


def set_query(key: str, value: str) -> None:
    """Let the address say this of a widget or a page."""
    if st.query_params.get(key) != value:
        st.query_params[key] = value


def get_query(key: str) -> str | None:
    """What the address says of a widget."""
    return st.query_params.get(key)


@st.cache_resource(show_spinner=False)
def preload() -> None:
    """Load in the background, once a process, what the first click on Train or on a lesson would otherwise wait for."""
    threading.Thread(target=_load_training, name="warm-up", daemon=True).start()


def _load_training() -> None:
    from lstm_core.training.trainer import preload_optimizer

    preload_optimizer()
    for module in ("lstm_core.lessons.runs", "lstm_core.figures.theme"):  # of the first lesson that is opened
        importlib.import_module(module)
