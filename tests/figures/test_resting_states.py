"""Pictures of fixed points: each kind has a colour and a shape, lines join what belongs together, numbers are JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstm_core.analysis.fixed_points import (
    Connection,
    FixedPoint,
    Retention,
    find_fixed_points,
    project_states,
    saddle_connections,
)
from lstm_core.figures.resting_states import (
    KINDS,
    MAX_CONSTANT,
    resting_states_figure,
    retention_figure,
    time_constants_of_points,
)
from tests.analysis.trained import load_fixture


def point(*eigenvalues: float, q: float = 0.0, h: float = 0.0) -> FixedPoint:
    stable = q == 0 and max(map(abs, eigenvalues)) < 1
    return FixedPoint(np.full(2, float(h)), np.zeros(2), q, np.array(eigenvalues, complex), stable)


POINTS = [point(0.5, 0.9, h=-1), point(0.5, 0.2, h=1), point(1.5, 0.5), point(1.0000001, 0.5, q=1e-6, h=0.5)]
PROJECTION = project_states(np.random.default_rng(0).normal(size=(50, 2)))


def traces(figure) -> dict:
    return {trace.name: trace for trace in figure.data}


def test_each_kind_has_its_own_colour_and_shape():
    assert len({color for _, color, *_ in KINDS.values()}) == len(KINDS)
    assert len({symbol for _, _, symbol, *_ in KINDS.values()}) == len(KINDS)
    drawn = traces(resting_states_figure(POINTS, PROJECTION))
    assert set(drawn) == {"stable (2)", "saddle (1)", "slow (1)"}
    assert drawn["stable (2)"].marker.symbol == "circle"
    assert list(drawn["saddle (1)"].customdata) == [2]
    assert "unstable directions: 1" in drawn["saddle (1)"].text[0]
    assert "longest time constant: 9.49 steps" in drawn["stable (2)"].text[0]


def test_the_path_of_a_window_and_where_it_ends():
    path = np.random.default_rng(1).normal(size=(7, 2))
    figure = resting_states_figure(POINTS, PROJECTION, path)
    drawn = traces(figure)
    places = PROJECTION(path)
    assert np.array(drawn["this window"].x) == pytest.approx(places[:, 0])
    assert [*drawn["its last step"].x, *drawn["its last step"].y] == pytest.approx(places[-1, :2].tolist())
    assert "this window" not in traces(resting_states_figure(POINTS, PROJECTION, path[:0]))
    json.loads(figure.to_json())


def test_lines_join_a_saddle_to_both_its_sides_and_only_edges_are_drawn():
    connections = [Connection(2, (0, 1))]
    drawn = traces(resting_states_figure(POINTS, PROJECTION, connections=connections))
    line = np.stack([drawn["from a saddle to both sides"][axis] for axis in "xyz"], axis=1)
    assert line[[0, 1, 3, 4]] == pytest.approx(PROJECTION(np.stack([POINTS[k].h for k in (2, 0, 2, 1)])))
    assert np.isnan(line[[2, 5]]).all()
    face = [*POINTS[:2], point(1.5, 1.2)]
    assert not any("saddle to" in name for name in traces(resting_states_figure(face, PROJECTION, None, connections)))
    nowhere = resting_states_figure(POINTS, PROJECTION, connections=[Connection(2, (None, None))])
    assert not any("saddle to" in name for name in traces(nowhere))


def test_the_flip_flops_figure_is_small_and_valid():
    lstm = load_fixture("flip_flop").lstm
    points = find_fixed_points(lstm)
    projection = project_states(np.stack([found.h for found in points]))
    figure = resting_states_figure(points, projection, connections=saddle_connections(lstm, points))
    text = figure.to_json()
    assert len(text) < 40_000
    json.loads(text, parse_constant=pytest.fail)
    assert {"stable (8)", "saddle (19)"} <= set(traces(figure))


def test_time_constants_tell_what_fades_from_what_grows():
    figure = time_constants_of_points([*POINTS, point(1.0, 0.01)])
    drawn = traces(figure)
    assert set(drawn) == {
        "stable: a push fades",
        "saddle: a push fades",
        "saddle: a push grows",
        "slow: a push fades",
        "slow: a push grows",
    }
    assert list(drawn["stable: a push fades"].x) == [0, 0, 1, 1]
    assert sorted(drawn["stable: a push fades"].y)[-1] == pytest.approx(-1 / np.log(0.9))
    grows = drawn["saddle: a push grows"]
    assert list(grows.y) == pytest.approx([1 / np.log(1.5), MAX_CONSTANT])  # λ = 1 neither grows nor fades
    assert grows.marker.symbol != drawn["saddle: a push fades"].marker.symbol
    assert drawn["slow: a push grows"].y == (MAX_CONSTANT,)
    json.loads(figure.to_json(), parse_constant=pytest.fail)


def test_retention_is_drawn_over_silent_steps():
    kept = Retention((0, 10, 100), np.array([1.0, 0.9, 0.5]), 0.3)
    figure = retention_figure(kept, longest=20.0)
    assert list(figure.data[0].x) == [1, 10, 100]
    assert list(figure.data[0].y) == [1.0, 0.9, 0.5]
    assert [note.text for note in figure.layout.annotations] == ["one answer for all", "longest time constant"]
    assert figure.layout.annotations[0].y == 0.3
    for beside in (float("inf"), None):
        assert len(retention_figure(kept, longest=beside).layout.annotations) == 1
