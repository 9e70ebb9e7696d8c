"""The number that a cell's text stands for, alone or among many. Nothing here knows files, rows or columns.

Signs are − + and the brackets of accountants; % and currencies are dropped; K, M and B (bn) are multiplied out.
"""

from __future__ import annotations

import math
import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MISSING = frozenset(
    ["", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "nil", "none", "missing", "-", "--", "?", "."]
)
NULL_TEXTS = [form for token in sorted(MISSING) for form in {token, token.upper(), token.title()}] + ["NaN", "NaT"]

_SPACES = "\u0020\u00a0\u202f\u2009"
_MONEY = r"(?:US\$|R\$|[$€£¥₹₽₩₺₪]|USD|EUR|GBP|CHF|INR|JPY|CNY|RUB|SEK|NOK|DKK|PLN|kr\.?|zł|Rs\.?|Fr\.)"
_SCALES = {"k": 1e3, "m": 1e6, "b": 1e9, "bn": 1e9, "": 1.0}
_MARKS = re.compile(rf"%|{_MONEY}")
_BRACKETS = re.compile(r"\s*\(.*\d.*\)\s*$")
_SCALED = re.compile(r"\d[ ]?(?:[KkMB]|bn)\b")


def _digits(decimal: str) -> str:
    """Whole numbers in groups of one separator, of three digits or as in India, and decimals; no two groups mixed."""
    point = re.escape(decimal)
    signs = ("." if decimal == "," else ",", "'’", _SPACES)
    grouped = "|".join(rf"[1-9]\d{{0,2}}(?:[{re.escape(sign)}]\d{{3}})+" for sign in signs)
    indian = rf"[1-9]\d?(?:{re.escape(signs[0])}\d{{2}})+{re.escape(signs[0])}\d{{3}}"
    return rf"(?:(?:\d+|{grouped}|{indian})(?:{point}\d*)?|{point}\d+)"


@cache
def _pattern(decimal: str) -> str:
    """For Python's re and for RE2 alike."""
    space = f"[{_SPACES}]?"
    return (
        rf"^(?P<open>\(?){_MONEY}?{space}(?P<sign>[-+−]?){_MONEY}?{space}(?P<digits>{_digits(decimal)})"
        rf"(?P<exponent>(?:[eE][-+]?[0-9]+)?){space}(?P<scale>(?:[KkMB]|bn)?){space}(?:%|{_MONEY})?(?P<end>[)-]?)$"
    )


@cache
def _compiled(decimal: str) -> re.Pattern:
    return re.compile(_pattern(decimal), re.ASCII)


_INFINITE = re.compile(r"[-+]?(?:inf|infinity|∞)", re.IGNORECASE)
_GROUPED = {sign: re.compile(rf"[-+]?[1-9]\d{{0,2}}{re.escape(sign)}\d{{3}}", re.ASCII) for sign in ".,"}
# 1,234 with a decimal comma or a thousands comma: says nothing about which.


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Whether the cell is a number with either decimal sign."""
    return any(not math.isnan(parse_number(cell, decimal)) for decimal in ".,")


def parse_number(cell: str, decimal: str) -> float:
    """The cell's number, with thousands separators, % and currencies dropped; NaN if it is none."""
    cell = cell.strip()
    match = _compiled(decimal).match(cell)
    if match is None or bool(match["open"]) != (match["end"] == ")"):
        return float(cell.replace("∞", "inf")) if _INFINITE.fullmatch(cell) else math.nan
    digits = re.sub(rf"[^\d{re.escape(decimal)}]", "", match["digits"], flags=re.ASCII).replace(",", ".")
    value = float(digits + match["exponent"]) * _SCALES[match["scale"].lower()]
    negatives = (match["sign"] in ("-", "−")) + (match["open"] == "(") + (match["end"] == "-")
    return -value if negatives == 1 else value


def parse_numbers(texts: pa.Array, decimal: str) -> np.ndarray:
    """(cells,) float64 of an array of strings; NaN where a cell is no number, or null. Agrees with parse_number."""
    plain = cast_all(texts, pa.float64()) if decimal == "." else None
    if plain is not None:
        return _float64(plain)
    fields = pc.extract_regex(pc.utf8_trim_whitespace(texts), _pattern(decimal))
    part = {name: fields.field(k) for k, name in enumerate(("open", "sign", "digits", "exponent", "scale", "end"))}
    digits = pc.replace_substring_regex(part["digits"], rf"[^\d{re.escape(decimal)}]", "")
    if decimal == ",":
        digits = pc.replace_substring(digits, ",", ".")
    valid = pc.equal(pc.equal(part["open"], "("), pc.equal(part["end"], ")"))
    valid = pc.and_(pc.fill_null(valid, False), fields.is_valid())
    values = pc.cast(pc.if_else(valid, pc.binary_join_element_wise(digits, part["exponent"], ""), None), pa.float64())
    values = _float64(values)
    for scale, factor in _SCALES.items():
        if scale and (scaled := pc.equal(pc.utf8_lower(part["scale"]), scale)).true_count:
            values[_mask(scaled)] *= factor
    negatives = _mask(pc.is_in(part["sign"], pa.array(["-", "−"]))).astype(int)
    negatives += _mask(pc.equal(part["open"], "(")).astype(int) + _mask(pc.equal(part["end"], "-"))
    values[negatives == 1] *= -1
    for k in np.flatnonzero(_mask(pc.match_substring_regex(texts, r"(?i)^\s*[-+]?(inf|infinity|∞)\s*$"))):
        values[k] = parse_number(texts[int(k)].as_py(), decimal)
    return values


def cast_all(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """The texts as this type, if Arrow takes each of them for one; it takes long to refuse many, so a few go first."""
    try:
        if len(texts) > 50:
            pc.cast(texts.take(pa.array(np.linspace(0, len(texts) - 1, 50).astype(np.int64))), kind)
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return None


def _float64(values: pa.Array) -> np.ndarray:
    return np.array(values.to_numpy(zero_copy_only=False), np.float64)  # a null is NaN


def _mask(values: pa.Array) -> np.ndarray:
    return pc.fill_null(values, False).to_numpy(zero_copy_only=False)


def implied_decimal_sign(cell: str) -> str | None:
    """Which decimal sign the cell can only be read with; None if it does not tell."""
    decimals = [decimal for decimal in ".," if not math.isnan(parse_number(cell, decimal))]
    if len(decimals) == 1 and not cell.isdigit():
        return decimals[0]
    return None


def is_ambiguous_separator(cell: str, sign: str) -> bool:
    """Whether `sign` in the cell may stand before thousands as well as before decimals, as in 1,234."""
    return _GROUPED[sign].fullmatch(cell) is not None


def dropped_marks(cells: list[str]) -> set[str]:
    """The % and currencies in these cells."""
    return {mark for cell in cells for mark in _MARKS.findall(cell)}


def has_brackets(cells: list[str]) -> bool:
    """Whether one of them stands in the brackets that accountants put around negative numbers."""
    return any(_BRACKETS.match(cell) for cell in cells)


def has_scale(cells: list[str]) -> bool:
    """Whether one of them ends in K, M or B."""
    return any(_SCALED.search(cell) for cell in cells)
