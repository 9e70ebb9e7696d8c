"""read_table: the bytes of a CSV file become a Table, with a report of every guess and change.

The steps: encoding (bytes → text), dialect and rows (text → regular rows), columns, column_types and cells (rows →
typed columns), column_roles (suggestions). Each refuses or reports what it cannot read.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from lstm_core.data.column_roles import suggest_roles, time_column_notes
from lstm_core.data.ingest.columns import parse_columns
from lstm_core.data.ingest.dialect import detect_dialect
from lstm_core.data.ingest.encoding import decode_text
from lstm_core.data.ingest.options import DETECT, CsvOptions
from lstm_core.data.ingest.rows import RegularRows, format_line_numbers
from lstm_core.data.table import Column, ImportNote, Table
from lstm_core.experiment import PlaygroundError

MAX_NOTES = 100


def read_table(data: bytes, name: str = "data.csv", options: CsvOptions = DETECT) -> Table:
    """A CSV file as a table.

    What `options` leaves open is detected. The table's `options` are those that were used, its `report` lists what
    was guessed, coerced, dropped or refused and in which lines, its `roles` suggest targets and features. Columns
    without values, and text columns with too many distinct texts, are left out.

    Args:
        data: the file's bytes.
        name: the file's name, used in messages only.
        options: corrections of what was detected. `kinds` overrides the kind of single columns.

    Raises:
        PlaygroundError: the file is no table, has fewer than two rows, or has nothing to train on.
    """
    name = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", name)[:80]
    text, encoding, notes = decode_text(data, name, options.encoding)
    records, used, layout_notes = detect_dialect(text, name, replace(options, encoding=encoding))
    notes += layout_notes
    if records.rows < 2:
        raise PlaygroundError(f"{name!r} has one row of data: a series needs at least two, add more.")
    numbers, columns, used = parse_columns(records, used, notes)
    if not any(column.kind != "time" for column in columns):
        reasons = "its columns are times, empty, or hold a different text in every row"
        raise PlaygroundError(f"{name!r} has no column of numbers ({reasons}): choose another file or delimiter.")
    if all(column.is_constant for column in columns if column.kind != "time"):
        raise PlaygroundError(f"No column of {name!r} ever changes: there is nothing to learn, choose another file.")
    if not numbers.shape[1]:
        notes.append(ImportNote("warning", "No column holds numbers, so there is nothing to feed to a model."))
    roles = suggest_roles(columns)
    notes += _column_reports(columns, records) + time_column_notes(columns, roles, records.line)
    if len(notes) > MAX_NOTES:
        omitted = len(notes) - MAX_NOTES
        notes = [*notes[:MAX_NOTES], ImportNote("warning", f"There are {omitted:,} more notes of these kinds.")]
    return Table(name, numbers, tuple(columns), roles, tuple(notes), used)


def _column_reports(columns: list[Column], records: RegularRows) -> list[ImportNote]:
    """How many cells are missing, and which columns never change."""
    notes = []
    for column in columns:
        missing = np.flatnonzero(column.missing)
        if len(missing):
            lines = [records.line(int(row)) for row in missing[:6]]
            text = f"Column {column.name!r} has {len(missing):,} missing of {records.rows:,} cells: "
            notes.append(ImportNote("info", text + format_line_numbers(lines) + ".", column.name, tuple(lines[:5])))
        if column.is_constant:
            text = f"Column {column.name!r} never changes: it is not suggested as a feature."
            notes.append(ImportNote("info", text, column.name))
    return notes
