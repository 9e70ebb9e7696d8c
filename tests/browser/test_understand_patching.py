"""Understand, Patching: a cell of the map is chosen by a click, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab


def field(tab: Tab, name: str) -> Locator:
    return tab.widget(f"patch_cell_{name}").locator("input").first


@pytest.mark.slow
def test_a_click_on_the_map_chooses_its_cell(module_tab: Tab):
    tab = module_tab.open("understand")
    tab.widget("instrument").get_by_text("Patching").click()
    expect(tab.page.get_by_text("Put the twin's cell state of unit")).to_be_visible()
    tab.settle()
    area = tab.page.locator(".st-key-patch_map .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    for share, step in ((0.5 / 24, 1), (20.5 / 24, 21)):  # of the example's 24 steps
        tab.page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.6)
        expect(field(tab, "step")).to_have_value(str(step))
        unit = field(tab, "unit").input_value()
        expect(tab.page.get_by_text(f"Put the twin's cell state of unit {unit} at")).to_be_visible()
        tab.settle()
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
    assert not tab.complaints
