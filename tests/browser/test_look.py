"""How each page looks at first sight, and that all of it can be read: laptop and projector, light and dark."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import server
from tests.browser.contrast import check_every_text
from tests.browser.tab import TITLES, Tab

LAPTOP, PROJECTOR = (1280, 720), (1920, 1080)
BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 22, 20)"}
FIRST_SIGHT = {  # keys of what must be seen without scrolling
    "Start": ("csv", "target", "train", "mini_stage", "loss_curve", "forecast_curve"),
    "Lessons": ("card_first_lstm", "card_minibatches", "card_shapes", "card_by_hand"),
    "Data": ("csv", "sample", "generator", "target"),
    "Model": ("hidden_size", "num_layers", "dropout", "bidirectional"),
    "Train": ("train", "pause", "step", "stop", "optimizer", "lr", "batch_size", "epochs", "loss_curve"),
    "Gates": ("window", "layer", "gate", "parity", "gate_view"),
    "Stage": ("window", "stage"),
    "Forecast": ("steps_ahead", "history", "forecast_picture"),
    "Understand": ("window", "instrument", "ledger_method"),
    "Sweep": ("sweep_trials", "sweep_search", "search_low_train_lr", "sweep_begin"),
    "Runs": (),  # how many there are depends on the tests before
}
NUMBERS = {
    "Model": ("hidden_size", "num_layers", "dropout"),
    "Train": ("lr", "epochs"),
    "Forecast": ("steps_ahead",),
    "Sweep": ("sweep_trials", "sweep_epochs", "search_low_train_lr", "search_high_train_lr"),
}  # keys of fields to be read
FITS = """input => {
const pen = document.createElement("canvas").getContext("2d"), style = getComputedStyle(input);
pen.font = `${style.fontSize} ${style.fontFamily}`;
const room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
return pen.measureText(input.value).width <= room;
}"""


@pytest.fixture(params=["gates", pytest.param("train", marks=pytest.mark.slow)])
def cold_address(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A server that nobody has visited yet, and the page that its first visitor opens."""
    session = request.getfixturevalue("address")
    if session not in request.getfixturevalue("visited"):  # so it is if this test comes first (conftest.FIRST)
        yield session, request.param
        return
    with server(tmp_path / "log.txt") as address:
        yield address, request.param
    assert "Traceback" not in (tmp_path / "log.txt").read_text()


@pytest.mark.slow
def test_a_link_to_a_page_opens_the_app_on_a_cold_server(cold_address, new_tab: Callable[..., Tab]):
    address, path = cold_address
    tab = new_tab(url=address).open(path)
    expect(tab.heading(path.title())).to_be_visible()
    links = tab.page.locator("[data-testid=stSidebarNavLink]")
    expect(links).to_have_text([re.compile(rf"{title}$") for title in TITLES])


@pytest.fixture(scope="module")
def lost(module_tab: Tab) -> Tab:
    """A visitor of Train whose link named a run that there is not."""
    return module_tab.open("train?run=%3Cb%3Enobody%3C%2Fb%3E")


def test_an_unknown_run_in_a_link_says_so(lost: Tab):
    expect(lost.page.get_by_text("no longer on the server")).to_be_visible()
    assert "nobody" not in lost.page.url


def test_a_page_follows_the_window_and_its_scheme(lost: Tab):
    lost.settle()
    lost.page.set_viewport_size({"width": PROJECTOR[0], "height": PROJECTOR[1]})
    lost.page.emulate_media(color_scheme="dark")
    check_first_sight(lost, "Train", PROJECTOR, "dark")


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(LAPTOP, "light", id="laptop-light"),  # the smaller one, where something may lie below the fold
        pytest.param(LAPTOP, "dark", id="laptop-dark", marks=pytest.mark.slow),
        pytest.param(PROJECTOR, "dark", id="projector-dark", marks=pytest.mark.slow),
    ],
)
def test_every_page_at_first_sight(new_tab: Callable[..., Tab], size, scheme: str, subtests: pytest.Subtests):
    tab = new_tab(size, scheme).open()
    for title in TITLES:
        with subtests.test(title):
            check_first_sight(tab.turn_to(title), title, size, scheme)  # which waits until the page has settled


def check_first_sight(tab: Tab, title: str, size: tuple[int, int], scheme: str) -> None:
    expect(tab.page.locator("[data-testid=stApp]")).to_have_css("background-color", BACKGROUND[scheme])
    tab.settle()
    for key in FIRST_SIGHT[title]:
        expect(tab.widget(key).first).to_be_visible()
        box = tab.widget(key).first.bounding_box()
        assert box["y"] + min(box["height"], 200) <= size[1], f"{key} lies below the fold"
    assert "Traceback" not in tab.text()
    assert tab.page.locator("[data-testid=stException]").count() == 0
    assert tab.page.locator("[data-testid=stAlertContentError]").count() == 0
    wide = "(e) => e.scrollWidth > e.clientWidth"
    assert not tab.page.locator("[data-testid=stMain]").evaluate(wide), "the page scrolls sideways"
    for key in NUMBERS.get(title, ()):
        field = tab.widget(key).locator("input")
        assert field.evaluate(FITS), f"{key} shows only a part of {field.input_value()}"
    check_every_text(tab)


def test_keyboard_alone_reaches_train(lost: Tab):
    tab = lost
    tab.page.locator("h1").click()
    for _ in range(6):
        tab.page.keyboard.press("Tab")
        if tab.page.evaluate("document.activeElement.closest('.st-key-train') !== null"):
            break
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("[data-testid=stProgress]")).to_contain_text(re.compile("Training|epoch \\d+ of"))
    tab.end_run()


def pull_the_line(page: Page, across: float, up: float) -> None:
    """Take the input's line, where it is at this share of the strip's width, and hold it so many pixels higher."""
    strip = page.locator(".stage-series")
    box = strip.bounding_box()
    x, y = box["x"] + across * box["width"], box["y"] + 40
    page.mouse.move(x, y)
    while strip.evaluate("one => one.style.cursor") != "grab":
        page.mouse.move(x, y := y + 3)
    page.mouse.down()
    page.mouse.move(x, y - up, steps=4)
    page.wait_for_timeout(500)


@pytest.mark.skipif("LSTM_PLAYGROUND_SCREENSHOTS" not in os.environ, reason="takes README.md's pictures on request")
@pytest.mark.parametrize("title", ["Gates", "Stage", "Forecast"])
def test_take_the_pictures_of_the_readme(new_tab: Callable[..., Tab], title: str):
    tab = new_tab((1440, 900)).open(title.lower())
    tab.page.wait_for_timeout(1500)
    if title == "Stage":
        tab.page.keyboard.press("p")
        tab.page.keyboard.press("+")
        tab.page.keyboard.press("+")
        tab.page.wait_for_timeout(2000)
        pull_the_line(tab.page, 0.44, 48)
    tab.page.screenshot(path=Path(os.environ["LSTM_PLAYGROUND_SCREENSHOTS"]) / f"{title.lower()}.png")
