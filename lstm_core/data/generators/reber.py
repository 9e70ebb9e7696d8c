"""The embedded Reber grammar: its graph, strings and endless streams drawn from it, and the legal next symbols.

The graph is that of Reber (1967), embedded as in Fahlman (1991) and Hochreiter & Schmidhuber (1997, section 5.1):
B, then T or P, then a whole Reber string, then the same T or P again, then E. All arrows out of a state
are equally likely.
"""

from __future__ import annotations

import numpy as np

from lstm_core.data.generators.sequences import symbol_table, validated_rng
from lstm_core.data.table import Column, Table
from lstm_core.experiment import PlaygroundError

SYMBOLS = tuple("BTPSXVE")
REBER = (  # state → symbol → next state
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
    {},
)
COLUMNS = len(SYMBOLS) + 3  # of a table: the symbols, the sequence's number, the state and the wrapped symbol
MIN_SYMBOLS = 9  # symbols of the shortest embedded string: B, T or P, five of a Reber string, T or P, E
RECALL_STATE = 9  # column "state" where the T or P must be recalled


def _embedded() -> tuple[dict[str, int], ...]:
    """The embedding graph: REBER once for T and once for P, so that the state encodes which; E leads to 0."""
    state_count = len(REBER)
    graph = [{"B": 1}, {"T": 2, "P": 2 + state_count}]
    for wrapped in "TP":
        first = len(graph)
        graph += [{symbol: first + to for symbol, to in arrows.items()} for arrows in REBER]
        graph[-1] = {wrapped: 2 + 2 * state_count}
    return (*graph, {"E": 0})


GRAPH = _embedded()
NEXT = np.array([[arrows.get(symbol, -1) for symbol in SYMBOLS] for arrows in GRAPH])  # (states, symbols), −1: none
LEGAL = NEXT >= 0
OPTIONS = np.array([(np.flatnonzero(row)[[0, -1]]) for row in LEGAL])  # (states, 2): one or two symbols may follow
# Values of column "state", the same in both copies of REBER; and of column "wrapped": T 1, P −1, else 0
STATE = np.array([0, 1, *(2 * list(range(2, 2 + len(REBER)))), 2 + len(REBER)])
REMEMBERED_SYMBOL = np.array([0, 0, *([1] * len(REBER)), *([-1] * len(REBER)), 0])


def embedded_reber(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Predict the next symbol; the second returns at the end.

    One string a sequence, padded in front with zeros that are not scored. Each row is one symbol, one-hot;
    target "next" is the symbol after it. The last row's is the T or P that must be remembered: the E that
    always follows is left out. Longer strings are drawn again. Columns "state" (0 to 10, the state of the grammar
    after this symbol) and "wrapped" (1: T, −1: P, 0: neither is to be remembered) are explanatory and no features.
    Hochreiter & Schmidhuber (1997), "Long Short-Term Memory", experiment 1.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=COLUMNS, least_steps=MIN_SYMBOLS - 2)
    strings = np.empty((0, seq_len + 1), np.int8)
    while len(strings) < length:
        drawn, states = _walk(length, seq_len + 1, rng)
        done = states == len(GRAPH) - 1
        drawn[done.cumsum(axis=1) > done] = -1  # whatever follows the end
        strings = np.concatenate([strings, drawn[done.any(axis=1)]])
    strings = strings[:length]
    sizes = (strings >= 0).sum(axis=1, keepdims=True)
    padded = np.take_along_axis(strings, (np.arange(seq_len + 1) + sizes) % (seq_len + 1), axis=1)
    return _table("embedded_reber", padded)


def continual_reber(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """The same without an end: string after string in one stream.

    Each sequence is the beginning of another endless stream of embedded strings, cut after seq_len symbols, with
    the columns of embedded_reber; nothing marks where a string ends but its E. Gers, Schmidhuber & Cummins (2000),
    "Learning to Forget: Continual Prediction with LSTM".
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=COLUMNS, least_steps=2)
    return _table("continual_reber", _walk(length, seq_len + 1, rng)[0])


def states_after(symbols: np.ndarray) -> np.ndarray:
    """The state of GRAPH after each symbol of strings or streams that begin at its start: (sequences, steps) int64.

    symbols: (sequences, steps) indices into SYMBOLS, −1 for padding in front, where the state stays at the start.

    Raises:
        PlaygroundError: a symbol that the grammar does not allow.
    """
    states = np.zeros(symbols.shape, np.int64)
    state = np.zeros(len(symbols), np.int64)
    for step, symbol in enumerate(symbols.T):
        is_padding = (symbol < 0) & (state == 0)
        state = np.where(is_padding, 0, np.where(symbol < 0, -1, NEXT[state, symbol]))
        if (state < 0).any():
            wrong = int(np.argmax(state < 0))
            raise PlaygroundError(
                f"Symbol {step + 1} of sequence {wrong + 1} is not what the Reber grammar allows there: begin each "
                "sequence at the beginning of a string."
            )
        states[:, step] = state
    return states


def legal_next_symbols(symbols: np.ndarray) -> np.ndarray:
    """(sequences, steps, 7) bool: which symbols may come next; arguments and errors as for states_after."""
    return LEGAL[states_after(symbols)]


def decode_one_hot(x: np.ndarray) -> np.ndarray:
    """(…, symbols) one-hot → (…) indices into the symbols, −1 where a row is all zero."""
    return np.where(x.any(axis=-1), x.argmax(axis=-1), -1)


def _walk(count: int, steps: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`count` random walks from the start: the symbols and the states they lead to, each (count, steps) int8."""
    coins = rng.integers(0, 2, (steps, count), np.int8)
    symbols, states = np.empty((2, steps, count), np.int8)
    state = np.zeros(count, np.int8)
    for step in range(steps):
        symbol = OPTIONS[state, coins[step]]
        state = NEXT[state, symbol]
        symbols[step], states[step] = symbol, state
    return symbols.T, states.T


def _table(name: str, symbols: np.ndarray) -> Table:
    """symbols: (sequences, seq_len + 1), −1 in front: all but the last are inputs, all but the first targets."""
    inputs, targets = symbols[:, :-1], symbols[:, 1:]
    targets = np.where(inputs < 0, -1, targets)
    states = states_after(inputs).ravel()
    explanatory = {"state": STATE[states], "wrapped": REMEMBERED_SYMBOL[states]}
    target = Column("next", "category", targets.ravel().astype(np.int32), SYMBOLS)
    return symbol_table(name, inputs, SYMBOLS, target, explanatory)
