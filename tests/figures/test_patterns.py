"""Figures of the pattern search: places with their span framed, small multiples, shares beside the base rate."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstm_core.analysis.pattern_labels import Lift
from lstm_core.figures.patterns import (
    CONTEXT,
    MAX_BARS,
    MAX_ROWS,
    MAX_SPAN,
    DrawnPlace,
    around,
    lift_figure,
    places_figure,
    series_figure,
)

HOSTILE = "<b>$x$</b>"


def place(first: int, span: tuple[int, int], steps: int, **more) -> DrawnPlace:
    return DrawnPlace(f"place {first}", first, span, np.arange(steps) % 4, **more)


def test_places_are_aligned_at_their_first_step_and_framed():
    figure = places_figure([place(3, (2, 4), 8), place(0, (0, 1), 5), place(9, (6, 6), 7)], units=3)
    heatmap = figure.data[0]
    assert heatmap.x0 == -6 and heatmap.z.shape == (3, 12)
    z = np.array(heatmap.z, float)
    assert np.isnan(z[0, :4]).all() and z[0, 4:].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert z[1, 6] == 0 and np.isnan(z[1, :6]).all()
    frames = [(shape.x0, shape.x1) for shape in figure.layout.shapes]
    assert frames == [(-0.5, 2.5), (-0.5, 1.5), (-0.5, 0.5)]
    assert heatmap.customdata[0][6] == "place 3, step 6: 2 of 3 units on"
    json.loads(figure.to_json(), parse_constant=pytest.fail)


def test_symbols_are_written_as_they_are():
    figure = places_figure([place(0, (1, 1), 3, texts=("a", HOSTILE, "c"))], units=2)
    assert figure.data[0].texttemplate == "%{text}"
    assert "<b>" not in figure.to_json() and "$" not in json.loads(figure.to_json())["data"][0]["text"][0][1]
    assert places_figure([place(0, (1, 1), 3)], 2).data[0].texttemplate is None


def test_a_long_place_is_drawn_up_to_a_limit_and_many_places_too():
    assert around(2, 5, 100) == (0, 6 + CONTEXT)
    assert around(50, 400, 500) == (50 - CONTEXT, 50 + MAX_SPAN + CONTEXT)
    first, end = around(50, 400, 500)
    figure = places_figure([place(first, (CONTEXT, 350), end - first)] * 40, units=3)
    assert len(figure.data[0].z) == MAX_ROWS == len(figure.layout.shapes)
    assert figure.layout.shapes[0].x1 == end - first - CONTEXT - 0.5


def test_small_multiples_have_the_span_shaded_on_one_scale():
    places = [place(4 * k, (1, 2), 6, values=np.arange(6.0) + k) for k in range(5)]
    figure = series_figure(places, "x")
    assert len(figure.data) == 5 == len(figure.layout.shapes)
    assert figure.data[1].x.tolist() == [5, 6, 7, 8, 9, 10]
    assert (figure.layout.shapes[1].x0, figure.layout.shapes[1].x1) == (5.5, 7.5)
    assert figure.layout.yaxis2.matches == figure.layout.yaxis.matches == "y5" and not figure.layout.yaxis5.matches


def test_each_label_has_its_share_as_a_bar_and_its_base_rate_as_a_mark():
    lifts = [
        Lift("symbol", HOSTILE, "step", 3, 4, 0.25),
        Lift("a", "b", "step", 1, 4, 0.1),
        Lift("a", "b", "last", 1, 2, 0.1),
    ]
    figure = lift_figure(lifts)
    bars, marks = figure.data
    assert list(bars.x) == [0.75, 0.25, 0.5] and list(marks.x) == [0.25, 0.1, 0.1]
    assert len(set(bars.y)) == 3 and "<b>" not in bars.y[0]
    assert bars.customdata[0] == "3 of 4, 3 times as often"
    assert len(lift_figure(lifts * 9).data[0].x) == MAX_BARS
