"""The stage's own LSTM, which replays earlier weights in the browser, against the trace of PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from lstm_core.data.windows import make_windows
from lstm_core.forecasting.predict import predict
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.trace.interventions import Intervention, trace_with
from tests.browser.on_stage import MODELS, packed
from tests.factories import labelled, scene_of, spec_of, table_of

RUN = """async ([bytes, snapshot, edit]) => {
  const { decode } = await import("/modules/stage/scene.js");
  const { traceOf, predictionAt } = await import("/modules/stage/lstm.js");
  const scene = decode(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)));
  const weights = scene.snapshots[snapshot]?.weights ?? scene.weights;
  const work = traceOf(scene, weights, edit);
  let slice = work.next();
  while (!slice.done) slice = work.next();
  const lists = slice.value.map((row) => row.map((maps) =>
    Object.fromEntries(Object.entries(maps).map(([name, values]) => [name, Array.from(values)]))));
  return [lists, Array.from(predictionAt(scene, slice.value, weights).values)];
}"""


def run(
    page: Page, header: dict, arrays: list, snapshot: int = -1, edit: dict | None = None
) -> tuple[list, np.ndarray]:
    """(i, f, g, o, c, h of each layer and direction, the prediction of each step), computed by the browser.

    snapshot: the place of one among the scene's; -1 stands for the weights of the run as it is.
    """
    maps, predictions = page.evaluate(RUN, [packed(header, arrays), snapshot, edit])
    return maps, np.array(predictions)


def check(maps: list, trace) -> None:
    layers, directions, _, steps, _ = trace.c.shape
    for layer in range(layers):
        for direction in range(directions):
            for name, values in maps[layer][direction].items():
                expected = trace.gate(name)[layer, direction, 0].numpy().T
                np.testing.assert_allclose(np.reshape(values, (-1, steps)), expected, atol=2e-6, err_msg=name)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_it_is_pytorchs_trace_of_any_lstm_now_and_at_every_snapshot(stage: Page):
    for model in MODELS.values():
        training, _, trace, x, header, arrays = scene_of(model)
        maps, predictions = run(stage, header, arrays)
        check(maps, trace)
        windows = training.windows
        start = windows.starts["valid"][:1]
        assert predictions[-1] == pytest.approx(predict(training.current_model(), windows, start)[0, 0, 0], rel=1e-4)
        for place, step in enumerate(header["snapshots"][:3]):
            earlier = training.snapshot_at(step).model
            check(run(stage, header, arrays, place)[0], trace_lstm(earlier.lstm, earlier.to_module_layout(x)))


@pytest.mark.parametrize("start", ["mean", "last", "season", "season_change", "smooth"])
def test_with_a_start_it_predicts_what_python_does_after_every_step(stage: Page, start):
    rows = np.arange(90)
    y = (50 + rows) * (1 + 0.2 * np.sin(rows * np.pi / 2)) + np.random.default_rng(0).normal(size=90)
    data = spec_of(start=start, season=4, log=start != "mean", features=("y",), seq_len=6, horizon=3)
    windows = make_windows(table_of(y=y), data)
    training, *_, header, arrays = scene_of({}, windows)
    (first,), model = windows.starts["valid"][:1], training.current_model()
    predictions, horizon = run(stage, header, arrays)[1], header["horizon"]
    assert predictions[-1] == pytest.approx(predict(model, windows, np.array([first]))[0, 0, 0], rel=1e-4)
    assert len(horizon) == 3
    for step in (2, 4):  # as if the window ended there
        x = torch.from_numpy(windows.inputs(np.array([first]))[:, : step + 1])
        with torch.no_grad():
            want = windows.inverse_transform(model(x).numpy(), np.array([first + step]))[0, 0, 0]
        assert predictions[step] == pytest.approx(want, rel=1e-4)


def test_a_linear_skip_reads_all_steps_so_far(stage: Page):
    k, noise = np.random.default_rng(0).normal(size=(2, 90))
    y = 50 + np.cumsum(np.roll(k, 1) + 0.1 * noise)  # k tells the next change
    windows = make_windows(table_of(y=y, k=k), spec_of(start="last", features=("y", "k"), seq_len=6, horizon=3))
    training, *_, header, arrays = scene_of({"linear_skip": True}, windows)
    model, first = training.current_model(), windows.starts["valid"][0]
    assert model.uses_skip
    predictions = run(stage, header, arrays)[1]
    for step in (0, 3, 5):
        x = torch.from_numpy(windows.inputs(np.array([first]))[:, : step + 1])
        with torch.no_grad():
            want = windows.inverse_transform(model(x).numpy(), np.array([first + step]))[0, 0, 0]
        assert predictions[step] == pytest.approx(want, rel=1e-4)


def test_a_classifier_gives_the_probability_of_the_target(stage: Page):
    training, *_, header, arrays = scene_of({"bidirectional": True}, labelled())
    predictions = run(stage, header, arrays)[1]
    probabilities = predict(training.current_model(), training.windows, training.windows.starts["valid"][:1])
    assert predictions[-1] == pytest.approx(probabilities[0, header["truth"][-1]], rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "gate", "value", "unit"), [("clamp", "f", 1.0, None), ("scale", "o", 0.5, 2), ("add", "g", 0.3, 0)]
)
def test_an_altered_run_is_that_of_the_interventions(stage: Page, kind, gate, value, unit):
    _, snapshot, _, x, header, arrays = scene_of({"num_layers": 2, "bidirectional": True})
    place = {"layer": 0, "direction": 1}
    maps, _ = run(stage, header, arrays, edit={"kind": kind, "gate": gate, "value": value, "unit": unit, **place})
    edit = Intervention(kind, gate, value, **place, units=None if unit is None else (unit,))
    with torch.no_grad():
        check(maps, trace_with(snapshot.model.lstm, x, [edit]))


CHANGED = """async ([bytes, changes, live]) => {
  const { decode } = await import("/modules/stage/scene.js");
  const { Engine } = await import("/modules/stage/lstm.js");
  const scene = decode(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)));
  const run = (engine, ...given) => {
    const work = engine.run(...given);
    let slice = work.next();
    while (!slice.done) slice = work.next();
    return slice.value.map((row) => row.map((maps) =>
      Object.fromEntries(Object.entries(maps).map(([name, values]) => [name, Array.from(values)]))));
  };
  const engine = new Engine(scene, scene.weights);
  run(engine, scene.inputs);
  let inputs = scene.inputs;
  for (const [place, value] of changes) {
    inputs = scene.inputs.slice();
    inputs[place] = value;
    run(engine, inputs, null, live);
  }
  const traces = [run(engine, inputs, null, live), run(engine, inputs), run(new Engine(scene, scene.weights), inputs)];
  return [Array.from(inputs), ...traces];
}"""


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("live", [pytest.param(False, marks=pytest.mark.slow), True])
def test_it_goes_on_from_the_step_that_was_changed_as_if_from_the_first(stage: Page, live: bool):
    """Live, with many units, its sums are WebAssembly's float32, and then exact again."""
    for model in (*MODELS.values(), {"hidden_size": 101, "num_layers": 2}):
        _, snapshot, _, x, header, arrays = scene_of(model)
        changes = [[2 * x.shape[-1], 1.5], [4 * x.shape[-1], -2], [0, 0.5]]
        inputs, at_once, exact, whole = stage.evaluate(CHANGED, [packed(header, arrays), changes, live])
        changed = torch.tensor(inputs).reshape(x.shape)
        assert not torch.equal(changed, x)
        trace = trace_lstm(snapshot.model.lstm, snapshot.model.to_module_layout(changed))
        check(at_once, trace)
        check(exact, trace)
        assert exact == whole  # to the last bit
