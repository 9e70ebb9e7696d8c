"""Suggested roles of a table's columns.

Suggestions only: the Data page shows them and the user decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lstm_core.data.calendar_names import is_calendar_name, is_minor_name, is_time_name, wanted
from lstm_core.data.ingest.calendar_words import is_weekday, month_of
from lstm_core.data.series_id import by_group, counts_within, find_series_id, rises_within, steps_within
from lstm_core.data.table import Column, ColumnRoles

MAX_FEATURES = 64  # suggested at once; more can be chosen by hand
LABEL_CLASSES = range(2, 21)

_LABEL_WORDS = re.compile(r"(^|[^a-z])(label|class|target|activity|category|outcome|diagnosis|kind|type|y)([^a-z]|$)")
_ID_NUMBER = re.compile(
    r"(^|[^a-z])(id|ids|uid|uuid|code|zip|zipcode|plz|postcode|row|rowid|unnamed: 0)([^a-z0-9]|$)|.I[Dd]$"
)
_MOST_MISSING = 0.3  # of a time column's cells; else the rows keep their order in the file


def suggest_roles(columns: Sequence[Column], file: str = "") -> tuple[ColumnRoles, Column | None]:
    """Target, features, time, group and window of a table read from a file of this name.

    A series is forecast from the number columns, its own past among them. What is predicted is a number whose name, or
    the file's, says so; else the last one that is no clock, counter, constant, id or part of the calendar. A label, a
    single text column of few classes, is predicted (horizon 0) only where there is no time, or no other number.

    Returns:
        The roles; and a new column where only several columns together tell the series apart, else None.
    """
    rows = len(columns[0].values)
    group = find_series_id(columns)
    labels = [c for c in columns if c.kind == "category" and c is not group and len(c.classes) in LABEL_CLASSES]
    labels = [c for c in labels if not all(is_weekday(text) or month_of(text) for text in c.classes)]
    if group and len(labels) == 1 and not group.parts and len(np.unique(group.values)) <= len(labels[0].classes):
        group = None  # the label's number rather than a series' name: each class would be one series
    order, starts = by_group(group.values) if group else (slice(None), np.zeros(1, np.int64))
    parts = group.parts if group else ()
    numbers = [c for c in columns if c.kind == "number" and c is not group and c.name not in parts]
    numbers = [c for c in numbers if not c.is_constant]
    clocks = [c for c in numbers if _is_clock(c, order, starts, first=c is columns[0])]
    idle = [c for c in numbers if _is_counter(c) or (_ID_NUMBER.search(c.name) and _is_whole(c))]
    dull = {id(c) for c in (*clocks, *idle)}
    if len(dull) == len(numbers):  # a straight line is then the series itself
        dull -= {id(numbers[-1])} if numbers else set()
        clocks = [c for c in clocks if id(c) in dull]
    time = _time(columns, clocks)
    usable = [c for c in numbers if id(c) not in dull]
    label = _label(labels, usable, time, order, starts) if numbers else None
    target = label or (_target(usable, file) if usable else None)
    targets = (target.name,) if target is not None else ()
    names = [c.name for c in usable]
    features = tuple(names[:MAX_FEATURES])
    if target is not None and label is None and target.name not in features:
        features = (*features[:-1], target.name)  # its own past
    sizes = np.diff(starts, append=rows)
    shortest = int(sizes[sizes >= np.median(sizes) / 2].min())  # a few short ones do not count
    whole_sequences = group is not None and label is not None
    seq_len = min(shortest, 500) if whole_sequences else int(np.clip(shortest // (4 if group else 10), 1, 24))
    names = (time and time.name, group and group.name)
    roles = ColumnRoles(targets, features, *names, max(1, seq_len), 0 if label else 1)
    return roles, group if group is not None and group.parts else None


def _time(columns: Sequence[Column], clocks: Sequence[Column]) -> Column | None:
    """The first column of times that has one in most rows; else the first that counts."""
    times = [c for c in columns if c.kind == "time" and c.missing.mean() <= _MOST_MISSING]
    if times:
        return min(times, key=lambda c: c.missing.mean() > 0.02)
    return clocks[0] if clocks else None


def _label(
    labels: Sequence[Column],
    usable: Sequence[Column],
    time: Column | None,
    order: np.ndarray | slice,
    starts: np.ndarray,
) -> Column | None:
    """The label to predict, if any."""
    if len(labels) != 1:
        return None
    label = labels[0]
    if time is None or _is_counter(time) or not usable:
        return label
    named = _LABEL_WORDS.search(label.name.lower()) is not None
    whole = len(starts) > 2 and not steps_within(label.values[order], starts).any()  # one label a sequence
    return label if time.kind == "number" and named and whole else None


def _target(usable: Sequence[Column], file: str) -> Column:
    """The number to predict."""
    sensible = [c for c in usable if not is_calendar_name(c.name) and not _has_two_values(c)]
    named = [(wanted(c.name, file), -k, c) for k, c in enumerate(sensible)]
    best = max(named, key=lambda item: item[:2], default=(0, 0, None))
    if best[0]:
        return best[2]
    major = [c for c in sensible if not is_minor_name(c.name)]
    return (major or sensible or list(usable))[-1]


def _has_two_values(column: Column) -> bool:
    values = column.values[~column.missing]
    return bool(np.isin(values, (values.min(), values.max())).all())


def _is_whole(column: Column) -> bool:
    values = column.values[~column.missing]
    return bool((values == np.round(values)).all())


def _is_counter(column: Column) -> bool:
    """Whether the column numbers the rows."""
    values = column.values
    if column.kind != "number" or len(values) < 3 or not (np.diff(values[:100]) == 1).all():
        return False
    return bool((np.diff(values) == 1).all())


def _is_clock(column: Column, order: np.ndarray | slice, starts: np.ndarray, first: bool) -> bool:
    """Whether a number column increases within each group and is named like a time, or counts as a first column."""
    if isinstance(order, slice) and not rises_within(column.values[:100], starts) and len(column.values) > 1:
        return False
    values = column.values[order]
    if not np.isfinite(values).all() or not rises_within(values, starts):
        return False
    even = len(np.unique(steps_within(values, starts))) == 1
    return is_time_name(column.name) or (first and even) or counts_within(column, order, starts)
