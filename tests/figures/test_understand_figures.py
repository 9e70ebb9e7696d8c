"""Ledgers and patched cells as figures: what is drawn adds up, and stays small and harmless whatever comes in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstm_core.analysis.attribution.explain import Ledger
from lstm_core.analysis.patching.unit_sets import BestUnits
from lstm_core.figures.ledger import MAX_BARS, ledger_figure
from lstm_core.figures.patching import MAX_CLICKABLE, effect_map, units_figure
from lstm_core.figures.theme import FEATURE_COLORS, MAX_CELLS, PREDICTION_COLOR


def ledger_of(seq_len: int, inputs: int, names: tuple[str, ...] = (), **fields) -> Ledger:
    rng = np.random.default_rng(0)
    values, constants = rng.normal(size=(seq_len, inputs)), rng.normal(size=seq_len)
    fixed = {"start: the last value": 40.0}
    names = names or tuple(f"x{k}" for k in range(inputs))
    steps = tuple(f"step {t + 1}" for t in range(seq_len))
    return Ledger(values, constants, fixed, values.sum() + constants.sum() + 40, "y", names, steps, **fields)


def bars(figure) -> dict[str, np.ndarray]:
    return {one.name: np.array(one.y, float) for one in figure.data if one.type == "bar"}


@pytest.mark.parametrize(("seq_len", "inputs"), [(1, 1), (7, 1), (30, 3), (24, 6), (12, 40), (4000, 7), (9000, 1)])
def test_the_bars_and_the_line_add_up_however_many_there_are(seq_len, inputs):
    ledger = ledger_of(seq_len, inputs)
    figure = ledger_figure(ledger)
    layers, so_far = bars(figure), figure.data[0]
    assert len(layers) <= len(FEATURE_COLORS) and sum(map(len, layers.values())) <= MAX_BARS
    assert len({one.marker.color for one in figure.data if one.type == "bar"}) == len(layers)
    added = np.sum(list(layers.values()), axis=0)
    np.testing.assert_allclose(np.diff(so_far.y), added, atol=1e-9)
    assert so_far.y[0] == pytest.approx(ledger.fixed_total)
    assert so_far.y[-1] == pytest.approx(ledger.prediction)
    (prediction,) = (one for one in figure.data if one.marker.color == PREDICTION_COLOR)
    assert prediction.y[0] == ledger.prediction
    assert figure.layout.barmode == "relative"
    ticks = figure.layout.xaxis2.ticktext
    assert ticks[0] == "constants" and len(ticks) <= 14 and ticks[-1].endswith(f"step {seq_len}")
    assert len(figure.to_json()) < 600_000


def test_symbols_are_one_colour_and_each_is_named_where_they_fit():
    ledger = ledger_of(9, 3, symbols=(None, None, 0, 1, 2, 1, 0, 0, 2))
    figure = ledger_figure(ledger, [*"··TPSPTTS"])
    assert list(bars(figure)) == ["added"]
    assert figure.layout.xaxis2.ticktext == ("constants", *"··TPSPTTS")
    assert not any(one.showlegend for one in figure.data if one.type == "bar")


def test_of_many_inputs_those_that_add_most_are_told_apart():
    ledger = ledger_of(5, 9)
    ledger.inputs[:, 4] *= 50
    layers = bars(ledger_figure(ledger))
    assert next(iter(layers)) == "x4" and list(layers)[-1] == "4 other inputs"


def test_names_from_a_file_are_text():
    ledger = ledger_of(3, 2, ("<img src=x onerror=alert(1)>", "$x$"))
    text = ledger_figure(ledger).to_json() + effect_map(np.zeros((2, 2)), ["<b>", "$y$"], (0, 1)).to_json()
    assert not any(word in text for word in ("<img", "<b>", "$x$", "$y$", "\\u003cimg", "\\u003cb"))


@pytest.mark.parametrize("shape", [(1, 1), (30, 16), (100, 64), (500, 128), (3000, 700)])
def test_a_map_of_effects_is_bounded_and_its_cells_can_be_clicked_where_they_are_few(shape):
    effects = np.random.default_rng(1).normal(size=shape)
    effects[0, 0] = np.nan
    figure = effect_map(effects, [f"step {t + 1}" for t in range(shape[0])], (shape[0] - 1, shape[1] - 1), (0,))
    heat = figure.data[0]
    assert max(np.shape(heat.z)) <= MAX_CELLS and (heat.zmin, heat.zmax) == (-1, 1)
    json.loads(figure.to_json(), parse_constant=pytest.fail)
    rows, columns = np.shape(heat.z)
    for row, column in ((0, min(1, columns - 1)), (rows - 1, columns - 1)):
        t, unit = int(heat.x[column]) - 1, int(heat.y[row])
        np.testing.assert_allclose(heat.z[row][column], effects[t, unit], atol=1e-4)
    cells = [one for one in figure.data if one.name == "cells"]
    assert len(cells) == (rows * columns <= MAX_CLICKABLE)
    if cells:
        points = set(zip(map(int, cells[0].x), map(int, cells[0].y), strict=True))
        assert points == {(t + 1, unit) for t, unit in np.argwhere(np.isfinite(effects)).tolist()}
    (marked,) = (one for one in figure.data if (one.name or "").startswith("chosen"))
    assert (marked.x[0], marked.y[0]) == (shape[0], shape[1] - 1)
    assert marked.name == f"chosen: step {shape[0]}, unit {shape[1] - 1}"


def test_the_curve_of_units_names_those_patched_together():
    greedy = BestUnits((9, 3), (0.9, 0.97), 5, "c")
    figure = units_figure({"greedy": greedy, "by rank": BestUnits((9, 1), (0.9, 0.8), 5, "c")})
    assert [one.name for one in figure.data] == ["greedy", "by rank"]
    assert figure.data[0].text == ("9", "9, 3") and figure.data[0].y == (0.9, 0.97)
    assert figure.data[0].line.dash != figure.data[1].line.dash
    assert figure.layout.shapes[0].y0 == 1
