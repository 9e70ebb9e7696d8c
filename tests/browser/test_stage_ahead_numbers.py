"""The stage goes on past the window: its numbers, against Python's forecast and against a loop with nn.LSTM."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import pytest
from playwright.sync_api import Page

from lstm_core.data.windows import Windows, make_windows
from lstm_core.forecasting.future import LEVELS, Bands, forecast
from lstm_core.forecasting.predict import predict
from lstm_core.model.recurrent import SequenceModel
from tests.browser.on_stage import packed
from tests.factories import scene_of, spec_of, table_of

ROWS, CLOSE = 50, 1e-6  # rows that it goes on for; of the target's deviation
GO_ON = """async ([bytes, choice]) => {
  const { decode } = await import("/modules/stage/scene.js");
  const { goOn } = await import("/modules/stage/ahead/going.js");
  const { defaultChoice } = await import("/modules/stage/ahead/choice.js");
  const { faultOf } = await import("/modules/stage/talk/scene_check.js");
  const sent = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)), fault = faultOf(sent);
  if (fault) throw new Error(`no talk could hold this scene: ${fault}`);
  const scene = decode(sent);
  const work = goOn(scene, scene.weights, scene.inputs, { ...defaultChoice(scene), ...choice });
  let slice = work.next();
  while (!slice.done) slice = work.next();
  return slice.value;
}"""


def go_on(page: Page, header: dict, arrays: list, **choice) -> dict:
    return page.evaluate(GO_ON, [packed(header, arrays), {"rows": ROWS} | choice])


def python_forecast(model: SequenceModel, windows: Windows, start: int) -> np.ndarray:
    """(ROWS,): Python's forecast of the first target from a table that ends with this window."""
    end = start + windows.spec.seq_len
    table = windows.table
    rows = {column.name: column.values[:end] for column in table.columns if column.kind == "number"}
    cut = make_windows(table_of(**rows), windows.spec).with_scaler(windows.scaler)
    steps = ROWS + windows.output_steps  # the last rows, too, are read with what is known ahead of them
    known = {name: wavy()[name][None, end : end + steps] for name in windows.spec.known_future}
    none = Bands(np.zeros((2, windows.output_steps, windows.y.shape[1])), {level: (1.0, 1) for level in LEVELS})
    return forecast(model, cut, steps, none, known).series[0].values[:ROWS, 0]


def exactly(model: SequenceModel) -> SequenceModel:
    """The same model, computing in float64 what it reads in float32: PyTorch's own rounding grows from row to row."""
    model = copy.deepcopy(model).double()
    skip_outputs = model.skip_outputs
    model.skip_outputs = lambda x: skip_outputs(x.double())
    model.register_forward_pre_hook(lambda _, inputs: (inputs[0].double(),))
    return model


def off(windows: Windows, seen: list[float], expected: np.ndarray) -> float:
    """The largest difference, in deviations of the target."""
    return float(np.abs(np.array(seen) - expected).max() / windows.y[:, 0].std())


@cache
def wavy(rows: int = 240) -> dict[str, np.ndarray]:
    t, noise = np.arange(rows), np.random.default_rng(0).normal(size=(3, rows))
    return {
        "y": np.sin(t / 4) + 0.05 * noise[0],
        "sales": (200 + t) * (1 + 0.2 * np.sin(t * np.pi / 6)) + noise[0],
        "a": 10 + 3 * np.sin(t / 5) + 0.1 * noise[1],
        "b": np.cos(t / 7) + 0.1 * noise[2],
    }


@cache
def case(features: tuple[str, ...], steps: int = 150, model: tuple = (), **fields):
    columns = wavy()
    windows = make_windows(table_of(**{name: columns[name] for name in features}), spec_of(features=features, **fields))
    run, *_, header, arrays = scene_of(dict(model), windows, steps=steps, epochs=steps, lr=0.02)
    return run.current_model(), windows, int(windows.starts["valid"][0]), header, arrays


RECIPES = {
    "a sine": {"features": ("y",), "seq_len": 12},
    "differences": {"features": ("sales",), "targets": ("sales",), "seq_len": 8, "horizon": 12, "start": "last"},
    "a season": {"features": ("sales",), "targets": ("sales",), "seq_len": 8, "horizon": 12}
    | {"start": "season", "season": 12, "log": True},
    "a season's change": {"features": ("sales",), "targets": ("sales",), "seq_len": 8, "horizon": 5}
    | {"start": "season_change", "season": 12},
    "smoothed": {"features": ("sales",), "targets": ("sales",), "seq_len": 14, "horizon": 12}
    | {"start": "smooth", "season": 12, "log": True},
    "the mean": {"features": ("sales",), "targets": ("sales",), "seq_len": 8, "horizon": 3, "start": "mean"},
    "three features": {"features": ("y", "a", "b"), "targets": ("y",), "seq_len": 10, "horizon": 1},
    "two layers": {"features": ("y", "a"), "targets": ("y",), "seq_len": 10, "model": (("num_layers", 2),)},
    "a projection": {"features": ("y",), "seq_len": 10}
    | {"model": (("hidden_size", 5), ("proj_size", 2), ("bias", False))},
    "an output at every step": {"features": ("y",), "seq_len": 10, "model": (("head", "per_step"),)},
    "a linear skip": {"features": ("sales",), "targets": ("sales",), "seq_len": 14, "horizon": 12, "start": "last"}
    | {"model": (("linear_skip", True),)},
    "a feature known ahead": {"features": ("y", "a"), "targets": ("y",), "seq_len": 10, "horizon": 4}
    | {"known_future": ("a",)},
    "two of three": {"features": ("y", "a", "b"), "targets": ("y", "a"), "seq_len": 10, "horizon": 4},
}


FAST = ("a sine", "a season", "three features")
MARKED = [pytest.param(one, id=name, marks=[] if name in FAST else pytest.mark.slow) for name, one in RECIPES.items()]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("recipe", MARKED)
def test_fifty_rows_are_those_of_pythons_forecast(stage: Page, recipe: dict):
    model, windows, start, header, arrays = case(**recipe)
    seen = go_on(stage, header, arrays)
    expected = python_forecast(exactly(model), windows, start)
    assert off(windows, seen["values"], expected) < CLOSE
    assert off(windows, seen["values"], python_forecast(model, windows, start)) < 5 * CLOSE
    assert np.ptp(expected) > 0.01 * windows.y[:, 0].std()  # something is going on
    rows = np.arange(start, start + len(seen["oneStep"]))
    true_rows = predict(exactly(model), windows, rows)[:, 0, 0]
    assert off(windows, seen["oneStep"], true_rows) < CLOSE
