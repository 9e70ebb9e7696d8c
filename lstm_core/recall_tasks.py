"""Made-up sequences that ask for one thing: keep a number from where it was said until the end.

The signature is that of generators.py, which lists them. numpy only, no files, no tensors.
"""

from __future__ import annotations

import numpy as np

from lstm_core.sequence_sets import noisy, sequences, start
from lstm_core.tables import Table


def recall_marked(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Say at the end which number was marked, however long ago.

    Every row has a value from U[−1, 1]; one row, each as likely as any other, is marked. Always saying 0 has a
    mean squared error of 1/3. The target is the value before noise.
    """
    rng = start(length, seq_len, n_features, noise, seed, columns=4)
    values = rng.uniform(-1, 1, (length, seq_len)).astype(np.float32)
    marked = rng.integers(0, seq_len, length)
    marker = np.zeros((length, seq_len), np.float32)
    marker[np.arange(length), marked] = 1
    features = {"value": noisy(values.ravel(), noise, rng), "marker": marker.ravel()}
    return sequences("recall_marked", features, seq_len, values[np.arange(length), marked])


def recall_first(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Say at the end whether the first row was up or down.

    The first row is +1 or −1, each as likely, and is the target; all others are drawn from U[−1, 1] and mean
    nothing. The latching problem of Bengio, Simard & Frasconi (1994, "Learning long-term dependencies with gradient
    descent is difficult", IEEE Transactions on Neural Networks 5, 157–166) at its plainest. Always saying 0 has a
    mean squared error of 1.
    """
    rng = start(length, seq_len, n_features, noise, seed, columns=3, least_steps=2)
    values = rng.uniform(-1, 1, (length, seq_len)).astype(np.float32)
    values[:, 0] = rng.choice([-1.0, 1.0], length)
    return sequences("recall_first", {"value": noisy(values.ravel(), noise, rng)}, seq_len, values[:, 0])
