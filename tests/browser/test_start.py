"""Start in a real browser: gates that move by themselves, and a CSV trained on the page on which it was dropped."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import COLOURS, PATIENCE, Tab, river_csv, wait_until

CANVAS = ".st-key-mini_stage canvas"
# The pixels of the overlay as one number: cursor and gauges.
OVERLAY = """() => {
  const canvas = document.querySelectorAll('.st-key-mini_stage canvas')[1];
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Uint32Array(data.buffer).reduce((sum, pixel, k) => (sum * 31 + pixel + k) % 1000000007, 0);
}"""
# Pairs of the page's parts that lie on each other.
OVERLAPS = """(keys) => {
  const boxes = keys.map((key) => [key, document.querySelector(`.st-key-${key}`).getBoundingClientRect()]);
  const on = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  return boxes.flatMap(([a, first], k) =>
    boxes.slice(k + 1).filter(([, next]) => on(first, next)).map(([b]) => [a, b]));
}"""
PARTS = ["csv", "target", "train", "mini_stage", "loss_curve", "forecast_curve"]


def stage(tab: Tab) -> Locator:
    return tab.page.locator(".mini-stage").first  # a redraw may leave the old one beside it for a moment


def opened(tab: Tab) -> Tab:
    tab.open()
    expect(tab.page.locator(CANVAS).first).to_be_visible()
    wait_until(tab.page, f"({COLOURS})('{CANVAS}') > 50")  # a painted map
    return tab


def step(tab: Tab) -> int:
    return int(stage(tab).get_attribute("data-step"))


def map_at(tab: Tab, across: float) -> tuple[float, float]:
    """A point of the map of forget gates; its box is laid out in mini_stage.js."""
    box = tab.page.locator(CANVAS).first.bounding_box()
    left, right = box["x"] + 40, box["x"] + box["width"] - 8 - 216 - 18
    return left + across * (right - left), box["y"] + box["height"] - 90


@pytest.fixture(scope="module")
def visitor(module_tab: Tab) -> Tab:
    return opened(module_tab)


@pytest.fixture
def start(visitor: Tab) -> Tab:
    """One visitor for the tests that need no page of their own; the gates play."""
    if stage(visitor).get_attribute("data-playing") == "false":
        stage(visitor).get_by_role("button", name="Play").click()
        visitor.page.mouse.move(0, 0)
    return visitor


def test_the_gates_are_in_the_first_view_and_nothing_overlaps(start: Tab):
    check_first_view(start, (1280, 720))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(900, 700), (1920, 1080)], ids=str)
def test_so_it_is_at_other_sizes(new_tab: Callable[..., Tab], size: tuple[int, int]):
    check_first_view(opened(new_tab(size)), size)


def check_first_view(tab: Tab, size: tuple[int, int]) -> None:
    for key in ("csv", "train", "mini_stage"):
        box = tab.widget(key).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size[1], key
    assert tab.page.evaluate(OVERLAPS, PARTS) == []
    assert not tab.page.locator("[data-testid=stMain]").evaluate("(e) => e.scrollWidth > e.clientWidth")


def test_the_gates_move_by_themselves_without_the_server(start: Tab):
    tab = start.settle()
    asked = tab.page.evaluate("wire.asked")
    steps, pictures = set(), set()

    def moved() -> bool:
        steps.add(step(tab))
        pictures.add(tab.page.evaluate(OVERLAY))
        return len(steps) > 4 and len(pictures) > 4

    assert tab.comes_true(moved, PATIENCE)
    assert tab.page.evaluate("wire.asked") == asked
    expect(stage(tab)).to_have_attribute("data-playing", "true")


def test_space_pauses_it_before_anybody_has_clicked(start: Tab):
    tab = start
    tab.page.keyboard.press(" ")
    expect(stage(tab)).to_have_attribute("data-playing", "false")
    tab.page.keyboard.press(" ")
    expect(stage(tab)).to_have_attribute("data-playing", "true")


def test_a_touch_stops_it_a_drag_scrubs_and_space_plays_on(start: Tab):
    tab = start
    tab.page.mouse.move(*map_at(tab, 0.5))
    tab.page.mouse.down()
    expect(stage(tab)).to_have_attribute("data-playing", "false")
    middle = step(tab)
    assert 10 <= middle <= 13
    tab.page.mouse.move(*map_at(tab, 0.99))
    tab.page.mouse.up()
    assert step(tab) == 23
    still = tab.page.evaluate(OVERLAY)
    tab.page.wait_for_timeout(600)
    assert tab.page.evaluate(OVERLAY) == still
    tab.page.keyboard.press("ArrowLeft")
    assert step(tab) == 22
    tab.page.keyboard.press(" ")
    expect(stage(tab)).to_have_attribute("data-playing", "true")
    wait_until(tab.page, "document.querySelector('.mini-stage').dataset.step !== '22'")
    assert tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0  # not the page's Space
    stage(tab).get_by_role("button", name="Pause").click()
    expect(stage(tab)).to_have_attribute("data-playing", "false")


def test_a_refused_file_is_explained_beside_the_upload(start: Tab):
    tab = start.upload("bad.csv", b"\x00\x01\x02")
    alert = tab.page.locator("[data-testid=stAlert]")
    expect(alert).to_contain_text("bad.csv")
    upload, sentence = tab.widget("csv").bounding_box(), alert.bounding_box()
    assert abs(upload["x"] - sentence["x"]) < 5
    assert 0 <= upload["y"] - sentence["y"] - sentence["height"] < 40
    expect(stage(tab)).to_have_attribute("data-playing", "true")  # the model is still there


@pytest.mark.slow
def test_who_wants_no_motion_gets_none_until_asked(tab: Tab):
    tab.page.emulate_media(reduced_motion="reduce")
    opened(tab)
    expect(stage(tab)).to_have_attribute("data-playing", "false")
    assert step(tab) == 23
    stage(tab).get_by_role("button", name="Play").click()
    wait_until(tab.page, "document.querySelector('.mini-stage').dataset.step !== '23'")


@pytest.mark.slow
def test_a_csv_is_dropped_and_trained_on_one_page(tab: Tab):
    opened(tab).upload("isar.csv", river_csv())
    expect(tab.page.get_by_text("appear here as it learns")).to_be_visible()
    expect(tab.widget("loss_curve")).to_have_count(0)
    tab.widget("target").get_by_role("radio", name=re.compile("Abfluss")).or_(
        tab.widget("target").locator("button", has_text="Abfluss")
    ).first.click()
    tab.settle()
    address = tab.page.url.partition("?")[0]
    tab.button("train").click()
    tab.wait_for_points(5)
    tab.wait_for_points(50, "actual", "forecast_curve")
    expect(stage(tab)).to_have_attribute("data-playing", "true")
    wait_until(tab.page, f"({COLOURS})('{CANVAS}') > 50")
    picture = tab.page.locator(CANVAS).first
    before = picture.screenshot()
    assert tab.comes_true(lambda: picture.screenshot() != before, PATIENCE)  # the gates change as it learns
    for key in ("mini_stage", "loss_curve", "forecast_curve"):  # all in one view
        box = tab.widget(key).bounding_box()
        assert box["y"] + box["height"] <= 720, key
    assert tab.page.url.partition("?")[0] == address
    expect(tab.heading("Start")).to_be_visible()
    expect(tab.page.get_by_text(re.compile("On all .* test windows"))).to_be_visible(timeout=3 * PATIENCE)
    expect(tab.widget("train")).to_contain_text("Train it from scratch")
    tab.go("Gates").go("Start")
    expect(tab.page.get_by_text("isar.csv").first).to_be_visible()
