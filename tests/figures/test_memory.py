"""Figures of a memory's span and of the units that are needed: the scores, their levels, and what is enough."""

from __future__ import annotations

import json

import pytest

from lstm_core.analysis.memory_span import MemorySpan
from lstm_core.analysis.unit_removal import Removal, UnitRemoval
from lstm_core.analysis.window_score import Scale
from lstm_core.figures.memory import removal_figure, span_figure

RMSE = Scale("RMSE", "the training mean", 10.0, 2.0)


def test_the_score_over_the_rows_left_stands_between_its_levels():
    figure = span_figure(MemorySpan("cut", (1, 5, 40), (9.0, 2.2, 2.0), RMSE, 40, 9))
    curve, full, without, enough = figure.data
    assert list(curve.y) == [9.0, 2.2, 2.0] and figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "5", "10", "20"]
    assert list(full.y) == [2.0, 2.0] and list(without.y) == [10.0, 10.0] and without.name == "the training mean"
    assert (list(enough.x), list(enough.y), enough.name) == ([5], [2.2], "enough: 5 rows")
    json.loads(figure.to_json(), parse_constant=pytest.fail)


def test_idle_rows_may_be_none_and_say_nothing_of_enough():
    figure = span_figure(MemorySpan("idle", (0, 5, 90), (0.9, 0.8, 0.5), Scale("accuracy", "x", 0.3, 0.9), 40, 9))
    assert len(figure.data) == 3 and figure.layout.xaxis.type == "linear"
    assert figure.layout.yaxis.tickformat == ".0%" and "put in" in figure.layout.xaxis.title.text


def test_the_score_over_the_units_left_rises_to_the_right():
    steps = tuple(Removal(((0, 0, 0),), (0.0,), units, score) for units, score in ((3, 2.1), (2, 2.3), (1, 9.0)))
    figure = removal_figure(UnitRemoval(4, 1, steps, RMSE, 9))
    assert list(figure.data[0].x) == [1, 2, 3, 4] and list(figure.data[0].y) == [9.0, 2.3, 2.1, 2.0]
    assert figure.data[3].name == "enough: 2 units" and figure.layout.xaxis.title.text == "units left"
    worse = removal_figure(UnitRemoval(4, 2, steps, Scale("RMSE", "the training mean", 1.0, 2.0), 9))
    assert len(worse.data) == 3 and "each layer" in worse.layout.xaxis.title.text
