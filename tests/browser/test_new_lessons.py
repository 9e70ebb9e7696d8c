"""The flip-flop as a visitor meets it: asked first, then shown a cube that can be turned."""

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
    eye = "(e) => JSON.stringify(e.querySelector('.js-plotly-plot')._fullLayout.scene._scene.getCamera().eye)"
    before, box = cube.evaluate(eye), cube.locator(".gl-container").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.page.mouse.move(*middle)
    tab.page.mouse.down()
    tab.page.mouse.move(middle[0] + 80, middle[1] + 20, steps=5)
    tab.page.mouse.up()
    assert tab.comes_true(lambda: cube.evaluate(eye) != before)
