"""A real server and a real Chromium, one of each for all tests, and the tabs that a test opens.

Without Chromium these tests are skipped; with LSTM_PLAYGROUND_REQUIRE_BROWSER=1 they fail instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pages.shared.server.security import COOKIE
from tests.browser.on_stage import begin_anew, draw, open_stage
from tests.browser.stage_page import stage_server
from tests.browser.tab import WIRE, Tab

# These first, so that no worker is left alone with a long one at the end; and of them the one that begins with a
# visit to a server that nobody has visited yet, while its worker's own is one.
FIRST = (
    "test_look.py",
    "test_story.py",
    "test_while_it_trains.py",
    "test_start.py",
    "test_lessons.py",
    "test_stage_in_app.py",
    "test_bad_input.py",
)
ROOT = Path(__file__).resolve().parents[2]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's files before all others, those of FIRST before the rest."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        if item.path.parent != here:
            return len(FIRST) + 1
        return FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST)

    items.sort(key=place)


def home_of(log: Path, address: str) -> Path:
    """Where the server that logs there and answers here keeps its runs."""
    return log.with_name(f"home-{address.rpartition(':')[2]}")


@contextmanager
def server(log: Path, script: str = "app.py", root: Path = ROOT, **environment: str) -> Iterator[str]:
    """The app in a process of its own, as the README starts it; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    address = f"http://127.0.0.1:{port}"
    home = home_of(log, address)
    environment = {"LSTM_PLAYGROUND_HOME": str(home)} | environment
    with log.open("wb") as sink:
        streams = {"stdin": subprocess.DEVNULL, "stdout": sink, "stderr": sink}
        process = subprocess.Popen(command, cwd=root, env=os.environ | environment, **streams)
    try:
        _wait_for_health(address, process)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(home, ignore_errors=True)  # its workers end then


def _wait_for_health(address: str, process: subprocess.Popen) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"streamlit ended with status {process.returncode} before it answered")
        try:
            if urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).read() == b"ok":
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("streamlit did not answer within a minute")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium without a window."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        raise FileNotFoundError(f"no Chromium on this machine (looked for {', '.join(CHROMIUMS)})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as found:
            yield found
    except FileNotFoundError as error:
        required = os.environ.get("LSTM_PLAYGROUND_REQUIRE_BROWSER") == "1"
        (pytest.fail if required else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests; whatever it logged must hold no traceback."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    try:
        with server(log) as url:
            yield url
    finally:
        print(f"--- the server's log ---\n{log.read_text(errors='replace')}")
    assert "Traceback" not in log.read_text(errors="replace")


@pytest.fixture(scope="session")
def visited() -> set[str]:
    """The servers that a tab has been opened on."""
    return set()


@pytest.fixture(scope="session")
def stage_address(browser: Browser) -> Iterator[str]:
    """The stage alone, on a page that needs no Streamlit server."""
    with stage_server() as url:
        yield url


@pytest.fixture(scope="session")
def idle_pages(browser: Browser) -> Iterator[list[Page]]:
    """Pages that no visitor has at the moment: to load all of the app's files anew would take longer than many a test.

    Each has a window of its own, since Chromium is slow to hand mouse moves to a tab that is not in front.
    """
    idle: list[Page] = []
    yield idle
    for page in idle:
        page.context.close()


def new_page(browser: Browser) -> Page:
    context = browser.new_context()
    context.add_init_script(WIRE)
    context.add_cookies([{"name": COOKIE, "value": "one-browser-" * 3, "domain": "127.0.0.1", "path": "/"}])
    return context.new_page()


@contextmanager
def visits(request: pytest.FixtureRequest) -> Iterator[Callable[..., Tab]]:
    """Opens tabs, windows of one and the same visitor; at the end none may have asked another machine for anything."""
    idle_pages: list[Page] = request.getfixturevalue("idle_pages")
    browser: Browser = request.getfixturevalue("browser")
    tabs: list[Tab] = []

    def make(size: tuple[int, int] = (1280, 720), scheme: str = "light", url: str | None = None) -> Tab:
        address = url or request.getfixturevalue("address")
        page = idle_pages.pop() if idle_pages else new_page(browser)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=scheme, reduced_motion="no-preference")
        page.mouse.move(0, 0)
        tabs.append(Tab(page, address))
        request.getfixturevalue("visited").add(address)
        return tabs[-1]

    yield make
    idle_pages += [tab.leave() for tab in reversed(tabs)]
    assert [url for tab in tabs for url in tab.foreign_requests] == []
    assert [complaint for tab in tabs for complaint in tab.complaints] == []


@pytest.fixture
def new_tab(request: pytest.FixtureRequest) -> Iterator[Callable[..., Tab]]:
    with visits(request) as make:
        yield make


@pytest.fixture
def tab(new_tab: Callable[..., Tab]) -> Tab:
    return new_tab()


@pytest.fixture(scope="module")
def module_tab(request: pytest.FixtureRequest) -> Iterator[Tab]:
    """One visitor for all tests of a file that do without a page of their own: what one leaves, the next finds."""
    with visits(request) as make:
        yield make()


@pytest.fixture
def from_disk(browser: Browser, tmp_path: Path) -> Iterator[Callable[[bytes], Page]]:
    """Opens a page's text from a file in a browser without a network; it may ask for that file alone."""
    asked, complaints, path = [], [], tmp_path / "page.html"
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 720}, color_scheme="light")

    def open_file(text: bytes) -> Page:
        path.write_bytes(text)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri())
        expect(page.locator("h1, [data-part=f]").first).to_be_visible()
        draw(page)
        return page

    yield open_file
    context.close()
    assert complaints == []
    assert {url for url in asked if not url.startswith(("data:", "about:"))} == {path.as_uri()}


@pytest.fixture
def new_stage(new_tab: Callable[..., Tab], stage_address: str) -> Callable[..., Page]:
    """Opens the stage alone, with the trained example on it."""

    def make(query: str = "", size: tuple[int, int] = (1280, 720), scheme: str = "light") -> Page:
        return open_stage(new_tab(size, scheme, stage_address), query)

    return make


@pytest.fixture(scope="module")
def stage_of_module(request: pytest.FixtureRequest, stage_address: str) -> Iterator[Page]:
    with visits(request) as make:
        yield open_stage(make(url=stage_address))


@pytest.fixture
def stage(stage_of_module: Page) -> Page:
    """The stage alone, begun anew; the page around it is that of the test before."""
    begin_anew(stage_of_module)
    return stage_of_module
