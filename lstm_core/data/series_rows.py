"""The rows of a table as series in order of time: who is whose neighbour, what each series is called."""

from __future__ import annotations

import numpy as np

from lstm_core.data.table import ImportNote, Table
from lstm_core.data.table_rows import take_rows

_CLOCK_CHANGES = {  # month → days of it: the Sundays on which Europe and North America change their clocks
    "spring": {3: (*range(8, 15), *range(25, 32))},
    "autumn": {10: (*range(25, 32),), 11: (*range(1, 8),)},
}


def in_order(table: Table, time: str, group: str | None) -> tuple[Table, list[ImportNote]]:
    """The rows by series, then time, those without a time left out; the same Table if it is so already.

    Rows of one time keep their order. Missing series come first, as in windows.
    """
    times, missing = table.column(time).values, table.column(time).missing
    notes = []
    if missing.any():
        rows = np.flatnonzero(missing) + 1
        listed = ", ".join(f"{row:,}" for row in rows[:5]) + ", …" * (len(rows) > 5)
        have, these = ("row has", "row") if len(rows) == 1 else ("rows have", "rows")
        text = (
            f"{len(rows):,} {have} no {time!r}, so no place among the others: left out ({these} {listed} of the table)."
        )
        notes.append(ImportNote("warning", text, time))
    order = np.lexsort([times] if group is None else [times, table.column(group).values])
    order = order[~missing[order]]
    if np.array_equal(order, np.arange(table.rows)):
        return table, notes
    moved = int(np.count_nonzero(np.diff(order) < 0))
    if moved:
        text = f"The rows were put in order of {f'{group!r} and ' if group else ''}{time!r}."
        notes.append(ImportNote("info", text, time))
    return take_rows(table, order), notes


def neighbours(table: Table, group: str | None) -> np.ndarray:
    """(rows − 1,) bool: whether a row and the next one are of one series."""
    if group is None:
        return np.ones(max(table.rows - 1, 0), bool)
    values = table.column(group).values
    return values[1:] == values[:-1]


def first_rows(table: Table, group: str | None) -> np.ndarray:
    """(series,): the first row of each."""
    return np.concatenate([[0], np.flatnonzero(~neighbours(table, group)) + 1])


def series_names(table: Table, group: str, rows: np.ndarray | None = None) -> list[str]:
    """What each series is called, in the order of rows; by default each name once, in ascending order of its id."""
    column = table.column(group)
    values = np.unique(column.values) if rows is None else column.values[rows]
    if column.kind == "category":
        return ["(none)" if code < 0 else column.classes[code] for code in values]
    return [f"{value:.10g}" for value in values.tolist()]


def time_text(value: np.datetime64 | float) -> str:
    """One time in few letters: "2012-03-01", "2012-03-01 05:00", "1984"."""
    if not isinstance(value, np.datetime64):
        return f"{value:.10g}"
    text = str(value.astype("M8[s]")).replace("T", " ")
    return text.removesuffix(" 00:00:00") if text.endswith(" 00:00:00") else text.removesuffix(":00")


def listed(names: list[str], most: int = 3) -> str:
    """Names for a sentence: "'a'", "'a' and 'b'", "'a', 'b', 'c' and 4 more"."""
    quoted = [repr(name) for name in names[:most]]
    if len(names) > most:
        return ", ".join(quoted) + f" and {len(names) - most} more"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def at_clock_changes(times: np.ndarray, season: str) -> int:
    """How many of these times lie on the Sunday hours that clocks skip in "spring", or repeat in "autumn"."""
    if times.dtype.kind != "M" or not len(times):
        return 0
    days, months = times.astype("M8[D]"), times.astype("M8[M]")
    day, month = (days - months.astype("M8[D]")).astype(int) + 1, months.astype(int) % 12 + 1
    hour = (times - days.astype("M8[ns]")).astype("m8[h]").astype(int)
    sunday = (days.astype(int) + 3) % 7 == 6
    matches = [(month == m) & np.isin(day, span) for m, span in _CLOCK_CHANGES[season].items()]
    return int((np.any(matches, axis=0) & sunday & (hour >= 1) & (hour < 3)).sum())
