"""The Stage inside the app: deep links, reruns, a run that trains, and nothing asked of the server; and it looks as
it does on the page of its own, where the other Stage tests are (stage_page.py)."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.on_stage import choose, last, open_stage, press, pull
from tests.browser.stage_page import THEME
from tests.browser.tab import Tab

PROPERTIES = (
    "(stage, names) => Object.fromEntries(names.map((name) => [name, getComputedStyle(stage).getPropertyValue(name)]))"
)
LOOKS = """async (stage) => {
  await Promise.all(stage.getAnimations({ subtree: true }).map((one) => one.finished));
  return [stage, ...stage.querySelectorAll("*")].map((part) => {
    const { x, y, width, height } = part.getBoundingClientRect(), style = getComputedStyle(part);
    const colors = ["color", "backgroundColor", "font", "fill", "stroke"].map((name) => style[name]);
    return [part.tagName, part.getAttribute("class"), part.textContent, x, y, width, height, ...colors].join(" ");
  });
}"""


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_looks_as_it_does_on_the_page_of_its_own(
    new_tab: Callable[..., Tab], new_stage: Callable[..., Page], scheme
):
    page, own = open_stage(new_tab(scheme=scheme)), new_stage(scheme=scheme)
    assert page.locator(".stage").evaluate(PROPERTIES, list(THEME[scheme])) == THEME[scheme]
    for one in (page, own):
        one.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # the hand that shows how to grab stands still
    for key in ("ArrowRight", "?", "p"):
        press(page, key)
        press(own, key)
        page.mouse.move(300, 300)
        own.mouse.move(300, 300)
        parts = zip(page.locator(".stage").evaluate(LOOKS), own.locator(".stage").evaluate(LOOKS), strict=True)
        assert [(here, there) for here, there in parts if here != there] == []


def test_a_link_opens_the_exact_moment(tab: Tab, new_tab: Callable[..., Tab]):
    page = open_stage(tab)
    press(page, "0", "ArrowDown", "ArrowDown", "ArrowDown", "Home", "ArrowRight", "[", "[", "p")
    page.wait_for_url(re.compile("stage=1"))
    spoken = page.locator(".stage-spoken").inner_text()
    other = open_stage(new_tab(), "?" + urlsplit(page.url).query)
    expect(other.locator(".stage-spoken")).to_have_text(spoken)
    other.wait_for_url(re.compile("window="))
    mine, theirs = (parse_qs(urlsplit(tab.url).query) | {"x": None} for tab in (page, other))  # x follows later
    assert theirs == mine
    for part in ("t=1", "unit=2", "at=", "stage=1", "run="):
        assert part in page.url


@pytest.fixture(scope="module")
def lost(module_tab: Tab) -> Tab:
    """A visitor whose link meant nothing; each test finds the stage as the one before left it."""
    open_stage(module_tab, "?window=99999&part=%3Cb%3E&t=999&unit=-1")
    return module_tab


@pytest.mark.slow
def test_a_link_that_means_nothing_opens_the_stage(lost: Tab):
    expect(lost.page.locator(".stage-time output")).to_have_text(re.compile("step 13 of 24"))


@pytest.mark.slow
def test_another_window_takes_the_place_without_a_new_stage(lost: Tab):
    tab, page = lost, lost.page
    page.evaluate("document.querySelector('.stage').first = true")
    press(page, "Home")
    spoken = page.locator(".stage-spoken").inner_text()
    tab.button("find_worst").click()
    expect(page.locator(".stage-spoken")).not_to_have_text(spoken)
    assert page.evaluate("document.querySelector('.stage').first") is True
    expect(page.locator(".stage-time input")).to_have_value("0")


def test_stage_mode_covers_the_app_and_leaving_it_restores_the_page(lost: Tab):
    page = lost.page
    before = page.locator(".stage").bounding_box()
    press(page, "p")
    covered = page.evaluate(
        "() => [[20, 20], [innerWidth - 20, 20], [innerWidth / 2, innerHeight / 2]].map(([x, y]) => "
        "document.elementFromPoint(x, y).closest('.stage') !== null)"
    )
    assert all(covered)
    press(page, "p")
    assert page.locator(".stage").bounding_box() == before


def test_scrubbing_replaying_and_comparing_ask_nothing_of_the_server(lost: Tab):
    tab, page = lost, lost.page
    tab.requests.clear()
    slider = page.locator(".stage-bar input[type=range]")
    for scrubber in (slider.nth(0), slider.nth(1)):
        box = scrubber.bounding_box()
        page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
        page.mouse.down()
        for k in range(20):
            page.mouse.move(box["x"] + 5 + k * box["width"] / 25, box["y"] + box["height"] / 2)
        page.mouse.up()
    choose(page, "Before training, and after")
    for place in range(0, last(page, "learning"), 20):
        pull(page, "learning", place)
    choose(page, "Input gate stuck shut")
    press(page, *["ArrowLeft"] * 10, "Space")
    page.wait_for_url(re.compile("compare="))
    talk = f"{tab.address}/talk/forty_minutes"  # made ready once somebody has stayed for some seconds
    assert [url for url in tab.requests if url != talk] == []
    assert {"t=", "at="} <= {word[: word.index("=") + 1] for word in urlsplit(page.url).query.split("&")}
