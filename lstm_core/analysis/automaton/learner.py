"""extract_dfa: the smallest automaton that answers as a teacher does, a network for one.

Angluin's L* (1987) with the suffixes of Rivest & Schapire (1993): rows of answers tell states apart, and each word on
which automaton and teacher differ gives one more suffix. Whether any such word is left is asked of random words, of
short words around each state (Chow 1978), and of the network's own state space (Weiss, Goldberg & Yahav 2018).
Finding none is no proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lstm_core.analysis.automaton.machine import DFA, minimise
from lstm_core.analysis.automaton.state_space import Word, find_conflict
from lstm_core.experiment import PlaygroundError

MAX_STATES = 40
WORDS, WORD_LENGTH = 500, 50  # random words of each look for a difference
MAX_SHORT_WORDS = 5000
FIDELITY_SEED = 2**20  # added: the words that measure fidelity are fresh


def extract_dfa(
    accepts: Callable[[list[int]], bool],
    n_symbols: int,
    max_states: int = MAX_STATES,
    seed: int = 0,
    trust_empty_word: bool = False,
) -> DFA:
    """The minimal complete DFA that answers as `accepts` does, with its fidelity.

    accepts(word) → bool, word a list of symbols 0 … n_symbols − 1. It may also have the methods of NetworkAcceptor,
    which make a network's extraction quick: batch(words) for many words at once, prefixes(words) for the answer after
    each symbol, and initial and step for its states.

    The empty word is answered both ways and the smaller automaton kept, the teacher's own answer if they are equally
    small, since training seldom asks a network for it; DFA.flips_empty_word says when that was the other answer. With
    trust_empty_word only the teacher's own is tried.

    Raises:
        PlaygroundError: more than max_states are needed, or the arguments make no sense.
    """
    if n_symbols < 1 or max_states < 1:
        raise PlaygroundError(
            f"n_symbols is {n_symbols} and max_states {max_states}: choose at least 1 for each of them."
        )
    answers: dict[Word, bool] = {}
    own = Teacher(accepts, n_symbols, answers).ask([()])[0]
    found, refusal = [], None
    for empty in [own] if trust_empty_word else [own, not own]:
        teacher = Teacher(accepts, n_symbols, answers, empty)
        try:
            dfa = _learn(teacher, max_states, np.random.default_rng(seed))
        except PlaygroundError as error:
            refusal = refusal or error
            continue
        fidelity = _fidelity(teacher, dfa, np.random.default_rng(seed + FIDELITY_SEED))
        found.append(DFA(dfa.n_states, dfa.start, dfa.accepting, dfa.transitions, fidelity, empty != own))
    if not found:
        raise refusal
    return min(found, key=lambda dfa: dfa.n_states)


class Teacher:
    """The answers to words, each asked once; the empty word's may be set."""

    def __init__(
        self, accepts: Callable[[list[int]], bool], n_symbols: int, answers: dict[Word, bool], empty: bool | None = None
    ) -> None:
        """answers: those known already, to which new ones are added."""
        self.accepts, self.n_symbols, self._answers, self._empty = accepts, n_symbols, answers, empty

    def ask(self, words: Sequence[Word]) -> list[bool]:
        new = list(dict.fromkeys(word for word in words if word not in self._answers))
        if new and hasattr(self.accepts, "batch"):
            given = self.accepts.batch(new)
        else:
            given = [self.accepts(list(word)) for word in new]
        self._answers.update(zip(new, map(bool, given), strict=True))
        return [self._empty if not word and self._empty is not None else self._answers[word] for word in words]

    def difference(self, dfa: DFA, words: np.ndarray) -> Word | None:
        """The shortest prefix of the words (n, length) on which the teacher and the automaton differ, if any does.

        Without the method `prefixes` each word is asked at one length only, which takes its turn from all of them.
        """
        differs = self.compared(dfa, words)
        lengths = np.where(differs.any(axis=0))[0]
        if not len(lengths):
            return None
        length = lengths[0] + 1
        return tuple(words[differs[:, length - 1].argmax(), :length].tolist())

    def compared(self, dfa: DFA, words: np.ndarray) -> np.ndarray:
        """(n, length) bool: where the two differ after a symbol; False where it was not asked."""
        states = np.full(len(words), dfa.start)
        transitions, accepting = np.array(dfa.transitions), list(dfa.accepting)
        predicted = np.empty(words.shape, bool)
        for step, symbols in enumerate(words.T):
            states = transitions[states, symbols]
            predicted[:, step] = np.isin(states, accepting)
        if hasattr(self.accepts, "prefixes"):
            return np.asarray(self.accepts.prefixes(words)) != predicted
        lengths = 1 + np.arange(len(words)) % words.shape[1]
        asked = self.ask([tuple(word[:length].tolist()) for word, length in zip(words, lengths, strict=True)])
        differs = np.zeros(words.shape, bool)
        rows = np.arange(len(words))
        differs[rows, lengths - 1] = np.array(asked) != predicted[rows, lengths - 1]
        return differs


def _learn(teacher: Teacher, max_states: int, rng: np.random.Generator) -> DFA:
    access: list[Word] = [()]  # a word to each state
    suffixes: list[Word] = [()]
    while True:
        dfa = _hypothesis(teacher, access, suffixes, max_states)
        word = _counterexample(teacher, dfa, access, suffixes, rng)
        if word is None:
            return minimise(dfa)
        while dfa.accepts(word) != teacher.ask([word])[0]:
            suffixes.append(_new_suffix(teacher, dfa, access, word))
            dfa = _hypothesis(teacher, access, suffixes, max_states)


def _hypothesis(teacher: Teacher, access: list[Word], suffixes: list[Word], max_states: int) -> DFA:
    """The automaton of the rows; `access` grows by a word for each row that is new.

    State k is the one that access[k] leads to.
    """
    symbols = range(teacher.n_symbols)
    while True:
        words = [*access, *((*word, symbol) for word in access for symbol in symbols)]
        answers = np.reshape(teacher.ask([word + suffix for word in words for suffix in suffixes]), (len(words), -1))
        rows = [row.tobytes() for row in answers]
        state_of: dict[bytes, int] = {}
        for row in rows[: len(access)]:
            state_of.setdefault(row, len(state_of))
        new = {row: word for word, row in zip(words, rows, strict=True) if row not in state_of}
        if not new:
            break
        access.extend(new.values())
        if len(access) > max_states:
            raise PlaygroundError(
                f"More than {max_states} states are needed to answer as this model does: it has not learned a regular "
                "language so simple. Train it longer, or allow more states."
            )
    after = rows[len(access) :]
    transitions = [[state_of[row] for row in after[k : k + len(symbols)]] for k in range(0, len(after), len(symbols))]
    accepting = {state for state in range(len(access)) if answers[state, 0]}  # the first suffix is the empty word
    return DFA(len(access), 0, accepting, transitions)


def _new_suffix(teacher: Teacher, dfa: DFA, access: list[Word], word: Word) -> Word:
    """Rivest & Schapire: by bisection, a suffix of the word that tells two words apart which now share a state."""
    states = dfa.walk(word)

    def answer(place: int) -> bool:
        """To the word whose first `place` symbols have been replaced by the access word of where they lead."""
        return teacher.ask([access[states[place]] + word[place:]])[0]

    low, high, first = 0, len(word), answer(0)
    while high - low > 1:
        middle = (low + high) // 2
        if answer(middle) == first:
            low = middle
        else:
            high = middle
    return word[high:]


def _counterexample(
    teacher: Teacher, dfa: DFA, access: list[Word], suffixes: list[Word], rng: np.random.Generator
) -> Word | None:
    words = np.concatenate([random_words(dfa, WORDS // 2, careful, rng) for careful in (False, True)])
    word = teacher.difference(dfa, words)
    if word is None:
        word = _among_short_words(teacher, dfa, access, suffixes, rng)
    if word is None and hasattr(teacher.accepts, "step"):
        word = find_conflict(teacher.accepts, dfa, teacher.ask)
    return word


def _among_short_words(
    teacher: Teacher, dfa: DFA, access: list[Word], suffixes: list[Word], rng: np.random.Generator
) -> Word | None:
    """Up to two symbols from each state, then each suffix that tells states apart."""
    symbols = range(teacher.n_symbols)
    middles = [(), *((a,) for a in symbols), *((a, b) for a in symbols for b in symbols)]
    count = len(access) * len(middles) * len(suffixes)
    chosen = np.arange(count) if count <= MAX_SHORT_WORDS else rng.choice(count, MAX_SHORT_WORDS, replace=False)
    places = np.stack(np.unravel_index(chosen, (len(access), len(middles), len(suffixes))), axis=1)
    words = [access[a] + middles[b] + suffixes[c] for a, b, c in places.tolist()]
    for word, answer in zip(words, teacher.ask(words), strict=True):
        if dfa.accepts(word) != answer:
            return word
    return None


def random_words(dfa: DFA, count: int, careful: bool, rng: np.random.Generator) -> np.ndarray:
    """(count, WORD_LENGTH) symbols drawn uniformly; careful: where possible none that leads into the rejecting sink."""
    transitions, sink = np.array(dfa.transitions), dfa.sink
    scores = rng.random((WORD_LENGTH, count, dfa.n_symbols))
    words, states = np.empty((WORD_LENGTH, count), np.int64), np.full(count, dfa.start)
    for step in range(WORD_LENGTH):
        if careful and sink is not None:
            scores[step] -= transitions[states] == sink
        words[step] = scores[step].argmax(axis=1)
        states = transitions[states, words[step]]
    return words.T


def _fidelity(teacher: Teacher, dfa: DFA, rng: np.random.Generator) -> float:
    words = np.concatenate([random_words(dfa, WORDS // 2, careful, rng) for careful in (False, True)])
    asked = words.size if hasattr(teacher.accepts, "prefixes") else len(words)
    return 1 - int(teacher.compared(dfa, words).sum()) / asked
