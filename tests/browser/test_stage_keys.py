"""The Stage under a speaker's hands: every key, the address of a moment, and stage mode."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.on_stage import draw, last, mount, press, state
from tests.browser.tab import wait_until
from tests.factories import scene_of


def after(page: Page, *keys: str, name: str) -> Any:
    """What is chosen once these keys have been pressed."""
    press(page, *keys)
    return state(page, name)


def test_every_key_does_what_the_list_says(stage: Page):
    end = last(stage, "time")
    assert state(stage, "step") == (end + 1) // 2
    assert after(stage, "ArrowRight", name="step") == (end + 1) // 2 + 1
    assert after(stage, "ArrowLeft", "ArrowLeft", name="step") == (end + 1) // 2 - 1
    assert after(stage, "Shift+ArrowRight", name="step") == (end + 1) // 2 + 9
    assert after(stage, "Shift+ArrowLeft", name="step") == (end + 1) // 2 - 1
    assert after(stage, "End", name="step") == end
    assert after(stage, "ArrowRight", name="step") == end
    assert after(stage, "Home", name="step") == 0
    assert after(stage, "ArrowDown", "ArrowDown", name="unit") == 2
    assert after(stage, "ArrowUp", name="unit") == 1
    assert after(stage, "0", name="unit") is None
    assert after(stage, "ArrowDown", name="unit") == 0
    now = last(stage, "learning")
    assert state(stage, "snapshot") == now
    assert after(stage, "[", name="snapshot") == now - 1
    assert after(stage, "[", name="snapshot") == now - 2
    assert after(stage, "]", "]", "]", name="snapshot") == now
    assert after(stage, "p", name="stage") is True
    assert after(stage, "P", name="stage") is False
    press(stage, "?")
    expect(stage.locator(".stage-help")).to_be_visible()
    expect(stage.locator(".stage-help")).to_contain_text("play or pause")
    press(stage, "Escape")
    expect(stage.locator(".stage-help")).to_be_hidden()


def test_space_plays_to_the_end_and_pauses(stage: Page):
    press(stage, "End", "ArrowLeft", "ArrowLeft", "Space")
    expect(stage.get_by_role("button", name="Play (Space)")).to_be_visible()
    assert state(stage, "step") == last(stage, "time")
    press(stage, "Home", "Space")
    expect(stage.get_by_role("button", name="Pause (Space)")).to_be_visible()
    stage.wait_for_function("window.stage.state.step > 0")
    at = after(stage, "Space", name="step")
    stage.wait_for_timeout(400)  # more than two steps' time
    assert state(stage, "step") == at


def test_a_digit_shows_one_picture_large_and_again_all_six(stage: Page):
    pixels = "() => document.querySelector('.stage-maps canvas').toDataURL()"
    six = stage.evaluate(pixels)
    seen = {six}
    for digit in "123456":
        press(stage, digit)
        assert state(stage, "heatmap") == "ifgoch"[int(digit) - 1]
        seen.add(stage.evaluate(pixels))
    assert len(seen) == 7
    press(stage, "6")
    assert stage.evaluate(pixels) == six


def test_l_goes_through_layers_and_directions(stage: Page):
    *_, header, arrays = scene_of({"num_layers": 2, "bidirectional": True})
    mount(stage, header, arrays)
    seen = []
    for _ in range(5):
        seen.append((state(stage, "layer"), state(stage, "direction")))
        press(stage, "l")
    assert seen == [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0)]


def test_keys_never_fire_while_something_is_typed(stage: Page):
    names = ["step", "unit", "layer", "snapshot", "stage", "heatmap", "help", "playing"]
    chosen = f"() => JSON.stringify({names}.map((name) => stage.state[name]))"
    before = stage.evaluate(chosen)
    stage.evaluate(
        """() => {
             const field = document.createElement('input');
             field.id = 'typed';
             document.body.prepend(field);
             field.focus();
           }"""
    )
    stage.keyboard.type("p l?[ 123 0")
    press(stage, "ArrowLeft", "Home", "ArrowDown")
    assert stage.evaluate(chosen) == before
    assert stage.locator("#typed").input_value() == "p l?[ 123 0"


def address(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_the_address_says_what_is_looked_at_and_opens_it_again(stage: Page, new_stage: Callable[..., Page]):
    *_, header, arrays = scene_of({"num_layers": 2, "bidirectional": True})
    mount(stage, header | {"link": {"window": 7}}, arrays)
    press(stage, "0", "l", "l", "l", "ArrowDown", "ArrowDown", "Home", "ArrowRight", "[", "p")
    stage.wait_for_url(re.compile("stage=1"))
    there = {"t": "1", "unit": "1", "layer": "1", "direction": "1", "at": str(header["snapshots"][-1]), "stage": "1"}
    assert address(stage).items() >= (there | {"window": "7"}).items()
    mount(stage, header, arrays)
    chosen = [state(stage, name) for name in ("step", "unit", "layer", "direction", "snapshot", "stage")]
    assert chosen == [1, 1, 1, 1, len(header["snapshots"]) - 1, True]
    press(stage, "0", "]", "p")
    stage.wait_for_url(lambda url: "stage=" not in url)
    assert address(stage)["unit"] == "all" and "at" not in address(stage)


@pytest.mark.slow
@pytest.mark.parametrize("query", ["?t=999&unit=-1&at=7777&layer=x", "?t=&unit=&stage=2&compare=%3Cb%3E"])
def test_an_address_that_means_nothing_opens_the_stage(new_stage: Callable[..., Page], query: str):
    page = new_stage(query)
    assert state(page, "step") == (last(page, "time") + 1) // 2 and state(page, "unit") == 0
    assert state(page, "snapshot") == last(page, "learning")
    assert not state(page, "stage") and state(page, "compare") is None


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), [((1280, 720), "dark"), ((1920, 1080), "light")])
def test_stage_mode_fills_the_screen_and_leaving_it_restores_the_page(new_stage: Callable[..., Page], size, scheme):
    page = new_stage(size=size, scheme=scheme)
    before = page.locator(".stage").bounding_box()
    press(page, "p")
    box = page.locator(".stage").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, *size)
    for part in (".stage-series", ".stage-cell", ".stage-maps", ".stage-bar"):
        inside = page.locator(part).first.bounding_box()
        assert inside["y"] >= 0 and inside["y"] + inside["height"] <= size[1]
        assert inside["height"] > 30
    press(page, "p")
    assert page.locator(".stage").bounding_box() == before


FULL = "document.fullscreenElement !== null && document.fullscreenElement === document.querySelector('.stage')"


@pytest.mark.parametrize("way_out", ["p", "Escape", "browser"])
def test_p_fills_the_real_screen_and_leaving_it_ends_stage_mode(stage: Page, way_out: str):
    press(stage, "p")
    stage.wait_for_function(FULL)
    assert state(stage, "stage") is True
    if way_out == "browser":  # its own Esc, which no page hears
        stage.evaluate("document.exitFullscreen()")
    else:
        press(stage, way_out)
    stage.wait_for_function("document.fullscreenElement === null && !window.stage.state.stage")


def test_the_button_fills_the_real_screen_too(stage: Page):
    stage.get_by_role("button", name="Stage mode (P)").click()
    stage.wait_for_function(FULL)
    stage.evaluate("window.stage.stop()")
    stage.wait_for_function("document.fullscreenElement === null")


def test_where_no_full_screen_is_allowed_the_stage_fills_the_window(stage: Page):
    refuse = "() => { document.querySelector('.stage').requestFullscreen = () => Promise.reject(new TypeError('no')); }"
    stage.evaluate(refuse)
    press(stage, "p")
    box = stage.locator(".stage").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1280, 720)
    assert stage.evaluate("document.fullscreenElement") is None
    press(stage, "Escape")
    assert state(stage, "stage") is False


def test_a_scene_says_where_it_opens_and_the_address_has_the_last_word(stage: Page):
    *_, header, arrays = scene_of({"num_layers": 2})
    wait_until(stage, "() => location.search.includes('unit=')")  # of the stage before
    stage.evaluate("history.replaceState(null, '', 'stage')")
    mount(stage, header | {"opening": {"unit": 4, "step": 2, "layer": 1}}, arrays)
    assert [state(stage, name) for name in ("unit", "step", "layer")] == [4, 2, 1]
    wait_until(stage, "() => location.search.includes('unit=4')")  # a little later it says so itself
    stage.evaluate("history.replaceState(null, '', 'stage?unit=1&t=3')")
    mount(stage, header | {"opening": {"unit": 4, "step": 2, "layer": 1}}, arrays)
    assert [state(stage, name) for name in ("unit", "step", "layer")] == [1, 3, 1]


def test_a_click_on_a_heatmap_goes_to_that_unit_and_step(stage: Page):
    box = stage.locator(".stage-maps").first.bounding_box()
    stage.mouse.click(box["x"] + 6 + 2, box["y"] + box["height"] - 6)
    draw(stage)
    assert state(stage, "step") == 0
    assert state(stage, "unit") == 15
