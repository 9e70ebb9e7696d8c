"""Numbers that are times: seconds since 1970, Excel's days since 1900, 20240131 and the like, told by size and name."""

from __future__ import annotations

import re

import numpy as np

from lstm_core.data.ingest.times import in_range
from lstm_core.data.ingest.typed import TypedColumn
from lstm_core.data.table import ImportNote

_TIME_WORDS = re.compile(
    r"(^|[^a-z])(time|times|timestamp|timestamps|datetime|date|dates|day|epoch|unix|unixtime|ts|ds|dt|created|updated|"
    r"zeit|zeitpunkt|datum|tag|fecha|data|hora|heure|jour|moment|when)([^a-z]|$)|(date|time|stamp)$|^(date|time|unix)"
)
_DAY_WORDS = re.compile(r"date|time|stamp|datum|zeit|fecha|^day$|excel|serial|^ds$|when|^data$|^tag$|^jour$")
_EPOCHS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_CALENDAR = {6: "Ym", 8: "Ymd", 10: "YmdH", 12: "YmdHM", 14: "YmdHMS"}  # digits → what they are
_FROM, _TO = 631_152_000, 4_102_444_800  # 1990 and 2100, in seconds since 1970
_EXCEL = (14_611, 73_051)  # 1940 and 2100, in Excel's days


def counted_times(column: TypedColumn, forced: bool = False) -> tuple[TypedColumn, list[ImportNote]]:
    """The column as times where its numbers count such, and a note; else itself.

    forced: the user says that they do, whatever the name; years then, too.
    """
    values = column.values
    unlikely = len(values) < 2 or not np.fmin.reduce(values) > 0
    present = values[:0] if unlikely else values[~column.missing]
    if len(present) < 2 or len(column.bad) > 0.3 * len(values):
        return column, _refusal(column) if forced else []
    name, whole = column.name.lower(), bool((present == np.round(present)).all())
    unnamed = name == "column 1" and _is_monotone(present)
    named = forced or unnamed or re.fullmatch(r"y{2,4}[-_]?m{1,2}([-_]?d{1,2})?", name) or _TIME_WORDS.search(name)
    digits = {len(str(int(value))) for value in (present.min(), present.max())}
    times, what = None, ""
    if (
        whole
        and len(digits) == 1
        and (found := _CALENDAR.get(min(digits)))
        and (named or found == "Ymd" or (found == "Ym" and _is_monotone(present)))
    ):
        times, what = _calendar_days(values, found), "are dates written without signs"
        if times is not None and found == "Ym" and not named and not _are_months(times):
            times = None
    if times is None and named:
        unit = next(
            (u for u, size in _EPOCHS.items() if _FROM * size <= present.min() <= present.max() < _TO * size), ""
        )
        if unit:
            scale = 10**6 // _EPOCHS[unit] if unit != "ns" else 1e-3
            times, what = _from_microseconds(np.round(values * scale)), f"count from 1970 in {unit}"
    inside = _EXCEL[0] <= present.min() and present.max() < _EXCEL[1]
    if (
        times is None
        and inside
        and (forced or _DAY_WORDS.search(name))
        and _is_monotone(present)
        and (whole or _even(present))
    ):
        times, what = _excel_days(values), "count days as Excel does"
    if times is None and forced and whole and digits == {4}:
        times, what = _calendar_days(values * 100 + 1, "Ym"), "are years"
    if times is None or np.isnat(times[~np.isnan(values)]).any():
        return column, _refusal(column) if forced else []
    text = f"Column {column.name!r} is read as times: its numbers {what}."
    rows, texts = column.bad, column.bad_texts
    return TypedColumn(column.name, "time", times, bad=rows, bad_texts=texts), [ImportNote("info", text, column.name)]


def _refusal(column: TypedColumn) -> list[ImportNote]:
    text = f"Column {column.name!r} holds numbers that cannot be read as times: they stay numbers."
    return [ImportNote("warning", text, column.name)]


def _is_monotone(values: np.ndarray) -> bool:
    steps = np.diff(values)
    return bool((steps >= 0).all() or (steps <= 0).all()) and values[0] != values[-1]


def _are_months(times: np.ndarray) -> bool:
    """Whether at least a year's months follow one another, none left out."""
    months = times[~np.isnat(times)].astype("datetime64[M]").astype(np.int64)
    return len(months) >= 12 and bool((np.abs(np.diff(months)) == 1).all())


def _even(values: np.ndarray) -> bool:
    """Whether parts of days come at all: half of the steps are of one length, within a second."""
    steps = np.abs(np.diff(values))
    return np.count_nonzero(np.abs(steps - np.median(steps)) < 2e-5) >= len(steps) / 2


def _from_microseconds(values: np.ndarray) -> np.ndarray:
    missing = np.isnan(values)
    times = np.where(missing, 0, values).astype(np.int64).astype("datetime64[us]")
    times[missing] = np.datetime64("NaT")
    return in_range(times)


def _excel_days(values: np.ndarray) -> np.ndarray:
    """Days since 1899-12-30, rounded to minutes where that is within a second, else to seconds."""
    seconds = (values - 25_569) * 86_400
    minutes = np.round(seconds / 60) * 60
    near = np.nanmax(np.abs(seconds - minutes)) < 1
    return _from_microseconds((minutes if near else np.round(seconds)) * 1e6)


def _calendar_days(values: np.ndarray, parts: str) -> np.ndarray | None:
    """20240131, 202401, 2024013112 …; None where one of them is no day of the years 1800 to 2100."""
    missing = np.isnan(values)
    left = np.where(missing, 18000101 * 10 ** (2 * (len(parts) - 3) if len(parts) > 3 else 0), values).astype(np.int64)
    left = np.where(missing & (parts == "Ym"), 180001, left)
    fields = {}
    for part in reversed(parts[1:]):
        left, fields[part] = np.divmod(left, 100)
    month, day = fields["m"], fields.get("d", np.ones_like(left))
    hour, minute, second = (fields.get(part, np.zeros_like(left)) for part in "HMS")
    valid = (left >= 1800) & (left <= 2100) & (month >= 1) & (month <= 12) & (day >= 1)
    valid &= (hour <= 24) & (minute < 60) & (second < 60)
    if not valid.all():
        return None
    months = ((left - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    if (days.astype("datetime64[M]") != months).any():
        return None
    times = days.astype("datetime64[us]") + ((hour * 60 + minute) * 60 + second).astype("timedelta64[s]")
    times[missing] = np.datetime64("NaT")
    return in_range(times)
