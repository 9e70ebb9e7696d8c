"""One-hot inputs told as symbols: a lesson's letters are read, forty lines of 0 and 1 are not."""

from __future__ import annotations

import numpy as np

from lstm_core.data.samples.book import CHARACTER_NAMES
from lstm_core.data.windows import Windows

GLYPHS = {name: character for character, name in CHARACTER_NAMES.items() if len(name) > 1}
GLYPHS |= {"line end": "↵", "space": "␣", "blank": "·", "marker": "▸"}  # signs of symbols that have long names
MIN_SYMBOLS = 3  # features of 0 and 1, one at a time, that count as symbols
MAX_LETTERS = 3  # of a symbol that has no sign


def window_symbols(windows: Windows, start: int) -> list[int | None] | None:
    """For one-hot inputs the number of the feature that is 1 at each step, None before a sequence; else None."""
    x = windows.x[start : start + windows.spec.seq_len]
    if x.shape[1] < MIN_SYMBOLS or not np.isin(x, (0, 1)).all() or (x.sum(axis=1) > 1).any() or not x.any():
        return None
    return [int(row.argmax()) if row.any() else None for row in x]


def symbol_texts(windows: Windows, start: int) -> list[str] | None:
    """The same as a sign or a few letters a step, "" before a sequence."""
    symbols = window_symbols(windows, start)
    if symbols is None:
        return None
    signs = [symbol_sign(name) for name in windows.feature_names]
    return ["" if k is None else signs[k] for k in symbols]


def symbol_sign(name: str) -> str:
    """A symbol's sign, or its first letters."""
    sign = GLYPHS.get(name, name)
    return sign if len(sign) <= MAX_LETTERS else f"{sign[: MAX_LETTERS - 1]}…"
