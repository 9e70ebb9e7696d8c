"""Graphs of automata: where states stand, what arrows say, and how differences are marked without colour, too."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.analysis.automaton import DFA, NONE, Differences, NextSymbolAutomaton, compare
from lstm_core.data.generators import reber
from lstm_core.figures.automaton import RADIUS, STATE_NOTE, automaton_figure
from lstm_core.figures.graph_layout import MIN_GAP, bent, free_direction, layout, looped
from tests.conftest import examples

NO_000 = DFA(4, 0, {0, 1, 2}, [[1, 0], [2, 0], [3, 0], [3, 3]])
STRICT = DFA(5, 0, {0, 1, 2, 3}, [[1, 2], [3, 2], [1, 4], [4, 2], [4, 4]])  # nor 11
REBER = NextSymbolAutomaton(len(reber.NEXT), 0, reber.NEXT.tolist())
CONFUSED = NextSymbolAutomaton(3, 0, [[1, NONE], [2, 2], [NONE, 0]])


def notes(figure: go.Figure, of_states: bool = False) -> list[str]:
    return [note.text for note in figure.layout.annotations if (note.name == STATE_NOTE) == of_states]


def states_of(figure: go.Figure) -> go.Scatter:
    return next(trace for trace in figure.data if trace.customdata is not None)


def legend(figure: go.Figure) -> set[str]:
    return {trace.name for trace in figure.data if trace.name and trace.showlegend is not False}


def circles(figure: go.Figure, dash: str | None = None) -> list[go.layout.Shape]:
    return [shape for shape in figure.layout.shapes if dash is None or shape.line.dash == dash]


@st.composite
def graphs(draw):
    """(nodes, arrows, start)"""
    n = draw(st.integers(1, 25))
    node = st.integers(0, n - 1)
    return n, draw(st.lists(st.tuples(node, node), max_size=3 * n)), draw(node)


@given(graphs())
@examples(60)
def test_nodes_stand_apart_on_the_plane_the_start_on_the_left(graph):
    n, arrows, start = graph
    places = layout(n, arrows, start)
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()
    assert (places == layout(n, arrows, start)).all()
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)[~np.eye(n, dtype=bool)]
    assert gaps.min(initial=np.inf) > 2 * RADIUS
    assert places[start, 0] <= places[:, 0].mean() + 1e-9


def test_the_grammars_neighbours_are_near_and_strangers_far():
    places = layout(REBER.n_states, [(a, b) for a, _, b in REBER.arrows], 0)
    joined = np.array([np.linalg.norm(places[a] - places[b]) for a, _, b in REBER.arrows if a != b])
    assert joined.mean() < 1.5
    everything = np.linalg.norm(places[:, None] - places[None], axis=2)
    assert everything[~np.eye(len(places), dtype=bool)].min() > 0.9 * MIN_GAP
    assert everything.mean() > 2 * joined.mean()


def test_arrows_begin_and_end_at_the_edges_and_pass_a_node_that_stands_between():
    places = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.1]])
    curve = bent(places, 0, 1, RADIUS)
    ends = np.linalg.norm(curve[[0, -1]] - places[:2], axis=1)
    assert ends == pytest.approx(RADIUS, abs=0.1)
    assert np.linalg.norm(curve - places[2], axis=1).min() > RADIUS
    back = bent(places, 1, 0, RADIUS)
    assert np.linalg.norm(curve[:, None] - back, axis=2).min() > 0 or np.abs(curve - back[::-1]).max() > 0.1
    loop = looped(places[0], np.array([0.0, 1.0]), RADIUS)
    assert np.linalg.norm(loop - places[0], axis=1).min() > 0.6 * RADIUS
    assert loop[:, 1].mean() > RADIUS


def test_a_loop_goes_where_there_is_room():
    obstacles = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]])
    assert free_direction(obstacles, np.zeros(2), 0.5) == pytest.approx([0.0, -1.0], abs=1e-6)


def test_every_state_and_symbol_is_told():
    figure = automaton_figure(NO_000, "ab")
    states = states_of(figure)
    assert notes(figure, of_states=True) == [f"<b>{state}</b>" for state in range(4)]
    assert list(states.customdata) == [0, 1, 2, 3]
    assert [text.partition("<br>")[2] for text in states.hovertext] == ["accepts", "accepts", "accepts", "rejects"]
    assert sorted(notes(figure)) == sorted(["start", "a", "b", "a", "b", "a", "b", "a, b"])  # both loops of 3 are one
    assert len(circles(figure)) == 4 + 3  # accepting states have a second one
    assert legend(figure) == set()
    assert "NaN" not in figure.to_json()
    json.loads(figure.to_json())


def test_the_token_fills_its_state_and_the_arrow_it_came_by():
    plain, walked = automaton_figure(NO_000, "ab"), automaton_figure(NO_000, "ab", at=1, taken=(0, 0))
    assert legend(walked) == {"the last step"}
    changed = [a != b for a, b in zip(circles(plain), circles(walked), strict=True)]
    assert sum(changed) == 2  # both circles of an accepting state


def test_a_missing_arrow_is_a_signed_stub():
    differences = compare(STRICT, NO_000)
    figure = automaton_figure(STRICT, "ab", differences)
    assert "<b>− b</b>" in notes(figure)
    stub = next(trace for trace in figure.data if trace.name == "missing (−)")
    assert stub.line.dash == "dot"


def test_an_extra_arrow_is_dashed_and_signed_and_a_merged_state_has_a_broken_edge():
    truth = NextSymbolAutomaton(5, 0, [[1, NONE], [2, 4], [NONE, 3], [1, NONE], [NONE, 0]])
    figure = automaton_figure(CONFUSED, "TP", compare(CONFUSED, truth))
    assert compare(CONFUSED, truth).merged
    assert len(circles(figure, "dash")) == len(compare(CONFUSED, truth).merged)
    assert any("×2" in text for text in notes(figure, of_states=True))
    assert "stands for several true states (×)" in legend(figure)
    extra = Differences({}, {}, [], [(1, 1)], [], ())
    figure = automaton_figure(CONFUSED, "TP", extra)
    assert "<b>+ P</b>" in notes(figure)
    assert next(trace for trace in figure.data if "(+)" in (trace.name or "")).line.dash == "dash"


def test_a_state_that_answers_wrongly_is_marked():
    wrong = DFA(4, 0, {1, 2}, NO_000.transitions)
    figure = automaton_figure(wrong, "ab", compare(wrong, NO_000))
    assert "≠" in notes(figure, of_states=True)[0]
    assert legend(figure) == {"answers wrongly (≠)"}


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "$x$", "</script>"])
def test_hostile_symbols_are_texts(name):
    figure = automaton_figure(DFA(1, 0, {0}, [[0, 0]]), [name, "b"])
    assert not any(set("<>$") & set(text) for text in notes(figure))


def test_many_symbols_on_one_arrow_are_counted():
    figure = automaton_figure(DFA(1, 0, {0}, [[0] * 9]), "abcdefghi")
    assert "a, b, c, d +5" in notes(figure)
    assert len(notes(figure)) == 2
