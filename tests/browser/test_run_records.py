"""Curves whose points the browser reads from a run's records: they grow without a script, and only while one looks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from lstm_core.runs.records import RecordWriter
from pages.shared.components.wire import bundle
from pages.shared.server.buckets import bucketed
from tests.browser.conftest import server
from tests.browser.tab import Tab, wait_until

CURVE = "() => document.querySelector('.st-key-loss_curve .live-plot')?.plot"
LAST = f"({CURVE})()?.lines[0]?.x.at(-1)"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def records_address(browser: Browser, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("log") / "log.txt"
    with server(log, "tests/browser/records_app.py", LSTM_PLAYGROUND_HOME=str(home)) as address:
        yield address
    assert "Traceback" not in log.read_text()


class Training:
    """A run on disk to which a test appends."""

    def __init__(self, home: Path, name: str) -> None:
        self.id = hashlib.sha256(name.encode()).hexdigest()[:24]
        folder = home / "runs" / self.id
        folder.mkdir(parents=True)
        self.path, self.step = folder / "records.bin", 0
        self._writer = RecordWriter(self.path, 0)

    def append(self, steps: int) -> None:
        for step in range(self.step + 1, self.step + steps + 1):
            loss = 100.0 if step == 555 else 1 + 1 / step
            valid = 2 + 1 / step if step % 10 == 0 else None
            self._writer.append({"step": step, "train_loss": loss, "grad_norm": step, "lr": 0.1, "valid_loss": valid})
        self._writer.flush()
        self.step += steps


@pytest.fixture
def training(home: Path, request: pytest.FixtureRequest) -> Training:
    return Training(home, request.node.name[5:21].replace("[", "-"))


@pytest.fixture
def watch(new_tab: Callable[..., Tab], records_address: str, training: Training) -> Callable[..., Tab]:
    def open_page(still: bool = False) -> Tab:
        return new_tab(url=records_address).open(f"?run={training.id}{'&still=1' if still else ''}")

    return open_page


def area(page: Page) -> tuple[float, float, float, float]:
    """(x, y, width, height) of the plot's own area, without its axes."""
    stage = page.locator(".st-key-loss_curve .live-plot-stage").bounding_box()
    box = page.evaluate(f"({CURVE})().box")
    return stage["x"] + box["x"], stage["y"] + box["y"], box["w"], box["h"]


def hide(page: Page, hidden: bool) -> None:
    """As if another tab lay in front."""
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden }); "
        "document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_curves_grow_without_a_script(watch, training):
    training.append(1000)
    tab = watch()
    wait_until(tab.page, f"{LAST} === 100")
    np.testing.assert_allclose(tab.curve("training"), [100 if k == 555 else 1 + 1 / k for k in range(1, 1001)])
    np.testing.assert_allclose(tab.curve("validation"), [2 + 1 / k for k in range(10, 1001, 10)])
    np.testing.assert_allclose(tab.curve("gradient", "grad_curve"), range(1, 1001))
    asked = tab.page.evaluate("wire.asked")
    training.append(500)
    wait_until(tab.page, f"{LAST} === 150")
    assert len(tab.curve("training")) == 1500 and tab.page.evaluate("wire.asked") == asked
    expect(tab.page.locator("h1")).to_have_text("1 script")
    expect(tab.widget("loss_curve").get_by_role("button", name="training <b>")).to_be_visible()  # as text


def test_a_long_run_stays_bounded_and_keeps_its_spike(watch, training):
    training.append(60_000)
    tab = watch()
    wait_until(tab.page, f"{LAST} === 6000")
    assert 1000 < len(tab.curve("training")) <= 4096
    assert tab.page.evaluate(f"({CURVE})().yRange[1]") > 100
    training.append(60_000)  # more than one answer holds
    wait_until(tab.page, f"{LAST} === 12000")
    assert 1000 < len(tab.curve("training")) <= 4096


@pytest.mark.slow
def test_two_plots_of_a_run_ask_once_and_a_hidden_tab_does_not(watch, training):
    training.append(100)
    tab = watch()
    wait_until(tab.page, f"{LAST} === 10")
    begin = len(tab.requests)
    tab.page.wait_for_timeout(2000)
    assert 3 <= len([url for url in tab.requests[begin:] if "/records?from=100" in url]) <= 9
    hide(tab.page, True)
    tab.page.wait_for_timeout(500)
    begin = len(tab.requests)
    training.append(100)
    tab.page.wait_for_timeout(1000)
    assert not [url for url in tab.requests[begin:] if "/run/" in url]
    assert tab.page.evaluate(LAST) == 10
    hide(tab.page, False)
    wait_until(tab.page, f"{LAST} === 20")


@pytest.mark.slow
def test_an_ended_run_is_read_once(watch, training):
    training.append(100)
    tab = watch(still=True)
    wait_until(tab.page, f"{LAST} === 10")
    tab.page.wait_for_timeout(800)
    begin = len(tab.requests)
    tab.page.wait_for_timeout(1000)
    assert not [url for url in tab.requests[begin:] if "/run/" in url]


@pytest.mark.slow
def test_the_browsers_buckets_are_those_of_the_server(watch, training, tmp_path):
    """Appended record by record and halved, or begun with what the server has summed up."""
    training.append(9_001)
    tab = watch(still=True)
    source = bundle("run_records.js").replace("export ", "")
    histories = tab.page.evaluate(
        f"""async ([id, parts]) => {{
          {source}
          const get = async (what) => (await fetch(`/run/${{id}}/${{what}}`)).arrayBuffer();
          return Promise.all(parts.map(async (buckets) => {{
            const history = new History();
            if (buckets) history.load(await get(`curves?buckets=${{buckets}}`));
            else history.append(await get("records?from=0"));
            const points = ["train_loss", "valid_loss", "grad_norm"].map((name) => history.points(name, 1));
            return [history.size, points.map((of) => Object.values(of).map((values) => Array.from(values)))];
          }}));
        }}""",
        [training.id, [0, 2251]],
    )
    (size, appended), (loaded_size, loaded) = histories
    assert size == loaded_size == 4  # 9,001 records are more than twice 4,096
    assert len(bucketed(training.path, 2251)) == 16 + 2251 * 3 * 4 * 4
    for mine, theirs in zip(appended, loaded, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_the_mouse_reads_values_and_the_legend_hides_lines(watch, training):
    training.append(400)
    tab = watch()
    wait_until(tab.page, f"{LAST} === 40")
    x, y, width, height = area(tab.page)
    tab.page.mouse.move(x + 0.5 * width, y + 0.5 * height)
    readout = tab.widget("loss_curve").locator(".live-plot-readout")
    expect(readout).to_contain_text("epoch 20")
    expect(readout).to_contain_text("training <b>")
    expect(readout).to_contain_text("2.005")
    training.append(10)
    wait_until(tab.page, f"{LAST} === 41")
    expect(readout).to_be_visible()  # it stays while the curve grows
    expect(readout).to_contain_text("epoch 20.5")  # of what is now under the mouse
    legend = tab.widget("loss_curve").get_by_role("button", name="validation")
    legend.click()
    expect(legend).to_have_attribute("aria-pressed", "false")
    wait_until(tab.page, f"({CURVE})().yRange[1] < 2.2")  # the axis fits what is left
    tab.page.mouse.move(x + 0.5 * width, y + 0.4 * height)
    expect(readout).not_to_contain_text("validation")


@pytest.mark.slow
def test_the_keyboard_reads_zooms_and_shows_all(watch, training):
    training.append(400)
    tab = watch()
    wait_until(tab.page, f"{LAST} === 40")
    stage = tab.widget("loss_curve").locator(".live-plot-stage")
    expect(stage).to_have_attribute(
        "aria-label", re.compile(r"loss over epoch\. training <b>: 1\.003; validation: 2\.003")
    )
    stage.focus()
    stage.press("Home")
    spoken = tab.widget("loss_curve").locator("[aria-live]")
    expect(spoken).to_contain_text("training <b>")
    first = spoken.inner_text()
    stage.press("Shift+ArrowRight")
    expect(spoken).not_to_have_text(first)
    whole = tab.page.evaluate(f"({CURVE})().xRange")
    stage.press("+")
    wait_until(tab.page, f"({CURVE})().xRange[1] < 30")
    training.append(10)
    wait_until(tab.page, f"{LAST} === 41")
    assert tab.page.evaluate(f"({CURVE})().xRange[1]") < 30
    stage.press("0")
    wait_until(tab.page, f"({CURVE})().xRange[1] > {whole[1]}")


@pytest.mark.slow
def test_a_drag_across_zooms_one_axis_and_nothing_is_drawn_twice(watch, training):
    training.append(400)
    tab = watch(still=True)
    wait_until(tab.page, f"{LAST} === 40")
    tall = tab.page.evaluate(f"({CURVE})().yRange")
    x, y, width, height = area(tab.page)
    tab.page.mouse.move(x + 0.25 * width, y + 0.5 * height)
    tab.page.mouse.down()
    tab.page.mouse.move(x + 0.5 * width, y + 0.51 * height, steps=5)
    tab.page.mouse.up()
    wait_until(tab.page, f"({CURVE})().xRange[1] < 25")
    assert tab.page.evaluate(f"({CURVE})().yRange") == tall
    drawn = tab.page.evaluate(f"({CURVE})().redraws")
    tab.page.mouse.move(x + 0.6 * width, y + 0.51 * height, steps=5)
    tab.page.wait_for_timeout(600)
    assert tab.page.evaluate(f"({CURVE})().redraws") == drawn
    tab.widget("loss_curve").get_by_role("button", name="Reset zoom").click()
    wait_until(tab.page, f"({CURVE})().xRange[1] > 39")


@pytest.mark.slow
def test_the_picture_can_be_saved(watch, training):
    training.append(400)
    tab = watch(still=True)
    wait_until(tab.page, f"{LAST} === 40")
    with tab.page.expect_download() as download:
        tab.widget("loss_curve").get_by_role("button", name="Save PNG").click()
    assert download.value.suggested_filename == "loss.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
