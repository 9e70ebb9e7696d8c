"""Rows of a table taken, left empty or combined: a new Table each time, with the columns that it had."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from lstm_core.data.table import Column, ImportNote, Table

_EMPTY = {"category": np.int32(-1), "time": np.datetime64("NaT", "ns")}


def take_rows(table: Table, rows: np.ndarray, given: Mapping[str, np.ndarray] | None = None) -> Table:
    """The table's rows of these numbers, (new rows,), −1 for an empty one.

    given: column → its (new rows,) values, whatever the rows say.
    """
    absent = rows < 0
    numbers = table.numbers[rows]
    numbers[absent] = np.nan

    def taken(column: Column) -> np.ndarray:
        values = column.values[rows]
        values[absent] = _EMPTY[column.kind]
        return values

    return _rebuild(table, numbers, taken, given or {})


def combine_rows(table: Table, starts: np.ndarray, how: str, given: Mapping[str, np.ndarray]) -> Table:
    """Every run of rows made one row.

    Missing values are passed over; a run of nothing else is missing. Classes and times are the run's first one for
    how "first", else its last one.

    starts: (runs,) the first row of each run, ascending, from 0. how: "mean", "sum", "first" or "last" of numbers.
    given: column → its (runs,) values, whatever the rows say.
    """
    numbers = np.empty((len(starts), table.numbers.shape[1]), table.numbers.dtype)
    for k in range(numbers.shape[1]):
        numbers[:, k] = _combine_numbers(table.numbers[:, k], starts, how)

    def combined(column: Column) -> np.ndarray:
        row = _present_row(~column.missing, starts, how)
        return np.where(row < 0, _EMPTY[column.kind], column.values[row])

    return _rebuild(table, numbers, combined, given)


def add_numbers(table: Table, columns: Mapping[str, np.ndarray], **marks: bool) -> Table:
    """The table with more number columns, name → (rows,) values, after those that it has; marks: fields of each."""
    if not columns:
        return table
    numbers = np.column_stack([table.numbers, *columns.values()]).astype(table.numbers.dtype)
    own = iter(range(numbers.shape[1]))
    kept = [_with_values(c, numbers[:, next(own)]) if c.kind == "number" else c for c in table.columns]
    added = [Column(name, "number", numbers[:, next(own)], **marks) for name in columns]
    return dataclasses.replace(table, numbers=numbers, columns=(*kept, *added))


def with_notes(table: Table, notes: list[ImportNote]) -> Table:
    """The table with these notes at the end of its report; itself if there is none."""
    return dataclasses.replace(table, report=(*table.report, *notes)) if notes else table


def _rebuild(
    table: Table, numbers: np.ndarray, values: Callable[[Column], np.ndarray], given: Mapping[str, np.ndarray]
) -> Table:
    columns, position = [], 0
    for column in table.columns:
        if column.kind == "number":
            if column.name in given:
                numbers[:, position] = given[column.name]
            columns.append(_with_values(column, numbers[:, position]))
            position += 1
        else:
            columns.append(_with_values(column, given[column.name] if column.name in given else values(column)))
    return dataclasses.replace(table, numbers=numbers, columns=tuple(columns))


def _with_values(column: Column, values: np.ndarray) -> Column:
    return dataclasses.replace(column, values=values)


def _combine_numbers(values: np.ndarray, starts: np.ndarray, how: str) -> np.ndarray:
    present = ~np.isnan(values)
    if how in ("first", "last"):
        row = _present_row(present, starts, how)
        return np.where(row < 0, np.nan, values[row])
    total = np.add.reduceat(np.where(present, values, 0).astype(np.float64), starts)
    count = np.add.reduceat(present.astype(np.int64), starts)
    with np.errstate(invalid="ignore"):
        return np.where(count, total / count if how == "mean" else total, np.nan)


def _present_row(present: np.ndarray, starts: np.ndarray, how: str) -> np.ndarray:
    """(runs,): the first or last row of each run that has a value, −1 where none has."""
    if how == "first":
        row = np.minimum.reduceat(np.where(present, np.arange(len(present)), len(present)), starts)
        return np.where(row == len(present), -1, row)
    return np.maximum.reduceat(np.where(present, np.arange(len(present)), -1), starts)
