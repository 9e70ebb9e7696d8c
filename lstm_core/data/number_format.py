"""Numbers as text on screen: few digits, a real minus sign, thin spaces before units, powers of ten in superscript."""

from __future__ import annotations

import math

THIN_SPACE = "\u202f"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FIXED_RANGE = 1e-5, 1e6  # numbers in it are written without a power of ten


def minus_sign(text: str) -> str:
    """A formatted number with a minus sign in place of its hyphen."""
    return text.replace("-", "−")


def format_number(value: float, digits: int = 2) -> str:
    """To so many decimals; without a sign where that leaves zero."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else minus_sign(text)


def format_factor(value: float) -> str:
    """A number after a multiplication dot: 0, 0.25 and 1 as they are, others to two digits, (−0.12) in brackets."""
    text = minus_sign(f"{value + 0.0:g}") if value == round(value, 2) else format_number(value)
    return f"({text})" if text.startswith("−") else text


def format_significant(value: float, digits: int = 2) -> str:
    """To so many significant digits: "0.00004", "0.33", "1,500", "3 × 10⁻⁸"."""
    if value == 0 or not math.isfinite(value):
        return minus_sign(f"{value:g}").removeprefix("−0") or "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if FIXED_RANGE[0] <= abs(value) < FIXED_RANGE[1]:
        return minus_sign(f"{float(f'{mantissa}e{power}'):,.{max(0, digits - 1 - power)}f}")
    return minus_sign(mantissa) + f" × 10{str(power).translate(SUPERSCRIPTS)}"


def format_percent(share: float, digits: int = 1) -> str:
    """A share as "98.7 %", a thin space before the sign."""
    return minus_sign(f"{100 * share:.{digits}f}") + f"{THIN_SPACE}%"


def format_bytes(amount: float) -> str:
    """Bytes in words: "31 GB", "8.4 GB", "250 MB"."""
    size, unit = next((s, u) for s, u in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if amount >= s or u == "kB")
    value = amount / size
    return f"{value:.1f} {unit}" if unit != "kB" and value < 10 else f"{value:,.0f} {unit}"


def format_duration(seconds: float) -> str:
    """How long something takes: "2 h 5 min", "3 min 20 s", "8 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def format_time_step(nanoseconds: float) -> str:
    """The step of a time column in its largest whole unit: "1 day", "1.5 hours"."""
    for unit, size in (("day", 86_400e9), ("hour", 3_600e9), ("minute", 60e9), ("second", 1e9)):
        if nanoseconds >= size:
            count = f"{nanoseconds / size:.3g}"
            return f"{count} {unit}{'' if count == '1' else 's'}"
    return f"{nanoseconds / 1e9:.3g} seconds"
