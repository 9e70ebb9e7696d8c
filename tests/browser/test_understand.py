"""Understand in a real browser: a cell of the map is chosen by a click, and every text can be read."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.contrast import check_every_text
from tests.browser.tab import Tab


def field(tab: Tab, name: str) -> Locator:
    return tab.widget(f"patch_cell_{name}").locator("input").first


def patching(tab: Tab) -> Tab:
    tab.widget("instrument").get_by_text("Patching").click()
    expect(tab.page.get_by_text("Put the twin's cell state of unit")).to_be_visible()
    return tab.settle()


@pytest.mark.slow
def test_a_click_on_the_map_chooses_its_cell(new_tab: Callable[..., Tab]):
    tab = patching(new_tab().open("understand"))
    area = tab.page.locator(".st-key-patch_map .nsewdrag").first
    for share, step in ((0.5 / 24, 1), (20.5 / 24, 21)):  # of the example's 24 steps
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        tab.page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.6)
        expect(field(tab, "step")).to_have_value(str(step))
        unit = field(tab, "unit").input_value()
        expect(tab.page.get_by_text(f"Put the twin's cell state of unit {unit} at")).to_be_visible()
        tab.settle()
    assert not tab.complaints


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(new_tab: Callable[..., Tab], scheme: str):
    tab = new_tab((1280, 720), scheme).open("understand")
    expect(tab.page.get_by_text("the prediction.")).to_be_visible()
    check_every_text(tab)
    patching(tab).page.mouse.move(5, 5)  # a pressed button under the mouse is paler
    check_every_text(tab.settle())
    assert not tab.complaints


@pytest.mark.slow
def test_a_drag_across_the_map_of_the_window_chooses_the_span(new_tab: Callable[..., Tab]):
    tab = new_tab((1280, 720)).open("understand")
    tab.widget("instrument").get_by_text("Patterns").click()
    area = tab.page.locator(".st-key-pattern_window .nsewdrag").first
    area.scroll_into_view_if_needed()
    tab.settle()
    box = area.bounding_box()
    y = box["y"] + box["height"] * 0.3
    tab.page.mouse.move(box["x"] + box["width"] * 11 / 24, y)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] * 13 / 24, y, steps=4)
    tab.page.mouse.move(box["x"] + box["width"] * 15 / 24, y, steps=4)
    tab.page.mouse.up()
    expect(tab.page.get_by_text(re.compile("at steps 12 to 15 of this window"))).to_be_visible()
    assert not tab.complaints
