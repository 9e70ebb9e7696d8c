"""Wide tables, turned: times along the columns become rows, one row a series becomes one column a series.

Three kinds: a series in each row under dates, years or numbered steps; the hours of a day in each row under its date;
the months or quarters of a year in each row under its year.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from lstm_core.data.ingest.calendar_words import month_of
from lstm_core.data.ingest.header import listed
from lstm_core.data.ingest.time_shapes import clock_shape, is_time
from lstm_core.data.ingest.times import in_range, parse_clocks, parse_times
from lstm_core.data.ingest.typed import TypedColumn
from lstm_core.data.table import ImportNote

_MAX_SERIES = 64  # as columns; more become one long column with a series' name in each row
_FEWEST = 4  # times along the columns
_HOUR = re.compile(r"(?:h|hr|hour|he|hora|std|stunde|heure|v)?[ _.]?(\d{1,2})(?:h|:00(?::00)?|00)?", re.IGNORECASE)
_QUARTER = re.compile(r"(?:q|quarter|qtr|t)[ _]?([1-4])|([1-4])\. quartal", re.IGNORECASE)
_STEP = re.compile(
    r"(?:v|d|t|w|m|h|q|y|day|week|month|hour|step|year|quarter|period|time|value|obs)[ _.]?(\d{1,5})", re.I
)
_YEAR = re.compile(r"[xy]?((?:1[6-9]|20|21)\d{2})(?: ?\[yr\d{4}\])?", re.IGNORECASE)
_PER_YEAR = {12: 1, 4: 3}  # columns → months of each


@dataclass(frozen=True)
class _Wide:
    """A run of number columns and what stands above them."""

    columns: list[TypedColumn]
    values: np.ndarray  # (columns,) datetime64 or whole numbers, whatever counts along
    what: str  # "times" | "steps"


def turned(columns: Sequence[TypedColumn]) -> tuple[list[TypedColumn], list[ImportNote]] | None:
    """The table with its times in rows, and notes; None where times do not run along the columns."""
    numbers = [column for column in columns if column.kind == "number"]
    others = [column for column in columns if column.kind != "number"]
    if len(numbers) < _FEWEST:
        return None
    return _months_of_years(columns, numbers) or _hours_of_days(numbers, others) or _series_in_rows(columns, numbers)


def _series_in_rows(columns: Sequence[TypedColumn], numbers: list[TypedColumn]):
    wide = _times_along(numbers) or _steps_along(columns, numbers)
    if wide is None or any(column.kind == "time" for column in columns):
        return None
    used = {column.name for column in wide.columns}
    labels = [column for column in columns if column.kind in ("category", "text") and column.classes]
    left = [column for column in numbers if column.name not in used]
    rows = len(wide.columns[0].values)
    if len(wide.columns) < max(_FEWEST, len(left)) or (rows > 1 and not labels and not left):
        return None
    names = _names_of_rows(labels or left, rows)
    values = np.stack([column.values for column in wide.columns])  # (times, series)
    time = _time_column(wide)
    if rows <= _MAX_SERIES:
        made = [time, *(TypedColumn(name, "number", values[:, k].copy()) for k, name in enumerate(names))]
    else:
        made = _long(time, values, names)
    dropped = [column.name for column in left if labels]
    text = (
        f"The {len(wide.columns):,} {wide.what} along the columns are turned into rows, the {rows:,} rows into series"
    )
    text += f" ({listed(names, 3)})" + (f"; without {listed(dropped)}" if dropped else "")
    return made, [ImportNote("warning", f"{text}: undo that if each row is an example of its own.")]


def _times_along(numbers: list[TypedColumn]) -> _Wide | None:
    """The longest run of columns whose names are dates, or years, in order."""
    years = [_YEAR.fullmatch(column.name.strip()) for column in numbers]
    dated = [column for column, year in zip(numbers, years, strict=True) if year or is_time(column.name)]
    if len(dated) < _FEWEST:
        return None
    if all(_YEAR.fullmatch(column.name.strip()) for column in dated):
        found = [int(_YEAR.fullmatch(column.name.strip())[1]) for column in dated]
        values = np.array([np.datetime64(f"{year}-01-01", "ns") for year in found])
    else:
        names = pa.array([column.name for column in dated])
        values = min((parse_times(names, day_first) for day_first in (False, True)), key=_disorder)
    if np.isnat(values).any() or _disorder(values) or len({*values.tolist()}) < len(values):
        return None
    return _Wide(dated, values, "times")


def _disorder(times: np.ndarray) -> int:
    steps = np.diff(times[~np.isnat(times)]).astype(np.int64)
    return int(np.isnat(times).sum()) * len(times) + min(int((steps < 0).sum()), int((steps > 0).sum()))


def _steps_along(columns: Sequence[TypedColumn], numbers: list[TypedColumn]) -> _Wide | None:
    """Columns called V2, V3, … or d_1, d_2, …, more of them than rows, each row under a name of its own."""
    matches = [(column, match) for column in numbers if (match := _STEP.fullmatch(column.name.strip()))]
    steps = [int(match[1]) for _, match in matches]
    labels = [column for column in columns if column.kind in ("category", "text") and column.classes]
    own_name = any(len({*label.values.tolist()}) == len(label.values) for label in labels)
    if len(matches) < 24 or len(matches) <= len(numbers[0].values) or not own_name:
        return None
    if any(b - a != 1 for a, b in pairwise(steps)):
        return None
    return _Wide([column for column, _ in matches], np.array(steps, np.float64), "steps")


def _time_column(wide: _Wide) -> TypedColumn:
    if wide.what == "steps":
        return TypedColumn("step", "number", wide.values)
    return TypedColumn("time", "time", wide.values)


def _names_of_rows(labels: Sequence[TypedColumn], rows: int) -> list[str]:
    """A name for each row: the fewest label columns that tell the rows apart, in the file's order."""
    texts = [[_label(column, row) for row in range(rows)] for column in labels]
    chosen: list[list[str]] = []
    for column in texts:
        if len({*column}) == rows:
            chosen = [column]
            break
        if len({*column}) > 1 and len({*zip(*chosen, column, strict=True)}) > len({*zip(*chosen, strict=True)}):
            chosen.append(column)
        if len({*zip(*chosen, strict=True)}) == rows and chosen:
            break
    names, taken = [], set()
    for row in range(rows):
        base = name = " ".join(column[row] for column in chosen if column[row]) or f"row {row + 1}"
        count = 1
        while name in taken or name == "time":
            count += 1
            name = f"{base} ({count})"
        taken.add(name)
        names.append(name)
    return names


def _label(column: TypedColumn, row: int) -> str:
    value = column.values[row]
    if column.kind == "number":
        return f"{value:g}"
    return column.classes[value] if value >= 0 else ""


def _long(time: TypedColumn, values: np.ndarray, names: list[str]) -> list[TypedColumn]:
    """One row a series and time; what is missing at a series' end is no row."""
    steps, series = values.shape
    known = ~np.isnan(values)
    lengths = np.where(known.any(0), steps - np.argmax(known[::-1], axis=0), 0)
    kept = (np.arange(steps)[:, None] < lengths).T.ravel()
    order = np.argsort(names)
    ranks = np.empty(series, np.int32)
    ranks[order] = np.arange(series, dtype=np.int32)
    return [
        TypedColumn("series", "category", np.repeat(ranks, steps)[kept], tuple(names[k] for k in order)),
        TypedColumn(time.name, time.kind, np.tile(time.values, series)[kept]),
        TypedColumn("value", "number", values.T.ravel()[kept]),
    ]


def _hours_of_days(numbers: list[TypedColumn], others: list[TypedColumn]):
    """One row a day under its date, one column an hour, or half or quarter of one."""
    days = [column for column in others if column.kind == "time"]
    if len(days) != 1 or np.isnat(days[0].values).all():
        return None
    if (days[0].values != days[0].values.astype("datetime64[D]")).any():
        return None
    clocks = [column for column in numbers if clock_shape(column.name.strip()) and ":" in column.name]
    if len(clocks) in (24, 25, 48, 96):
        since = parse_clocks(pa.array([column.name.strip() for column in clocks])) - np.datetime64(0, "ns")
        run = clocks
    else:
        matches = [(column, match) for column in numbers if (match := _HOUR.fullmatch(column.name.strip()))]
        hours = [int(match[1]) for _, match in matches]
        if len(hours) not in (24, 25) or any(b - a != 1 for a, b in pairwise(hours)) or hours[0] > 1:
            return None
        since, run = (np.arange(len(hours))).astype("timedelta64[h]"), [column for column, _ in matches]
    groups = [column for column in others if column.kind == "category"]
    times = in_range((days[0].values[:, None] + since).ravel())
    made = [TypedColumn(f"{days[0].name} hour", "time", times, parts=(days[0].name,))]
    made += [TypedColumn(c.name, "category", np.repeat(c.values, len(run)), c.classes) for c in groups]
    made.append(TypedColumn("value", "number", np.stack([column.values for column in run], axis=1).ravel()))
    used = {column.name for column in run}
    return made, _turned_note(run, "hour", f"a row of {days[0].name!r}", [c for c in numbers if c.name not in used])


def _months_of_years(columns: Sequence[TypedColumn], numbers: list[TypedColumn]):
    """One row a year, one column a month or quarter."""
    year = next(
        (column for column in columns if re.fullmatch(r"(?i)years?|jahr|année|año|anno|ano|", column.name)), None
    )
    if year is None and columns[0].kind == "number":
        year = columns[0]
    if year is None or year.kind != "number" or np.isnan(year.values).any():
        return None
    whole = (year.values == np.round(year.values)).all() and year.values.min() >= 1500 and year.values.max() <= 2200
    if not whole or len(np.unique(year.values)) < len(year.values):
        return None
    months = {column.name: month_of(column.name) for column in numbers}
    run = [column for column in numbers if months[column.name]]
    order = [months[column.name] for column in run]
    if order != list(range(1, 13)):
        quarters = [(column, match) for column in numbers if (match := _QUARTER.fullmatch(column.name.strip()))]
        run, order = [column for column, _ in quarters], [int(match[1] or match[2]) for _, match in quarters]
        if order != [1, 2, 3, 4]:
            return None
    firsts = ((year.values.astype(np.int64)[:, None] - 1970) * 12 + np.arange(len(run)) * _PER_YEAR[len(run)]).ravel()
    times = firsts.astype("datetime64[M]").astype("datetime64[ns]")
    what = "month" if len(run) == 12 else "quarter"
    values = np.stack([column.values for column in run], axis=1).ravel()
    known = np.flatnonzero(~np.isnan(values))
    end = known[-1] + 1 if len(known) and (np.diff(year.values) > 0).all() else len(values)  # the last year's rest
    made = [TypedColumn(what, "time", times[:end]), TypedColumn("value", "number", values[:end])]
    used = {column.name for column in run} | {year.name}
    left = [column for column in columns if column.name not in used and column.kind != "text"]
    return made, _turned_note(run, what, f"a row of {year.name!r}", left)


def _turned_note(run: list[TypedColumn], what: str, of: str, left: Sequence[TypedColumn]) -> list[ImportNote]:
    text = (
        f"The {len(run)} {what}s along the columns ({run[0].name!r} to {run[-1].name!r}) of {of} are turned into rows"
    )
    text += f"; without {listed([column.name for column in left])}" if left else ""
    return [ImportNote("warning", f"{text}: undo that if each row is an example of its own.")]
