"""Three depths of one drawing: the network, a layer unrolled in time, and the cell."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.on_stage import MODELS, draw, mount, press, set_state, state
from tests.browser.tab import wait_until
from tests.factories import labelled, scene_of

SETTLED = "() => window.stage.state.settled === window.stage.state.level"
# The stage writes no more into the address, and nobody has chosen a depth.
FORGET = "() => { window.stage.stop(); sessionStorage.clear(); }"
CAMERA = "() => document.querySelector('.levels').getAttribute('viewBox')"
# Texts that can be seen and are smaller than so many pixels, or that reach beyond the drawing.
SMALL = """(least) => {
  const inside = document.querySelector('.stage-cell').getBoundingClientRect(), seen = [];
  for (const one of document.querySelectorAll('.levels text')) {
    const box = one.getBoundingClientRect(), size = parseFloat(one.getAttribute('font-size')) * one.getScreenCTM().a;
    const hidden = getComputedStyle(one).opacity === '0' || getComputedStyle(one).visibility === 'hidden';
    if (hidden || !one.textContent.trim()) continue;
    if (box.right < inside.left || box.left > inside.right) continue;
    if (box.bottom < inside.top || box.top > inside.bottom) continue;
    const out = box.left < inside.left - 1 || box.right > inside.right + 1;
    if (size < least || out || box.bottom > inside.bottom + 2) seen.push([one.textContent, size, out]);
  }
  return seen;
}"""


def zoom(page: Page, *keys: str) -> None:
    """Press keys, each once the camera has come to rest."""
    for key in keys:
        press(page, key)
        wait_until(page, SETTLED)
        draw(page)


def test_plus_and_minus_go_up_and_down_and_the_cell_is_as_it_was(stage: Page):
    cell = stage.locator(".cell").bounding_box()
    zoom(stage, "-")
    assert state(stage, "level") == 1
    small = stage.locator(".cell").bounding_box()
    (middle,) = (box.bounding_box() for box in stage.locator(".levels-now .levels-box").all())
    assert small["width"] < 0.2 * cell["width"]
    assert middle["x"] < small["x"] and small["x"] + small["width"] < middle["x"] + middle["width"]
    zoom(stage, "-", "-")
    assert state(stage, "level") == 0
    expect(stage.locator(".cell")).to_be_hidden()
    expect(stage.get_by_text("hidden_size 16")).to_be_visible()
    zoom(stage, "+", "=", "+")
    assert state(stage, "level") == 2
    assert stage.locator(".cell").bounding_box() == cell
    expect(stage.locator(".levels")).to_be_hidden()


def test_a_click_goes_into_a_layer_to_a_step_and_into_the_cell(stage: Page):
    *_, header, arrays = scene_of({"num_layers": 2, "bidirectional": True})
    mount(stage, header, arrays)
    zoom(stage, "-", "-")
    stage.locator(".levels-layer", has_text=re.compile("1, backward")).click()
    wait_until(stage, SETTLED)
    assert [state(stage, name) for name in ("level", "layer", "direction")] == [1, 1, 1]
    step = state(stage, "step")
    chosen = stage.locator(".levels-unrolled").nth(3)
    chosen.locator(".levels-cell").nth(3).click(position={"x": 8, "y": 8})
    draw(stage)
    assert state(stage, "step") == step + 1 and state(stage, "level") == 1
    chosen.locator(".levels-now").click(position={"x": 8, "y": 8})
    wait_until(stage, SETTLED)
    assert state(stage, "level") == 2
    stage.get_by_role("button", name="To the unrolled layer (−)").click()
    wait_until(stage, SETTLED)
    assert state(stage, "level") == 1


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", ["plain", pytest.param("deep", marks=pytest.mark.slow), "projected"])
def test_unrolled_it_hands_on_the_numbers_of_the_trace(stage: Page, name: str):
    _, _, trace, _, header, arrays = scene_of(MODELS[name])
    mount(stage, header, arrays)
    zoom(stage, "-")
    for direction in range(header["directions"]):
        set_state(stage, step=2, unit=1, direction=direction)
        drawn = stage.locator(".levels-unrolled").nth(direction)
        texts = [text.replace("−", "-") for text in drawn.locator(":scope > text").all_text_contents()]
        numbers = [float(text) for text in texts if re.fullmatch(r"-?\d\.\d\d", text)]
        for values in (trace.c, trace.h):
            unit = values[0, direction, 0, :, 1].numpy()
            handed = unit[1:5] if direction else unit[0:4]
            assert {round(float(value), 2) for value in handed} <= set(np.round(numbers, 2)), numbers
        expect(drawn).to_contain_text("the same weights at every step · unit 1")


@pytest.mark.parametrize("make", [lambda: scene_of({}), lambda: scene_of({}, labelled())])
def test_the_network_shows_the_prediction_of_the_step(stage: Page, make: Callable):
    *_, header, arrays = make()
    mount(stage, header, arrays)
    zoom(stage, "-", "-")
    for key in ("Home", "End"):
        press(stage, key)
        step = state(stage, "step")
        text = stage.locator(".levels-network").text_content().replace("−", "-")
        prediction = stage.evaluate(
            "() => ({ values: [...stage.state.sides[0].prediction.values], shares: "
            "[...(stage.state.sides[0].prediction.shares ?? [])] })"
        )
        if header["classes"]:
            count = len(header["classes"])
            assert f"{round(100 * max(prediction['shares'][step * count : (step + 1) * count]))}\u202f%" in text
        else:
            assert f"{prediction['values'][step]:.4g}" in text
        assert ("o far" in text) == (key == "Home")


def test_who_wants_no_motion_is_there_at_once(stage: Page):
    stage.emulate_media(reduced_motion="reduce")
    press(stage, "-", "-")
    assert state(stage, "settled") == 0
    whole = stage.evaluate(CAMERA)
    press(stage, "+")
    stage.emulate_media(reduced_motion="no-preference")
    press(stage, "-")
    seen = {stage.evaluate(CAMERA) for _ in range(12) if stage.wait_for_timeout(40) is None}
    assert len(seen) > 2 and whole in seen | {stage.evaluate(CAMERA) if wait_until(stage, SETTLED) is None else ""}


def test_the_address_keeps_the_depth(stage: Page):
    zoom(stage, "-")
    stage.wait_for_url(re.compile("depth=unrolled"))
    *_, header, arrays = scene_of({})
    mount(stage, header, arrays)
    assert state(stage, "level") == 1
    expect(stage.locator(".levels")).to_be_visible()
    zoom(stage, "+")
    stage.wait_for_url(lambda url: "depth" not in url)


@pytest.mark.parametrize(
    ("query", "opening", "level"),
    [("", {}, 0), ("?t=3&unit=1", {}, 2), ("", {"unit": 2}, 2), ("?depth=unrolled", {}, 1)],
)
def test_a_newcomer_starts_at_the_network_unless_something_is_pointed_at(stage: Page, query, opening, level):
    stage.evaluate(FORGET)
    stage.evaluate("(query) => history.replaceState(null, '', 'stage' + query)", query)
    *_, header, arrays = scene_of({})
    mount(stage, header | {"opening": opening}, arrays)
    assert state(stage, "level") == level
    zoom(stage, "+")
    stage.evaluate("() => { window.stage.stop(); history.replaceState(null, '', 'stage'); }")
    mount(stage, header, arrays)
    assert state(stage, "level") == 2  # no newcomer any more


def test_the_tour_begins_at_the_network_and_goes_into_the_cell(stage: Page):
    stage.get_by_role("button", name="Guided tour").click()
    wait_until(stage, "() => stage.state.level === 0")
    for _ in range(3):
        stage.get_by_role("button", name="Skip").click()
    wait_until(stage, "() => stage.state.settled === 2")
    draw(stage)
    ring, part = (stage.locator(one).bounding_box() for one in (".stage-tour-ring", "[data-part=f]"))
    assert ring["x"] == pytest.approx(part["x"] - 6, abs=2) and ring["y"] == pytest.approx(part["y"] - 6, abs=2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("size", [(900, 700), (1280, 720), (1920, 1080), (853, 480)])
def test_nothing_is_small_or_cut_at_any_depth(new_stage: Callable[..., Page], size: tuple[int, int]):
    page = new_stage(size=size)
    all_models = [*MODELS.values(), {"num_layers": 3}]
    for model in all_models if size in ((1280, 720), (853, 480)) else all_models[1::3]:
        *_, header, arrays = scene_of(model)
        mount(page, header, arrays)
        for stage_mode in (False, True):
            set_state(page, stage=stage_mode, level=0)
            wait_until(page, SETTLED)
            draw(page)
            assert page.evaluate(SMALL, 12.4) == []
            set_state(page, level=1)
            wait_until(page, SETTLED)
            draw(page)
            assert page.evaluate(SMALL, 12.4) == []


@pytest.mark.slow
def test_in_the_app_a_newcomer_sees_the_network_first(browser: Browser, address: str):
    context = browser.new_context(viewport={"width": 1280, "height": 720})  # the tabs of others are no newcomers'
    page = context.new_page()
    page.goto(f"{address}/stage")
    expect(page.locator(".levels-network")).to_be_visible(timeout=60_000)
    expect(page.locator(".cell")).to_be_hidden()
    page.keyboard.press("+")
    page.wait_for_url(re.compile("depth=unrolled"))
    context.close()
