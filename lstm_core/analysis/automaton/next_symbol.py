"""An automaton of what a network expects next, by the trees of what its states allow.

A state allows its likeliest symbol and all whose probability lies above a threshold, in the widest gap of them all. Its
signature is the tree of what it allows after each sequence of its own allowed moves, to some depth; states of one
signature are one state of the automaton. So the depth is the longest memory without a visible sign that is told apart.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_core.analysis.automaton.machine import NONE, NextSymbolAutomaton
from lstm_core.analysis.automaton.network import SymbolNetwork
from lstm_core.experiment import PlaygroundError

DEPTH = 6  # moves
MAX_STATES = 40
WALKERS, STEPS = 100, 100  # of the words that set the threshold, and of those that measure the fidelity
MAX_NODES = 200_000  # of trees that grow at once
FIDELITY_SEED = 2**20  # added: the words that measure fidelity are fresh


@dataclass(frozen=True, eq=False)
class _States:
    """Some states of a network: where it is, what it allows there, and whether one more symbol ends the word."""

    vectors: Tensor  # (n, size)
    allowed: np.ndarray  # (n, symbols) bool
    is_last: np.ndarray  # (n,) bool

    def __getitem__(self, rows: np.ndarray) -> _States:
        return _States(self.vectors[rows], self.allowed[rows], self.is_last[rows])


class _Reader:
    """A network with its threshold, and where its words begin and end."""

    def __init__(
        self, network: SymbolNetwork, first: Collection[int] | None, last: Collection[int], end: Collection[int]
    ) -> None:
        symbols = np.arange(network.n_symbols)
        self.network, self._last, self._end = network, np.isin(symbols, list(last)), np.isin(symbols, list(end))
        self._first = None if first is None else np.isin(symbols, list(first))[None]
        self.threshold = 1 / (2 * network.n_symbols)  # until it is set

    @property
    def start(self) -> _States:
        own = self._allowed(_softmax(self.network.first_logits))
        return _States(self.network.initial, own if self._first is None else self._first, np.zeros(1, bool))

    def _allowed(self, p: np.ndarray) -> np.ndarray:
        """(n, symbols) bool; the likeliest symbol always, for something follows."""
        return (p > self.threshold) | (p == p.max(axis=1, keepdims=True))

    def step(self, states: _States, symbols: np.ndarray) -> tuple[_States, np.ndarray]:
        """The states after one symbol each, and the probabilities (n, symbols) of the next."""
        logits, vectors = self.network.step(states.vectors, symbols)
        p = _softmax(logits)
        is_over = states.is_last | self._end[symbols]
        return _States(vectors, self._allowed(p) & ~is_over[:, None], self._last[symbols]), p

    def moves(self, states: _States) -> tuple[np.ndarray, np.ndarray, _States]:
        """Every allowed move of some states: the state's row, the symbol, and where it leads."""
        rows, symbols = np.nonzero(states.allowed)
        if not len(rows):
            return rows, symbols, states[rows]
        return rows, symbols, self.step(states[rows], symbols)[0]


def extract_next_symbol_automaton(
    network: SymbolNetwork,
    first_symbols: Collection[int] | None = None,
    last_symbols: Collection[int] = (),
    end_symbols: Collection[int] = (),
    depth: int = DEPTH,
    max_states: int = MAX_STATES,
    seed: int = 0,
) -> NextSymbolAutomaton:
    """The automaton of what a network that predicts the next symbol allows, with its fidelity.

    network: a model with one output for each of its symbols, in their order, at every step. first_symbols: those that
    the start allows, which are those with which sequences began in training: no network says what comes first. None:
    what it expects after its lead, for a start within a stream, where what it remembers of the stream's own beginning
    is gone. Past the end of a sequence a network was never trained: last_symbols are those that it read last, so that
    what it expects after them ends the word; end_symbols are those that end a word themselves.

    Raises:
        PlaygroundError: the outputs are no next symbols, the symbols or the depth named make no sense, more than
            max_states are needed, or the states allow so much that trees of this depth are too large.
    """
    if network.model.head.out_features != network.n_symbols or network.model.spec.head != "per_step":
        raise PlaygroundError(
            f"The model reads {network.n_symbols} symbols but does not predict the next of them at every step: choose "
            "a model whose target is the next symbol."
        )
    named = {*(first_symbols or ()), *last_symbols, *end_symbols}
    if not named <= {*range(network.n_symbols)} or depth < 1 or (first_symbols is not None and not first_symbols):
        raise PlaygroundError(
            f"Choose symbols from 0 to {network.n_symbols - 1}, of which at least one is first, and a depth of at "
            "least 1."
        )
    reader = _Reader(network, first_symbols, last_symbols, end_symbols)
    reader.threshold = _widest_gap(_probabilities(reader, np.random.default_rng(seed)), reader.threshold)
    transitions, words = _explore(reader, depth, max_states)
    machine = NextSymbolAutomaton(len(words), 0, transitions)
    fidelity = _fidelity(reader, machine, np.random.default_rng(seed + FIDELITY_SEED))
    return NextSymbolAutomaton(len(words), 0, transitions, reader.threshold, fidelity, words)


def _explore(reader: _Reader, depth: int, max_states: int) -> tuple[list[list[int]], list[tuple[int, ...]]]:
    """Breadth-first from the start, one network state for each signature: transitions, and the words to them."""
    signatures: dict[Hashable, int] = {}
    number_of = {_signatures(reader, reader.start, depth, signatures)[0]: 0}
    words: list[tuple[int, ...]] = [()]
    transitions: list[list[int]] = []
    newest = reader.start
    while len(newest.vectors):
        first = len(transitions)
        transitions += [[NONE] * reader.network.n_symbols for _ in range(len(newest.vectors))]
        rows, symbols, reached = reader.moves(newest)
        kept = []
        for k, signature in enumerate(_signatures(reader, reached, depth, signatures)):
            source, symbol = first + int(rows[k]), int(symbols[k])
            if signature not in number_of:
                number_of[signature] = len(number_of)
                words.append((*words[source], symbol))
                kept.append(k)
            transitions[source][symbol] = number_of[signature]
        if len(number_of) > max_states:
            raise PlaygroundError(
                f"More than {max_states} states allow different things to follow: what this model expects is no "
                "automaton so simple. Train it longer, choose a smaller depth, or allow more states."
            )
        newest = reached[np.array(kept, np.int64)]
    return transitions, words


def _signatures(reader: _Reader, states: _States, depth: int, known: dict[Hashable, int]) -> list[int]:
    """A number for each state's tree of allowed symbols; equal trees have equal numbers. `known` grows."""
    own = [row.tobytes() for row in states.allowed]
    if not depth:
        return [known.setdefault(allowed, len(known)) for allowed in own]
    rows, _, reached = reader.moves(states)
    if len(rows) > MAX_NODES:
        raise PlaygroundError(
            f"The states allow so many symbols that trees of {depth} more moves have over {MAX_NODES:,} branches: "
            "choose a smaller depth."
        )
    branches: list[list[int]] = [[] for _ in own]
    if len(rows):
        for row, below in zip(rows, _signatures(reader, reached, depth - 1, known), strict=True):
            branches[row].append(below)
    trees = [(depth, allowed, *below) for allowed, below in zip(own, branches, strict=True)]
    return [known.setdefault(tree, len(known)) for tree in trees]


def _probabilities(reader: _Reader, rng: np.random.Generator) -> np.ndarray:
    """All the network's probabilities along words of its own allowed symbols."""
    states, found = _starts(reader, WALKERS), []
    for _ in range(STEPS):
        states, p = reader.step(states, _drawn(states.allowed, rng))
        found.append(p.ravel())
        states = _begin_again(reader, states)
    return np.concatenate(found)


def _widest_gap(p: np.ndarray, otherwise: float) -> float:
    """The middle of the widest gap between probabilities whose middle is at most ½: above that a gap can tell one
    sure symbol from two possible ones, but no possible symbol from an impossible one."""
    p = np.sort(p)
    middles, widths = (p[1:] + p[:-1]) / 2, np.diff(p)
    inside = middles <= 0.5
    if not inside.any() or not widths[inside].max() > 0:
        return otherwise
    return float(middles[inside][widths[inside].argmax()])


def _fidelity(reader: _Reader, machine: NextSymbolAutomaton, rng: np.random.Generator) -> float:
    """The share of prefixes after which both allow the same; once the automaton has no arrow, the rest of the word
    counts as disagreement."""
    arrows = np.array(machine.transitions)
    states, at = _starts(reader, WALKERS), np.full(WALKERS, machine.start)
    agreed = 0
    for _ in range(STEPS):
        symbols = _drawn(states.allowed, rng)
        at = np.where(at == NONE, NONE, arrows[at, symbols])
        states, _ = reader.step(states, symbols)
        agreed += int(((arrows[at] != NONE) == states.allowed).all(axis=1)[at != NONE].sum())
        is_over = ~states.allowed.any(axis=1)
        states, at = _begin_again(reader, states), np.where(is_over, machine.start, at)
    return agreed / (WALKERS * STEPS)


def _starts(reader: _Reader, count: int) -> _States:
    return reader.start[np.zeros(count, np.int64)]


def _begin_again(reader: _Reader, states: _States) -> _States:
    """With a new word wherever nothing may follow."""
    is_over = ~states.allowed.any(axis=1)
    mask = torch.from_numpy(is_over).to(states.vectors.device)
    vectors = torch.where(mask[:, None], reader.start.vectors, states.vectors)
    return _States(vectors, np.where(is_over[:, None], reader.start.allowed, states.allowed), states.is_last & ~is_over)


def _softmax(logits: Tensor) -> np.ndarray:
    return torch.softmax(logits.double(), dim=-1).cpu().numpy()


def _drawn(allowed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the allowed symbols of each row, uniformly."""
    return np.where(allowed, rng.random(allowed.shape), -1).argmax(axis=1)
