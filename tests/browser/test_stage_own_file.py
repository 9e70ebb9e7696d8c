"""The practitioner's way: a CSV of one's own, all as it is proposed, trained; then a hand on the Stage's line."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.on_stage import press
from tests.browser.tab import Tab, river_csv


@pytest.mark.slow
def test_the_forecast_of_an_own_file_is_grabbed_where_the_hand_shows_it(tab: Tab):
    tab.open("data").upload("isar.csv", river_csv())
    expect(tab.page.get_by_text("isar.csv").first).to_be_visible()
    expect(tab.widget("start").locator("input")).not_to_have_value("none")
    tab.go("Train").train(epochs=2)
    tab.wait_for_end(epochs=2)
    page = tab.go("Stage").page
    expect(page.locator(".stage-bar")).to_be_visible()
    spoken = page.locator(".stage-spoken")
    before = spoken.inner_text()
    hint = page.locator(".touch-hint")
    expect(hint.locator("span")).to_be_visible()
    box = hint.evaluate("(hint) => { const { x, y } = hint.getBoundingClientRect(); return { x, y }; }")
    page.mouse.move(box["x"], box["y"])
    page.mouse.down()
    page.mouse.move(box["x"], box["y"] - 5)
    page.mouse.move(box["x"], box["y"] - 14)
    page.mouse.up()
    page.wait_for_url(re.compile(r"touch=0\."))
    expect(spoken).not_to_have_text(before)
    press(page, "Backspace")
    page.wait_for_url(re.compile(r"^((?!touch=).)*$"))
