"""Suggested roles of a table's columns, and what is irregular about its time column.

Suggestions only: the Data page shows them and the user decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from lstm_core.data.ingest.rows import format_line_numbers
from lstm_core.data.number_format import format_time_step
from lstm_core.data.table import Column, ColumnRoles, ImportNote

MAX_FEATURES = 64  # suggested at once; more can be chosen by hand
LABEL_CLASSES = range(2, 21)

_TIME_WORDS = re.compile(
    r"(^|[^a-z])(time|times|timestamp|datetime|date|year|years|month|week|day|days|hour|minute|second|seconds|t|ts|"
    r"epoch|unix|step|steps|cycle|index|frame|no|nr)([^a-z]|$)|(date|time|stamp)$"
)
_ID_WORDS = re.compile(
    r"(?i:(^|[^a-z])(id|ids|uid|group|series|sequence|seq|subject|patient|user|customer|person|unit|sensor|device|"
    r"station|site|machine|engine|trial|run|episode|sample|instance|case|ticker|symbol|country|store|item|product)"
    r"([^a-z]|$))|[a-z]I[Dd]$"
)


def is_time_name(name: str) -> bool:
    return _TIME_WORDS.search(name.lower()) is not None


def suggest_roles(columns: Sequence[Column]) -> ColumnRoles:
    """Target, features, time, group and window of a table read from a file.

    A single text column of few classes is taken as a label (horizon 0); else the last number column is forecast
    from the number columns, its own past among them.
    """
    rows = len(columns[0].values)
    group = _group(columns)
    labels = [c for c in columns if c.kind == "category" and c is not group and len(c.classes) in LABEL_CLASSES]
    if group and len(labels) == 1 and len(np.unique(group.values)) <= len(labels[0].classes):
        group = None  # the label's number rather than a series' name: each class would be one series
    order, starts = _by_group(group.values) if group else (slice(None), np.zeros(1, np.int64))
    numbers = [c for c in columns if c.kind == "number" and c is not group and not c.is_constant]
    label = labels[0].name if len(labels) == 1 and numbers else None
    clocks = [c for c in numbers if _is_clock(c, order, starts, first=c is columns[0])]
    if len(clocks) == len(numbers):  # a straight line is then the series itself
        clocks = clocks[:-1]
    time = next((c for c in columns if c.kind == "time"), None)
    time = time or (clocks[0] if clocks else None)
    usable = [c.name for c in numbers if not any(c is clock for clock in clocks)]
    targets = (label,) if label else tuple(usable[-1:])
    features = tuple(usable[:MAX_FEATURES])
    if len(usable) > MAX_FEATURES and label is None:
        features = (*features[:-1], usable[-1])  # the target's own past
    shortest = int(np.diff(starts, append=rows).min())
    whole_sequences = group is not None and label is not None
    seq_len = min(shortest, 500) if whole_sequences else int(np.clip(shortest // (4 if group else 10), 1, 24))
    return ColumnRoles(targets, features, time and time.name, group and group.name, max(1, seq_len), 0 if label else 1)


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


def _is_clock(column: Column, order: np.ndarray | slice, starts: np.ndarray, first: bool) -> bool:
    """Whether a number column increases within each group and is named like a time, or is a first column of counts."""
    values = column.values[order]
    if not np.isfinite(values).all() or not _rises_within(values, starts):
        return False
    return is_time_name(column.name) or (first and len(np.unique(_steps_within(values, starts))) == 1)


def _group(columns: Sequence[Column]) -> Column | None:
    """The column that identifies the series, if any: of several, the one with the most series.

    Either it is named like an id and each of its values fills one block of rows, or there are times that repeat or
    go back but increase within each of its values.
    """
    times = [c for c in columns if c.kind == "time" or (c.kind == "number" and is_time_name(c.name))]
    times = [c for c in times if not _rises_within(c.values, np.zeros(1, np.int64))]
    candidates: list[tuple[int, Column]] = []
    for column in columns:
        is_named = column.kind != "time" and _ID_WORDS.search(column.name) is not None
        if not (is_named or column.kind == "category") or column.is_constant or column.missing.any():
            continue
        if column.kind == "number" and (column.values != np.round(column.values)).any():
            continue
        order, starts = _by_group(column.values)
        if np.diff(starts, append=len(order)).min() < 2:
            continue
        in_blocks = int((column.values[1:] != column.values[:-1]).sum()) + 1 == len(starts)
        orders_times = any(
            _rises_within(time.values[order], starts) and (in_blocks or len(np.unique(time.values)) < len(order))
            for time in times
            if time is not column
        )
        if orders_times or (is_named and in_blocks):
            candidates.append((len(starts), column))
    return max(candidates, key=lambda item: item[0])[1] if candidates else None


def _by_group(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) the permutation that sorts by group, and (groups,) the index in it of each group's first row."""
    order = np.argsort(values, kind="stable")
    values = values[order]
    return order, np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])


def _steps_within(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.delete(np.diff(values), starts[1:] - 1)


def _rises_within(values: np.ndarray, starts: np.ndarray) -> bool:
    steps = _steps_within(values, starts)
    return len(steps) > 0 and bool((steps > np.zeros_like(steps[:1])).all())
