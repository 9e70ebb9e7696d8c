"""Small generated tables."""

from __future__ import annotations

import numpy as np

from lstm_core.data.generators import GENERATORS
from lstm_core.data.table import Table


def make(name, length=60, seq_len=12, n_features=2, noise=0.0, seed=0) -> Table:
    return GENERATORS[name](length, seq_len, n_features, noise, seed)


def grid(table, column, seq_len) -> np.ndarray:
    """(sequences, seq_len)"""
    return table.column(column).values.reshape(-1, seq_len)
