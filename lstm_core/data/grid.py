"""A regular grid of times: the step of each series is found, absent rows are inserted, repeated times made one.

All functions take a table in the order of series_rows.in_order, and return the same Table where nothing is to be done.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from lstm_core.data.series_rows import at_clock_changes, first_rows, listed, neighbours, series_names, time_text
from lstm_core.data.table import ImportNote, Table
from lstm_core.data.table_rows import combine_rows, take_rows
from lstm_core.data.time_step import MIN_FITTING, Step, find_step
from lstm_core.experiment import PlaygroundError

MAX_GROWTH = 10  # times the rows: a grid that is mostly empty is not the data's own


@dataclass(frozen=True)
class Spacing:
    """How the rows of each series follow one another."""

    steps: tuple[Step | None, ...]  # the usual one first; None: no regular step
    step_of: np.ndarray  # (series,) which of them each series has
    gaps: np.ndarray  # (rows − 1,) int64 steps from a row to the next one; 1 where that is not a whole number
    off_grid: np.ndarray  # (rows − 1,) bool: the next row is no whole number of steps away
    repeated: np.ndarray  # (rows − 1,) bool: the next row has the same time

    @property
    def absent(self) -> int:
        """Rows that a regular grid would have and the table has not."""
        return int(np.maximum(self.gaps - 1, 0).sum())


def find_spacing(table: Table, time: str, group: str | None) -> Spacing:
    """The usual step, those of series that differ from it, and where rows are absent, repeated or off the grid."""
    times, same, first = table.column(time).values, neighbours(table, group), first_rows(table, group)
    differ = same & (times[1:] != times[:-1])
    sizes = np.diff(first, append=table.rows)
    steps, step_of = _steps(times, same, differ, first, sizes)
    gaps, off_grid = np.ones(len(same), np.int64), np.zeros(len(same), bool)
    step_of_row = np.repeat(step_of, sizes)
    for k, step in enumerate(steps):
        rows = np.flatnonzero(step_of_row == k)
        if step is None or len(rows) < 2:
            continue
        found, fits = step.between(times[rows])
        pairs = rows[:-1]  # a series' last row differs from no neighbour
        whole = fits & differ[pairs]
        gaps[pairs[whole]] = found[whole]
        off_grid[pairs] = differ[pairs] & ~fits
    return Spacing(steps, step_of, gaps, off_grid, same & ~differ)


def _steps(
    times: np.ndarray, same: np.ndarray, differ: np.ndarray, first: np.ndarray, sizes: np.ndarray
) -> tuple[tuple[Step | None, ...], np.ndarray]:
    """Spacing.steps and Spacing.step_of."""
    lengths = np.diff(times)[differ]
    if len(first) == 1 or (len(lengths) and (lengths == lengths[0]).all()):
        return (find_step(times, same),), np.zeros(len(first), np.int64)
    found = [find_step(times[row : row + size]) for row, size in zip(first, sizes, strict=True)]
    rows_of: Counter[Step] = Counter()
    for step, size in zip(found, sizes.tolist(), strict=True):
        if step is not None:
            rows_of[step] += size
    usual = max(rows_of, key=rows_of.__getitem__, default=None)
    for k in [k for k, step in enumerate(found) if step is None and usual is not None]:
        mine = slice(first[k], first[k] + sizes[k])
        fits = usual.between(times[mine])[1][differ[mine.start : mine.stop - 1]]
        found[k] = usual if len(fits) == 0 or fits.mean() >= MIN_FITTING else None
    steps = tuple(dict.fromkeys([usual, *found]))
    return steps, np.array([steps.index(step) for step in found])


def combine_repeated(table: Table, time: str, group: str | None, how: str) -> tuple[Table, list[ImportNote]]:
    """Rows of one series and time made one. how: as combine_rows has it."""
    times = table.column(time).values
    same = neighbours(table, group) & (times[1:] == times[:-1])
    count = int(same.sum())
    if not count:
        return table, []
    starts = np.concatenate([[0], np.flatnonzero(~same) + 1])
    keys = [name for name in (time, group) if name]
    combined = combine_rows(table, starts, how, {name: table.column(name).values[starts] for name in keys})
    autumn = at_clock_changes(times[1:][same], "autumn")
    of_them = f", {_of_them(autumn, count)}in an hour that clocks repeat in autumn," if autumn else ""
    what = {"mean": "their mean", "sum": "their sum", "first": "the first of them", "last": "the last of them"}[how]
    text = f"{count:,} row{'s' * (count > 1)} at the time of another{of_them} became one with it: {what}."
    return combined, [ImportNote("info", text, time)]


def regular_grid(table: Table, time: str, group: str | None) -> tuple[Table, list[ImportNote]]:
    """Absent rows inserted, with missing values in all columns but the time and the series.

    Raises:
        PlaygroundError: times repeat, no series has a regular step, or the rows would become more than MAX_GROWTH times
            as many.
    """
    spacing = find_spacing(table, time, group)
    if spacing.repeated.any():
        times = table.column(time).values[1:][spacing.repeated]
        raise PlaygroundError(
            f"Column {time!r} has {len(times):,} repeated times (the first {time_text(times.min())}), and a regular "
            "grid has one row a time: choose how to combine them, or the column that tells the series apart."
        )
    if not any(spacing.steps) and (found := step_range(table, time, group)):
        raise PlaygroundError(
            f"The times of {time!r} have no regular step ({found}): resample them to hours, days, weeks or months, or "
            "leave the rows as they are."
        )
    return insert_absent(table, time, group, spacing)


def insert_absent(table: Table, time: str, group: str | None, spacing: Spacing) -> tuple[Table, list[ImportNote]]:
    """The rows that `spacing` finds absent, inserted.

    Raises PlaygroundError where they would be too many.
    """
    notes = _unsteady_notes(table, time, group, spacing)
    absent, times = spacing.absent, table.column(time).values
    if not absent:
        return table, notes
    if table.rows + absent > MAX_GROWTH * table.rows:
        raise PlaygroundError(
            f"A regular grid of {spacing.steps[0]} would make {table.rows + absent:,} rows of {table.rows:,}: resample "
            f"{time!r} to a longer step instead, or leave the rows as they are."
        )
    before = np.flatnonzero(spacing.gaps > 1)  # the rows that absent ones follow
    count = spacing.gaps[before] - 1
    place = np.arange(table.rows) + np.concatenate([[0], np.cumsum(np.maximum(spacing.gaps - 1, 0))])
    rows = np.full(table.rows + absent, -1)
    rows[place] = np.arange(table.rows)
    left = np.repeat(before, count)
    index = np.arange(absent) - np.repeat(np.cumsum(count) - count, count) + 1
    inserted = _absent_times(times, left, index, spacing, np.cumsum(~neighbours(table, group)))
    all_times = np.empty(len(rows), times.dtype)
    all_times[place], all_times[rows < 0] = times, inserted
    last_row = np.maximum.accumulate(rows)
    given = {time: all_times} | ({group: table.column(group).values[last_row]} if group else {})
    return take_rows(table, rows, given), [_inserted_note(table, time, group, inserted, left), *notes]


def _absent_times(
    times: np.ndarray, left: np.ndarray, index: np.ndarray, spacing: Spacing, series: np.ndarray
) -> np.ndarray:
    """(absent,) times; left, index: (absent,) the row before each, and how many steps after it."""
    inserted = np.empty(len(left), times.dtype)
    step = spacing.step_of[series[left]]
    for k in np.unique(step):
        at = left[step == k]
        inserted[step == k] = spacing.steps[k].fill(times[at], times[at + 1], index[step == k], spacing.gaps[at])
    return inserted


def _inserted_note(table: Table, time: str, group: str | None, inserted: np.ndarray, left: np.ndarray) -> ImportNote:
    first, last = time_text(inserted.min()), time_text(inserted.max())
    one = len(inserted) == 1
    text = f"{len(inserted):,} absent row{' was' if one else 's were'} inserted"
    if group:
        starts = first_rows(table, group)
        count = len(np.unique(np.searchsorted(starts, left, "right")))
        text += f" in {count:,} of {len(starts):,} series" if len(starts) > 1 else ""
    text += f" at {first}" if one else f" between {first} and {last}"
    spring = at_clock_changes(inserted, "spring")
    text += f", {_of_them(spring, len(inserted))}in an hour that clocks skip in spring" if spring else ""
    return ImportNote("info", text + ".", time)


def _of_them(some: int, count: int) -> str:
    return f"{some:,} of them " if count > 1 else ""


def _unsteady_notes(table: Table, time: str, group: str | None, spacing: Spacing) -> list[ImportNote]:
    notes = []
    if spacing.off_grid.any():
        times = table.column(time).values[1:][spacing.off_grid]
        have = "row is" if len(times) == 1 else "rows are"
        where = f"{len(times):,} {have} not a whole number of steps after the row before"
        text = f"{where} (the first at {time_text(times.min())}): the times stay as they are."
        notes.append(ImportNote("warning", text, time))
    without = [k for k, step in enumerate(spacing.steps) if step is None]
    uneven = np.flatnonzero(np.isin(spacing.step_of, without))
    sizes = np.diff(first_rows(table, group), append=table.rows)
    uneven = uneven[sizes[uneven] > 1]
    if len(uneven) and group:
        names = listed(series_names(table, group, first_rows(table, group)[uneven]))
        text = f"Series without a regular step stay as they are: {names}."
        notes.append(ImportNote("warning", text, time))
    return notes


def step_range(table: Table, time: str, group: str | None) -> str:
    """How far apart neighbours are, for a sentence: "neighbours are 3 seconds to 2 days apart"; "" without any."""
    lengths = np.diff(table.column(time).values)[neighbours(table, group)]
    lengths = lengths[lengths != np.zeros(1, lengths.dtype)]
    if not len(lengths):
        return ""
    unit = "ns" if lengths.dtype.kind == "m" else "number"
    low, high = (str(Step(unit, float(length.astype(float)))) for length in (lengths.min(), lengths.max()))
    return f"neighbours are {low} to {high} apart"
