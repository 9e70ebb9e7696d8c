"""Made-up data: every generator, all of one signature; numpy only, no files, no tensors.

    f(length, seq_len, n_features, noise, seed) -> Table

A series has `length` rows; a set of sequences has `length` sequences of `seq_len` rows each, one
below the other, numbered in column "sequence". What a generator has no use for, it ignores. Noise
is added to what a sensor would measure (columns y, x, x1, x2 … and value), never to marks, labels
or targets of sequences; `noise` is its standard deviation in units of the clean column's own, so
0.05 means the same everywhere. One seed makes one clean table, whatever the noise on top of it.

Sets of sequences are written in sequence_sets.py and modules like it. To add a generator: write the function,
its first docstring line is its caption, and list it in GENERATORS.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lstm_core.echo import echo
from lstm_core.experiment import DataSpec, PlaygroundError
from lstm_core.memory_tasks import copy_memory, temporal_order
from lstm_core.reber import continual_reber, embedded_reber
from lstm_core.recall_tasks import recall_first, recall_marked
from lstm_core.sequence_sets import (
    SHAPES,
    adding_problem,
    noisy,
    random_regression,
    start,
    two_sequences,
    which_wave,
)
from lstm_core.tables import Roles, Table

Generator = Callable[[int, int, int, float, int], Table]

PERIOD = 20  # rows of one wave, so that the default window of 24 always holds a whole one
SUM_PERIODS = (37, 17, 7)  # primes: their sum repeats only after 37 · 17 · 7 = 4403 rows


def sine(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """A smooth wave that repeats every 20 rows."""
    rng = start(length, seq_len, n_features, noise, seed)
    return _series("sine", _wave("sine", length, PERIOD, rng), seq_len, noise, rng)


def sum_of_sines(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Three waves at once, of periods 37, 17 and 7 rows.

    Their amplitudes are 1, 1/2 and 1/4.
    """
    rng = start(length, seq_len, n_features, noise, seed)
    waves = [_wave("sine", length, period, rng) / 2**k for k, period in enumerate(SUM_PERIODS)]
    return _series("sum_of_sines", np.sum(waves, axis=0), seq_len, noise, rng)


def square(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Jumps between +1 and −1 every 10 rows: needs counting."""
    rng = start(length, seq_len, n_features, noise, seed)
    return _series("square", _wave("square", length, PERIOD, rng), seq_len, noise, rng)


def sawtooth(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Climbs for 20 rows, then drops at once."""
    rng = start(length, seq_len, n_features, noise, seed)
    return _series("sawtooth", _wave("sawtooth", length, PERIOD, rng), seq_len, noise, rng)


def damped_oscillation(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """A swing that dies down to a twentieth of its start.

    exp(−3 t / length) · sin(2π t / 20 + phase): e⁻³ ≈ 0.05 is left at the end, whatever the length.
    """
    rng = start(length, seq_len, n_features, noise, seed)
    swing = np.exp(-3 * np.arange(length) / length) * _wave("sine", length, PERIOD, rng)
    return _series("damped_oscillation", swing, seq_len, noise, rng)


def mackey_glass(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Chaos from a simple rule: it never quite repeats.

    dx/dt = 0.2 x(t − 17) / (1 + x(t − 17)¹⁰) − 0.1 x(t), one row a unit of time. Mackey & Glass
    (1977), "Oscillation and chaos in physiological control systems", Science 197, 287–289.
    """
    rng = start(length, seq_len, n_features, noise, seed)
    return _series("mackey_glass", _mackey_glass(length, rng), seq_len, noise, rng)


def random_walk(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Each row is the row before plus a random step.

    The steps are independent and normal, of standard deviation 1: without noise, no forecast of the
    next row beats the row before it.
    """
    rng = start(length, seq_len, n_features, noise, seed)
    return _series("random_walk", np.cumsum(rng.standard_normal(length)), seq_len, noise, rng)


GENERATORS: dict[str, Generator] = {
    function.__name__: function
    for function in (
        sine, sum_of_sines, square, sawtooth, damped_oscillation, mackey_glass, random_walk, echo,
        random_regression, adding_problem, which_wave, two_sequences,
        temporal_order, copy_memory, embedded_reber, continual_reber, recall_first, recall_marked,
    )
}  # fmt: skip
SEQUENCE_SETS = (
    "random_regression",
    "adding_problem",
    "which_wave",
    "two_sequences",
    "temporal_order",
    "copy_memory",
    "embedded_reber",
    "continual_reber",
    "recall_first",
    "recall_marked",
)  # fmt: skip  length counts sequences
PROPER_NAMES = {
    "mackey_glass": "Mackey-Glass",
    "embedded_reber": "Embedded Reber",
    "continual_reber": "Continual Reber",
}


def generate(spec: DataSpec) -> Table:
    """The table that a generator's DataSpec describes.

    Raises:
        PlaygroundError: there is no such generator, or its size is out of range.
    """
    return _generator(spec.name)(spec.length, spec.seq_len, spec.n_features, spec.noise, spec.seed)


def title(name: str) -> str:
    """What the gallery calls a generator."""
    return PROPER_NAMES.get(name, name.replace("_", " ").capitalize())


def caption(name: str) -> str:
    """The first line of a generator's docstring."""
    return _generator(name).__doc__.partition("\n")[0]


def thumbnail(name: str) -> np.ndarray:
    """(120,) float32: a clean curve for the gallery, of a series or of three sequences end to end.

    Raises:
        PlaygroundError: there is no such generator.
    """
    generate = _generator(name)
    length = 3 if name in SEQUENCE_SETS else 120
    table = generate(length, seq_len=40, n_features=1, noise=0.0, seed=0)
    features = [table.column(feature).values for feature in table.roles.features]
    if len(features) > 2:  # one column a symbol: a height for each
        return np.arange(len(features), dtype=np.float32) @ features
    return np.prod(features, axis=0)  # of the adding problem's values the marked ones are left standing


def _generator(name: str) -> Generator:
    if name not in GENERATORS:
        names = ", ".join(GENERATORS)
        raise PlaygroundError(f"There is no generator {name!r}: choose one of {names}.")
    return GENERATORS[name]


def _series(name: str, clean: np.ndarray, seq_len: int, noise: float, rng) -> Table:
    roles = Roles(targets=("y",), features=("y",), seq_len=seq_len, horizon=1)
    return Table.from_columns(name, {"y": noisy(clean, noise, rng)}, roles)


def _wave(shape: str, length: int, period: int, rng: np.random.Generator) -> np.ndarray:
    """(length,) of a wave from a random phase; rows a period apart are equal to the last bit."""
    return SHAPES[shape]((np.arange(length) % period / period + rng.random()) % 1)


def _mackey_glass(length: int, rng: np.random.Generator) -> np.ndarray:
    """(length,) of the solution, one value a unit of time, after a discarded transient of 510.

    Method of steps: over the next 17 units the delayed term F is known already, so what is left is
    linear, x(t) = e^(−0.1 t) (x(0) + ∫₀ᵗ e^(0.1 s) F(s) ds), and the trapezoid rule at 20 points a
    unit takes a whole delay at once. It starts from a constant near 1.2; 1 is a fixed point.
    """
    delay, per_unit, transient = 17, 20, 30  # transient: in delays
    growth = np.exp(0.1 * np.arange(delay * per_unit + 1) / per_unit)
    past = np.full(len(growth), rng.uniform(1.1, 1.3))  # x on one delay, both ends included
    blocks = []
    for _ in range(transient + -(-length // delay)):
        inflow = growth * 0.2 * past / (1 + past**10)
        areas = (inflow[1:] + inflow[:-1]) / (2 * per_unit)
        past = (past[-1] + np.concatenate([[0.0], np.cumsum(areas)])) / growth
        blocks.append(past[per_unit::per_unit])  # (delay,)
    return np.concatenate(blocks[transient:])[:length]
