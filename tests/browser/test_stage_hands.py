"""Hands on the Stage's cell and symbols: a valve is held and let go, a symbol chosen, a text typed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from lstm_core.data.windows import make_windows
from lstm_core.trace.gate_trace import trace_lstm
from tests.browser.hands import hold, shown, two_features
from tests.browser.on_stage import draw, mount, press, set_state, state
from tests.browser.tab import wait_until
from tests.factories import scene_of, spec_of, table_of


@pytest.mark.parametrize(
    ("gate", "unit"),
    [("f", 2), pytest.param("i", None, marks=pytest.mark.slow), pytest.param("o", 0, marks=pytest.mark.slow)],
)
def test_a_valve_is_held_from_its_step_on_and_let_go(stage: Page, gate: str, unit: int | None):
    *_, header, arrays = scene_of({"num_layers": 2}, two_features())
    mount(stage, header, arrays)
    set_state(stage, step=4, unit=unit)
    before = shown(stage)["sides"]
    at, y = hold(stage, gate, -200)  # all the way down
    units = slice(None) if unit is None else [unit]
    held = {name: np.reshape(v, (-1, 12)) for name, v in shown(stage)["sides"][0][0][0][0].items()}
    was = {name: np.reshape(v, (-1, 12)) for name, v in before[0][0][0][0].items()}
    assert np.all(held[gate][units, 4:] == 0)
    assert all(np.abs(held[name][:, :4] - was[name][:, :4]).max() < 1e-6 for name in held)
    expect(stage.locator(".touch-valve").first).to_contain_text(f"{gate} held at 0.00")
    set_state(stage, step=8)  # it plays on
    stage.mouse.move(at, y - 400)
    draw(stage)
    later = np.reshape(shown(stage)["sides"][0][0][0][0][gate], (-1, 12))
    assert np.all(later[units, 4:8] == 0) and np.all(later[units, 8:] == 1)
    c = held["f"] * np.pad(held["c"], ((0, 0), (1, 0)))[:, :-1] + held["i"] * held["g"]
    np.testing.assert_allclose(held["c"], c, atol=1e-6)
    stage.mouse.up()
    draw(stage)
    assert shown(stage)["sides"] == before and state(stage, "part") is None
    expect(stage.locator(".touch-valve").first).to_be_hidden()


def symbols():
    """a b c a b c …; the next one is to be predicted."""
    rows = np.arange(200)
    columns = {name: (rows % 3 == k).astype(np.float32) for k, name in enumerate("abc")}
    table = table_of(**columns, y=np.array(list("bca"))[rows % 3])
    return make_windows(table, spec_of(features=tuple("abc"), horizon=0, seq_len=12))


def reads(page: Page) -> str:
    return page.evaluate("stage.state.scene.symbols.map((k) => (k === null ? '-' : 'abc'[k])).join('')")


def truths(page: Page) -> str:
    names = page.evaluate("[stage.state.scene.truth, stage.state.scene.classes]")
    return "".join("-" if k is None else names[1][k] for k in names[0])


def test_a_symbol_is_changed_by_a_click_and_a_typed_text_flows_in(stage: Page):
    _, snapshot, *_, header, arrays = scene_of({"head": "per_step"}, symbols())
    mount(stage, header, arrays)
    own, right = reads(stage), truths(stage)
    box = "() => { const { view } = stage.strip, { left, top } = view.holder.getBoundingClientRect();"
    x, y = stage.evaluate(box + "return [left + view.x(5), top + view.reads.y + view.reads.h / 2]; }")
    other = "b" if own[5] != "b" else "c"
    stage.mouse.click(x, y)
    stage.locator(".touch-chooser button", has_text=other).click()
    draw(stage)
    changed = own[:5] + other + own[6:]
    assert reads(stage) == changed and state(stage, "step") == 5
    assert truths(stage) == right[:4] + other + right[5:]  # what comes next is what is read next
    x_ = torch.tensor(shown(stage)["inputs"]).reshape(1, 12, 3)
    want = trace_lstm(snapshot.model.lstm, snapshot.model.to_module_layout(x_)).h[0, 0, 0].numpy().T
    np.testing.assert_allclose(np.reshape(shown(stage)["sides"][0][0][0][0]["h"], (-1, 12)), want, atol=1e-6)
    wait_until(stage, "location.search.includes('touch=s')")
    mount(stage, header, arrays)
    assert reads(stage) == changed
    press(stage, "Backspace")
    assert reads(stage) == own
    stage.mouse.click(x, y)
    stage.keyboard.type(other)  # a key chooses, too
    draw(stage)
    assert reads(stage) == changed
    field = stage.get_by_label("Type your own text")
    for typed, seen in (("c", own[1:] + "c"), ("cB", own[2:] + "cb"), ("cBx", own[2:] + "cb"), ("", own)):
        field.fill(typed)
        draw(stage)
        assert reads(stage) == seen
        assert field.get_attribute("aria-invalid") == str("x" in typed).lower()
    stage.get_by_role("button", name="alone").click()
    field.fill("abca")
    draw(stage)
    assert reads(stage) == "-" * 8 + "abca" and truths(stage) == "-" * 8 + "bca-"
    stage.keyboard.press("Backspace")  # takes a letter, not the change
    draw(stage)
    assert reads(stage) == "-" * 9 + "abc"
