"""The Stage from the back row: the cell's share of the screen in stage mode, and the presenter's pointer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hands import hold
from tests.browser.on_stage import draw, press, set_state, state

SIZES = [(853, 480), pytest.param((1280, 720), marks=pytest.mark.slow)]  # the first is the second at 150 %
DOT = """() => {
  const { left, top, width, height } = document.querySelector('.stage-pointer').getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}"""
# As shares of the window's height: the drawing, and its smallest equation's letters.
DRAWING = """() => {
  const all = document.querySelector('.cell'), letters = [...document.querySelectorAll('.cell-equation')];
  const size = (one) => parseFloat(one.getAttribute('font-size')) * one.getScreenCTM().a;
  return [all.getBoundingClientRect().height / innerHeight, Math.min(...letters.map(size)) / innerHeight];
}"""
# While a valve is held: the smallest letters of equations and of its label, in pixels; the texts that the label hides.
HELD = """() => {
  const label = [...document.querySelectorAll('.touch-valve')].find((one) => !one.hidden), box = (one) =>
    one.getBoundingClientRect(), a = box(label), letters = [...document.querySelectorAll('.cell-equation')];
  const hidden = [...document.querySelectorAll('.cell text')].filter((one) => one.textContent.trim()).filter((one) => {
    const b = box(one);
    return a.left < b.right && b.left < a.right && a.top < b.bottom - 2 && b.top + 2 < a.bottom;
  });
  const size = (one) => parseFloat(one.getAttribute('font-size')) * one.getScreenCTM().a;
  const own = parseFloat(getComputedStyle(label).fontSize);
  return [Math.min(...letters.map(size), own), hidden.map((one) => one.textContent)];
}"""


@pytest.mark.parametrize("size", SIZES)
def test_on_stage_the_cell_has_half_of_the_height_and_letters_for_the_back_row(new_stage: Callable[..., Page], size):
    page = new_stage(size=size)
    press(page, "p")
    cell, letters = page.evaluate(DRAWING)
    assert cell >= 0.5 and letters >= 0.026
    for part in (".stage-series", ".stage-maps", ".stage-bar"):
        box = page.locator(part).first.bounding_box()
        assert box["height"] > 30 and box["y"] + box["height"] <= size[1]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(853, 480), (900, 700), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("keys", ["", "p"])
def test_while_a_valve_is_held_the_letters_stay_large_and_nothing_is_hidden(new_stage: Callable[..., Page], size, keys):
    page = new_stage(size=size)
    press(page, *keys)
    for unit in (3, None):
        set_state(page, step=12, unit=unit)
        for gate in "fio":
            hold(page, gate, -15)
            letters, hidden = page.evaluate(HELD)
            assert letters >= 12.5 and hidden == [], (gate, unit)
            assert unit is None or page.get_by_text(", set to 0.").count() == 1
            page.mouse.up()
            draw(page)


def test_a_held_key_shows_a_dot_that_follows_the_mouse_and_a_tap_keeps_it(stage: Page):
    dot = stage.locator(".stage-pointer")
    stage.mouse.move(600, 400)
    expect(dot).to_be_hidden()
    stage.keyboard.down(".")
    draw(stage)
    assert stage.evaluate(DOT) == pytest.approx([600, 400], abs=1)
    stage.mouse.move(700, 350)
    assert stage.evaluate(DOT) == pytest.approx([700, 350], abs=1)
    stage.wait_for_timeout(450)
    stage.keyboard.up(".")
    expect(dot).to_be_hidden()
    press(stage, ".")
    expect(dot).to_be_visible()
    press(stage, ".")
    expect(dot).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dot_is_bright_in_both_themes_and_follows_a_finger(browser, stage_address: str, scheme: str):
    context = browser.new_context(has_touch=True, color_scheme=scheme, viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(f"{stage_address}/stage")
    page.get_by_role("button", name="Pointer (.)").tap()
    assert state(page, "pointing") is True
    page.touchscreen.tap(620, 230)
    draw(page)
    assert page.evaluate(DOT) == pytest.approx([620, 230], abs=1)
    expect(page.locator(".stage-pointer")).to_be_visible()
    expect(page.locator(".stage-pointer")).to_be_hidden()  # the finger was lifted
    context.close()
