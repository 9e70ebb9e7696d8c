"""read_table: the bytes of a file become a Table, with a report of every guess and change.

The steps: formats (which kind of file), encoding, dialect and rows (text → rows), columns (rows → typed columns),
left_out, counted_times, joined_times, wide and sentinels (typed columns → the table's), column_roles (suggestions).
Each refuses or reports what it cannot read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lstm_core.data.column_roles import suggest_roles
from lstm_core.data.ingest.columns import read_columns
from lstm_core.data.ingest.counted_times import counted_times
from lstm_core.data.ingest.dialect import Layout, detect_layout, first_rows
from lstm_core.data.ingest.encoding import SEPARATOR, decode_text
from lstm_core.data.ingest.formats import Source, open_source
from lstm_core.data.ingest.joined_times import clocks_as_times, joined_times
from lstm_core.data.ingest.left_out import rows_without_values
from lstm_core.data.ingest.options import DETECT, CsvOptions
from lstm_core.data.ingest.rows import NotRegularError, format_line_numbers, repaired_rows, rows_as_they_are
from lstm_core.data.ingest.sentinels import find_sentinels, sentinel_notes, without_sentinels
from lstm_core.data.ingest.typed import TypedColumn, cells_note
from lstm_core.data.ingest.wide import turned
from lstm_core.data.table import Column, ImportNote, OmittedColumn, Table
from lstm_core.data.time_notes import time_column_notes
from lstm_core.experiment import PlaygroundError

MAX_NOTES = 100

_AT_ONCE = 4096


def read_table(data: bytes, name: str = "data.csv", options: CsvOptions = DETECT) -> Table:
    """A CSV, Excel, Parquet or JSON file as a table.

    What `options` leaves open is detected. The table's `options` are those that were used, its `report` lists what
    was guessed, coerced, dropped or refused and in which lines, its `roles` suggest targets and features. Columns
    without values, and text columns with too many distinct texts, are left out.

    Args:
        data: the file's bytes.
        name: the file's name, used in messages, and to guess which column it is about.
        options: corrections of what was detected. `kinds` overrides the kind of single columns.

    Raises:
        PlaygroundError: the file is no table, has fewer than two rows, or has nothing to train on.
    """
    name = _clean(name)
    source = open_source(data, name)
    notes = list(source.notes)
    columns, rows, used = _typed_columns(source, name, options, notes)
    line: Callable[[int], int] = rows.line
    gone, left_out = rows_without_values(columns, getattr(rows, "cells", None), line, bool(used.header))
    notes += left_out
    if gone.any():
        columns, line = _take(columns, ~gone, line)
    if not columns or len(columns[0].values) < 2:
        raise PlaygroundError(f"{name!r} has one row of data: a series needs at least two, add more.")
    columns, line, used = _shaped(columns, line, used, notes)
    table = _table(name, columns, used, notes)
    if table.roles.time is not None:
        timed = next(column for column in columns if column.name == table.roles.time)
        if timed.kind == "time" and timed.missing.any():
            columns, line = _without_untimed(columns, timed, line, notes)
            table = _table(name, columns, used, notes)
    notes = list(table.report)
    notes += _column_reports(columns, line, table.roles.time) + time_column_notes(table.columns, table.roles, line)
    if len(notes) > MAX_NOTES:
        omitted = len(notes) - MAX_NOTES
        notes = [*notes[:MAX_NOTES], ImportNote("warning", f"There are {omitted:,} more notes of these kinds.")]
    return replace(table, report=tuple(notes))


def preview_rows(data: bytes, name: str, options: CsvOptions = DETECT, count: int = 12) -> list[list[str]]:
    """The first lines of a file's text as cells, whatever they hold: for a file that read_table refuses.

    Raises:
        PlaygroundError: there is no text to show.
    """
    name = _clean(name)
    source = open_source(data, name)
    if source.rows is not None:
        return [list(source.rows.names)]
    text, delimiter = source.sheet, SEPARATOR
    if text is None:
        text, _, _ = decode_text(source.data, name, options.encoding)
        delimiter = options.delimiter
    return first_rows(text, name, delimiter, count)


def _clean(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", name)[:80]


def _typed_columns(source: Source, name: str, options: CsvOptions, notes: list[ImportNote]):
    """The columns as their cells were understood, the rows they came from, and the options as used."""
    if source.rows is not None:
        notes += source.rows.notes
        columns, used = read_columns(source.rows, replace(options, decimal=options.decimal or "."), notes)
        return columns, source.rows, used
    if source.sheet is not None:
        layout = detect_layout(source.sheet, name, replace(options, delimiter=SEPARATOR))
        layout = replace(layout, options=replace(layout.options, delimiter=options.delimiter))
        notes += layout.notes[1:]  # the first tells of its delimiter
    else:
        text, encoding, decoding = decode_text(source.data, name, options.encoding)
        layout = detect_layout(text, name, replace(options, encoding=encoding))
        notes += decoding + layout.notes
    return _columns_of_text(layout, SEPARATOR if source.sheet is not None else layout.separator, name, notes)


def _columns_of_text(layout: Layout, separator: str, name: str, notes: list[ImportNote]):
    place = (layout.text, name, separator, layout.data_line, layout.names)
    rows, found = rows_as_they_are(*place), []
    if rows is not None:
        try:
            columns, used = _read(rows, layout.options, name, found)
        except NotRegularError:
            rows = None
    if rows is None:
        rows, found = repaired_rows(*place)
        columns, used = _read(rows, layout.options, name, found)
    notes += found
    return columns, rows, used


def _read(rows, options: CsvOptions, name: str, notes: list[ImportNote]):
    if not rows.rows:
        raise PlaygroundError(f"{name!r} has a header and no rows: add rows of numbers under it.")
    return read_columns(rows, options, notes)


def _take(columns: list[TypedColumn], kept: np.ndarray, line: Callable[[int], int]):
    rows = np.flatnonzero(kept)
    return [column.take(rows) for column in columns], lambda row: line(int(rows[row]))


def _shaped(columns: list[TypedColumn], line: Callable[[int], int], used: CsvOptions, notes: list[ImportNote]):
    """The columns with numbers that are times read so, times joined, wide tables turned, sentinels told or removed."""
    kinds = dict(used.kinds)
    counted = []
    for column in columns:
        if column.kind == "number" and kinds.get(column.name, "time") == "time":
            column, about = counted_times(column, forced=column.name in kinds)
            notes += about
        counted.append(column)
    columns = counted
    for column in columns:
        if column.kind != "text":
            problem = "non-numeric" if column.kind == "number" else "unreadable time"
            if column.kind != "time":  # told below, or with the rows that are left out for it
                notes += cells_note(column.name, column.bad, problem, line, column.bad_texts)
    if used.join_times is not False:
        columns, about = joined_times(columns)
        notes += about
        used = replace(used, join_times=True if about else used.join_times)
    columns, about = clocks_as_times(columns)
    notes += about
    if used.turn is not False and (made := turned(columns)) is not None:
        columns, line = made[0], lambda row: row + 1
        notes += made[1]
        used = replace(used, turn=True)
    columns = without_sentinels(columns, used.missing)
    notes += sentinel_notes(find_sentinels(columns))
    return columns, line, used


def _without_untimed(
    columns: list[TypedColumn], timed: TypedColumn, line: Callable[[int], int], notes: list[ImportNote]
):
    """Without the rows that have no time: a series has no place for them."""
    rows = np.flatnonzero(timed.missing)
    lines = [line(int(row)) for row in rows[:6]]
    shown = f" ({', '.join(repr(text[:20]) for text in timed.bad_texts[:5])})" if len(timed.bad) else ""
    cells, what, they = ("cell", "row", "it is") if len(rows) == 1 else ("cells", "rows", "they are")
    text = f"Column {timed.name!r} has {len(rows):,} unreadable time {cells}: {format_line_numbers(lines)}{shown}; "
    text += f"without a time the {what} would have no place in the series: {they} left out."
    notes.append(ImportNote("warning", text, timed.name, tuple(lines[:5])))
    return _take(columns, ~timed.missing, line)


def _table(name: str, columns: list[TypedColumn], used: CsvOptions, notes: list[ImportNote]) -> Table:
    """The table of these columns and its roles.

    Raises:
        PlaygroundError: nothing in it can be learned.
    """
    omitted = tuple(OmittedColumn(c.name, int(c.missing.sum())) for c in columns if c.kind == "text" or c.missing.all())
    kept = [column for column in columns if column.kind != "text" and not column.missing.all()]
    if not any(column.kind != "time" for column in kept):
        reasons = "its columns are times, empty, or hold a different text in every row"
        raise PlaygroundError(f"{name!r} has no column of numbers ({reasons}): choose another file or delimiter.")
    made = [Column(column.name, column.kind, column.values, column.classes, column.parts) for column in kept]
    if all(column.is_constant for column in made if column.kind != "time"):
        raise PlaygroundError(f"No column of {name!r} ever changes: there is nothing to learn, choose another file.")
    roles, group = suggest_roles(made, name)
    if group is not None:
        made.append(group)
        text = (
            f"Columns {', '.join(map(repr, group.parts))} tell the series apart together: they are joined to a column "
        )
        text += f"{group.name!r} of {len(group.classes):,} series."
        notes = [*notes, ImportNote("info", text, group.name)]
    numbers = _matrix([column.values for column in made if column.kind == "number"], len(kept[0].values))
    views = iter(range(numbers.shape[1]))
    made = [replace(one, values=numbers[:, next(views)]) if one.kind == "number" else one for one in made]
    return Table(name, numbers, tuple(made), roles, tuple(notes), options=used, omitted=omitted)


def _matrix(values: list[np.ndarray], rows: int) -> np.ndarray:
    """(rows, columns) float64 in C order."""
    matrix = np.empty((rows, len(values)))
    for start in range(0, rows, _AT_ONCE):  # so many rows of all columns stay in the cache
        for k, column in enumerate(values):
            matrix[start : start + _AT_ONCE, k] = column[start : start + _AT_ONCE]
    return matrix


def _column_reports(columns: list[TypedColumn], line: Callable[[int], int], time: str | None) -> list[ImportNote]:
    """How many cells are missing, which columns have no value at all, and which never change."""
    notes = []
    for column in columns:
        if column.kind == "time":
            notes += cells_note(column.name, column.bad, "unreadable time", line, column.bad_texts)
        missing = np.flatnonzero(column.missing)
        name, rows = column.name, len(column.values)
        if len(missing) == rows:
            notes.append(ImportNote("warning", f"Column {name!r} has no values: it is left out.", name))
        elif len(missing) and column.kind != "text":
            lines = [line(int(row)) for row in missing[:6]]
            text = f"Column {name!r} has {len(missing):,} missing of {rows:,} cells: {format_line_numbers(lines)}."
            notes.append(ImportNote("info", text, name, tuple(lines[:5])))
        if len(missing) < rows and column.kind != "text" and name != time:
            present = column.values[~column.missing]
            if (present[:100] == present[0]).all() and (present == present[0]).all():
                text = f"Column {name!r} never changes: it is not suggested as a feature."
                notes.append(ImportNote("info", text, name))
    if not any(column.kind == "number" and not column.missing.all() for column in columns):
        notes.append(ImportNote("warning", "No column holds numbers, so there is nothing to feed to a model."))
    return notes
