"""Finite automata as values: acceptors, next-symbol automata, walks through them, and how two of them differ."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lstm_core.experiment import PlaygroundError

NONE = -1  # in place of a state: no arrow


class Walkable:
    """What automata share: states 0 … n_states − 1, and transitions[state][symbol], NONE where there is no arrow."""

    n_states: int
    start: int
    transitions: list[list[int]]

    @property
    def n_symbols(self) -> int:
        return len(self.transitions[0])

    @property
    def arrows(self) -> list[tuple[int, int, int]]:
        """(state, symbol, next state) of every arrow."""
        rows = enumerate(self.transitions)
        return [(state, symbol, to) for state, row in rows for symbol, to in enumerate(row) if to != NONE]

    def walk(self, word: Sequence[int], start: int | None = None) -> list[int]:
        """The start, the automaton's own unless one is given, then the state after each symbol; it ends early before a
        symbol that has no arrow.

        Raises:
            PlaygroundError: a symbol that the automaton does not know.
        """
        states = [self.start if start is None else start]
        for symbol in word:
            if not 0 <= symbol < self.n_symbols:
                raise PlaygroundError(f"There is no symbol {symbol}: choose from 0 to {self.n_symbols - 1}.")
            if (state := self.transitions[states[-1]][symbol]) == NONE:
                break
            states.append(state)
        return states


@dataclass(frozen=True)
class DFA(Walkable):
    """A deterministic automaton that accepts or rejects words; complete: every state has an arrow for every symbol.

    fidelity: the share of the prefixes of fresh words on which it and what it was extracted from agree, None if it was
    not extracted. flips_empty_word: whether it answers the empty word the other way round, since that takes fewer
    states. Neither counts when two are compared with ==.
    """

    n_states: int
    start: int
    accepting: set[int]
    transitions: list[list[int]]
    fidelity: float | None = field(default=None, compare=False)
    flips_empty_word: bool = field(default=False, compare=False)

    def accepts(self, word: Sequence[int]) -> bool:
        return self.walk(word)[-1] in self.accepting

    @property
    def sink(self) -> int | None:
        """The rejecting state that no word leaves, the only one if the automaton is minimal; None without one."""
        states = (state for state in range(self.n_states) if state not in self.accepting)
        return next((state for state in states if set(self.transitions[state]) == {state}), None)


@dataclass(frozen=True)
class NextSymbolAutomaton(Walkable):
    """An automaton of what may come next: a state's arrows are the symbols that it allows, the others are NONE.

    threshold: the probability above which the network allows a symbol. fidelity: the share of the prefixes of fresh
    words after which it and the network allow the same symbols. words: the shortest word found to each state. All of
    them None if it was not extracted; they do not count when two are compared with ==.
    """

    n_states: int
    start: int
    transitions: list[list[int]]
    threshold: float | None = field(default=None, compare=False)
    fidelity: float | None = field(default=None, compare=False)
    words: list[tuple[int, ...]] | None = field(default=None, compare=False)

    def allowed(self, state: int) -> list[int]:
        return [symbol for symbol, to in enumerate(self.transitions[state]) if to != NONE]


def minimise(dfa: DFA) -> DFA:
    """The smallest DFA of the same language (Moore 1956), its states numbered as a breadth-first walk reaches them.

    So two DFAs of one language become equal, ==.
    """
    reached = [state for state, _ in _breadth_first(dfa)]
    block = {state: int(state in dfa.accepting) for state in reached}
    count = len(set(block.values()))
    while True:
        keys = {state: (block[state], *(block[to] for to in dfa.transitions[state])) for state in reached}
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys.values()))}
        block = {state: numbers[keys[state]] for state in reached}
        if len(numbers) == count:
            break
        count = len(numbers)
    # reached is in breadth-first order, and so are the numbers of the blocks' first states
    firsts = {block[state]: state for state in reversed(reached)}
    transitions = [[block[to] for to in dfa.transitions[firsts[number]]] for number in range(count)]
    accepting = {block[state] for state in reached if state in dfa.accepting}
    return DFA(count, block[dfa.start], accepting, transitions, dfa.fidelity, dfa.flips_empty_word)


def separating_word(dfa: DFA, a: int, b: int) -> tuple[int, ...] | None:
    """The shortest word that one of two states accepts and the other does not; None if there is none."""
    seen, queue = {(a, b)}, deque([((a, b), ())])
    while queue:
        pair, word = queue.popleft()
        if (pair[0] in dfa.accepting) != (pair[1] in dfa.accepting):
            return word
        for symbol in range(dfa.n_symbols):
            to = tuple(dfa.transitions[state][symbol] for state in pair)
            if to not in seen:
                seen.add(to)
                queue.append((to, (*word, symbol)))
    return None


@dataclass(frozen=True)
class Differences:
    """How an automaton differs from the true one; the automaton's own states and arrows are named, to be marked."""

    merged: dict[int, tuple[int, ...]]  # state → the true states that it stands for, where these are several
    split: dict[int, tuple[int, ...]]  # true state → the states that stand for it, where these are several
    missing: list[tuple[int, int]]  # (state, symbol) of arrows that only the truth has
    extra: list[tuple[int, int]]  # (state, symbol) of arrows that the truth lacks
    wrong: list[int]  # states of a DFA that accept where the truth rejects, or the reverse
    shortest: tuple[int, ...] | None  # the shortest word after which they answer, or allow, something else

    @property
    def is_isomorphic(self) -> bool:
        """Whether the two are the same but for the numbers of their states."""
        return not (self.merged or self.split or self.missing or self.extra or self.wrong)


def compare(machine: DFA | NextSymbolAutomaton, truth: DFA | NextSymbolAutomaton) -> Differences:
    """Walk both at once, along the arrows that both have; a DFA's arrows into its rejecting sink count as missing.

    Raises:
        PlaygroundError: they are of different kinds or over different numbers of symbols.
    """
    if type(machine) is not type(truth) or machine.n_symbols != truth.n_symbols:
        raise PlaygroundError(
            f"A {type(machine).__name__} over {machine.n_symbols} symbols cannot be compared with a "
            f"{type(truth).__name__} over {truth.n_symbols}: choose two of one kind over the same symbols."
        )
    rows, true_rows = _without_sink(machine), _without_sink(truth)
    stands_for: dict[int, set[int]] = {}
    represented_by: dict[int, set[int]] = {}
    missing, extra, wrong = set(), set(), set()
    shortest = None
    seen, queue = {(machine.start, truth.start)}, deque([(machine.start, truth.start, ())])
    while queue:
        state, true_state, word = queue.popleft()
        stands_for.setdefault(state, set()).add(true_state)
        represented_by.setdefault(true_state, set()).add(state)
        found = {(state, symbol) for symbol, to in enumerate(rows[state]) if to != NONE}
        true = {(state, symbol) for symbol, to in enumerate(true_rows[true_state]) if to != NONE}
        missing, extra = missing | (true - found), extra | (found - true)
        differs = found != true
        if isinstance(machine, DFA) and (state in machine.accepting) != (true_state in truth.accepting):
            wrong.add(state)
            differs = True
        if differs and shortest is None:
            shortest = word
        for _, symbol in sorted(found & true):
            pair = rows[state][symbol], true_rows[true_state][symbol]
            if pair not in seen:
                seen.add(pair)
                queue.append((*pair, (*word, symbol)))
    merged, split = (
        {state: tuple(sorted(others)) for state, others in sorted(pairs.items()) if len(others) > 1}
        for pairs in (stands_for, represented_by)
    )
    return Differences(merged, split, sorted(missing), sorted(extra), sorted(wrong), shortest)


def _without_sink(machine: DFA | NextSymbolAutomaton) -> list[list[int]]:
    sink = machine.sink if isinstance(machine, DFA) else None
    if sink is None or sink == machine.start:
        return machine.transitions
    return [[NONE if to == sink else to for to in row] for row in machine.transitions]


def _breadth_first(machine: Walkable) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Every state that can be reached and the shortest word to it."""
    seen, queue = {machine.start}, deque([(machine.start, ())])
    while queue:
        state, word = queue.popleft()
        yield state, word
        for symbol, to in enumerate(machine.transitions[state]):
            if to not in seen and to != NONE:
                seen.add(to)
                queue.append((to, (*word, symbol)))
