"""The flip-flop as a visitor meets it: asked first, then shown the cube."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from lstm_core.lessons import lessons
from tests.browser.tab import Tab


@pytest.mark.slow
def test_the_flip_flop_asks_and_then_shows_its_cube(tab: Tab):
    tab.open("lessons?lesson=flip_flop")
    expect(tab.page.locator("h1")).to_have_text(lessons()["flip_flop"].title)
    expect(tab.button("choice_3").locator("p")).to_have_text("8")
    assert "eight" not in tab.page.locator("[data-testid=stMain]").inner_text().lower(), "the answer, given away"
    tab.page.keyboard.press("3")
    expect(tab.widget("answer")).to_contain_text("Right")
    cube = tab.widget("lesson_flip_flop_1")
    expect(cube.locator(".gl-container canvas").first).to_be_visible()
    expect(cube.locator(".legendtext").filter(has_text="stable (8)")).to_be_visible()
