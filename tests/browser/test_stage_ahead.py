"""Going on past the window under real hands: mouse, touch and keys, the choices, the address, and what is drawn."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from lstm_core.data.windows import Windows, make_windows
from tests.browser.on_stage import draw, exported, mount, packed, press, set_state, state
from tests.browser.tab import wait_until
from tests.factories import scene_of, spec_of, table_of

DONE = "(rows) => stage.state.continued[0]?.values?.length === rows && stage.state.continued[0].oneStep.length === rows"


def windows_of(**fields: Any) -> Windows:
    rows, noise = np.arange(300), np.random.default_rng(0).normal(size=300)
    y, a = np.sin(rows / 4) + 0.05 * noise, 5 + np.cos(rows / 6)
    return make_windows(table_of(y=y, a=a), spec_of(**{"features": ("y", "a"), "seq_len": 10} | fields))


def show(page: Page, model: dict | None = None, **fields: Any) -> dict:
    """The header of the scene that is shown."""
    *_, header, arrays = scene_of(model or {}, windows_of(**fields))
    mount(page, header, arrays)
    return header


def grip(page: Page) -> Locator:
    return page.get_by_role("slider", name="Rows ahead")


def rows(page: Page) -> int | None:
    return page.evaluate("window.stage.state.ahead?.rows ?? null")


def future(page: Page) -> dict:
    """What the strip shows of the future, once it is worked out."""
    wait_until(page, DONE, rows(page))
    draw(page)
    return page.evaluate("stage.strip.readout().future")


def drag(page: Page, by: float) -> None:
    box = grip(page).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for part in (0.3, 0.7, 1.0):
        page.mouse.move(x + part * by, y)
    page.mouse.up()
    draw(page)


def test_the_key_lets_it_go_on_and_stops_it(stage: Page):
    show(stage)
    press(stage, "a")
    assert rows(stage) == 50
    seen = future(stage)
    assert len(seen["lines"]) == 1 and len(seen["truth"]) == 50
    assert [name for name, *_ in seen["legend"]] == ["free-running, other inputs held", "one step ahead"]
    assert seen["legend"][0][2] != seen["legend"][1][2]  # their dashes
    press(stage, "a")
    assert rows(stage) is None and stage.evaluate("stage.strip.readout().future") is None
    press(stage, "a", "Shift+A")
    assert rows(stage) is None
    press(stage, "Shift+A")
    assert rows(stage) is None


def test_the_grip_is_dragged_to_the_right_for_more_and_back_for_none(stage: Page):
    show(stage)
    drag(stage, 150)
    assert rows(stage) == 50
    drag(stage, 60)
    assert 90 <= rows(stage) <= 105
    assert grip(stage).get_attribute("aria-valuenow") == str(rows(stage))
    drag(stage, -290)
    assert rows(stage) is None
    grip(stage).focus()
    press(stage, "ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft")
    assert rows(stage) == 11
    assert state(stage, "step") == 5  # the arrows were the grip's


def test_a_finger_pulls_the_future_out(stage: Page):
    show(stage)
    box, touch = grip(stage).bounding_box(), stage.context.new_cdp_session(stage)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, by in (("touchStart", 0), ("touchMove", 40), ("touchMove", 90), ("touchEnd", None)):
        points = [] if by is None else [{"x": x + by, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    draw(stage)
    assert rows(stage) == 18  # 200 · (90 / 300)²
    touch.detach()


def test_where_it_drifts_is_told_with_the_step_and_the_difference(stage: Page):
    *_, header, arrays = scene_of({}, windows_of(features=("y",)), steps=60, epochs=60, lr=0.02)
    mount(stage, header, arrays)
    press(stage, "a")
    seen, ahead = future(stage), header["future"]
    (line,), truth = seen["lines"], np.array(seen["truth"])
    off, one_step = (np.abs(np.array(line[name]) - truth) for name in ("values", "oneStep"))
    inside = stage.evaluate("[...stage.state.scene.series[0].values]")
    limit = 0.1 * np.ptp([*inside, *truth])
    (parted,) = np.nonzero(off - one_step > limit)
    assert len(parted) and ahead["rows"] >= 50
    assert seen["drift"] == {"row": int(parted[0]), "error": pytest.approx(off[parted[0]]), "parts": True}
    assert f"+{parted[0] + 1}: off by" in grip(stage).get_attribute("aria-valuetext")


@pytest.mark.slow
def test_the_other_inputs_are_held_or_true_as_is_chosen(stage: Page):
    show(stage)
    press(stage, "a")
    held = future(stage)["lines"][0]["values"]
    stage.locator(".stage-ahead-button").click()
    stage.get_by_role("radio", name="true ones").click()
    draw(stage)
    stage.wait_for_timeout(50)
    seen = future(stage)
    assert np.abs(np.subtract(seen["lines"][0]["values"], held)).max() > 1e-3
    assert seen["legend"][0][0] == "free-running, other inputs true"
    press(stage, "Escape")
    expect(stage.locator(".stage-menu-ahead")).to_be_hidden()


@pytest.mark.slow
def test_of_several_rows_all_are_read_or_the_first(stage: Page):
    show(stage, horizon=4, features=("y",))
    press(stage, "a")
    everything = future(stage)["lines"][0]["values"]
    stage.locator(".stage-ahead-button").click()
    stage.get_by_role("radio", name="the first").click()
    draw(stage)
    first = future(stage)["lines"][0]["values"]
    assert first[0] == everything[0] and np.abs(np.subtract(first, everything)).max() > 1e-3


def test_it_follows_a_changed_input_and_another_snapshot(stage: Page):
    show(stage)
    press(stage, "a")
    before = future(stage)["lines"][0]["values"]
    stage.evaluate("""() => {
      const { scene } = stage.state;
      stage.state.set({ scene: { ...scene, inputs: scene.inputs.map((value) => value + 0.5), original: scene } });
    }""")
    draw(stage)
    stage.wait_for_timeout(100)
    moved = future(stage)["lines"][0]["values"]
    assert np.abs(np.subtract(moved, before)).min() > 0
    press(stage, "[")
    stage.wait_for_timeout(100)
    assert np.abs(np.subtract(future(stage)["lines"][0]["values"], moved)).max() > 0


@pytest.mark.slow
def test_two_sides_go_on_each_with_its_own_weights(stage: Page):
    show(stage)
    press(stage, "a")
    set_state(stage, compare={"kind": "start"})
    wait_until(stage, "stage.state.continued.length === 2")
    first, second = future(stage)["lines"]
    assert first["color"] != second["color"]
    assert np.abs(np.subtract(first["values"], second["values"])).max() > 0


@pytest.mark.parametrize(
    ("model", "fields", "why"),
    [
        ({"bidirectional": True}, {}, "bidirectional"),
        pytest.param({}, {"features": ("a",)}, "does not read its own target", marks=pytest.mark.slow),
    ],
)
def test_where_it_cannot_the_button_is_off_and_says_why(stage: Page, model: dict, fields: dict, why: str):
    show(stage, model, **fields)
    button = stage.locator(".stage-ahead-button")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(grip(stage)).to_be_hidden()
    press(stage, "a")
    assert rows(stage) is None
    expect(stage.locator(".stage-menu-ahead")).to_contain_text(why)
    press(stage, "Escape")
    expect(stage.locator(".stage-menu-ahead")).to_be_hidden()
    button.click(force=True)
    expect(stage.locator(".stage-menu-ahead")).to_be_visible()


def test_the_address_keeps_how_far_and_how(stage: Page):
    *_, header, arrays = scene_of({}, windows_of(horizon=3))
    mount(stage, header, arrays)
    set_state(stage, ahead={"rows": 33, "all": False, "others": "table", "temperature": 0, "seed": 1, "futures": 1})
    wait_until(stage, "location.search.includes('ahead=')")
    assert parse_qs(urlsplit(stage.url).query)["ahead"] == ["33-first-table"]
    mount(stage, header, arrays)
    assert stage.evaluate("stage.state.ahead").items() >= {"rows": 33, "all": False, "others": "table"}.items()
    for nonsense in ("0-all-held-x", "9999-all-held", "33-some-held", "<b>"):
        stage.evaluate("(text) => history.replaceState(null, '', `?ahead=${encodeURIComponent(text)}`)", nonsense)
        mount(stage, header, arrays)
        assert rows(stage) is None


@pytest.mark.slow
def test_a_new_scene_of_a_training_goes_on_as_far(stage: Page):
    *_, header, arrays = scene_of({}, windows_of())
    mount(stage, header, arrays)
    press(stage, "a")
    before = future(stage)["lines"][0]["values"]
    *_, later, arrays = scene_of({}, windows_of(), steps=20)
    show_bytes = "(text) => stage.show(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)))"
    stage.evaluate(show_bytes, packed({**later, "id": "later"}, arrays))
    stage.wait_for_timeout(200)
    assert np.abs(np.subtract(future(stage)["lines"][0]["values"], before)).max() > 0
    *_, other, arrays = scene_of({"bidirectional": True}, windows_of())
    stage.evaluate(show_bytes, packed({**other, "id": "other"}, arrays))
    draw(stage)
    assert rows(stage) is None


@pytest.mark.slow
def test_the_exported_page_goes_on_too(stage: Page, from_disk):
    show(stage)
    press(stage, "a")
    expected = future(stage)["lines"][0]["values"]
    page = from_disk(exported(stage))
    expect(page.locator(".stage-ahead-button")).to_have_text("+50 ▾")
    page.keyboard.press("a")
    expect(page.locator(".stage-ahead-button")).to_have_text("Go on ›")
    assert len(expected) == 50


@pytest.mark.slow
def test_a_long_computation_leaves_the_page_alive(stage: Page):
    """200 rows with 64 units: frames are drawn meanwhile, and the first rows are there before the last."""
    *_, header, arrays = scene_of({"hidden_size": 64}, windows_of(seq_len=60))
    mount(stage, header, arrays)
    seen = stage.evaluate("""() => new Promise((done) => {
      const seen = [];
      stage.state.set({ ahead: { rows: 200, all: true, others: "held", temperature: 0, seed: 1, futures: 1 } });
      const look = () => {
        const [one] = stage.state.continued;
        seen.push(one?.values.length ?? 0);
        if (one?.values.length === 200) done(seen); else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    })""")
    assert len(seen) > 5 and len(set(seen)) > 3 and seen == sorted(seen)
