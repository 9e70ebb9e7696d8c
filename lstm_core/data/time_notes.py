"""What is irregular about a table's time column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lstm_core.data.ingest.rows import format_line_numbers
from lstm_core.data.number_format import format_time_step
from lstm_core.data.table import Column, ColumnRoles, ImportNote


def time_column_notes(columns: Sequence[Column], roles: ColumnRoles, line: Callable[[int], int]) -> list[ImportNote]:
    """Notes on repeated times, rows out of order and uneven steps; `line` gives the line number of a row."""
    by_name = {column.name: column for column in columns}
    if roles.time is None:
        return []
    time, name = by_name[roles.time].values, repr(roles.time)
    group = by_name[roles.group].values if roles.group else np.zeros(len(time), np.int8)
    rows = np.flatnonzero(~by_name[roles.time].missing)
    notes, zero = [], np.zeros(1, time.dtype)[0] - np.zeros(1, time.dtype)[0]
    same = group[rows[1:]] == group[rows[:-1]]
    jumps_back = rows[1:][same & (np.diff(time[rows]) < zero)]
    if len(jumps_back):
        text = (
            f"The rows are not in order of {name}: {_are(jumps_back, line)} earlier than the row above; they will be "
            "sorted."
        )
        notes.append(ImportNote("info", text, roles.time, _lines(jumps_back, line)))
    if roles.group or len(jumps_back):
        rows = rows[np.lexsort((time[rows], group[rows]))]
    same = group[rows[1:]] == group[rows[:-1]]
    steps = np.diff(time[rows])
    repeats = np.sort(rows[1:][same & (steps == zero)])
    if len(repeats):
        text = (
            f"Column {name} has repeated times: {_are(repeats, line)} at the time of another row; if the rows belong "
            "to several series, choose the column that identifies the series as the group."
        )
        notes.append(ImportNote("warning", text, roles.time, _lines(repeats, line)))
    jumps_ahead = np.flatnonzero(same & (steps > zero))
    lengths = steps[jumps_ahead].astype(np.float64)
    usual = float(np.median(lengths)) if len(jumps_ahead) else 0.0
    gaps = jumps_ahead[lengths > 1.5 * usual]
    if len(gaps):
        longest = int(np.argmax(lengths))
        span = format_time_step if time.dtype.kind == "M" else "{:g}".format
        text = (
            f"The steps of {name} are not even: {len(gaps):,} longer than the usual {span(usual)}, the "
            f"longest {span(lengths[longest])} (after row {line(int(rows[jumps_ahead[longest]]))})."
        )
        notes.append(ImportNote("info", text, roles.time, _lines(rows[gaps], line)))
    return notes


def _lines(rows: np.ndarray, line: Callable[[int], int], max_lines: int = 5) -> tuple[int, ...]:
    return tuple(line(int(row)) for row in rows[:max_lines])


def _are(rows: np.ndarray, line: Callable[[int], int]) -> str:
    return f"{format_line_numbers(_lines(rows, line, 6))} {'is' if len(rows) == 1 else 'are'}"
