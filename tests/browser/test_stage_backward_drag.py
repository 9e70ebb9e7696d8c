"""The gradient under a hand: each one that was begun is finished, and the last is that of the newest trace."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from lstm_core.data.windows import make_windows
from tests.browser.hands import hold
from tests.browser.on_stage import draw, mount, press, set_state
from tests.browser.tab import wait_until
from tests.factories import scene_of, spec_of, table_of

# Moves the held valve once a frame until so many gradients have come; [gradients, frames].
MOVE = """([wanted, most]) => new Promise((done) => {
  const { state } = stage, valve = document.querySelector("[data-part=f] .cell-valve");
  const holder = valve.closest(".stage-cell"), box = valve.getBoundingClientRect();
  let last = state.gradients, came = 0, frames = 0;
  const frame = () => {
    if (state.gradients !== last) came += 1;
    last = state.gradients;
    if (came >= wanted || frames >= most) return done([came, frames]);
    const clientY = box.top - 20 - 30 * (frames++ % 3);
    holder.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, clientX: box.left, clientY, bubbles: true }));
    requestAnimationFrame(frame);
  };
  frame();
})"""
# The gradient on the stage against one that is worked out at one go: the largest difference of all ∂c.
OFF = """async () => {
  const { gradientOf } = await import("/modules/stage/backward/gradients.js");
  const { scene, sides, gradients: [seen] } = stage.state;
  const want = gradientOf(scene, sides[0].trace, sides[0].weights).next().value;
  const off = (layer) => (most, value, k) => Math.max(most, Math.abs(value - seen.layers[layer][0].c[k]));
  return Math.max(...want.layers.map(([{ c }], layer) => c.reduce(off(layer), 0)));
}"""


@pytest.mark.slow
def test_gradients_come_while_a_hand_moves_and_the_last_is_that_of_the_newest_trace(stage: Page):
    rows = np.arange(2400)
    windows = make_windows(table_of(y=np.sin(rows / 9)), spec_of(features=("y",), seq_len=300))
    *_, header, arrays = scene_of({"hidden_size": 64, "num_layers": 2}, windows, steps=1)
    mount(stage, header, arrays)
    set_state(stage, step=150)
    press(stage, "b")
    wait_until(stage, "stage.state.gradients.length === 1")
    stage.evaluate("addEventListener('pointerdown', (event) => { window.pointer = event.pointerId; }, true)")
    hold(stage, "f", 20)
    assert stage.evaluate("window.pointer") == 1 and stage.evaluate("stage.state.hold !== null")
    came, frames = stage.evaluate(MOVE, [3, 600])
    assert came == 3 and frames > 6  # none was done within a frame
    wait_until(stage, OFF.replace("return Math", "return 0 === Math"))  # the hand rests
    stage.mouse.up()
    draw(stage)
    wait_until(stage, OFF.replace("return Math", "return 0 === Math"))
    press(stage, "b")
    assert stage.evaluate("stage.state.gradients.length") == 0
