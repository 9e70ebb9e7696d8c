"""A changed table on the stage: the browser makes of it what Python does, for each kind of start and feature."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from lstm_core.data.table import Table
from lstm_core.data.windows import Windows, make_windows
from tests.browser.on_stage import packed
from tests.factories import run_scene, scene_of, spec_of, table_of

EDIT = """async ([bytes, series]) => {
  const { decode } = await import("/modules/stage/scene.js");
  const { edited, editable } = await import("/modules/stage/touch/edits.js");
  const { faultOf } = await import("/modules/stage/talk/scene_check.js");
  const sent = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)), fault = faultOf(sent);
  if (fault) throw new Error(`no talk could hold this scene: ${fault}`);
  const scene = decode(sent), changed = edited(scene, { series, symbols: null });
  const list = (values) => values && [...values];
  const before = { inputs: list(scene.inputs), start: list(scene.start) };
  const hands = editable(scene).map(({ name }) => name);
  return { before, inputs: list(changed.inputs), start: list(changed.start), hands };
}"""


def columns(rows: int = 240) -> dict[str, np.ndarray]:
    t, noise = np.arange(rows), np.random.default_rng(0).normal(size=(3, rows))
    return {
        "y": (200 + t) * (1 + 0.2 * np.sin(t * np.pi / 6)) + noise[0],
        "other": 50 + np.cumsum(noise[1]),
        "price": 10 + np.round(3 * np.sin(t / 5), 1),
    }


def cases() -> dict[str, dict]:
    own = {"features": ("y",), "seq_len": 14, "horizon": 5}
    seasonal = own | {"season": 12}
    three = own | {"features": ("y", "other", "price")}
    return {
        "last": own | {"start": "last"},
        "mean": own | {"start": "mean"},
        "season": seasonal | {"start": "season"},
        "season change": seasonal | {"start": "season_change"},
        "a season longer than the window": seasonal | {"start": "season", "seq_len": 6, "horizon": 15},
        "a change longer than the window": seasonal | {"start": "season_change", "seq_len": 6, "horizon": 15},
        "smooth": seasonal | {"start": "smooth", "log": True},
        "smooth, longer than the window": seasonal | {"start": "smooth", "seq_len": 6},
        "smooth without a season": own | {"start": "smooth"},
        "log": own | {"start": "last", "log": True},
        "each series by its own scale": own | {"start": "last", "scale_per_series": True, "log": True},
        "two targets": three | {"start": "last", "targets": ("y", "other")},
        "known ahead": three | {"start": "last", "known_future": ("price",)},
        "known ahead without a start": three | {"known_future": ("price",)},
        "gaps": own | {"start": "smooth", "season": 12, "gaps": True},
        "gaps skipped": own | {"start": "season", "season": 12, "gaps": True, "missing": "skip"},
        "both directions": own | {"start": "last", "model": {"bidirectional": True}},
    }


def changed_windows(windows: Windows, first: int, changes: dict[str, np.ndarray]) -> Windows:
    """As Python cuts them from the table with other values in these rows, under the fitted scales."""
    values = {}
    for column in windows.table.columns:
        values[column.name] = np.array(column.values, np.float64)
        if column.name in changes:
            values[column.name][first : first + windows.spec.seq_len] = changes[column.name]
    return make_windows(table_of(**values), windows.spec).with_scaler(windows.scaler)


def table_with(gaps: bool) -> Table:
    values = columns()
    if gaps:
        values["y"][[30, 31, 100, 175, 210, 220]] = np.nan
    return table_of(**values)


FAST = ("last", "smooth", "a change longer than the window", "known ahead", "two targets")
MARKED = [pytest.param(one, id=name, marks=[] if name in FAST else pytest.mark.slow) for name, one in cases().items()]


@pytest.mark.parametrize("which", ["one row", pytest.param("all rows", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", MARKED)
def test_a_changed_column_is_read_as_python_reads_it(stage_of_module: Page, case: dict, which: str):
    fields = dict(case)
    model, gaps = fields.pop("model", {}), fields.pop("gaps", False)
    windows = make_windows(table_with(gaps), spec_of(**fields))
    *_, header, arrays = run_scene(scene_of(model, windows, steps=1)[0], "test")
    first, steps = int(windows.starts["test"][0]), windows.spec.seq_len  # none of its rows is a training row
    rows = [5] if which == "one row" else list(range(steps))
    edits, changes = {}, {}
    for place, name in enumerate(header["series"]):
        own = windows.features[first : first + steps, windows.feature_names.index(name)].copy()
        own[rows] = np.round(1.07 * own[rows] + 3, 2)
        edits[place], changes[name] = own.astype(np.float32).astype(float), own
        edits[place][rows] = own[rows]
        edits[place] = edits[place].tolist()
    seen = stage_of_module.evaluate(EDIT, [packed(header, arrays), edits])
    assert seen["hands"] == header["series"]
    assert np.array_equal(np.ravel(seen["before"]["inputs"]), np.ravel(windows.inputs(np.array([first]))))
    want = changed_windows(windows, first, changes)
    np.testing.assert_allclose(seen["inputs"], np.ravel(want.inputs(np.array([first]))), atol=1e-6, rtol=1e-6)
    assert not np.array_equal(seen["inputs"], seen["before"]["inputs"])
    if windows.target is not None:
        base = want.target.base[first : first + steps, :, 0].T.astype(np.float32)
        found = np.reshape(seen["start"], base.shape)
        np.testing.assert_allclose(found[0], base[0], rtol=1e-6)
        np.testing.assert_allclose(found[:, -1], base[:, -1], rtol=1e-6)
