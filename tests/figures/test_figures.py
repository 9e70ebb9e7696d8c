"""Figures are valid JSON of bounded size, and names from files are shown as they are, never obeyed."""

from __future__ import annotations

import html
import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.analysis.gradient_horizon import memory_horizon
from lstm_core.data.table import Column
from lstm_core.data.windows import make_windows
from lstm_core.experiment import CELLS, GATES, STATES, ModelSpec
from lstm_core.figures.gates import gate_heatmap
from lstm_core.figures.gradients import cells_figure, horizon_figure, time_constants_figure
from lstm_core.figures.theme import (
    CELL_COLORS,
    CELL_DASHES,
    FEATURE_COLORS,
    GATE_COLORS,
    GATE_NAMES,
    MAX_CELLS,
    MAX_POINTS,
    MIN_SHARE,
    plain_label,
)
from lstm_core.figures.windows import split_figure, window_figure
from lstm_core.model.recurrent import build_model
from tests.conftest import examples
from tests.factories import cut_tables, series, some, spec_of, table_of, trace_of

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>a</a>",
    "$x$",
    "a $\\frac{1}{2}$ b",
    "</script><script>alert(1)</script>",
    "<b>bold</b>",
    "\"quoted\" & 'plain'",
    "&lt;already&gt;",
    "%{x} {y}",
    "e\u0301\u202emirror",
]


def parsed(figure: go.Figure) -> dict:
    """The figure as a browser's JSON.parse would read it: NaN and Infinity are no JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(figure.to_json(), parse_constant=refuse)


def texts(part: object, key: str = "") -> list[tuple[str, str]]:
    """(key, text) of every text in a figure that plotly may draw."""
    if isinstance(part, dict):
        return [pair for name, inner in part.items() for pair in texts(inner, name)]
    if isinstance(part, list):
        return [pair for inner in part for pair in texts(inner, key)]
    return [(key, part)] if isinstance(part, str) and key in ("text", "name", "ticktext", "hovertemplate") else []


# ---- names


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_the_text_that_it_is(name):
    shown_text = plain_label(name, max_length=99)
    assert not set("<>$") & set(shown_text)
    assert "&quot;" not in shown_text  # plotly would show that as it stands
    assert html.unescape(shown_text) == name


@given(st.text(max_size=80), st.integers(2, 50))
def test_a_name_is_of_bearable_length(name, longest):
    shown_text = html.unescape(plain_label(name, longest)) if "&" not in name else None
    if shown_text is not None:
        assert len(shown_text) <= longest
        assert shown_text == name if len(name) <= longest else shown_text.startswith(name[: longest - 1])


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("label", [False, True])
def test_no_figure_obeys_a_name_from_a_file(name, label):
    values = np.arange(60, dtype=float)
    target = np.array([name, "z" + name] * 30) if label else values
    table = table_of(**{"t" + name: values, name: values, "y" + name: target})
    spec = spec_of(targets=("y" + name,), features=(name,), time="t" + name, horizon=2)
    windows = make_windows(table, spec)
    drawn = 0
    for figure in (split_figure(windows, 5), window_figure(windows, 5)):
        for _, shown_text in texts(parsed(figure)):
            drawn += "alert" in shown_text or "x$" in html.unescape(shown_text)
            plain = shown_text.replace("target: <b>", "").replace("</b>", "").replace("<extra></extra>", "")
            assert not set("<>$") & set(plain), shown_text
    if "alert" in name:
        assert drawn  # the names are there


# ---- data


@examples(15)
@given(cut_tables())
def test_any_windows_make_figures(case):
    _, _, windows = case
    starts = np.concatenate(list(windows.starts.values()))
    parsed(split_figure(windows, None))
    for start in starts[[0, -1]]:
        parsed(split_figure(windows, int(start)))
        parsed(window_figure(windows, int(start)))


def test_the_split_is_coloured_and_the_window_marked():
    windows = make_windows(series(100), spec_of(horizon=3))
    figure = parsed(split_figure(windows, 10))
    assert [trace["name"] for trace in figure["data"]] == [
        "training (70 rows)",
        "validation (15 rows)",
        "test (15 rows)",
    ]
    assert len({trace["line"]["color"] for trace in figure["data"]}) == 3
    seen, shown_text = figure["layout"]["shapes"]
    assert (seen["x0"], seen["x1"], shown_text["x0"], shown_text["x1"]) == (10, 13, 14, 16)
    assert figure["layout"]["yaxis"]["title"]["text"] == "y"
    assert parsed(split_figure(windows, None))["layout"].get("shapes", []) == []


def test_the_time_column_stands_below():
    when = np.datetime64("2024-01-01", "ns") + np.arange(50).astype("timedelta64[D]")
    table = series(50)
    table = replace(table, columns=(*table.columns, Column("day", "time", when)))
    windows = make_windows(table, spec_of(time="day", seq_len=3))
    figure = split_figure(windows, 2)
    assert figure.data[0].x[0] == when[0]
    assert figure.layout.xaxis.title.text == "day"
    assert "2024-01-03" in str(figure.layout.shapes[0].x0)
    parsed(figure)


def test_a_long_series_is_thinned_and_keeps_its_spike():
    y = np.zeros(200_000, np.float32)
    y[77_777] = 9
    windows = make_windows(series(len(y), y=y), spec_of())
    figure = split_figure(windows, None)
    assert all(len(trace.x) <= MAX_POINTS for trace in figure.data)
    assert 77_777 in figure.data[0].x
    assert len(figure.to_json()) < 500_000


def test_many_classes_are_named_only_here_and_there():
    names = [f"class {k:02d}" for k in range(40)]
    windows = make_windows(series(400, y=names * 10), spec_of(horizon=0))
    axis = split_figure(windows, None).layout.yaxis
    assert list(axis.ticktext) == [names[k] for k in axis.tickvals]
    assert axis.tickvals == (0, 4, 8, 12, 16, 20, 24, 28, 32, 36)


def test_rows_without_a_label_are_not_drawn_as_a_class():
    windows = make_windows(series(60, y=["u", "v"] * 30), spec_of(horizon=0))
    windows.y[3] = -1
    figure = split_figure(windows, None)
    assert np.isnan(figure.data[0].y[3])
    assert {y for trace in figure.data for y in trace.y if not np.isnan(y)} == {0, 1}
    assert figure.layout.yaxis.ticktext == ("u", "v")


def test_parts_of_several_sequences_are_not_joined_by_a_line():
    windows = make_windows(series(100, s=np.arange(100) // 50), spec_of(group="s"))
    train = split_figure(windows, None).data[0]
    gap = np.flatnonzero(np.isnan(train.y))
    assert len(gap) == 1
    assert train.x[gap[0] - 1] == 34
    assert train.x[gap[0] + 1] == 50


def test_a_window_shows_what_the_model_sees_and_what_it_must_say():
    windows = make_windows(series(60), spec_of(horizon=2))
    a, b, shown_text = window_figure(windows, 7).data
    assert a.x.tolist() == b.x.tolist() == [7, 8, 9, 10]
    assert b.customdata.tolist() == [1007, 1008, 1009, 1010]
    assert (shown_text.x.tolist(), shown_text.customdata.tolist()) == ([11, 12], [2011, 2012])
    label = make_windows(series(60, y=["u", "v"] * 30), spec_of(horizon=0))
    figure = window_figure(label, 7)
    assert figure.data[-1].name == "target: <b>u</b>"
    assert not figure.layout.annotations  # a text in the plot lies over its ticks or its curves


def test_a_window_draws_no_moving_feature_flat():
    t = np.arange(60)
    table = table_of(small=np.sin(t) / 100, large=1e6 + t * 1e4, y=np.cos(t))
    windows = make_windows(table, spec_of(targets=("y",), features=("small", "large"), seq_len=20))
    figure = window_figure(windows, 3)
    for line in figure.data[:2]:
        assert (min(line.y), max(line.y)) == (0, 1)
    assert "minimum" in figure.layout.yaxis.title.text
    np.testing.assert_allclose(figure.data[0].customdata, np.sin(t[3:23]) / 100, rtol=1e-5)  # read by the mouse
    alike = window_figure(make_windows(table, spec_of(targets=("y",), features=("y",), seq_len=20)), 3)
    assert alike.layout.yaxis.title.text is None
    np.testing.assert_allclose(alike.data[0].y, np.cos(t[3:23]), rtol=1e-5)


def test_features_have_the_palettes_colours():
    windows = make_windows(series(60), spec_of())
    colors = [line.line.color for line in window_figure(windows, 3).data]
    assert colors[: len(windows.spec.features)] == list(FEATURE_COLORS[: len(windows.spec.features)])


# ---- gates


def test_every_gate_and_state_has_a_name_and_a_colour_of_its_own():
    assert set(GATE_COLORS) == set(GATE_NAMES) == {*GATES, *STATES}
    assert len(set(GATE_COLORS.values())) == 6


@pytest.mark.parametrize("gate", [*GATES, *STATES])
def test_a_heatmap_shows_units_by_steps_of_the_chosen_layer_direction_and_sequence(gate):
    trace = trace_of(num_layers=2, bidirectional=True)
    figure = gate_heatmap(trace, gate, layer=1, direction=1, sample=1)
    np.testing.assert_array_equal(figure.data[0].z, getattr(trace, gate)[1, 1, 1].T)
    low, high = figure.data[0].zmin, figure.data[0].zmax
    assert (low, high) == ((0, 1) if gate in "ifo" else (-high, high))
    assert high >= abs(np.array(figure.data[0].z)).max()
    parsed(figure)


def test_a_large_heatmap_is_thinned_and_its_axes_tell_true_steps():
    trace = trace_of(seq_len=3 * MAX_CELLS, hidden_size=MAX_CELLS + 1)
    heat = gate_heatmap(trace, "f").data[0]
    assert heat.z.shape == (129, MAX_CELLS)
    assert (heat.x0, heat.dx, heat.y0, heat.dy) == (1, 3, 0, 2)  # steps count from 1, units from 0
    np.testing.assert_array_equal(heat.z[5], trace.f[0, 0, 0, ::3, 10])


def test_gates_that_are_not_numbers_still_make_a_figure():
    trace = trace_of()
    trace.i[..., 0] = float("nan")
    trace.c.fill_(float("nan"))
    for gate in GATES + STATES:
        parsed(gate_heatmap(trace, gate))


# ---- how far back


@pytest.mark.parametrize("cell", CELLS)
def test_a_horizon_is_drawn_by_step_and_each_gradient_is_divided_by_its_largest(cell):
    model = build_model(ModelSpec(cell=cell, hidden_size=5, num_layers=2, bidirectional=True), 2, 1)
    horizon = memory_horizon(model, some(2, 9, 2))
    figure = horizon_figure(horizon, layer=1, direction=1, sample=1)
    index = 1, 1, 1
    drawn = [horizon.d_x[1], horizon.d_h[index]]
    drawn += [horizon.d_c[index]] if cell == "lstm" else []
    for line, values in zip(figure.data, drawn, strict=False):
        np.testing.assert_allclose(np.array(line.y), values / values.max())
        assert line.x.tolist() == list(range(1, 10))
    if cell == "lstm":
        np.testing.assert_allclose(np.array(figure.data[3].y), horizon.forget_product[index])
    assert len(figure.data) == (4 if cell == "lstm" else 2)
    parsed(figure)


def test_units_stand_by_how_long_they_remember_under_their_own_numbers():
    figure = time_constants_figure(np.array([7.0, 0.5, 30.0, 2.0]), seq_len=20)
    (bars,) = figure.data
    assert bars.y.tolist() == [0.5, 2.0, 7.0, 30.0]
    assert bars.hovertext == ("unit 1: 0.5 steps", "unit 3: 2 steps", "unit 0: 7 steps", "unit 2: 30 steps")
    (note,) = figure.layout.annotations
    assert (note.text, note.y) == ("the window: 20 steps", np.log10(20))
    parsed(figure)


def test_what_no_window_could_tell_from_forever_ends_under_a_mark():
    figure = time_constants_figure(np.array([np.inf, 0.0, 3.0, 2001.0, 2000.0]), seq_len=20)
    bars, marks = figure.data
    assert bars.y.tolist() == [0.1, 3.0, 2000.0, 2000.0, 2000.0]
    assert marks.x.tolist() == [3, 4]
    assert bars.hovertext[-1] == "unit 0: inf steps"
    assert marks.name == "more than 2,000 steps"
    low, high = figure.layout.yaxis.range
    assert 10**low < 0.1
    assert 10**high > 2000
    parsed(figure)


@examples(50)
@given(st.lists(st.floats(0, allow_nan=False), min_size=1, max_size=30), st.integers(1, 500))
def test_any_time_constants_make_a_figure(constants, seq_len):
    figure = time_constants_figure(np.array(constants), seq_len)
    drawn = parsed(figure)
    low, high = drawn["layout"]["yaxis"]["range"]
    assert all(low < np.log10(y) < high for y in figure.data[0].y)


def test_thousands_of_units_are_thinned_with_both_ends_kept():
    constants = np.random.default_rng(0).lognormal(size=16_384)
    bars = time_constants_figure(constants, 50).data[0]
    assert len(bars.y) <= MAX_POINTS
    assert (bars.y[0], bars.y[-1]) == (max(0.1, constants.min()), constants.max())


def test_cells_are_drawn_on_one_picture_against_steps_back():
    curves = {"lstm": np.array([1.0, 2.0, 4.0]), "gru": np.array([0.0, 1.0, 3.0]), "rnn": np.array([1e-30, 1e-3, 1.0])}
    figure = cells_figure(curves, through_c=np.array([4.0, 8.0, 2.0]))
    assert [line.name for line in figure.data] == ["LSTM", "GRU", "RNN", "LSTM, its cell state c"]
    assert all(line.x.tolist() == [1, 2, 3] for line in figure.data)
    assert figure.data[0].y.tolist() == [1.0, 0.5, 0.25]
    assert figure.data[1].y[:2].tolist() == [1.0, 1 / 3]
    assert np.isnan(figure.data[1].y[2])  # a log axis has no zero
    assert figure.data[3].y.tolist() == [0.25, 1.0, 0.5]
    assert [line.line.color for line in figure.data] == [CELL_COLORS[cell] for cell in (*curves, "lstm")]
    assert 10 ** figure.layout.yaxis.range[0] == pytest.approx(MIN_SHARE / 2)  # the RNN's end is not followed
    parsed(figure)


def test_cells_without_any_gradient_still_make_a_figure():
    parsed(cells_figure({cell: np.zeros(5) for cell in CELLS}))
    parsed(cells_figure({cell: np.ones(1) for cell in CELLS}))


def test_every_cell_has_a_colour_and_a_dash_of_its_own():
    assert set(CELL_COLORS) == set(CELL_DASHES) == set(CELLS)
    assert len(set(CELL_COLORS.values())) == len(set(CELL_DASHES.values())) == len(CELLS)
