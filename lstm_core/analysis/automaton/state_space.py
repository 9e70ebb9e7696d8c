"""A look into the network's state space for words on which an automaton is wrong (Weiss, Goldberg & Yahav 2018).

The space is cut by hyperplanes into parts, and the network's states are visited breadth-first, one per part once the
words are longer than a few symbols. Two states in one part for which the automaton has two states of its own are a
conflict: either the automaton is wrong about one of the two words, or the part is too coarse and is cut in two half-way
between them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from lstm_core.analysis.automaton.machine import DFA, separating_word

Word = tuple[int, ...]
MAX_CUTS = 60
MAX_VISITED = 2000
FREE_WORDS = 64  # so many of the shortest are visited whatever part they are in: at first there is one part alone


@dataclass(eq=False)
class _Part:
    """A leaf of the tree of cuts, or a cut."""

    normal: np.ndarray | None = None
    offset: float = 0.0
    sides: tuple[_Part, _Part] | None = None

    def locate(self, vector: np.ndarray) -> _Part:
        part = self
        while part.sides is not None:
            part = part.sides[int(part.normal @ vector > part.offset)]
        return part

    def cut(self, a: np.ndarray, b: np.ndarray) -> None:
        """By the hyperplane that bisects the line between two points."""
        self.normal, self.offset = b - a, float((b - a) @ (a + b)) / 2
        self.sides = (_Part(), _Part())


class Steppable(Protocol):
    """What the walk needs of a network, as NetworkAcceptor has it."""

    initial: Tensor  # (1, size of a state)

    def step(self, states: Tensor, symbols: Sequence[int]) -> Tensor: ...


def find_conflict(network: Steppable, dfa: DFA, ask: Callable[[Sequence[Word]], list[bool]]) -> Word | None:
    """A word that the automaton answers wrongly, if a walk through the network's states finds one; ask: the network's
    answers to words."""
    vectors: dict[Word, np.ndarray] = {(): _vector(network.initial)}
    states = {(): network.initial}
    root, separators = _Part(), {}
    free_length = int(math.log(FREE_WORDS, max(2, dfa.n_symbols)))
    for _ in range(MAX_CUTS):
        visited: dict[_Part, tuple[int, Word]] = {}  # the automaton's state, and the word that leads to it
        queue, conflict = deque([(dfa.start, ())]), False
        while queue and len(visited) < MAX_VISITED:
            state, word = queue.popleft()
            if (state in dfa.accepting) != ask([word])[0]:
                return word
            part = root.locate(vectors[word])
            other_state, other = visited.setdefault(part, (state, word))
            if other is word or len(word) < free_length:
                _visit_next(network, word, dfa.n_symbols, states, vectors)
                queue.extend((dfa.transitions[state][symbol], (*word, symbol)) for symbol in range(dfa.n_symbols))
            if other_state != state:
                pair = min(state, other_state), max(state, other_state)
                if pair not in separators:
                    separators[pair] = separating_word(dfa, *pair)
                if separators[pair] is None:
                    continue  # the same state but for its number
                tried = [word + separators[pair], other + separators[pair]]
                for long, answer in zip(tried, ask(tried), strict=True):
                    if dfa.accepts(long) != answer:
                        return long
                part.cut(vectors[other], vectors[word])
                conflict = True
                break
        if not conflict:
            return None
    return None


def _visit_next(
    network: Steppable, word: Word, n_symbols: int, states: dict[Word, Tensor], vectors: dict[Word, np.ndarray]
) -> None:
    """The network's states one symbol after a word, once."""
    if (*word, 0) in states:
        return
    after = network.step(states[word].expand(n_symbols, -1), range(n_symbols))
    for symbol in range(n_symbols):
        states[*word, symbol] = after[symbol : symbol + 1]
        vectors[*word, symbol] = _vector(after[symbol : symbol + 1])


def _vector(state: Tensor) -> np.ndarray:
    return state[0].double().cpu().numpy()
