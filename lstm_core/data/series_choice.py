"""One, several or the sum of a table's series, and which of them is which, as inputs."""

from __future__ import annotations

import dataclasses

import numpy as np

from lstm_core.data.series_rows import first_rows, listed, neighbours, series_names, time_text
from lstm_core.data.table import Column, ImportNote, Table
from lstm_core.data.table_rows import take_rows
from lstm_core.experiment import DataSpec, PlaygroundError

MAX_ID_INPUTS = 100


def choose_series(table: Table, group: str, names: tuple[str, ...]) -> tuple[Table, list[ImportNote]]:
    """The rows of these series, in their order in the table.

    Raises:
        PlaygroundError: there is no such series.
    """
    ids, which = np.unique(table.column(group).values, return_inverse=True)
    known = series_names(table, group)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise PlaygroundError(
            f"Column {group!r} has no series {listed(unknown)}: choose among its {len(known):,} series, or leave the "
            "choice empty for all."
        )
    chosen = np.isin(known, names)
    if chosen.all():
        return table, []
    text = f"{chosen.sum():,} of {len(ids):,} series are used: {listed([name for name in known if name in names])}."
    return take_rows(table, np.flatnonzero(chosen[which])), [ImportNote("info", text, group)]


def sum_series(table: Table, time: str, group: str) -> tuple[Table, list[ImportNote]]:
    """One series: every number column added up at each time, missing where one of the series lacks a value.

    It reaches from the time at which the last series begins to that at which the first one ends. The column of the
    series becomes a category of one class; other classes and times stay where all series agree.

    table: in the order of series_rows.in_order.

    Raises:
        PlaygroundError: times repeat within a series, or the series have no time in common.
    """
    times, first = table.column(time).values, first_rows(table, group)
    repeated = neighbours(table, group) & (times[1:] == times[:-1])
    if repeated.any():
        raise PlaygroundError(
            f"Column {time!r} has {int(repeated.sum()):,} repeated times within a series (the first "
            f"{time_text(times[1:][repeated].min())}), which a sum would count twice: choose how to combine them."
        )
    last = np.append(first[1:], table.rows) - 1
    begin, end = times[first].max(), times[last].min()
    rows = np.flatnonzero((times >= begin) & (times <= end))
    if not len(rows):
        raise PlaygroundError(
            f"The {len(first):,} series of {group!r} have no time in common, so they have no sum: choose fewer of them."
        )
    rows = rows[np.argsort(times[rows], kind="stable")]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(times[rows]) != np.zeros(1, np.diff(times).dtype)) + 1])
    counts = np.diff(starts, append=len(rows))
    merged = _agreed(table, rows, starts)
    numbers = np.add.reduceat(table.numbers[rows], starts, axis=0, dtype=np.float64).astype(table.numbers.dtype)
    numbers[counts < len(first)] = np.nan
    label = f"sum of {len(first):,} series"
    columns, kept = [], []
    for column in table.columns:
        if column.name == group:
            columns.append(Column(group, "category", np.zeros(len(starts), np.int32), (label,)))
        elif column.kind == "number":
            kept.append(table.column_names("number").index(column.name))
            columns.append(column)
        else:
            columns.append(dataclasses.replace(column, values=merged[column.name]))
    numbers = np.ascontiguousarray(numbers[:, kept])
    views = iter(numbers.T)
    columns = [dataclasses.replace(c, values=next(views)) if c.kind == "number" else c for c in columns]
    for column in columns:
        if column.name == time and column.kind == "number":
            column.values[:] = times[rows][starts]
    text = f"The {label} has {len(starts):,} rows, from {time_text(begin)} to {time_text(end)}."
    notes = [ImportNote("info", text, group)]
    if lacking := int((counts < len(first)).sum()):
        have = "1 of them is" if lacking == 1 else f"{lacking:,} of them are"
        notes.append(
            ImportNote("warning", f"{have} missing in the sum, since not every series has a row there.", group)
        )
    return dataclasses.replace(table, numbers=numbers, columns=tuple(columns)), notes


def _agreed(table: Table, rows: np.ndarray, starts: np.ndarray) -> dict[str, np.ndarray]:
    """Classes and times of each run of rows, missing where they differ."""
    merged = {}
    for column in table.columns:
        if column.kind != "number":
            values, missing = column.values[rows], column.missing[rows]
            numbers = values.astype(np.int64)
            differ = np.maximum.reduceat(numbers, starts) != np.minimum.reduceat(numbers, starts)
            value = values[starts]
            value[differ | np.logical_or.reduceat(missing, starts)] = -1 if column.kind == "category" else "NaT"
            merged[column.name] = value
    return merged


def series_inputs(table: Table, group: str) -> dict[str, np.ndarray]:
    """Column → (rows,) 1 for the rows of one series, 0 for others; one column a series, none where it is the only one.

    Raises:
        PlaygroundError: there are more than MAX_ID_INPUTS series.
    """
    ids, which = np.unique(table.column(group).values, return_inverse=True)
    if len(ids) > MAX_ID_INPUTS:
        raise PlaygroundError(
            f"Column {group!r} has {len(ids):,} series, too many for an input each (at most {MAX_ID_INPUTS}): choose "
            "some of them, or switch off the series as input."
        )
    names = series_names(table, group) if len(ids) > 1 else []
    return {f"{group} = {name}": (which == k).astype(np.float64) for k, name in enumerate(names)}


def short_series_note(table: Table, spec: DataSpec) -> ImportNote | None:
    """Which series are too short for a single window; None where none is, or there is but one series."""
    if spec.group is None:
        return None
    ids, counts = np.unique(table.column(spec.group).values, return_counts=True)
    need = spec.seq_len + spec.horizon
    short = np.flatnonzero(counts < need)
    if len(ids) < 2 or not len(short):
        return None
    are = "is" if len(short) == 1 else "are"
    names = series_names(table, spec.group)
    named = listed([names[k] for k in short])
    text = f"{len(short):,} of {len(ids):,} series {are} shorter than a window and its target ({need:,} rows): {named}."
    return ImportNote("warning", text, spec.group)
