"""One-hot inputs told as symbols: a lesson's letters are read, forty lines of 0 and 1 are not."""

from __future__ import annotations

from lstm_core.data.samples.book import CHARACTER_NAMES
from lstm_core.data.window_symbols import window_symbols
from lstm_core.data.windows import Windows

GLYPHS = {name: character for character, name in CHARACTER_NAMES.items() if len(name) > 1}
GLYPHS |= {"line end": "↵", "space": "␣", "blank": "·", "marker": "▸"}  # signs of symbols that have long names
MAX_LETTERS = 3  # of a symbol that has no sign


def symbol_texts(windows: Windows, start: int) -> list[str] | None:
    """For one-hot inputs a sign or a few letters a step, "" before a sequence; else None."""
    symbols = window_symbols(windows, start)
    if symbols is None:
        return None
    signs = [symbol_sign(name) for name in windows.feature_names]
    return ["" if k is None else signs[k] for k in symbols]


def symbol_sign(name: str) -> str:
    """A symbol's sign, or its first letters."""
    sign = GLYPHS.get(name, name)
    return sign if len(sign) <= MAX_LETTERS else f"{sign[: MAX_LETTERS - 1]}…"
