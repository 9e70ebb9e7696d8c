"""Times that stand in several columns: a day and its time, or year, month, day and hour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstm_core.data.ingest.calendar_words import month_of
from lstm_core.data.ingest.times import in_range
from lstm_core.data.ingest.typed import TypedColumn
from lstm_core.data.table import ImportNote

_PARTS = {
    "year": (r"years?|yr|yyyy|jahr|année|annee|an|año|ano|anno|rok|год|年|jaar|år", 1500, 2200),
    "month": (r"months?|mon|mo|mm|monat|mois|mes|mês|mese|месяц|月|maand|måned|månad", 1, 12),
    "day": (r"days?|dy|dd|dom|mday|day of month|day_of_month|tag|jour|día|dia|giorno|день|日|dag", 1, 31),
    "hour": (r"hours?|hrs?|hh|he|hr ending|hour ending|hour_ending|stunde|heure|hora|ora|час|时|uur|time", 0, 25),
    "minute": (r"minutes?|mins?|minuten?|minuto", 0, 59),
    "second": (r"seconds?|secs?|sekunden?|segundo", 0, 60),
    "quarter": (r"quarters?|qtr|q|quartal|trimestre", 1, 4),
    "day of year": (r"doy|day of year|day_of_year|dayofyear|yday|julian day|jday", 1, 366),
}
_DAY = np.timedelta64(1, "D")
_HALF_A_DAY = np.timedelta64(12, "h")


def joined_times(columns: list[TypedColumn]) -> tuple[list[TypedColumn], list[ImportNote]]:
    """The columns, with those that make up one time replaced by it, where the first of them stood; and the notes."""
    clocks = [column for column in columns if column.kind == "clock"]
    days = next((column for column in columns if column.kind == "time"), None)
    parts = _calendar_parts(columns)
    made = None
    if days is not None and _are_midnights(days):
        if clocks:
            made = _day_and_clock(days, clocks[0])
        elif "hour" in parts and _repeats(days):
            made = _from_parts({name: parts[name] for name in ("hour", "minute") if name in parts}, days)
    elif days is None and "year" in parts and {"month", "day of year", "quarter"} & set(parts):
        made = _from_parts(parts, None)
        if made is not None and clocks and "hour" not in parts:
            made = _day_and_clock(made, clocks[0])
    if made is None:
        return columns, []
    place = next(k for k, column in enumerate(columns) if column.name in made.parts)
    rest = [column for column in columns[place:] if column.name not in made.parts]
    text = f"Columns {', '.join(map(repr, made.parts))} are joined to one column of times, {made.name!r}."
    return [*columns[:place], made, *rest], [ImportNote("info", text, made.name)]


def clocks_as_times(columns: list[TypedColumn]) -> tuple[list[TypedColumn], list[ImportNote]]:
    """The columns, those of times of day as times from 1970-01-01 on: after midnight the next day begins."""
    done, notes = [], []
    for column in columns:
        if column.kind == "clock":
            times, before = column.values.copy(), 0
            known = np.flatnonzero(~np.isnat(times))
            steps = np.diff(times[known])
            days = np.concatenate([[0], np.cumsum(steps < -_HALF_A_DAY)])
            if len(known) and (steps >= -_HALF_A_DAY).sum() >= len(steps) / 2:
                times[known] = times[known] + days * _DAY
                before = int(days[-1])
            text = f"Column {column.name!r} has times of day and no date: they are counted from 1970-01-01 on"
            text += f", with {before:,} midnights passed." if before else "."
            notes.append(ImportNote("info", text, column.name))
            column = replace(column, kind="time", values=times)
        done.append(column)
    return done, notes


def _calendar_parts(columns: Sequence[TypedColumn]) -> dict[str, TypedColumn]:
    """year, month, … → the first column of whole numbers in range that is named so; months may be names."""
    found: dict[str, TypedColumn] = {}
    for column in columns:
        name = column.name.strip().lower()
        for part, (words, lowest, highest) in _PARTS.items():
            if part in found or not re.fullmatch(words, name):
                continue
            if column.kind == "category" and part == "month" and all(map(month_of, column.classes)):
                numbers = np.array([*map(month_of, column.classes), np.nan])
                found[part] = replace(column, kind="number", values=numbers[column.values])
            elif column.kind == "number" and len(column.values):
                present = column.values[~column.missing]
                whole = len(present) > 0 and (present == np.round(present)).all()
                if whole and present.min() >= lowest and present.max() <= highest:
                    found[part] = column
    if "month" in found and len(found["month"].values) and np.isnan(found["month"].values).all():
        del found["month"]
    return found


def _are_midnights(column: TypedColumn) -> bool:
    times = column.values[~column.missing]
    return len(times) > 0 and bool((times == times.astype("datetime64[D]")).all())


def _repeats(column: TypedColumn) -> bool:
    times = column.values[~column.missing]
    return len(np.unique(times)) < len(times)


def _day_and_clock(days: TypedColumn, clock: TypedColumn) -> TypedColumn:
    since_midnight = clock.values - np.datetime64(0, "ns")
    bad = np.union1d(days.bad, clock.bad)
    values = in_range(days.values + since_midnight)
    parts = (*(days.parts or (days.name,)), clock.name)
    name = days.name if days.parts else f"{days.name} {clock.name}"
    return TypedColumn(name, "time", values, bad=bad, bad_texts=days.bad_texts or clock.bad_texts, parts=parts)


def _from_parts(parts: dict[str, TypedColumn], days: TypedColumn | None) -> TypedColumn | None:
    """One time of numbers; None where they make no days, or their times are out of order for no reason."""
    used = [days] if days is not None else []
    rows = len(next(iter(parts.values())).values)
    missing = np.zeros(rows, bool) if days is None else days.missing.copy()

    def whole(name: str, default: int) -> np.ndarray:
        column = parts.get(name)
        if column is None:
            return np.full(rows, default, np.int64)
        used.append(column)
        missing[column.missing] = True
        return np.nan_to_num(column.values, nan=default).astype(np.int64)

    if days is None:
        year = whole("year", 1970)
        if "month" in parts:
            month, day = whole("month", 1), whole("day", 1)
        elif "day of year" in parts:
            month, day = np.ones(rows, np.int64), whole("day of year", 1)
        else:
            month, day = whole("quarter", 1) * 3 - 2, np.ones(rows, np.int64)
        months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
        date = months.astype("datetime64[D]") + (day - 1)
        if "month" in parts:
            missing |= date.astype("datetime64[M]") != months
    else:
        date = days.values.astype("datetime64[D]")
    hour = whole("hour", 0)
    if "hour" in parts and hour.min(initial=1) >= 1 and hour.max(initial=0) in (24, 25):
        hour = hour - 1  # hour 1 is the first one: its start
    seconds = (hour * 60 + whole("minute", 0)) * 60 + whole("second", 0)
    values = in_range(date.astype("datetime64[us]") + seconds.astype("timedelta64[s]"))
    if missing.sum() > rows / 2:
        return None
    values[missing] = np.datetime64("NaT")
    names = tuple(column.name for column in used)
    return TypedColumn(" ".join(names), "time", values, bad=np.flatnonzero(missing), parts=names)
