"""The Stage in a small window, at 150 % zoom and in a lesson: nothing is off the screen, nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.on_stage import open_stage, press
from tests.browser.tab import Tab

SIZES = [pytest.param((900, 700), marks=pytest.mark.slow), (853, 480)]  # the second is 1280 × 720 at 150 %
OFF_SCREEN = """() => [...document.querySelectorAll('.stage, .stage *, [class*=st-key-find] button')].filter((part) => {
  const { left, right, width } = part.getBoundingClientRect();
  return width && (left < -1 || right > innerWidth + 1);
}).map((part) => part.getAttribute('class') ?? part.tagName)"""
CUT = """() => [...document.querySelectorAll('.stage-bar :is(output, b, select, button), [class*=st-key-find] button')]
  .filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.textContent)"""


def smallest_equation(page: Page) -> float:
    """Its letters' height on the screen, in pixels."""
    return page.locator(".cell-equation:visible").evaluate_all(
        "all => Math.min(...all.map((one) => parseFloat(one.getAttribute('font-size')) * one.getScreenCTM().a))"
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_all_of_it_stays_on_the_screen_and_readable(new_tab: Callable[..., Tab], size: tuple[int, int]):
    page = open_stage(new_tab(size))
    page.get_by_role("button", name="Guided tour").click()
    expect(page.locator(".stage-tour-card")).to_be_visible()
    press(page, "+", "+")  # the tour begins at the network
    expect(page.locator(".levels")).to_be_hidden()
    assert page.evaluate(OFF_SCREEN) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    value = page.locator("[data-part=h] .cell-value").last.bounding_box()
    assert value["x"] + value["width"] <= size[0] and value["height"] > 9
    assert smallest_equation(page) >= 11.5


@pytest.mark.slow
def test_two_cells_stand_one_under_the_other_where_there_is_no_room_beside(new_tab: Callable[..., Tab]):
    page = open_stage(new_tab((900, 700)), "?compare=start")
    expect(page.locator(".stage-half")).to_have_count(2)
    first, second = (page.locator(".stage-half").nth(k).bounding_box() for k in (0, 1))
    assert second["y"] >= first["y"] + first["height"] and second["x"] == first["x"]
    assert page.evaluate(OFF_SCREEN) == []
    assert smallest_equation(page) >= 11


def test_at_900_by_700_the_whole_stage_is_in_view(new_tab: Callable[..., Tab]):
    page = open_stage(new_tab((900, 700)))
    bar = page.locator(".stage-bar").bounding_box()
    assert bar["y"] + bar["height"] <= 700
    assert page.locator(".stage-time").bounding_box()["width"] > 200


@pytest.mark.slow
def test_the_choice_of_a_lessons_run_takes_no_second_row(new_tab: Callable[..., Tab]):
    tab = new_tab((900, 800)).open("lessons?lesson=forget_bias").go("Stage")
    expect(tab.page.locator(".stage-bar")).to_be_visible()
    places = [tab.widget(key).bounding_box() for key in ("lesson_run", "part", "window", "find_random")]
    assert all(a["x"] + a["width"] <= b["x"] + 1 for a, b in pairwise(places)), places
    assert places[2]["width"] > 60 and places[3]["x"] + places[3]["width"] <= 900
    bar = tab.page.locator(".stage-bar").bounding_box()
    assert bar["y"] + bar["height"] <= 800


def test_stage_mode_fits_a_small_screen(new_stage: Callable[..., Page]):
    page = new_stage(size=(853, 480))
    press(page, "p")
    for part in (".stage-series", ".stage-cell", ".stage-maps", ".stage-bar"):
        box = page.locator(part).first.bounding_box()
        assert box["height"] > 30 and box["y"] + box["height"] <= 480
    assert page.evaluate(OFF_SCREEN) == []


@pytest.mark.slow
def test_a_lessons_link_opens_the_unit_and_the_step_that_it_is_about(tab: Tab):
    page = tab.page
    page.goto(f"{tab.address}/lessons?lesson=embedded_reber&questions=off")
    link = page.get_by_test_id("stMainBlockContainer").get_by_role("link", name="Stage")
    link.click()
    expect(page.locator(".stage-bar")).to_be_visible()
    page.wait_for_url(re.compile("unit="))
    expect(page.locator(".cell-caption").first).not_to_have_text("unit 0")
    expect(page.locator(".stage-time output")).to_have_text(re.compile(r"step \d+ of 44"))
