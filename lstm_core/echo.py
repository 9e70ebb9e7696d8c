"""A made-up series whose answers lie a few rows back: who forgets between two windows cannot give them all.

The signature is that of generators.py, which lists it. numpy only, no files, no tensors.
"""

from __future__ import annotations

import numpy as np

from lstm_core.experiment import PlaygroundError
from lstm_core.sequence_sets import MAX_VALUES, noisy, start
from lstm_core.tables import Roles, Table

LAG = 3  # rows between a number and its echo


def echo(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Say at every row what x1 was three rows ago.

    One long series of random numbers x1, x2 …, uniform with mean 0 and variance 1; only x1 ever matters. Those
    of three rows before the first are drawn too, and never shown. In a window of seq_len rows that is read from a zero state, the answers of the
    first three lie before the window: the best mean squared error over its rows is 3 / seq_len, that of always
    saying 0 is 1. The target is x1 before noise.
    """
    rng = start(length, seq_len, n_features, noise, seed)
    if length * (n_features + 1) > MAX_VALUES:
        raise PlaygroundError(
            f"These settings make a table of {length * (n_features + 1):,} values, more than {MAX_VALUES:,}: lower "
            "length or n_features."
        )
    side = np.sqrt(3)  # of U[−√3, √3] the variance is 1
    values = rng.uniform(-side, side, (LAG + length, n_features))
    inputs = noisy(values[LAG:], noise, rng)
    columns = {f"x{k + 1}": inputs[:, k] for k in range(n_features)} | {"echo": values[:length, 0]}
    roles = Roles(("echo",), tuple(columns)[:-1], seq_len=seq_len, horizon=0)
    return Table.from_columns("echo", columns, roles)
