"""What one cell's text can mean: a missing value, a number, a time. Nothing here knows files, rows or columns."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

MISSING = frozenset(
    ["", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "nil", "none", "missing", "-", "--", "?", "."]
)
NA_VALUES = [form for token in MISSING for form in {token, token.upper(), token.title()}] + ["NaN", "NaT"]

_SPACES = " \u00a0\u202f\u2009"
_MONEY = "$€£¥"


def _number_pattern(decimal: str) -> re.Pattern:
    point = re.escape(decimal)
    thousands = (r"\." if decimal == "," else ",") + _SPACES + "'’"
    digits = rf"(?:\d{{1,3}}(?:(?P<t>[{thousands}])\d{{3}})(?:(?P=t)\d{{3}})*|\d+)(?:{point}\d*)?|{point}\d+"
    return re.compile(
        rf"[{_MONEY}]?[{_SPACES}]?(?P<sign>[-+−]?)[{_MONEY}]?[{_SPACES}]?"
        rf"(?P<digits>{digits})(?P<exponent>[eE][-+]?\d+)?[{_SPACES}]?[%{_MONEY}]?",
        re.ASCII,
    )


_NUMBER = {decimal: _number_pattern(decimal) for decimal in ".,"}
_NOT_DIGITS = {decimal: re.compile(rf"[^\d{re.escape(decimal)}]", re.ASCII) for decimal in ".,"}
_INFINITE = re.compile(r"[-+]?(?:inf|infinity|∞)", re.IGNORECASE)

_GROUPED = {decimal: re.compile(rf"[-+]?[1-9]\d{{0,2}}{re.escape(decimal)}\d{{3}}") for decimal in ".,"}
# 1,234 with a decimal comma or a thousands comma: says nothing about which.

_CLOCK = (
    r"(?:(?P<gap>,? |T)(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2}(?P<fraction>\.\d{1,6})?)?(?P<half> ?[AaPp][Mm])?)?"
    r"(?P<zone> ?(?:Z|UTC|GMT|[-+]\d{2}:?\d{2}))?"
)
_DATES = tuple(  # the date's shape, its format; <s> is the sign between the parts
    (re.compile(shape + _CLOCK), form)
    for shape, form in (
        (r"\d{4}(?P<s>[-/. ])\d{1,2}(?P=s)\d{1,2}", "%Y{s}%m{s}%d"),
        (r"\d{4}(?P<s>[-/])\d{1,2}", "%Y{s}%m"),
        (r"\d{1,2}(?P<s>[-/. ])\d{1,2}(?P=s)\d{4}", "{first}{s}{second}{s}%Y"),
        (r"\d{1,2}(?P<s>[-/.])\d{1,2}(?P=s)\d{2}", "{first}{s}{second}{s}%y"),
        (r"\d{1,2}(?P<s>[-/. ])[A-Za-z]{3}(?P=s)\d{4}", "%d{s}%b{s}%Y"),
        (r"\d{1,2}(?P<s>[-/. ])[A-Za-z]{3}(?P=s)\d{2}", "%d{s}%b{s}%y"),
        (r"\d{1,2}(?P<s> )[A-Za-z]{4,9} \d{4}", "%d %B %Y"),
        (r"[A-Za-z]{3}(?P<s> )\d{1,2}, \d{4}", "%b %d, %Y"),
        (r"[A-Za-z]{4,9}(?P<s> )\d{1,2}, \d{4}", "%B %d, %Y"),
        (r"[A-Za-z]{3}(?P<s>[- ])\d{4}", "%b{s}%Y"),
        (r"[A-Za-z]{4,9}(?P<s>[- ])\d{4}", "%B{s}%Y"),
    )
)
_COUNTS = {8: "%Y%m%d", 4: "%Y", 10: "s", 13: "ms", 16: "us", 19: "ns"}  # digits → format, or unit since 1970
_ZONE = re.compile(r"\d(?:Z| ?UTC| ?GMT| ?[-+]\d{2}:?\d{2})$")
_OLDEST, _NEWEST = (np.datetime64("1678-01-01"), np.datetime64("2262-01-01"))  # what 64 bits of nanoseconds hold


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def is_number_or_time(cell: str) -> bool:
    """Whether the cell is a number with either decimal sign, or a time."""
    cell = cell.strip()
    return any(not math.isnan(parse_number(cell, decimal)) for decimal in ".,") or is_time(cell)


def is_time(cell: str) -> bool:
    return any(shape.fullmatch(cell) for shape, _ in _DATES)


def parse_number(cell: str, decimal: str) -> float:
    """The cell's number, with thousands separators, % and currency signs dropped; NaN if it is none."""
    cell = cell.strip()
    match = _NUMBER[decimal].fullmatch(cell)
    if match is None:
        return float(cell.replace("∞", "inf")) if _INFINITE.fullmatch(cell) else math.nan
    digits = _NOT_DIGITS[decimal].sub("", match["digits"]).replace(",", ".")
    value = float(digits + (match["exponent"] or ""))
    return -value if match["sign"] in ("-", "−") else value


def implied_decimal_sign(cell: str) -> str | None:
    """Which decimal sign the cell can only be read with; None if it does not tell."""
    decimals = [decimal for decimal in ".," if not math.isnan(parse_number(cell, decimal))]
    if len(decimals) == 1 and not cell.isdigit():
        return decimals[0]
    return None


def is_ambiguous_separator(cell: str, sign: str) -> bool:
    """Whether `sign` in the cell may stand before thousands as well as before decimals, as in 1,234."""
    return _GROUPED[sign].fullmatch(cell) is not None


def parse_numbers(cells: Sequence[str], decimal: str) -> np.ndarray:
    """(cells,) float64; NaN where a cell is no number. Agrees with parse_number, but is fast on plain cells."""
    values = np.full(len(cells), np.nan)
    if decimal == ".":
        values = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce").to_numpy(np.float64, copy=True)
    for i in np.flatnonzero(np.isnan(values)):
        values[i] = parse_number(cells[i], decimal)
    return values


def parse_times(cells: Sequence[str], day_first: bool) -> np.ndarray:
    """(cells,) datetime64[ns] in UTC; NaT where a cell is no time.

    Every shape of date that is met is read strictly, and day_first holds for all cells alike. Whole numbers
    count as years, YYYYMMDD, or time since 1970, by their number of digits.
    """
    texts = np.asarray(cells, dtype=object)
    times = np.full(len(texts), np.datetime64("NaT"), "datetime64[us]")
    remaining = np.arange(len(texts))
    for _ in range(8):  # shapes of date in one column
        form = next((f for f in (_time_format(texts[i], day_first) for i in remaining) if f), None)
        if form is None:
            break
        read = _read_times(texts[remaining], form)
        times[remaining] = read
        still_remaining = remaining[np.isnat(read)]
        if len(still_remaining) == len(remaining):  # such as 31/31/2020: it has the shape, but is no date
            still_remaining = still_remaining[1:]
        remaining = still_remaining
    with np.errstate(invalid="ignore"):
        times[(times < _OLDEST) | (times >= _NEWEST)] = np.datetime64("NaT")
    return times.astype("datetime64[ns]")


def _read_times(texts: np.ndarray, form: str) -> np.ndarray:
    """(cells,) datetime64[us]: the cells of one strptime format, of ISO 8601, or counting a unit since 1970."""
    if form in ("s", "ms", "us", "ns"):
        counts = pd.to_numeric(texts, errors="coerce")
        index = pd.to_datetime(counts, unit=form, errors="coerce", utc=True)
    else:
        index = pd.to_datetime(texts, format=form, errors="coerce", utc=True)
    return index.tz_localize(None).to_numpy("datetime64[us]")


def _time_format(cell: str, day_first: bool) -> str | None:
    if cell.isdigit():
        return _COUNTS.get(len(cell))
    match, date = next(((m, date) for shape, date in _DATES if (m := shape.fullmatch(cell))), (None, ""))
    if match is None:
        return None
    if date.startswith("%Y{s}%m") and match["s"] != " " and not (match["half"] or " " in (match["zone"] or "")):
        return "ISO8601"  # reads fractions and offsets that differ from cell to cell
    first, second = ("%d", "%m") if day_first else ("%m", "%d")
    form = date.format(s=match["s"], first=first, second=second)
    if match["hour"]:
        form += match["gap"] + ("%I" if match["half"] else "%H") + ":%M"
        form += (":%S" if match["second"] else "") + (".%f" if match["fraction"] else "")
        form += {"": "", " ": " %p"}.get((match["half"] or "")[:1], "%p")
    if zone := match["zone"]:
        form += (" " if zone[0] == " " else "") + ("%Z" if zone[-1] in "CT" else "%z")
    return form


def has_time_zone(cell: str) -> bool:
    return _ZONE.search(cell) is not None


def is_day_month_ambiguous(cell: str) -> bool:
    return _time_format(cell, True) != _time_format(cell, False)
