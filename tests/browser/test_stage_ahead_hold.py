"""A valve is held while the model goes on: the continuation is that of the cell with the gate held."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from lstm_core.data.windows import make_windows
from tests.browser.hands import hold
from tests.browser.on_stage import draw, mount, press, set_state
from tests.browser.tab import wait_until
from tests.factories import scene_of, spec_of, table_of

STEPS, FROM, ROWS = 12, 5, 20
DONE = "(rows) => stage.state.continued[0]?.values.length === rows && stage.state.continued[0].fresh === undefined"
GATES = "ifgo"


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def output(model, rows: np.ndarray, first: int, gate: str, unit: int | None, value: float) -> float:
    """What the model says after these rows (seq_len, 1), the first of them so many after the stage's window begins, if
    this gate has this value from row FROM on."""
    weight = {name: p.detach().numpy().astype(float) for name, p in model.named_parameters()}
    hidden = model.spec.hidden_size
    layers = model.spec.num_layers
    c, h = np.zeros((layers, hidden)), np.zeros((layers, hidden))
    for t, x in enumerate(rows):
        for layer in range(layers):
            sums = sum(
                weight[f"lstm.weight_{kind}_l{layer}"] @ read + weight[f"lstm.bias_{kind}_l{layer}"]
                for kind, read in (("ih", x), ("hh", h[layer]))
            )
            parts = np.split(sums, 4)
            i, f, g, o = (np.tanh(a) if name == "g" else sigmoid(a) for name, a in zip(GATES, parts, strict=True))
            gates = {"i": i, "f": f, "g": g, "o": o}
            if layer == 0 and first + t >= FROM:
                gates[gate][slice(None) if unit is None else unit] = value
            c[layer] = gates["f"] * c[layer] + gates["i"] * gates["g"]
            h[layer] = gates["o"] * np.tanh(c[layer])
            x = h[layer]
    return float((weight["head.weight"] @ h[-1] + weight["head.bias"])[0])


def expected(model, windows, first: int, *held) -> tuple[list[float], list[float]]:
    """(free-running, one step ahead) in the table's own units."""
    rows = windows.inputs(np.array([first]))[0].astype(float)
    values, one_step = [], []
    for k in range(ROWS):
        said = output(model, rows[k:], k, *held) * windows.y_scale[0] + windows.y_center[0]
        values.append(said)
        read = np.float32((said - windows.x_center[0]) / windows.x_scale[0])
        rows = np.append(rows, [[read]], axis=0)
        if first + k + STEPS < windows.rows:
            true_rows = windows.inputs(np.array([first + k]))[0]
            one_step.append(output(model, true_rows, k, *held) * windows.y_scale[0] + windows.y_center[0])
    return values, one_step


@pytest.mark.slow
@pytest.mark.parametrize(("gate", "unit"), [("f", None), ("i", 3), ("o", None)])
def test_the_continuation_runs_with_the_gate_that_is_held_and_is_exact_again_after_it(stage: Page, gate, unit):
    rows, noise = np.arange(300), np.random.default_rng(0).normal(size=300)
    table = table_of(y=np.sin(rows / 4) + 0.05 * noise)
    windows = make_windows(table, spec_of(features=("y",), seq_len=STEPS))
    run, *_, header, arrays = scene_of({"num_layers": 2}, windows, steps=60, epochs=60, lr=0.02)
    mount(stage, header, arrays)
    set_state(stage, step=FROM, unit=unit)
    press(stage, "a")
    set_state(stage, ahead=stage.evaluate("(rows) => ({ ...stage.state.ahead, rows })", ROWS))
    wait_until(stage, DONE, ROWS)
    before = stage.evaluate("stage.state.continued[0]")
    hold(stage, gate, -200)
    isOther = "(was) => stage.state.sides[0].hold && stage.state.continued[0].values[0] !== was"
    wait_until(stage, isOther, before["values"][0])
    wait_until(stage, DONE, ROWS)
    seen = stage.evaluate("stage.state.continued[0]")
    values, one_step = expected(run.current_model(), windows, int(windows.starts["valid"][0]), gate, unit, 0.0)
    scale = windows.y.std()
    assert np.abs(np.subtract(seen["values"], values)).max() < 1e-5 * scale
    assert np.abs(np.subtract(seen["oneStep"], one_step[: len(seen["oneStep"])])).max() < 1e-5 * scale
    assert np.abs(np.subtract(values, before["values"])).max() > 1e-3
    stage.mouse.up()
    draw(stage)
    wait_until(
        stage, "(was) => JSON.stringify(stage.state.continued[0]) === was", stage.evaluate("JSON.stringify", before)
    )
