"""Automata of what may follow: the Reber grammars in the lessons' models, what windows say, and sketches of numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from lstm_core.analysis.automaton import (
    NONE,
    NextSymbolAutomaton,
    SymbolNetwork,
    compare,
    extract_next_symbol_automaton,
    sketch_automaton,
    symbol_task,
)
from lstm_core.data.generators import generate, reber
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, ModelSpec, PlaygroundError
from lstm_core.lessons.catalog.papers.reber.scores import predict_test_strings
from lstm_core.model.recurrent import build_model
from tests.analysis.trained import flip_flop_streams, load_fixture
from tests.factories import spec_of, table_of, wave
from tests.lessons.shipped import shipped_runs


@pytest.fixture(scope="module")
def continual():
    return shipped_runs("continual_reber")


def extracted(run, **more) -> tuple[NextSymbolAutomaton, NextSymbolAutomaton]:
    """The automaton of a run's model, and the true one."""
    task = symbol_task(run.windows)
    network = task.network(run.current_model())
    return extract_next_symbol_automaton(network, task.first, task.last, task.end, **more), task.truth


@pytest.mark.parametrize("depth", [6, 8])
def test_the_shipped_continual_reber_model_is_the_grammar(continual, depth):
    machine, truth = extracted(continual["lstm"], depth=depth)
    assert (machine.n_states, len(machine.arrows)) == (truth.n_states, len(truth.arrows)) == (19, 30)
    assert compare(machine, truth).is_isomorphic
    assert machine.fidelity == 1
    assert 0.05 < machine.threshold < 0.4
    assert all(machine.walk(word)[-1] == state for state, word in enumerate(machine.words))


def test_its_twin_without_forget_gates_confuses_t_and_p(continual):
    machine, truth = extracted(continual["no_forget"])
    differences = compare(machine, truth)
    assert not differences.is_isomorphic
    assert machine.n_states < truth.n_states
    recall = truth.transitions.index([NONE, 18, *[NONE] * 5])  # where only T is legal
    assert any({recall, recall + 8} <= set(pair) for pair in differences.merged.values())
    assert {reber.SYMBOLS[symbol] for _, symbol in differences.extra} == {"T", "P"}
    after = machine.walk(differences.shortest)
    assert len(after) == len(differences.shortest) + 1


def test_the_shipped_embedded_reber_model_closes_where_its_strings_ended():
    runs = shipped_runs("embedded_reber")
    task = symbol_task(runs["lstm"].windows)
    assert (task.first, task.last, task.end) == ((reber.SYMBOLS.index("B"),), (reber.SYMBOLS.index("E"),), ())
    assert len(task.lead) > 10 and not task.lead.any()
    machine, truth = extracted(runs["lstm"])
    assert compare(machine, truth).is_isomorphic
    assert (machine.n_states, len(machine.arrows), machine.fidelity) == (19, 29, 1)
    assert predict_test_strings(runs["rnn"]).solved.all()
    assert compare(*extracted(runs["rnn"])).is_isomorphic  # it has every string right, too


def test_a_word_ends_its_walk_where_nothing_may_follow(continual):
    machine, _ = extracted(continual["lstm"])
    allowed = machine.allowed(machine.start)
    assert machine.walk([allowed[0]])[1:] == [machine.transitions[machine.start][allowed[0]]]
    forbidden = next(symbol for symbol in range(7) if symbol not in allowed)
    assert machine.walk([forbidden, allowed[0]]) == [machine.start]


def hand_made(rows: list[list[int]]) -> SymbolNetwork:
    """A network whose next symbol depends on its last one alone: rows[symbol] are those that it allows after it."""
    n = len(rows)
    model = build_model(ModelSpec(hidden_size=n, head="per_step"), n, n)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.lstm.weight_ih_l0[2 * n : 3 * n] = 4 * torch.eye(n)  # g: the symbol that was read
        model.lstm.bias_ih_l0[:n] = 10.0
        model.lstm.bias_ih_l0[n : 2 * n] = -10.0
        model.lstm.bias_ih_l0[3 * n :] = 10.0
        for symbol, allowed in enumerate(rows):
            model.head.weight[:, symbol] = -12.0
            model.head.weight[allowed, symbol] = 0.0
    return SymbolNetwork(model)


def test_a_hand_made_network_gives_its_own_graph():
    machine = extract_next_symbol_automaton(hand_made([[1, 2], [0], [2, 0]]), first_symbols=[0])
    assert machine == NextSymbolAutomaton(3, 0, [[1, NONE, NONE], [NONE, 0, 2], [1, NONE, 2]])
    assert machine.walk([0, 1])[-1] == machine.start  # after a 1 only 0 may come, as at the start
    assert machine.fidelity == 1


def test_the_likeliest_symbol_is_always_allowed():
    """Where no symbol stands out, as in a text, a walk still goes on."""
    network = hand_made([[0, 1, 2], [0, 1, 2], [0, 1, 2]])
    with torch.no_grad():
        network.model.head.bias[1] = 0.01
    machine = extract_next_symbol_automaton(network, [0])
    assert all(machine.allowed(state) for state in range(machine.n_states))


def test_ends_close_the_graph():
    network = hand_made([[1, 2], [0], [2, 0]])
    ended = extract_next_symbol_automaton(network, [0], end_symbols=[2])
    assert ended.transitions[ended.walk([0, 2])[-1]] == [NONE] * 3
    last = extract_next_symbol_automaton(network, [0], last_symbols=[2])
    state = last.walk([0, 2])[-1]
    assert last.allowed(state) == [0, 2]
    assert last.transitions[last.transitions[state][0]] == [NONE] * 3
    assert ended.fidelity == last.fidelity == 1


def test_the_depth_is_the_longest_memory_that_is_told_apart():
    """Reber strings hold T or P over five symbols at least: looked at less deeply, its two halves are one."""
    run = shipped_runs("embedded_reber")["lstm"]
    machine, truth = extracted(run, depth=2)
    assert machine.n_states < truth.n_states
    assert compare(machine, truth).merged


def test_too_many_states_and_what_makes_no_sense_are_refused(continual):
    run = continual["lstm"]
    with pytest.raises(PlaygroundError, match="More than 10 states"):
        extracted(run, max_states=10)
    network = hand_made([[0, 1], [0, 1]])
    for arguments in ({"first_symbols": []}, {"first_symbols": [2]}, {"end_symbols": [-1]}, {"depth": 0}):
        with pytest.raises(PlaygroundError, match="symbols from 0 to 1, of which at least one is first"):
            extract_next_symbol_automaton(network, **arguments)
    with pytest.raises(PlaygroundError, match="choose a smaller depth"):
        extract_next_symbol_automaton(network, [0], depth=30)
    with pytest.raises(PlaygroundError, match="does not predict the next"):
        extract_next_symbol_automaton(SymbolNetwork(build_model(ModelSpec(hidden_size=3), 2, 2)), [0])


def test_a_stream_begins_within_itself(continual):
    task = symbol_task(continual["lstm"].windows)
    assert (task.symbols, task.first, task.last, task.end) == (reber.SYMBOLS, None, (), ())
    assert task.predicts_next
    assert len(task.lead) == 100
    first = continual["lstm"].windows.inputs(continual["lstm"].windows.starts["train"][:1])[:, :100]
    assert task.truth.start == reber.states_after(reber.decode_one_hot(first))[0, -1]


def symbol_windows(**data):
    spec = DataSpec(source="generator", scaling="none", horizon=0, noise=0.0, **data)
    table = generate(spec)
    roles = {name: getattr(table.roles, name) for name in ("targets", "features", "time", "group")}
    spec = dataclasses.replace(spec, **roles)
    return make_windows(table, spec)


def test_classes_at_the_end_are_no_next_symbols():
    task = symbol_task(symbol_windows(name="temporal_order", length=60, seq_len=110))
    assert not task.predicts_next
    assert task.truth is None
    assert (task.first, task.last) == ((task.symbols.index("E"),), (task.symbols.index("B"),))


def test_few_values_are_symbols_as_the_model_reads_them_and_numbers_are_none():
    rng = np.random.default_rng(0)
    bit = rng.integers(0, 2, 60)
    table = table_of(bit=bit, y=np.where(bit, "odd", "even"))
    windows = make_windows(table, spec_of(features=("bit",), seq_len=4, horizon=0))
    task = symbol_task(windows)
    assert task.symbols == ("0", "1")
    assert sorted(np.unique(windows.inputs(windows.starts["train"]))) == pytest.approx(sorted(task.inputs[:, 0]))
    assert len(task.lead) == 0
    with pytest.raises(PlaygroundError, match="look at the sketch by clusters"):
        symbol_task(wave())


@pytest.mark.slow
def test_the_sketch_of_a_flip_flop_is_its_corners_and_walks_as_the_network_does():
    x, _ = flip_flop_streams(1200, 40, np.random.default_rng(3))
    sketch = sketch_automaton(load_fixture("flip_flop"), x, n_states=8, n_inputs=27)
    assert sketch.n_states == 8
    assert sketch.visits.sum() == pytest.approx(1)
    assert sketch.visits.min() > 0.05
    assert sketch.fidelity > 0.95
    silence = int(sketch.symbols(np.zeros((1, 3)))[0])
    assert np.abs(sketch.inputs[silence]).max() < 0.01
    assert [row[silence] for row in sketch.transitions] == list(range(8))  # nothing happens, nothing changes
    pulse = int(sketch.symbols(np.array([[1.0, 1.0, 1.0]]))[0])
    assert len({row[pulse] for row in sketch.transitions}) == 1  # all three bits are set, whatever they were
    states = sketch.walk([pulse, silence, silence])
    assert states[1] == states[2] == states[3]


def test_a_coarse_sketch_admits_it():
    x, _ = flip_flop_streams(100, 40, np.random.default_rng(3))
    model = load_fixture("flip_flop")
    coarse, fine = sketch_automaton(model, x, 8, 2), sketch_automaton(model, x, 8, 27)
    assert coarse.fidelity < fine.fidelity < 1
    again = sketch_automaton(model, x, 8, 2)
    assert (again.transitions, again.fidelity) == (coarse.transitions, coarse.fidelity)


def test_what_cannot_be_sketched_is_refused():
    x = torch.zeros(4, 3, 2)
    for fields in ({"cell": "gru"}, {"bidirectional": True}):
        with pytest.raises(PlaygroundError, match="one with one direction"):
            sketch_automaton(build_model(ModelSpec(hidden_size=3, **fields), 2, 1), x)
    model = build_model(ModelSpec(hidden_size=3), 2, 1)
    for arguments in ((x[:1],), (x, 50), (x, 0)):
        with pytest.raises(PlaygroundError, match="too few"):
            sketch_automaton(model, *arguments)
