"""Synthetic sets of sequences, and the helpers that all generators share.

Each set has numbered sequences of seq_len rows. GENERATORS lists the functions and explains their signature.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from lstm_core.data.table import Column, ColumnRoles, Table
from lstm_core.experiment import DataSpec, PlaygroundError

MAX_VALUES = 20_000_000  # of one table: 80 MB as float32
WAVEFORMS = {  # phase in [0, 1) → height in [−1, 1]
    "sine": lambda phase: np.sin(2 * np.pi * phase),
    "square": lambda phase: np.where(phase < 0.5, 1.0, -1.0),
    "sawtooth": lambda phase: 2 * phase - 1,
}


def random_regression(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Random inputs, one random target: nothing to learn.

    Inputs x1, x2 … and the target of each sequence are independent and standard normal: whatever a
    model gains on the training split, it has memorised.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=n_features + 2)
    targets = rng.standard_normal(length)
    inputs = add_noise(rng.standard_normal((length * seq_len, n_features)), noise, rng)
    features = {f"x{k + 1}": inputs[:, k] for k in range(n_features)}
    return sequence_table("random_regression", features, seq_len, targets)


def adding_problem(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Add up the two marked numbers of a long list.

    Hochreiter & Schmidhuber (1997, "Long Short-Term Memory", section 5.4), with values from U[0, 1]
    as in Le, Jaitly & Hinton (2015, arXiv 1504.00941), one mark in each half as in Arjovsky, Shah &
    Bengio (2016, arXiv 1511.06464). Always predicting 1 has a mean squared error of 1/6. The target is
    the sum of the two values before noise.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=4, least_steps=2)
    values = rng.random((length, seq_len), dtype=np.float32)
    half = seq_len // 2
    marked_steps = np.stack([rng.integers(0, half, length), rng.integers(half, seq_len, length)], axis=1)
    marker = np.zeros((length, seq_len), np.float32)
    np.put_along_axis(marker, marked_steps, 1, axis=1)
    sums = np.take_along_axis(values, marked_steps, axis=1).sum(axis=1)
    features = {"value": add_noise(values.ravel(), noise, rng), "marker": marker.ravel()}
    return sequence_table("adding_problem", features, seq_len, sums)


def which_wave(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Name the shape of each wave: sine, square or sawtooth.

    Each sequence has a random phase and a random period between a third of seq_len and all of it;
    every row has the label. The three classes are equally frequent.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=3, least_steps=8)
    label = rng.permutation(np.arange(length) % len(WAVEFORMS))
    period = rng.uniform(seq_len / 3, seq_len, (length, 1))
    phase = (np.arange(seq_len) / period + rng.random((length, 1))) % 1  # (length, seq_len)
    x = np.empty((length, seq_len))
    for k, shape in enumerate(WAVEFORMS.values()):
        x[label == k] = shape(phase[label == k])
    wave = Column("wave", "category", np.repeat(label, seq_len).astype(np.int32), tuple(WAVEFORMS))
    return sequence_table("which_wave", {"x": add_noise(x.ravel(), noise, rng)}, seq_len, wave)


def two_sequences(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Two companies: only the first day tells them apart.

    Sequences 0, 0.5, 0.25, 1 → 0 and 1, 0.5, 0.25, 1 → 1, in turn: the data of "Long Short-Term Memory with
    PyTorch + Lightning" (StatQuest with Josh Starmer, 2023). Of another seq_len, the days between the first and
    the last repeat.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=3, least_steps=2)
    first = np.arange(length) % 2
    days = np.tile(np.resize([0.5, 0.25], seq_len), (length, 1))  # (length, seq_len), the days between first and last
    days = np.concatenate([first[:, None], days[:, : seq_len - 2], np.ones((length, 1))], axis=1)
    return sequence_table("two_sequences", {"value": add_noise(days.ravel(), noise, rng)}, seq_len, first)


def validated_rng(
    length, seq_len, n_features, noise, seed, columns: int = 0, least_steps: int = 1
) -> np.random.Generator:
    """The seed's random generator, after the arguments are validated; `columns`: of a set of sequences.

    Raises:
        PlaygroundError: an argument is out of range, or the table would be too large.
    """
    DataSpec(length=length, seq_len=seq_len, n_features=n_features, noise=noise, seed=seed)
    if seq_len < least_steps:
        raise PlaygroundError(f"seq_len is {seq_len}, too short for these sequences: choose {least_steps} or more.")
    values = length * seq_len * columns
    if values > MAX_VALUES:
        raise PlaygroundError(
            f"These settings make a table of {values:,} values, more than {MAX_VALUES:,}: lower "
            "length, seq_len or n_features."
        )
    return np.random.default_rng(seed)


def add_noise(clean: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """clean, of any shape, plus normal noise of `noise` times its standard deviation."""
    return clean + noise * clean.std() * rng.standard_normal(clean.shape)


def sequence_table(
    name: str, features: dict, seq_len: int, target: np.ndarray | dict | Column, explanatory: dict | None = None
) -> Table:
    """A table of numbered sequences.

    target: a category column; number columns by name, (rows,) each; or (length,) numbers, which stand in the last rows
    of their sequences, NaN (not scored) in the others. explanatory: columns beside the features.
    """
    rows = len(next(iter(features.values())))  # length · seq_len
    columns = {"sequence": np.arange(rows) // seq_len, **features, **(explanatory or {})}
    is_category = isinstance(target, Column)
    if isinstance(target, np.ndarray):
        target = {"target": np.where(np.arange(rows) % seq_len == seq_len - 1, target.repeat(seq_len), np.nan)}
    target_names = (target.name,) if is_category else tuple(target)
    columns |= {} if is_category else target
    roles = ColumnRoles(target_names, tuple(features), group="sequence", seq_len=seq_len, horizon=0)
    table = Table.from_columns(name, columns, roles)
    columns = (*table.columns, target) if is_category else table.columns
    return dataclasses.replace(table, columns=columns, groups_in_order=True)


def symbol_table(
    name: str, symbols: np.ndarray, names: Sequence[str], target: Column, explanatory: dict | None = None
) -> Table:
    """A one-hot table; symbols: (sequences, seq_len) indices into names, −1 where a row is all zero."""
    features = {symbol: symbols.ravel() == k for k, symbol in enumerate(names)}
    return sequence_table(name, features, symbols.shape[1], target, explanatory)


def recall_marked(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Recall at the end the one marked number, however old.

    Every row has a value from U[−1, 1]; one row, drawn uniformly, is marked. Always predicting 0 has a
    mean squared error of 1/3. The target is the value before noise.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=4)
    values = rng.uniform(-1, 1, (length, seq_len)).astype(np.float32)
    marked_step = rng.integers(0, seq_len, length)
    marker = np.zeros((length, seq_len), np.float32)
    marker[np.arange(length), marked_step] = 1
    features = {"value": add_noise(values.ravel(), noise, rng), "marker": marker.ravel()}
    return sequence_table("recall_marked", features, seq_len, values[np.arange(length), marked_step])


def recall_first(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Recall at the end whether the first row was up or down.

    The first row is +1 or −1 with equal probability, and is the target; all others are drawn from U[−1, 1] and
    carry no information. The latching problem of Bengio, Simard & Frasconi (1994, "Learning long-term dependencies
    with gradient descent is difficult", IEEE Transactions on Neural Networks 5, 157–166) at its simplest. Always
    predicting 0 has a mean squared error of 1.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed, columns=3, least_steps=2)
    values = rng.uniform(-1, 1, (length, seq_len)).astype(np.float32)
    values[:, 0] = rng.choice([-1.0, 1.0], length)
    return sequence_table("recall_first", {"value": add_noise(values.ravel(), noise, rng)}, seq_len, values[:, 0])
