"""The future under a hand: a point of the input is dragged, and what the model goes on with follows."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from lstm_core.data.windows import make_windows
from tests.browser.on_stage import draw, mount, press
from tests.browser.tab import wait_until
from tests.factories import scene_of, spec_of, table_of

FUTURE = "stage.state.continued[0].values"
ALONE = """async () => {
  const { goOn } = await import("/modules/stage/ahead/going.js"), { scene, sides, ahead } = stage.state;
  const work = goOn(scene, sides[0].weights, scene.inputs, ahead);
  let slice = work.next();
  while (!slice.done) slice = work.next();
  return slice.value.values;
}"""


@pytest.mark.slow
def test_the_future_follows_a_dragged_point_and_goes_back_with_it(stage: Page):
    rows, noise = np.arange(300), np.random.default_rng(0).normal(size=300)
    windows = make_windows(table_of(y=np.sin(rows / 4) + 0.05 * noise), spec_of(features=("y",), seq_len=20))
    *_, header, arrays = scene_of({}, windows, steps=60, epochs=60, lr=0.02)
    mount(stage, header, arrays)
    press(stage, "a")
    wait_until(stage, f"{FUTURE}.length === 50")
    before, box = stage.evaluate(FUTURE), stage.locator(".stage-series").bounding_box()
    x, y = stage.evaluate("(({ x, main: [line] }) => [x(17), line.toY(line.values[17])])(stage.strip.view)")
    stage.mouse.move(box["x"] + x, box["y"] + y)
    stage.mouse.down()
    for by in (5, 15, 25):
        stage.mouse.move(box["x"] + x, box["y"] + y + by)
    draw(stage)
    draw(stage)
    assert stage.evaluate("stage.state.held !== null")
    live = stage.evaluate(FUTURE)
    assert np.abs(np.subtract(live, before)).max() > 1e-3
    stage.mouse.up()
    draw(stage)
    assert stage.evaluate(FUTURE) == stage.evaluate(ALONE)
    press(stage, "Backspace")
    wait_until(stage, "(before) => stage.state.continued[0].values.every((value, k) => value === before[k])", before)
