"""Numbers as the pages write them: at most four significant digits, a real minus, and a thin space before %."""

from __future__ import annotations

PERCENT = "\u202f%"  # the thin space at which a line is not broken


def format_number(value: float, sign: str = "") -> str:
    """24.63, −0.0012; sign "+": a plus sign before a positive number."""
    return f"{value:{sign}.4g}".replace("-", "−")


def format_percent(share: float, digits: int = 0) -> str:
    """A share of 1 as a percentage: 0.314 → 31 %."""
    return f"{100 * share:.{digits}f}".replace("-", "−") + PERCENT
