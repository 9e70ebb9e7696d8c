"""Synthetic data: all generators, with one signature; numpy only, no files, no tensors.

    f(length, seq_len, n_features, noise, seed) -> Table

A series has `length` rows; a set of sequences has `length` sequences of `seq_len` rows each, one
below the other, numbered in column "sequence". A generator ignores the arguments it does not need. Noise
is added to what a sensor would measure (columns y, x, x1, x2 … and value), never to marks, labels
or targets of sequences; `noise` is its standard deviation relative to that of the clean column, so
0.05 means the same everywhere. One seed makes one clean table, whatever the noise on top of it.

Series are in series.py, sets of sequences in sequences.py, symbols.py, bits.py and reber.py. To add a generator: write
the function, whose first docstring line is its caption, and list it in GENERATORS.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lstm_core.data.generators import bits, reber, sequences, series, symbols
from lstm_core.data.table import Table
from lstm_core.experiment import DataSpec, PlaygroundError

Generator = Callable[[int, int, int, float, int], Table]

GENERATORS: dict[str, Generator] = {
    function.__name__: function
    for function in (
        series.sine,
        series.sum_of_sines,
        series.square,
        series.sawtooth,
        series.damped_oscillation,
        series.mackey_glass,
        series.random_walk,
        series.echo,
        sequences.random_regression,
        sequences.adding_problem,
        sequences.which_wave,
        sequences.two_sequences,
        symbols.temporal_order,
        symbols.copy_memory,
        symbols.counting,
        bits.parity,
        bits.flip_flop,
        reber.embedded_reber,
        reber.continual_reber,
        sequences.recall_first,
        sequences.recall_marked,
    )
}
# Their `length` counts sequences
SEQUENCE_SETS = tuple(name for name, function in GENERATORS.items() if function.__module__ != series.__name__)
PROPER_NAMES = {
    "mackey_glass": "Mackey-Glass",
    "embedded_reber": "Embedded Reber",
    "continual_reber": "Continual Reber",
    "counting": "Counting aⁿbⁿ",
    "flip_flop": "Flip-flop",
}


def generate(spec: DataSpec) -> Table:
    """The table that a generator's DataSpec describes.

    Raises:
        PlaygroundError: there is no such generator, or its size is out of range.
    """
    return _generator(spec.name)(spec.length, spec.seq_len, spec.n_features, spec.noise, spec.seed)


def title(name: str) -> str:
    """A generator's name in the gallery."""
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
