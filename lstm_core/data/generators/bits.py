"""Synthetic sequences of bits that have to be held or counted: the flip-flop and parity.

GENERATORS lists the functions and explains their signature.
"""

from __future__ import annotations

import numpy as np

from lstm_core.data.generators.sequences import sequence_table, validated_rng
from lstm_core.data.table import Column, Table

PULSE_SHARE = 0.2  # of the steps, for each bit
PARITIES = ("even", "odd")


def flip_flop(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Hold each bit until the next pulse sets it anew.

    Input pulse1 is −1 or 1 with a probability of 0.1 each, else 0, and target bit1 is its last value that was not 0;
    the same for every other of n_features bits. At the first step all of them are set. Always predicting 0 has a mean
    squared error of 1. With three bits it is the task of Sussillo & Barak (2013), "Opening the Black Box: Low-
    Dimensional Dynamics in High-Dimensional Recurrent Neural Networks", Neural Computation 25(3), 626–649.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=1 + 2 * n_features)
    shape = (length, seq_len, n_features)
    signs = rng.choice(np.array([-1, 1], np.int8), shape)
    is_pulse = rng.random(shape, dtype=np.float32) < PULSE_SHARE
    is_pulse[:, 0] = True
    last_pulse = np.maximum.accumulate(np.where(is_pulse, np.arange(seq_len)[:, None], 0), axis=1)
    pulses = (signs * is_pulse).reshape(-1, n_features)
    bits = np.take_along_axis(signs, last_pulse, axis=1).reshape(-1, n_features)
    features = {f"pulse{k + 1}": pulses[:, k] for k in range(n_features)}
    targets = {f"bit{k + 1}": bits[:, k] for k in range(n_features)}
    return sequence_table("flip_flop", features, seq_len, targets)


def parity(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Even or odd: how many 1s have been read so far.

    Every row is 0 or 1 with equal probability, and has the parity of all rows so far as its class: one wrong bit makes
    it wrong, and every part of a sequence leaves both classes equally likely. The cross-entropy of guessing is ln 2.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=3)
    bits = rng.integers(0, 2, (length, seq_len), np.int8)
    target = Column("parity", "category", (bits.cumsum(axis=1) % 2).astype(np.int32).ravel(), PARITIES)
    return sequence_table("parity", {"bit": bits.ravel()}, seq_len, target)
