"""One-hot inputs read as symbols: which feature is 1 at each step of a window."""

from __future__ import annotations

import numpy as np

from lstm_core.data.windows import Windows

MIN_SYMBOLS = 3  # features of 0 and 1, one at a time, that count as symbols


def window_symbols(windows: Windows, start: int) -> list[int | None] | None:
    """For one-hot inputs the number of the feature that is 1 at each step, None before a sequence; else None."""
    x = windows.x[start : start + windows.spec.seq_len]
    if x.shape[1] < MIN_SYMBOLS or not np.isin(x, (0, 1)).all() or (x.sum(axis=1) > 1).any() or not x.any():
        return None
    return [int(row.argmax()) if row.any() else None for row in x]
