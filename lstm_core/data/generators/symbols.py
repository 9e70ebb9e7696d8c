"""Synthetic sequences of symbols with which papers measure memory: temporal order, copy memory and counting.

GENERATORS lists the functions and explains their signature.
"""

from __future__ import annotations

import numpy as np

from lstm_core.data.generators.sequences import symbol_table, validated_rng
from lstm_core.data.table import Column, Table

ORDER_SYMBOLS = tuple("abcdXYEB")  # distractors, the two relevant symbols, begin and end
ORDERS = ("XX", "XY", "YX", "YY")
BLANK, MARKER = 8, 9  # copy_memory: the symbols 0 to 7, then these
COUNT_SYMBOLS = tuple("Sab")  # counting: S stands before each string
COPY_SYMBOLS = (*(f"s{k}" for k in range(BLANK)), "blank", "marker")


def temporal_order(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Classify the order of X and Y, far apart in a sequence.

    Each sequence begins with E, ends with B, and has a, b, c or d between, except at two steps: the first between
    1/11 and 2/11 of seq_len, the second between 5/11 and 6/11, each X or Y. The class is XX, XY, YX or YY. Sequences
    are 10/11 of seq_len to seq_len long, padded with zeros in front. With seq_len 110 it is task 6a of Hochreiter &
    Schmidhuber (1997, "Long Short-Term Memory", section 5.6): 100 to 110 symbols, X or Y at steps 10 to 20 and 50 to
    60.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=len(ORDER_SYMBOLS) + 2, least_steps=6)
    segment = seq_len / 11
    edges = [round(k * segment) for k in (1, 2, 5, 6, 10)]
    rows = np.arange(length)
    symbols = rng.integers(0, 4, (length, seq_len), np.int8)
    first_row = seq_len - rng.integers(edges[4], seq_len, length, endpoint=True)  # rows of padding
    first = first_row + rng.integers(edges[0], edges[1], length, endpoint=True)
    second = first_row + rng.integers(edges[2], edges[3], length, endpoint=True)
    symbols_drawn = rng.integers(0, 2, (2, length))
    symbols[rows, first], symbols[rows, second] = 4 + symbols_drawn
    symbols[rows, first_row], symbols[:, -1] = 6, 7
    symbols[np.arange(seq_len) < first_row[:, None]] = -1
    targets = np.full((length, seq_len), -1, np.int32)
    targets[:, -1] = 2 * symbols_drawn[0] + symbols_drawn[1]
    return symbol_table("temporal_order", symbols, ORDER_SYMBOLS, Column("order", "category", targets.ravel(), ORDERS))


def copy_memory(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Ten symbols, a long gap, a marker: repeat all ten.

    Ten symbols out of eight, T − 1 blanks, the marker, ten blanks: seq_len = T + 20. The targets are blank, and in
    the last ten steps the ten symbols in order. Without memory the lowest mean cross-entropy is 10 ln 8 / (T + 20).
    Arjovsky, Shah & Bengio (2016), "Unitary Evolution Recurrent Neural Networks", arXiv 1511.06464, section 4.1. A
    seq_len that is too short for ten symbols has as many as copy_length gives.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=len(COPY_SYMBOLS) + 2, least_steps=3)
    copied = copy_length(seq_len)
    symbols = np.full((length, seq_len), BLANK, np.int8)
    symbols[:, :copied] = rng.integers(0, BLANK, (length, copied))
    targets = np.full((length, seq_len), BLANK, np.int32)
    targets[:, -copied:] = symbols[:, :copied]
    symbols[:, -copied - 1] = MARKER
    target = Column("say", "category", targets.ravel(), COPY_SYMBOLS[: BLANK + 1])
    return symbol_table("copy_memory", symbols, COPY_SYMBOLS, target)


def copy_length(seq_len: int) -> int:
    """How many symbols copy_memory has to repeat: ten, or fewer where seq_len would leave no gap."""
    return min(10, (seq_len - 1) // 2)


def copy_naive_loss(seq_len: int) -> float:
    """The lowest mean cross-entropy on copy_memory of a model that knows its rules and remembers no symbol."""
    return copy_length(seq_len) * float(np.log(BLANK)) / seq_len


def counting(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """As many b as a: predict the next symbol.

    Strings aⁿ bⁿ one after the other, an S before each, cut after seq_len symbols; each n is from 1 to seq_len / 3,
    equally often. The target is the symbol after each, which is certain from the first b on until S has come. After
    Gers & Schmidhuber (2001), "LSTM recurrent networks learn simple context-free and context-sensitive languages", IEEE
    Transactions on Neural Networks 12(6), 1333–1340.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=len(COUNT_SYMBOLS) + 2, least_steps=2)
    # as many strings as fill a sequence, whose shortest have three symbols
    counts = rng.integers(1, max_count(seq_len), (length, seq_len // 3 + 1), endpoint=True)
    rows = [np.concatenate([count_string(n) for n in drawn])[: seq_len + 1] for drawn in counts]
    symbols = np.stack(rows)  # (length, seq_len + 1)
    target = Column("next", "category", symbols[:, 1:].ravel(), COUNT_SYMBOLS)
    return symbol_table("counting", symbols[:, :-1], COUNT_SYMBOLS, target)


def max_count(seq_len: int) -> int:
    """The largest n of counting: a sequence has room for one such string, and for half of another."""
    return max(1, seq_len // 3)


def count_string(n: int) -> np.ndarray:
    """S aⁿ bⁿ: (2 n + 1,) int32 indices into COUNT_SYMBOLS."""
    return np.repeat(np.arange(3, dtype=np.int32), [1, n, n])
