"""A real server and a real Chromium: their fixtures, and Tab, the gestures that the browser tests share.

Without Chromium these tests are skipped; with LSTM_PLAYGROUND_REQUIRE_BROWSER=1 they fail instead.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
TITLES = ("Start", "Lessons", "Data", "Model", "Train", "Gates", "Stage")
PATIENCE = 20_000  # ms for what should come at once: the machine may be busy
PROBES = ("/_stcore/health", "/_stcore/host-config")  # Streamlit looks for its root under a deep link first

expect.set_options(timeout=PATIENCE)


@contextmanager
def server(log: Path) -> Iterator[str]:
    """The app in a process of its own, as the README starts it; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
    try:
        _wait_for_health(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


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


class Tab:
    """One browser tab on the app, and what it asked for and complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("console", self._listen)

    def _listen(self, message) -> None:
        probe = urlsplit(message.location["url"]).path.endswith(PROBES)
        if message.type == "error" and not probe:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    @property
    def foreign_requests(self) -> list[str]:
        """Addresses outside this machine's own server that the page asked for."""
        own = urlsplit(self.address).netloc
        parts = [(url, urlsplit(url)) for url in self.requests]
        return [url for url, part in parts if part.scheme not in ("data", "blob") and part.netloc != own]

    def open(self, path: str = "") -> Tab:
        """Load an address of the app, as if typed or sent by somebody."""
        self.page.goto(f"{self.address}/{path}")
        expect(self.page.locator("h1")).to_be_visible()
        return self.settle()

    def go(self, title: str) -> Tab:
        """Open a page by its link in the sidebar."""
        self.page.locator("[data-testid=stSidebarNavLink]", has_text=re.compile(rf"{title}$")).click()
        expect(self.heading(title)).to_be_visible()
        return self.settle()

    def heading(self, title: str) -> Locator:
        return self.page.locator("h1", has_text="LSTM Playground" if title == "Start" else title)

    def settle(self) -> Tab:
        """Wait until the server has had nothing to do for a while; a run that trains keeps it busy for ever."""
        self.page.evaluate(
            """() => new Promise((done) => {
                 const app = document.querySelector('[data-testid=stApp]'), begin = performance.now();
                 let busy = begin;
                 const look = () => {
                   const now = performance.now();
                   if (app.dataset.testScriptState !== 'notRunning') busy = now;
                   if (now - busy > 400 || now - begin > 4000) done(); else setTimeout(look, 50);
                 };
                 look();
               })"""
        )
        return self

    def widget(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key}").first  # a redraw leaves the old one beside it for a moment

    def button(self, key: str) -> Locator:
        return self.widget(key).get_by_role("button").first

    def press(self, key: str) -> Tab:
        self.button(key).click()
        return self.settle()

    def fill(self, key: str, value: float | str) -> Tab:
        """Type into a number or text input and leave it with Enter."""
        field = self.widget(key).locator("input").first
        field.fill(str(value))
        field.press("Enter")
        return self.settle()

    def choose(self, key: str, option: str) -> Tab:
        """Pick one option of a select box."""
        self.widget(key).locator("input").click()
        self.page.get_by_role("option", name=option, exact=True).click()
        return self.settle()

    def upload(self, name: str, content: bytes) -> Tab:
        file = {"name": name, "mimeType": "text/csv", "buffer": content}
        self.widget("csv").locator("input[type=file]").set_input_files(file)
        return self.settle()

    def text(self) -> str:
        """Everything a reader sees of the page itself."""
        return self.page.locator("[data-testid=stMain]").inner_text()

    def curve(self, name: str, key: str = "loss_curve") -> list[float]:
        """The y values of the drawn line whose legend begins with `name`; NaN and gaps left out."""
        return self.page.evaluate(
            """([key, name]) => {
                 const plot = document.querySelector(`.st-key-${key} .live-plot`);
                 const line = (plot?.data ?? []).find((line) => line.name.startsWith(name));
                 return Array.from(line?.y ?? []).filter(Number.isFinite);
               }""",
            [key, name],
        )

    def wait_for_points(self, count: int, name: str = "training", key: str = "loss_curve") -> list[float]:
        """Wait until the line has at least so many points; its values."""
        for _ in range(PATIENCE // 100):
            if len(match := self.curve(name, key)) >= count:
                return match
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{key}: {len(match)} points of {name!r} after {PATIENCE / 1000} s, not {count}")

    @property
    def progress(self) -> Locator:
        """The line of Train that tells status, epoch, step and pace; a redraw may leave the old one for a moment."""
        return self.page.locator("[data-testid=stProgress]").first

    def step(self) -> int:
        """The training step that Train shows."""
        match = re.search(r"step\s+([\d,]+)", self.progress.inner_text())
        return int(match[1].replace(",", ""))

    def wait_for_step(self, step: int) -> None:
        for _ in range(PATIENCE // 100):
            if self.step() >= step:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"still at step {self.step()}, not {step}, after {PATIENCE / 1000} s")

    def train(self, epochs: int) -> Tab:
        """On Train: start a fresh run of so many epochs."""
        self.fill("epochs", epochs)
        self.button("train").click()
        return self

    def train_on_and_on(self) -> Tab:
        """On Train: start a fresh run that outlasts any test, and wait until its first points are drawn."""
        self.train(epochs=1_000_000).wait_for_live()
        self.wait_for_points(20)
        return self

    def wait_for_live(self) -> None:
        """Wait until Train offers to pause."""
        expect(self.button("pause")).to_have_text(re.compile("Pause"))
        expect(self.button("pause")).to_be_enabled()

    def wait_for_end(self, epochs: int) -> None:
        """Wait until all epochs are done and the buttons say so."""
        expect(self.progress).to_contain_text(f"epoch {epochs:,} of {epochs:,}", timeout=4 * PATIENCE)
        expect(self.progress).to_contain_text("Trained")
        expect(self.button("pause")).to_be_disabled()

    def end_run(self) -> None:
        """Free the run's place on the server."""
        self.go("Train")
        if self.button("stop").is_enabled():
            self.press("stop")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as match:
            yield match
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


@pytest.fixture
def new_tab(browser: Browser, address: str) -> Iterator[Callable[..., Tab]]:
    """Opens tabs, each a visitor of its own; at the end none may have asked another machine for anything."""
    tabs: list[Tab] = []

    def make(size: tuple[int, int] = (1280, 720), scheme: str = "light", url: str = address) -> Tab:
        width, height = size
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        tabs.append(Tab(page, url))
        return tabs[-1]

    yield make
    for tab in tabs:
        tab.page.close()
    assert [url for tab in tabs for url in tab.foreign_requests] == []
    assert [complaint for tab in tabs for complaint in tab.complaints] == []


@pytest.fixture
def tab(new_tab: Callable[..., Tab]) -> Tab:
    return new_tab()
