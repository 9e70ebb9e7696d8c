"""Hands on the Stage's input: a line is grabbed, drawn, stamped and put back, and all that is shown follows exactly."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from lstm_core.trace.gate_trace import trace_lstm
from tests.browser.hands import drag, point, shown, two_features
from tests.browser.on_stage import MODELS, draw, exported, mount, packed, press, set_state, state
from tests.browser.tab import wait_until
from tests.factories import scene_of, wave


def check(page: Page, model, windows, start: int) -> None:
    """All that is shown is PyTorch's answer to the input that is shown."""
    seen = shown(page)
    x = torch.tensor(seen["inputs"], dtype=torch.float32).reshape(1, windows.spec.seq_len, -1)
    trace = trace_lstm(model.lstm, model.to_module_layout(x))
    maps, predictions = seen["sides"][0]
    for layer, directions in enumerate(maps):
        for direction, each in enumerate(directions):
            for name, values in each.items():
                expected = trace.gate(name)[layer, direction, 0].numpy().T
                found = np.reshape(values, (-1, windows.spec.seq_len))
                np.testing.assert_allclose(found, expected, atol=1e-6, err_msg=name)
    with torch.no_grad():
        output = model(x).numpy()
    last = output[:, -1] if model.spec.head == "per_step" else output
    want = windows.inverse_transform(last, np.array([start + windows.spec.seq_len - 1]))[0, 0, 0]
    assert predictions[-1] == pytest.approx(want, rel=1e-4)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_whatever_is_dragged_the_trace_is_pytorchs_of_that_input_held_and_let_go(stage: Page):
    for model in MODELS.values():
        run, snapshot, *_, header, arrays = scene_of(model, two_features())
        stage.evaluate("history.replaceState(null, '', 'stage')")
        mount(stage, header, arrays)
        before, start = shown(stage), int(run.windows.starts["valid"][0])
        drag(stage, 5, 12, let_go=False)
        check(stage, snapshot.model, run.windows, start)
        held = shown(stage)
        assert held["span"] == before["span"]  # the axis stays under the hand
        (changed,) = np.flatnonzero(np.subtract(held["series"][0], before["series"][0]))
        assert changed == 5 and held["series"][0][5] > before["series"][0][5]
        stage.mouse.up()
        draw(stage)
        check(stage, snapshot.model, run.windows, start)
        assert shown(stage)["sides"] == held["sides"]
        press(stage, "Backspace")
        assert shown(stage)["sides"] == before["sides"] and state(stage, "edits") is None


@pytest.mark.slow
def test_the_model_reads_the_value_that_is_told(stage: Page):
    run, *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    for place, feature in ((0, 1), (1, 0)):  # the target is drawn first
        drag(stage, 4, -9, place)
        seen, windows = shown(stage), run.windows
        value = seen["series"][place][4]
        assert f"{header['series'][place]} " in stage.evaluate("stage.strip.readout().text")
        want = (value - windows.x_center[feature]) / windows.x_scale[feature]
        assert seen["inputs"][4 * 2 + feature] == pytest.approx(want, abs=1e-5)


def test_a_click_and_a_drag_beside_the_lines_scrub_as_ever(stage: Page):
    *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    x, y, _ = point(stage, 3)
    stage.mouse.click(x, y)
    draw(stage)
    assert state(stage, "step") == 3 and state(stage, "edits") is None
    box = stage.locator(".stage-series").bounding_box()
    stage.mouse.move(x, box["y"] + box["height"] - 3)
    stage.mouse.down()
    stage.mouse.move(point(stage, 8)[0], box["y"] + box["height"] - 30, steps=4)
    stage.mouse.up()
    draw(stage)
    assert state(stage, "step") == 8 and state(stage, "edits") is None
    x, y, _ = point(stage, 8)  # along the line itself, not up or down
    stage.mouse.move(x, y)
    stage.mouse.down()
    stage.mouse.move(point(stage, 5)[0], y, steps=4)
    stage.mouse.up()
    draw(stage)
    assert state(stage, "step") == 5 and state(stage, "edits") is None


@pytest.mark.slow
def test_the_tools_move_a_stretch_the_whole_line_or_its_height(stage: Page):
    *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    before = np.array(shown(stage)["series"][0])

    def moved(tool: str, keys: tuple[str, ...] = (), across: float = 0) -> np.ndarray:
        set_state(stage, tool=tool, edits=None)
        for key in keys:
            stage.keyboard.down(key)
        drag(stage, 5, -8, across=across)
        for key in keys:
            stage.keyboard.up(key)
        return np.array(shown(stage)["series"][0]) - before

    narrow, wide = moved("brush"), moved("brush", across=200)
    assert narrow.argmin() == 5 and narrow[5] < narrow[6] < 0 and abs(narrow[11]) < 1e-6
    assert (np.abs(wide) > 0.01).sum() > (np.abs(narrow) > 0.01).sum()
    for shift in (moved("shift"), moved("point", ("Shift",))):
        assert shift.max() < 0 and np.ptp(shift) < 0.02
    scaled = moved("scale")
    factor = (before + scaled - before.mean()) / (before - before.mean())
    assert np.allclose(factor, factor[0], atol=0.05) and abs(factor[0] - 1) > 0.05


def test_the_address_and_the_exported_page_hold_the_change(stage: Page):
    *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    drag(stage, 4, 9, 1)
    drag(stage, 5, 9)
    seen = shown(stage)
    wait_until(stage, "/touch=.*_/.test(location.search)")
    assert len(parse_qs(urlsplit(stage.url).query)["touch"][0]) < 40  # two points
    mount(stage, header, arrays)
    assert shown(stage) == seen
    kept = json.loads(exported(stage).decode().split('class="scene">')[1].split("</script>")[0])["kept"]
    assert kept["edits"]["series"]["0"][5] == pytest.approx(seen["series"][0][5])
    press(stage, "Backspace")
    wait_until(stage, "!location.search.includes('touch=')")


def test_an_address_that_holds_no_change_of_this_window_changes_nothing(stage: Page):
    *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    read = "async (text) => (await import('/modules/stage/touch/edits.js')).fromText(text, stage.state.scene)"
    wrong = ("-3*zz.1", "-3*1.!", "-3*1", "-3*0.zzzzzzzzzzzz", "-3", "0*1.1", "99*1.1", "-3*b.1.1")
    for text in ("", "x", "9.-3*1.1", "s*1.2", *(f"0.{rest}" for rest in wrong)):
        assert stage.evaluate(read, text) is None, text
    assert stage.evaluate(read, "0.-3*1.3uw")["series"]["0"][1] == 5


@pytest.mark.slow
def test_a_comparison_reads_the_same_changed_input(stage: Page):
    run, snapshot, *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    set_state(stage, compare={"kind": "start"})
    drag(stage, 5, 12)
    seen = shown(stage)
    for side, model in enumerate((run.snapshot_at(header["snapshots"][0]).model, snapshot.model)):
        x = torch.tensor(seen["inputs"]).reshape(1, 12, 2)
        want = trace_lstm(model.lstm, model.to_module_layout(x)).c[0, 0, 0].numpy().T
        np.testing.assert_allclose(np.reshape(seen["sides"][side][0][0][0]["c"], (-1, 12)), want, atol=1e-6)


@pytest.mark.slow
def test_the_change_stays_while_the_model_goes_on_learning(stage: Page):
    *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    drag(stage, 5, 12)
    edits = state(stage, "edits")
    for more, want in (({}, edits), ({"features": ["a", "b"]}, None)):
        message = packed(header | {"id": f"other {more}"} | more, arrays)
        stage.evaluate("(text) => stage.show(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)))", message)
        draw(stage)
        assert state(stage, "edits") == want


def test_a_finger_grabs_too(stage: Page):
    *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    x, y, _ = point(stage, 5)
    client = stage.context.new_cdp_session(stage)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": at, "y": high} for at, high in points]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (x + 3, y + 6))
    for up in (0, 5, 12):
        touch("touchMove", (x + 3, y + 6 - up))
    draw(stage)
    touch("touchEnd")
    draw(stage)
    assert np.flatnonzero(np.subtract(shown(stage)["series"][0], np.ravel(arrays[1])[:12])).tolist() == [5]


def test_the_maps_show_what_the_hand_changes_and_a_hand_shows_once_how(stage: Page):
    pixels = "() => document.querySelector('.stage-maps canvas').toDataURL()"
    expect(stage.locator(".touch-hint span")).to_be_visible()
    before = stage.evaluate(pixels)
    drag(stage, 8, 9, let_go=False)
    held = stage.evaluate(pixels)
    expect(stage.locator(".touch-hint span")).to_be_hidden()
    stage.get_by_role("button", name="now − before").dispatch_event("click")
    draw(stage)
    assert len({before, held, stage.evaluate(pixels)}) == 3
    stage.mouse.up()
    press(stage, "Backspace")
    assert stage.evaluate(pixels) == before
    stage.reload()
    expect(stage.locator(".stage-bar")).to_be_visible()
    draw(stage)
    expect(stage.locator(".touch-hint span")).to_be_hidden()


@pytest.mark.slow
def test_a_pencil_draws_a_whole_input_and_stamps_are_put_into_it(stage: Page):
    run, snapshot, *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    press(stage, "d")
    assert state(stage, "tool") == "draw"
    (left, *_), (right, *_) = point(stage, 0), point(stage, 11)
    box = stage.evaluate("() => stage.strip.view.main[0].box")
    top = stage.locator(".stage-series").bounding_box()["y"] + box["y"]
    stage.mouse.move(left, top + 0.8 * box["h"])
    stage.mouse.down()
    stage.mouse.move(right, top + 0.3 * box["h"], steps=3)  # quicker than the steps: what is between is drawn too
    stage.mouse.up()
    draw(stage)
    drawn = np.array(shown(stage)["series"][0])
    assert np.all(np.diff(drawn) > 0) and np.ptp(np.diff(drawn)[1:-1]) < 0.02 * np.ptp(drawn)
    check(stage, snapshot.model, run.windows, int(run.windows.starts["valid"][0]))
    press(stage, "Backspace")
    set_state(stage, step=6)
    before, center = np.array(shown(stage)["series"][0]), header["inputCenter"][1]

    def stamped(name: str) -> np.ndarray:
        set_state(stage, edits=None)
        stage.get_by_role("button", name=name).click()
        draw(stage)
        check(stage, snapshot.model, run.windows, int(run.windows.starts["valid"][0]))
        return np.array(shown(stage)["series"][0])

    deviation = before.std()
    assert stamped("Spike:") - before == pytest.approx(np.where(np.arange(12) == 6, 3 * deviation, 0), abs=0.01)
    assert stamped("Step:") - before == pytest.approx(np.where(np.arange(12) >= 6, 1.5 * deviation, 0), abs=0.01)
    assert stamped("Silence:") == pytest.approx(np.where(np.arange(12) >= 6, center, before), abs=0.01)
    assert stamped("Repeat:") == pytest.approx(np.tile(before[:6], 2), abs=0.01)
    noise, other = stamped("Noise:"), stamped("Noise:")
    assert np.array_equal(noise[:6], before[:6]) and 0.1 < (noise - before)[6:].std() / deviation < 1.5
    assert not np.array_equal(noise, other)
    press(stage, "Escape")
    assert state(stage, "tool") == "point"


@pytest.mark.slow
def test_the_single_feature_in_the_band_can_be_grabbed(stage: Page):
    run, snapshot, *_, header, arrays = scene_of({}, wave())
    mount(stage, header, arrays)
    drag(stage, 2, -5)
    assert state(stage, "edits") is not None
    check(stage, snapshot.model, run.windows, int(run.windows.starts["valid"][0]))


@pytest.mark.slow
def test_the_tools_stand_clear_of_the_words_at_every_size(stage: Page):
    script = """() => {
      const box = (node) => node.getBoundingClientRect(), tools = box(document.querySelector('.touch-tools'));
      const all = box(stage.strip.view.holder);
      return [tools.left - all.left, tools.right - all.right, tools.height, stage.strip.view.page.count];
    }"""
    *_, header, arrays = scene_of({}, two_features())
    for width, height in ((900, 700), (1280, 720), (1920, 1080)):
        stage.set_viewport_size({"width": width, "height": height})
        mount(stage, header, arrays)
        for tool in ("point", "draw"):
            set_state(stage, tool=tool)
            left, right, high, _ = stage.evaluate(script)
            assert left > 0 and right <= 0 and high >= 24


@pytest.mark.slow
def test_a_page_that_was_taken_along_can_be_grabbed_too(stage: Page, from_disk):
    *_, header, arrays = scene_of({}, two_features())
    mount(stage, header, arrays)
    drag(stage, 5, 9)
    page = from_disk(exported(stage))
    assert shown(page)["series"] == shown(stage)["series"]
    drag(page, 8, -9)
    changed = np.flatnonzero(np.subtract(shown(page)["series"][0], np.ravel(arrays[1])[:12]))
    assert changed.tolist() == [5, 8]
