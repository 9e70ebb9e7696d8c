"""A visitor without a browser: the whole app under Streamlit's AppTest, and what tests ask of it.

AppTest runs the very scripts that a server runs, with real callbacks and real session state, but without
JavaScript: what the components draw is read from the bytes that they are sent.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test

from lstm_core.runs.home import home
from lstm_core.runs.sweeps import history
from pages.shared.session import state

if TYPE_CHECKING:
    from lstm_core.runs.run import Run
    from lstm_core.workspace import Workspace

APP = Path(__file__).resolve().parents[2] / "app.py"
COMPILED = ScriptCache()
DEADLINE = 30.0  # seconds for what takes far less: the machine may be busy


@pytest.fixture(autouse=True)
def one_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """All visitors of a test have one cookie, as the tabs of one browser."""
    monkeypatch.setattr(state, "owner", lambda: "0" * 64)


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Poll; fail with `what` if it does not come true."""
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, f"waited {DEADLINE:g} s in vain until {what}"
        time.sleep(0.005)


class Visitor:
    """One browser tab. Every gesture runs the app and fails the test if the app itself failed."""

    def __init__(self, page: str = "start", **address: str) -> None:
        self.at = AppTest.from_file(str(APP), default_timeout=DEADLINE)
        for name, value in address.items():
            self.at.query_params[name] = value
        self.go(page)

    @property
    def id(self) -> str:
        return self.at.query_params["run"]

    @property
    def workspace(self) -> Workspace:
        matches = state.workspace_store().get(self.id)
        assert matches is not None
        return matches

    @property
    def training(self) -> Run:
        return self.workspace.run

    def run(self) -> Visitor:
        self.at.run()
        assert not self.at.exception, "the page failed: its log says where"
        return self

    def go(self, page: str) -> Visitor:
        self.at.switch_page(f"pages/{page}.py")
        return self.run()

    def widget(self, key: str):
        """The one widget with this key on the page."""
        kinds = (
            "number_input",
            "selectbox",
            "multiselect",
            "toggle",
            "checkbox",
            "slider",
            "button",
            "download_button",
            "button_group",
            "text_area",
            "text_input",
            "file_uploader",
        )
        matches = [w for kind in kinds for w in self.at.get(kind) if w.key == key]
        assert len(matches) == 1, f"{len(matches)} widgets have the key {key!r}"
        return matches[0]

    def set(self, key: str, value: object) -> Visitor:
        """Give a widget a value, as a person does."""
        self.widget(key).set_value(value)
        return self.run()

    def press(self, key: str) -> Visitor:
        button = self.widget(key)
        assert not button.proto.disabled, f"{key} is disabled"
        button.click()
        return self.run()

    def pressable(self, key: str) -> bool:
        return not self.widget(key).proto.disabled

    def upload(self, data: bytes, name: str = "mine.csv", key: str = "csv") -> Visitor:
        self.widget(key).upload(name, data, "text/csv")
        return self.run()

    def errors(self) -> list[str]:
        return [unescaped(error.value) for error in self.at.error]

    def markdown(self) -> str:
        """All Markdown of the page as it is sent, captions and alerts included."""
        parts = (self.at.markdown, self.at.caption, self.at.error, self.at.warning, self.at.info)
        return "\n".join(element.value for group in parts for element in group)

    def words(self) -> str:
        """The same as a person reads it."""
        return unescaped(self.markdown())

    def components(self) -> list[str]:
        """The ids of our browser components on the page, but the one that writes the address."""
        ids = [component.proto.id for component in self.at.get("bidi_component")]
        return [id for id in ids if not id.endswith("-address")]

    def component(self, key: str) -> tuple[dict, bytes]:
        """(header, arrays) of the message to one of our browser components."""
        matches = [c.proto for c in self.at.get("bidi_component") if c.proto.id.endswith(f"-{key}")]
        assert len(matches) == 1, f"{len(matches)} components have the key {key!r}"
        data = matches[0].bytes
        size = int.from_bytes(data[:4], "little")
        return json.loads(data[4 : 4 + size]), data[4 + size :]

    @property
    def parameters(self) -> dict[str, str]:
        """The address's own, as the browser shows them: run, and what components/address.js writes."""
        (component,) = (c.proto for c in self.at.get("bidi_component") if c.proto.id.endswith("-address"))
        given = {name: values for name, values in self.at.query_params.items() if name not in ("x", "sha")}
        return given | {name: value for name, value in json.loads(component.json)["parameters"].items() if value}

    def curve(self, key: str, line: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) of one line of a live plot."""
        header, arrays = self.component(key)
        numbers, at = np.frombuffer(arrays, "<f4"), 0
        for before in header["lines"][:line]:
            at += 2 * before["points"]
        points = header["lines"][line]["points"]
        return numbers[at : at + points], numbers[at + points : at + 2 * points]

    def figure(self, key: str) -> dict:
        """The specification of one Plotly figure."""
        matches = [c.proto for c in self.at.get("plotly_chart") if c.proto.id.endswith(f"-{key}")]
        assert len(matches) == 1, f"{len(matches)} figures have the key {key!r}"
        return json.loads(matches[0].spec)

    def train(self, **settings: object) -> Visitor:
        """Press Train on the page Train, and come back when it is done."""
        self.go("train")
        for key, value in settings.items():
            self.set(key, value)
        self.press("train")
        return self.finish()

    def finish(self) -> Visitor:
        wait_until(lambda: not self.training.is_active, "the run ended")
        return self.run()


def trained(epochs: int = 1, **model: object) -> str:
    """The id of a run: the example's data and such a model, trained. Model and Train give the same, more slowly."""
    here = state.open_example(state.workspace_store())
    here.change("model", **model)
    here.change("train", epochs=epochs)
    here.start_training().start()
    wait_until(lambda: not here.is_active, "the run ended")
    assert here.run.status == "finished"
    return here.id


def open_lesson(visit: Callable[..., Visitor], name: str, **address: str) -> Visitor:
    """The page of a lesson, by its address, with all that it shows once its question is out of the way."""
    return visit("lessons", **{"lesson": name, "questions": "off", **address})


def unescaped(text: str) -> str:
    """escape_markdown's text as it is read."""
    return re.sub(r"\\(.)", r"\1", text.replace("\u2060", "").replace("\u202f", " "), flags=re.DOTALL)


@pytest.fixture(autouse=True)
def warm_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has drawn a page before: AppTest forgets at every run that st.navigation has been called.

    Streamlit would take the folder called pages for its older kind of app again, the app would hand over once
    more (state.workspace), and the click on a button would be lost on the way.
    """
    begin = PagesManager.__init__

    def begin_warm(self, *args, **kwargs):
        begin(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begin_warm)
    # What a server does once, AppTest does for every tab or run: to look through all installed packages for
    # components, and to compile the pages. That took most of the time.
    monkeypatch.setattr(BidiComponentManager, "discover_and_register_components", lambda self, **options: None)
    monkeypatch.setattr(app_test, "ScriptCache", lambda: COMPILED)


@pytest.fixture
def no_sweeps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None of another test, nor for another; and Optuna, which only a sweep's own process calls, may be missing."""

    def remove() -> None:
        for place in ("sweeps", "trash"):
            shutil.rmtree(home() / place, ignore_errors=True)

    remove()
    monkeypatch.setattr(history, "find_spec", lambda name: object())
    yield
    remove()


@pytest.fixture
def visit() -> Iterator[Callable[..., Visitor]]:
    """Opens tabs by their address, as a link does; every run of theirs is stopped at the end of the test."""
    opened: list[Visitor] = []

    def open_tab(page: str = "start", **address: str) -> Visitor:
        opened.append(Visitor(page, **address))
        return opened[-1]

    yield open_tab
    for tab in opened:
        if not tab.training.watch_only:
            tab.training.stop()


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """What the download buttons of the last drawing would give, by file name."""
    given: dict[str, Callable[[], bytes]] = {}
    add = MediaFileManager.add

    def note(self, data, mimetype, coordinates, file_name=None, **more):
        if file_name is not None:
            given[file_name] = lambda: data
        return add(self, data, mimetype, coordinates, file_name=file_name, **more)

    monkeypatch.setattr(MediaFileManager, "add", note)
    return given


def series_csv(rows: int = 120, delimiter: str = ",", decimal: str = ".") -> bytes:
    """A seasonal series with a date, a number to forecast and one more."""
    t = np.arange(rows)
    days = np.datetime64("2020-01-01") + t
    lines = [delimiter.join(("day", "load", "price"))]
    for day, load, price in zip(days, 10 + np.sin(t / 3), 5 + np.cos(t / 5), strict=True):
        cells = (str(day), f"{load:.3f}".replace(".", decimal), f"{price:.3f}".replace(".", decimal))
        lines.append(delimiter.join(cells))
    return "\n".join(lines).encode()


def labelled_csv(rows: int = 120) -> bytes:
    """A number, and a text that says whether it is high: a class to learn."""
    values = np.sin(np.arange(rows) / 4)
    lines = ["value,state", *(f"{v:.3f},{'high' if v > 0 else 'low'}" for v in values)]
    return "\n".join(lines).encode()


HOW_FAR_BACK = "How far back?"


def how_far_back(visit, epochs: int = 2, **model: object) -> Visitor:
    """The view "How far back?" of a small model that has trained for so many epochs."""
    tab = visit("gates", run=trained(epochs, hidden_size=4, **model))
    return tab.set("view", HOW_FAR_BACK) if model.get("cell", "lstm") == "lstm" else tab


def plotly_values(figure: dict, line: int) -> np.ndarray:
    """y of one line of a figure, decoded from plotly's base64."""
    y = figure["data"][line]["y"]
    if isinstance(y, list):
        return np.array(y, float)
    return np.frombuffer(base64.b64decode(y["bdata"]), y["dtype"])


def what_if(visit, **model: object) -> Visitor:
    """The view "What if?" of the example, or of a model of a few units that has trained for one epoch."""
    address = {"run": trained(**{"hidden_size": 5} | model)} if model else {}
    return visit("gates", **address).set("view", "What if?")


def importance_table(tab: Visitor) -> str:
    """The HTML of the table of gates."""
    (matches,) = [one.proto.body for one in tab.at.get("html") if "gate-worth" in one.proto.body]
    return matches
