"""Understand, "Automaton": the graph is the one that the core extracts, said in words, and a token walks through it."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch

from lstm_core.analysis.automaton import DFA, Differences, NextSymbolAutomaton, StateSketch, symbol_task
from lstm_core.trace import trace_lstm
from pages.shared.understand.automaton import Found, caption, longest_walk, sentence
from tests.pages.conftest import Visitor, open_lesson, trained, unescaped, wait_until


def finished(tab: Visitor, kind: str = "automaton") -> Visitor:
    wait_until(lambda: kind in tab.training.cache and tab.training.cache[kind][1].done, "it was computed")
    return tab.run()


def decoded(values) -> np.ndarray:
    """Numbers of a figure, as plotly writes them."""
    if not isinstance(values, dict):
        return np.array(values)
    array = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return array.reshape(tuple(map(int, values["shape"].split(","))))


def instrument(tab: Visitor, name: str = "Automaton") -> Visitor:
    return tab.go("understand").set("instrument", name)


def legend(tab: Visitor) -> set[str]:
    return {
        trace.get("name") for trace in tab.figure("automaton_figure")["data"] if trace.get("showlegend") is not False
    }


@pytest.mark.slow
def test_the_continual_reber_model_is_its_grammar_and_a_token_walks_through_it(visit):
    tab = finished(instrument(open_lesson(visit, "continual_reber")))
    words = tab.words()
    assert "**19** states and **30** arrows, **the very grammar**" in words
    assert "agree after **100.0 %**" in words
    assert "This window: B" in words
    states = [note["text"] for note in tab.figure("automaton_figure")["layout"]["annotations"] if note.get("name")]
    assert states == [f"<b>{k}</b>" for k in range(19)]
    assert "the last step" not in legend(tab)
    tab.set("automaton_step", 3)
    assert "the last step" in legend(tab)
    read = next(line for line in tab.words().splitlines() if line.startswith("This window"))
    third = read.removeprefix("This window: ").split()[2]
    assert third.startswith("**") and third.endswith("**")


@pytest.mark.slow
def test_fewer_moves_ahead_tell_fewer_states_apart(visit):
    tab = finished(instrument(open_lesson(visit, "continual_reber")))
    finished(tab.set("automaton_depth", 3))
    assert "**not the grammar** of the data" in tab.words()
    assert "of its states each stand for several of the grammar, confused: " in tab.words()
    assert "stands for several true states (×)" in legend(tab)


def test_a_series_is_sketched_by_clusters(visit):
    tab = finished(instrument(visit("start", run=trained(hidden_size=4))))
    assert "A sketch of **6** states" in tab.words()
    finished(tab.set("sketch_states", 3))
    assert "A sketch of **3** states" in tab.words()
    assert "State 0 is where the model is most often" in tab.words()


def bits_csv(rows: int = 160) -> bytes:
    bits = np.random.default_rng(0).integers(0, 2, rows)
    lines = ["bit,kind", *(f"{bit},{'[a](b)' if bit else '*even*'}" for bit in bits)]
    return "\n".join(lines).encode()


def test_a_classifier_of_symbols_is_asked_about_words(visit):
    tab = visit("data").upload(bits_csv()).set("target", ["kind"]).set("features", ["bit"]).set("seq_len", 3)
    tab.set("horizon", 0).train(epochs=8)
    instrument(tab)
    assert "automaton" not in tab.training.cache  # only after a click
    finished(tab.press("automaton_begin"))
    assert "The words that the model calls" in tab.words()
    assert "[a](b)" not in tab.markdown()  # names are shown as they are, never obeyed
    tab.set("automaton_word", "0110").set("automaton_step", 3)
    assert "Your word: 0 1 **1** 0" in unescaped(tab.words())
    task = symbol_task(tab.training.windows)
    x = torch.from_numpy(np.concatenate([task.lead, task.inputs[[0, 1, 1]]]))[None]
    trace = trace_lstm(tab.training.current_model().lstm, x)
    (heat,) = tab.figure("automaton_gates")["data"]
    rows = dict(zip(heat["y"], decoded(heat["z"]), strict=True))
    assert list(rows) == ["i", "f", "g", "o", "tanh c", "h"]
    assert rows["f"] == pytest.approx(trace.f[0, 0, 0, -1].numpy(), abs=1e-6)
    assert rows["tanh c"] == pytest.approx(trace.c[0, 0, 0, -1].tanh().numpy(), abs=1e-6)
    tab.set("automaton_word", "0x")
    assert "'x' is none of its symbols: use 0, 1." in unescaped(" ".join(tab.errors())) and "This window" in tab.words()


def found(machine, **more) -> Found:
    return Found(machine, ("a", "b"), **more)


def test_what_was_found_in_words():
    dfa = DFA(1, 0, {0}, [[0, 0]], fidelity=0.98765, flips_empty_word=True)
    text = unescaped(sentence(found(dfa, accepted="<b>x</b>")))
    assert "calls **<b>x</b>** are those of **1** state." in text
    assert "For the empty word" in text
    assert "**98.8 %** of the symbols" in text
    assert "no proof" in caption(found(dfa))
    graph = NextSymbolAutomaton(2, 0, [[1, -1], [-1, 0]], threshold=0.25, fidelity=1.0)
    assert "grammar" not in sentence(found(graph))  # nothing is known of the true one
    assert "more than 25 %" in unescaped(caption(found(graph)))
    many = [(state, 1) for state in range(6)]
    differences = Differences({0: (1, 2)}, {3: (0, 1)}, [(1, 0)], many, [], ())
    text = sentence(found(graph, differences=differences))
    assert "**1** of its states stands for several of the grammar, confused: 0." in text
    assert "It allows against the grammar: b in state 0, b in state 1, b in state 2, b in state 3 and 2 more." in text
    assert "It lacks: a in state 1." in text
    assert "One state of the grammar has several here: 3." in text
    sketch = StateSketch(1, 0, [[0, 0]], 0.5, np.array([[-1.0], [0.5]]), np.zeros((1, 2)), np.ones(1))
    assert "**50.0 %** of steps" in unescaped(sentence(found(sketch)))
    assert "a ≈ −1.0, b ≈ 0.50" in caption(found(sketch))


def test_a_window_that_begins_within_a_stream_walks_from_where_it_fits():
    cycle = NextSymbolAutomaton(3, 0, [[1, -1], [-1, 2], [-1, 0]])  # a b b a b b …
    assert longest_walk(cycle, [0, 1, 1]) == [0, 1, 2, 0]
    assert longest_walk(cycle, [1, 0, 1]) == [2, 0, 1, 2]
    assert longest_walk(cycle, [0, 0]) == [0, 1]
    assert longest_walk(cycle, []) == [0]
