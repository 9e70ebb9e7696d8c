"""A hand on a column that the model does not read as it is: a forecast's own target, and a feature known ahead."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from lstm_core.data.windows import Windows, make_windows
from lstm_core.forecasting.predict import predict
from lstm_core.trace.gate_trace import trace_lstm
from tests.browser.hands import drag, point, shown
from tests.browser.on_stage import draw, exported, mount, press, set_state, state
from tests.browser.tab import wait_until
from tests.factories import run_scene, scene_of, spec_of, timed

STEPS = 10


def sales(**fields) -> Windows:
    rows = np.arange(200)
    days = np.arange("2024-01-01", "2024-07-19", dtype="M8[D]")
    y = (200 + rows) * (1 + 0.2 * np.sin(rows * np.pi / 6)) + np.random.default_rng(0).normal(size=200)
    table = timed(days, sales=np.round(y, 1), price=10 + np.round(3 * np.sin(rows / 5), 1))
    start = {"start": "smooth", "season": 12, "log": True, "horizon": 3}
    own = {"features": ("sales", "price"), "targets": ("sales",), "seq_len": STEPS, "time": "time"}
    return make_windows(table, spec_of(**(own | start | {"known_future": ("price",)} | fields)))


def from_the_changed_table(windows: Windows, first: int, seen: dict, names: list[str]) -> Windows:
    """As Python cuts them from a table that has in these rows what the strip shows."""
    table, own = copy.deepcopy(windows.table), windows.table.column_names("number")
    for name, values in zip(names, seen["series"], strict=True):
        column = table.numbers[first : first + STEPS, own.index(name)]
        changed = np.float32(column) != np.float32(values)
        column[changed] = np.round(np.array(values)[changed], 4)  # a hand's values have few digits
    return make_windows(table, windows.spec).with_scaler(windows.scaler)


def check(page: Page, model, windows: Windows, first: int, names: list[str]) -> None:
    """All that is shown is PyTorch's answer to the inputs that Python makes of the changed table."""
    seen = shown(page)
    changed = from_the_changed_table(windows, first, seen, names)
    x = changed.inputs(np.array([first]))
    np.testing.assert_allclose(np.reshape(seen["inputs"], x.shape), x, atol=1e-6)
    trace = trace_lstm(model.lstm, model.to_module_layout(torch.from_numpy(x)))
    maps, predictions = seen["sides"][0]
    for name, values in maps[0][0].items():
        expected = trace.gate(name)[0, 0, 0].numpy().T
        np.testing.assert_allclose(np.reshape(values, (-1, STEPS)), expected, atol=1e-6, err_msg=name)
    want = predict(model, changed, np.array([first]))[0, 0, 0]
    assert predictions[-1] == pytest.approx(want, rel=1e-5)


def opened(page: Page, **fields):
    run = scene_of({}, sales(**fields), steps=20)[0]
    snapshot, *_, header, arrays = run_scene(run, "test")
    page.evaluate("history.replaceState(null, '', 'stage')")
    mount(page, header, arrays)
    return snapshot.model, run.windows, int(run.windows.starts["test"][0]), header, arrays


def test_a_forecasts_own_target_is_dragged_as_the_table_has_it(stage: Page):
    model, windows, first, header, arrays = opened(stage)
    names = header["series"]
    assert names == ["sales", "price"]
    before = shown(stage)
    for held in (True, False):
        drag(stage, 5, 12, let_go=not held)
        seen = shown(stage)
        (changed,) = np.flatnonzero(np.subtract(seen["series"][0], before["series"][0]))
        assert changed == 5 and seen["series"][0][5] > before["series"][0][5] > 100  # in the table's unit
        check(stage, model, windows, first, names)
        stage.mouse.up()
    drag(stage, 7, -7, place=1)  # and what is known ahead
    check(stage, model, windows, first, names)
    seen = shown(stage)
    assert np.flatnonzero(np.subtract(seen["series"][1], before["series"][1])).tolist() == [7]
    wait_until(stage, "/touch=.*_/.test(location.search)")
    mount(stage, header, arrays)
    again = shown(stage)
    assert again.pop("span") == pytest.approx(seen.pop("span"), rel=0.05)  # the axis a hand leaves may be a wider one
    assert again == seen
    press(stage, "Backspace")
    assert shown(stage)["sides"] == before["sides"] and shown(stage)["inputs"] == before["inputs"]


@pytest.mark.slow
@pytest.mark.parametrize("start", ["last", "season", "season_change", "mean"])
def test_every_tool_acts_on_the_tables_value(stage: Page, start: str):
    model, windows, first, header, _ = opened(stage, start=start, log=False)
    for tool in ("point", "brush", "shift", "scale"):
        set_state(stage, tool=tool, edits=None)
        drag(stage, 4, 10)
        check(stage, model, windows, first, header["series"])
    press(stage, "d")
    set_state(stage, step=6, edits=None)
    for name in ("Spike", "Step", "Noise", "Repeat", "Silence"):
        stage.get_by_role("button", name=f"{name}:").click()
        draw(stage)
        check(stage, model, windows, first, header["series"])
    errors = np.reshape(shown(stage)["inputs"], (STEPS, -1))[6:, 0]
    assert np.abs(errors).max() < 0.02  # silence: nothing that the start has not foreseen


@pytest.mark.slow
def test_a_value_that_has_no_logarithm_cannot_be_drawn(stage: Page):
    opened(stage)
    set_state(stage, tool="shift")
    view = (
        "(({ main: [one], holder }) => [one.box.y + one.box.h, holder.getBoundingClientRect().top])(stage.strip.view)"
    )
    stage.evaluate("stage.strip.view.span = [-400, 500]")
    x, y, _ = point(stage, 4)
    stage.mouse.move(x, y)
    stage.mouse.down()
    stage.mouse.move(x, y + 4)
    stage.mouse.move(x, sum(stage.evaluate(view)))
    draw(stage)
    stage.mouse.up()
    seen = shown(stage)
    assert min(seen["series"][0]) > 0 and np.isfinite(seen["inputs"]).all()
    read = "async (text) => (await import('/modules/stage/touch/edits.js')).fromText(text, stage.state.scene)"
    assert stage.evaluate(read, "0.-1*2.-5") is None and stage.evaluate(read, "0.-1*2.5") is not None


@pytest.mark.slow
def test_what_the_calendar_gives_is_not_for_grabbing_and_one_sentence_tells_why(stage: Page):
    *_, header, _ = opened(stage, calendar=("weekday",))
    assert header["series"][2:] == ["weekday sin", "weekday cos"]
    options = stage.locator("[aria-label='The feature to change'] option")
    assert options.evaluate_all("all => all.map((one) => one.disabled)") == [False, False, True, True]
    at = """() => {
      const { view } = stage.strip, line = view.others.find(({ place }) => place === 2), t = line.values.indexOf(
        Math.min(...line.values)), { left, top } = view.holder.getBoundingClientRect();
      return [left + view.x(t), top + line.toY(line.values[t])];
    }"""
    x, y = stage.evaluate(at)
    stage.mouse.move(x, y + 3)
    sentence = "weekday sin is made of the time stamp and cannot be grabbed."
    assert stage.locator(".stage-series").get_attribute("title") == sentence
    stage.mouse.down()
    stage.mouse.move(x, y - 12)
    expect(stage.locator(".touch-refusal")).to_have_text(sentence)
    stage.mouse.up()
    expect(stage.locator(".touch-refusal")).to_be_hidden()
    assert state(stage, "edits") is None


@pytest.mark.slow
@pytest.mark.parametrize("fields", [{}, {"start": "season_change", "log": False}, {"start": "last", "log": False}])
def test_it_goes_on_from_the_changed_table(stage: Page, fields: dict):
    model, windows, first, header, _ = opened(stage, **fields)
    drag(stage, 6, 10)
    drag(stage, STEPS - 1, -8)
    press(stage, "a")
    wait_until(stage, "stage.state.continued[0]?.values.length === 50")
    changed = from_the_changed_table(windows, first, shown(stage), header["series"])
    seen = stage.evaluate("stage.state.continued[0]")
    rows = np.array([row for row in range(first, first + len(seen["oneStep"])) if row + STEPS + 3 <= windows.rows])
    want = predict(model, changed, rows)[:, 0, 0]
    assert np.abs(np.array(seen["oneStep"])[: len(rows)] - want).max() < 1e-5 * windows.y.std()
    assert seen["values"][:3] == pytest.approx(predict(model, changed, rows[:1])[0, :, 0], abs=1e-5 * windows.y.std())


@pytest.mark.slow
def test_a_moment_of_a_talk_and_a_page_that_is_taken_along_hold_such_a_change(stage: Page, from_disk):
    opened(stage)
    drag(stage, 5, 9)
    drag(stage, 7, -7, place=1)
    seen = shown(stage)
    taken = """async () => {
      const { take, choicesOf, faultOf } = await import("/modules/stage/talk/moment.js"), { state } = stage;
      const moment = take(state, "key"), scene = state.scene.original;
      return [faultOf(moment, scene), JSON.stringify(choicesOf(moment, scene).edits) === JSON.stringify(state.edits)];
    }"""
    assert stage.evaluate(taken) == ["", True]
    page = from_disk(exported(stage))
    assert shown(page)["inputs"] == seen["inputs"]
    drag(page, 2, -9)
    assert shown(page)["series"][0][2] != seen["series"][0][2] and shown(page)["inputs"] != seen["inputs"]
