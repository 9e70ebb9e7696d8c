"""Tab: one browser tab on the app, and the gestures that the browser tests share."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Locator, Page, TimeoutError, expect

TITLES = ("Start", "Lessons", "Data", "Model", "Train", "Gates", "Stage", "Forecast", "Understand", "Sweep", "Runs")
PATIENCE = 20_000  # ms for what should come at once: the machine may be busy
PROBES = ("/_stcore/health", "/_stcore/host-config")  # Streamlit looks for its root under a deep link first

# Runs before the page's own scripts: notes when the app asked its server for something, and when it last heard of it.
WIRE = """(() => {
  const wire = (window.wire = { asked: 0, heard: 0 });
  window.WebSocket = class extends WebSocket {
    constructor(...where) {
      super(...where);
      this.addEventListener("message", () => { wire.heard = performance.now(); });
    }
    send(...what) {
      wire.asked = performance.now();
      super.send(...what);
    }
  };
})()"""
# Calm, or two runs of the script on: a model that trains keeps the server busy for ever, and both are then its ticks.
SETTLED = """() => new Promise((done) => {
  const app = document.querySelector("[data-testid=stApp]"), begin = performance.now();
  const { wire = { asked: 0, heard: 0 } } = window, calm = window.wire ? 120 : 400;
  let busy = begin, runs = 0, running = false;
  const look = () => {
    const now = performance.now(), before = running;
    running = app.dataset.testScriptState !== "notRunning";
    if (running || wire.asked > wire.heard) busy = now;
    if (before && !running) runs += 1;
    if (now - busy > calm || (runs > 1 && now - begin > 600) || now - begin > 4000) done(); else setTimeout(look, 20);
  };
  look();
})"""

expect.set_options(timeout=PATIENCE)

DAYS, NO_LEVEL = 730, (40, 41, 42, 300, 301, 550)  # of river_csv
# How many colours a canvas has: more than a few, once a map is painted.
COLOURS = """(selector) => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


def wait_until(page: Page, true: str, arg: object = None) -> None:
    """Wait until a JavaScript expression or function is true.

    Playwright's own wait_for_function has the page evaluate a text, which the app's Content-Security-Policy forbids.
    """
    for _ in range(PATIENCE // 50):
        if page.evaluate(true, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not true within {PATIENCE / 1000:g} s: {true}")


class Tab:
    """One browser tab on the app, and what it asked for and complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        self._listeners = {
            "request": lambda request: self.requests.append(request.url),
            "websocket": lambda socket: self.requests.append(socket.url),
            "pageerror": lambda error: self.complaints.append(f"uncaught: {error}"),
            "console": self._listen,
        }
        for event, listener in self._listeners.items():
            page.on(event, listener)

    def leave(self) -> Page:
        """End the visit: nothing of it is left on the page, which a new Tab can take."""
        self.page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
        self.page.goto("about:blank")
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)
        return self.page

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
        expect(self.page.locator("h1")).to_be_visible(timeout=3 * PATIENCE)  # a server's first page loads PyTorch
        return self.settle()

    def go(self, title: str) -> Tab:
        """Open a page by its link in the sidebar."""
        return self.turn_to(title).settle()

    def turn_to(self, title: str) -> Tab:
        """The same, for those who wait for something on that page by themselves: a page in training never settles."""
        self.page.locator("[data-testid=stSidebarNavLink]", has_text=re.compile(rf"{title}$")).click()
        expect(self.heading(title)).to_be_visible()
        return self

    def heading(self, title: str) -> Locator:
        return self.page.locator("h1", has_text="LSTM Playground" if title == "Start" else title)

    def settle(self) -> Tab:
        """Wait until the server has answered all that it was asked and has had nothing to do for a moment."""
        self.page.evaluate(SETTLED)
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
        wanted = self.page.get_by_role("option", name=option, exact=True)
        for patience in (PATIENCE / 5, PATIENCE / 5, PATIENCE):  # a page that is being redrawn closes the list again
            self.widget(key).locator("input").first.click()
            with suppress(TimeoutError):
                wanted.click(timeout=patience)
                return self.settle()
        raise AssertionError(f"{option!r} is no option of {key}")

    def upload(self, name: str, content: bytes) -> Tab:
        file = {"name": name, "mimeType": "text/csv", "buffer": content}
        with self.page.expect_response(lambda response: response.request.method == "PUT"):
            self.widget("csv").locator("input[type=file]").set_input_files(file)
        return self.settle()  # only now is the server asked for the page

    def text(self) -> str:
        """Everything a reader sees of the page itself."""
        return self.page.locator("[data-testid=stMain]").inner_text()

    def curve(self, name: str, key: str = "loss_curve") -> list[float]:
        """The y values of the drawn line whose legend begins with `name`; NaN and gaps left out."""
        return self.page.evaluate(
            """([key, name]) => {
                 const element = document.querySelector(`.st-key-${key} .live-plot`);
                 const line = (element?.plot?.lines ?? []).find((line) => line.name.startsWith(name));
                 return (line?.y ?? []).filter(Number.isFinite);
               }""",
            [key, name],
        )

    def marks(self, key: str = "loss_curve") -> list[str]:
        """What is said to have happened at places of the curve."""
        return self.page.evaluate(
            "(key) => document.querySelector(`.st-key-${key} .live-plot`).plot.marks.map(({ text }) => text)", key
        )

    def wait_for_points(self, count: int, name: str = "training", key: str = "loss_curve") -> list[float]:
        """Wait until the line has at least so many points; its values."""
        for _ in range(PATIENCE // 50):
            if len(found := self.curve(name, key)) >= count:
                return found
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{key}: {len(found)} points of {name!r} after {PATIENCE / 1000} s, not {count}")

    @property
    def progress(self) -> Locator:
        """The line of Train that tells status, epoch, step and pace; a redraw may leave the old one for a moment."""
        return self.page.locator("[data-testid=stProgress]").first

    def step(self) -> int:
        """The training step that Train shows; a page that is just being drawn may show none yet."""
        for _ in range(PATIENCE // 50):
            if found := re.search(r"step\s+([\d,]+)", self.progress.inner_text()):
                return int(found[1].replace(",", ""))
            self.page.wait_for_timeout(50)
        raise AssertionError(f"no step in {self.progress.inner_text()!r} after {PATIENCE / 1000} s")

    def wait_for_step(self, step: int) -> None:
        for _ in range(PATIENCE // 50):
            if self.step() >= step:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"still at step {self.step()}, not {step}, after {PATIENCE / 1000} s")

    def train(self, epochs: int) -> Tab:
        """On Train: start a fresh run of so many epochs."""
        self.fill("epochs", epochs)
        self.button("train").click()
        return self

    def train_on_and_on(self) -> Tab:
        """On Train: start a fresh run that outlasts any test, and wait until its first points are drawn."""
        self.fill("patience", 0).train(epochs=1_000_000).wait_for_live()
        expect(self.progress).to_contain_text("of 1,000,000")
        self.wait_for_points(20)
        return self

    def comes_true(self, condition: Callable[[], bool], patience: int) -> bool:
        """Whether the condition holds within so many milliseconds."""
        for _ in range(patience // 100):
            if condition():
                return True
            self.page.wait_for_timeout(100)
        return condition()

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
        if not self.heading("Train").is_visible():
            self.go("Train")
        stop = self.button("stop")
        if stop.is_enabled():
            with suppress(TimeoutError):  # it may end by itself at this very moment
                stop.click(timeout=PATIENCE / 4)
            expect(stop).to_be_disabled()


def river_csv() -> bytes:
    """Two years of a river as a German office exports them: semicolons, decimal commas, cp1252, gaps."""
    rng = np.random.default_rng(7)
    day = np.arange(DAYS)
    season = np.sin(2 * np.pi * (day - 110) / 365.25)
    weather = np.zeros(DAYS)
    for k in range(1, DAYS):
        weather[k] = 0.8 * weather[k - 1] + rng.normal(0, 0.7)
    warmth, flow = 12 + 9 * season + weather, 80 - 30 * season + 6 * rng.gamma(2, 1, DAYS)
    lines = ["Datum;Abfluss (m³/s);Wassertemperatur (°C)"]
    for k in range(DAYS):
        date = datetime.date(2022, 1, 1) + datetime.timedelta(days=k)
        numbers = "" if k in NO_LEVEL else f"{flow[k]:.1f}", f"{warmth[k]:.2f}"
        lines.append(f"{date:%d.%m.%Y};" + ";".join(numbers).replace(".", ","))
    text = "\r\n".join(lines) + "\r\n"
    return text.encode("cp1252")
