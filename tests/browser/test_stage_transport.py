"""The bar: one row, no jumps, time and learning played and stopped."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.on_stage import caption, draw, last, mount, press, pull, values
from tests.factories import scene_of

PLACES = """() => {
  const parts = document.querySelectorAll(".stage-bar, .stage-bar :is(button, input[type=range], output)");
  const boxes = [...parts].map((part) => part.getBoundingClientRect());
  return JSON.stringify(boxes.map((box) => [box.x, box.width, box.height]));
}"""


@pytest.fixture
def page(stage: Page) -> Page:
    return stage


def test_all_buttons_stand_in_one_row_and_have_a_name_and_a_sign(page: Page):
    buttons = page.locator(".stage-group button").all()
    assert len(buttons) >= 12
    boxes = [button.bounding_box() for button in buttons]
    assert len({box["y"] for box in boxes}) == 1
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"]
    for button in buttons:
        assert button.get_attribute("aria-label") == button.get_attribute("title") != ""
        sign = button.locator("svg").bounding_box()
        assert sign["width"] >= 16 and sign["height"] >= 16


def test_nothing_moves_while_the_numbers_change(page: Page):
    places = {page.evaluate(PLACES)}
    for step in range(0, last(page, "time") + 1, 5):
        pull(page, "time", step)
        places.add(page.evaluate(PLACES))
    for moment in range(0, last(page, "learning") + 1, 7):
        pull(page, "learning", moment)
        places.add(page.evaluate(PLACES))
    assert len(places) == 1


@pytest.mark.slow
def test_learning_plays_from_untrained_to_now_and_stops_there(page: Page):
    *_, header, arrays = scene_of({}, steps=9)
    mount(page, header, arrays)
    now, said = values(page), caption(page, "learning")
    page.get_by_role("button", name="Replay training").evaluate(
        """(button) => {
          window.shown = [];
          const output = document.querySelector('.stage-learning output');
          const note = () => window.shown.push([output.textContent.replace(' …', ''), button.ariaLabel]);
          new MutationObserver(note).observe(output, { childList: true });
          button.click();
        }"""
    )
    page.wait_for_function("(said) => window.shown.length > 1 && window.shown.at(-1)[0] === said", arg=said)
    expect(page.get_by_role("button", name="Replay training")).to_be_visible()
    captions, labels = zip(*page.evaluate("window.shown"), strict=True)
    assert captions[0] == "untrained" and captions[-1] == said == caption(page, "learning")
    assert len(set(captions)) > last(page, "learning") / 2
    assert set(labels[:-1]) == {"Pause the replay"}
    draw(page)
    assert values(page) == now


def test_the_slider_takes_over_from_the_replay(page: Page):
    page.get_by_role("button", name="Replay training").click()
    expect(page.get_by_role("button", name="Pause the replay")).to_be_visible()
    pull(page, "learning", 3)
    expect(page.get_by_role("button", name="Replay training")).to_be_visible()
    assert page.locator(".stage-learning input").input_value() == "3"


@pytest.mark.slow
def test_time_plays_to_the_end_and_in_a_loop_begins_again(page: Page):
    end = last(page, "time")
    page.locator(".stage-bar select").select_option("8")
    pull(page, "time", end - 2)
    press(page, "Space")
    expect(page.get_by_role("button", name="Play (Space)")).to_be_visible()
    assert caption(page, "time") == f"step {end + 1} of {end + 1}"
    page.get_by_role("button", name="Start again at the end").click()
    press(page, "Space")
    page.wait_for_function("end => Number(document.querySelector('.stage-time input').value) > end / 2", arg=end)
    page.wait_for_function("end => Number(document.querySelector('.stage-time input').value) < end / 2", arg=end)
    expect(page.get_by_role("button", name="Pause (Space)")).to_be_visible()


def test_space_plays_after_a_button_was_clicked(page: Page):
    page.get_by_role("button", name="One step on").click()
    press(page, "Space")
    expect(page.get_by_role("button", name="Pause (Space)")).to_be_visible()
    page.get_by_role("button", name="Pause (Space)").click()
    expect(page.get_by_role("button", name="Play (Space)")).to_be_visible()


def test_arrows_step_through_time_unless_the_learning_slider_has_the_focus(page: Page):
    slider, step = page.locator(".stage-learning input"), caption(page, "time")
    slider.focus()
    press(page, "ArrowLeft", "ArrowLeft")
    assert slider.input_value() == str(last(page, "learning") - 2) and caption(page, "time") == step
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    place = slider.input_value()
    press(page, "ArrowLeft")
    assert slider.input_value() == place and caption(page, "time") != step


@pytest.mark.slow
def test_on_stage_the_buttons_leave_with_the_pointer_and_come_back_and_off_stage_they_stay(page: Page):
    page.mouse.move(600, 400)
    buttons = page.locator(".stage-time-buttons")
    expect(page.locator(".stage")).to_have_class("stage stage-idle")
    expect(buttons).to_have_css("opacity", "1")
    press(page, "p")
    expect(buttons).to_have_css("opacity", "0")
    expect(page.locator(".stage-time")).to_have_css("opacity", "1")
    page.mouse.move(500, 300)
    expect(buttons).to_have_css("opacity", "1")
