"""What the instruments of the page Understand cost, on the small networks of the tests and on larger ones.

    python -m tests.benchmarks.understanding [row …]

Each row is a function that prepares its network and returns what is timed: it runs three times, and the quickest
counts. Give the beginnings of rows' names to time only those.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable

import torch

from lstm_core.analysis.automaton import (
    NetworkAcceptor,
    SymbolNetwork,
    compare,
    extract_dfa,
    extract_next_symbol_automaton,
    symbol_task,
)
from lstm_core.analysis.fixed_points import find_fixed_points, saddle_connections
from lstm_core.experiment import ModelSpec
from lstm_core.lessons import get_lesson
from lstm_core.lessons.runs import pretrained_runs
from lstm_core.model.recurrent import build_model
from tests.analysis.trained import TOMITA, load_fixture

Timed = Callable[[], str]  # does the work; says what came out
REPEATS = 3


def fixed_points_flip_flop() -> Timed:
    lstm = load_fixture("flip_flop").lstm

    def find() -> str:
        counts = Counter(point.n_unstable for point in find_fixed_points(lstm))
        return "by unstable directions: " + ", ".join(f"{modes}: {count}" for modes, count in sorted(counts.items()))

    return find


def fixed_points_64_units() -> Timed:
    lstm = build_model(ModelSpec(hidden_size=64), 8, 1).lstm
    return lambda: f"{len(find_fixed_points(lstm))} points of an untrained LSTM"


def saddle_connections_flip_flop() -> Timed:
    lstm = load_fixture("flip_flop").lstm
    points = find_fixed_points(lstm)
    return lambda: f"{len(saddle_connections(lstm, points))} directions followed both ways"


def automaton_tomita() -> Timed:
    acceptors = [NetworkAcceptor(SymbolNetwork(load_fixture(f"tomita{number}"))) for number in TOMITA]

    def extract() -> str:
        return "states of all seven: " + ", ".join(str(extract_dfa(acceptor, 2).n_states) for acceptor in acceptors)

    return extract


def automaton_continual_reber() -> Timed:
    run = pretrained_runs(get_lesson("continual_reber"))["lstm"]
    task = symbol_task(run.windows)
    network = task.network(run.current_model())

    def extract() -> str:
        machine = extract_next_symbol_automaton(network, task.first, task.last, task.end)
        same = "isomorphic to the grammar" if compare(machine, task.truth).is_isomorphic else "not the grammar"
        return f"{machine.n_states} states, {len(machine.arrows)} arrows, {same}, fidelity {machine.fidelity:.4g}"

    return extract


ROWS: tuple[Callable[[], Timed], ...] = (
    fixed_points_flip_flop,
    fixed_points_64_units,
    saddle_connections_flip_flop,
    automaton_tomita,
    automaton_continual_reber,
)


def main(beginnings: list[str]) -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; the quickest of {REPEATS}, in seconds")
    for row in ROWS:
        if beginnings and not row.__name__.startswith(tuple(beginnings)):
            continue
        timed, seconds = row(), []
        for _ in range(REPEATS):
            began = time.perf_counter()
            result = timed()
            seconds.append(time.perf_counter() - began)
        print(f"{row.__name__.replace('_', ' '):30} {min(seconds):7.3f}   {result}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
