"""Which column, or columns together, tell the series of a table apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lstm_core.data.calendar_names import is_time_name
from lstm_core.data.ingest.calendar_words import is_weekday, month_of
from lstm_core.data.table import Column

_ID_WORDS = re.compile(
    r"(?i:(^|[^a-z])(id|ids|uid|group|series|sequence|seq|subject|patient|user|customer|person|unit|sensor|device|"
    r"station|site|machine|engine|trial|run|episode|sample|instance|case|ticker|symbol|country|store|item|product|shop|"
    r"region|state|city|location|meter|zone|asset|stock)([^a-z]|$))|[a-z]I[Dd]$"
)
_MOST_TOGETHER = 5  # columns that may name a series together


def find_series_id(columns: Sequence[Column]) -> Column | None:
    """The column that identifies the series, if any: of several, the one with the most series.

    Either it is named like an id and each of its values fills one block of rows, or there are times that repeat or
    go back but increase within each of its values. Where only several columns do that together, a new column of
    their texts, with these columns as its parts.
    """
    times = [c for c in columns if c.kind == "time" or (c.kind == "number" and is_time_name(c.name))]
    times = [c for c in times if not rises_within(c.values, np.zeros(1, np.int64))]
    candidates: list[tuple[int, Column]] = []
    blocks: list[tuple[int, Column]] = []  # named like ids, whatever the times
    for k, column in enumerate(columns):
        is_named = column.kind != "time" and _ID_WORDS.search(column.name) is not None
        if not (is_named or column.kind == "category" or (k < 2 and column.kind == "number")):
            continue
        if column.is_constant or column.missing.any():
            continue
        if column.kind == "number" and (column.values != np.round(column.values)).any():
            continue
        order, starts = by_group(column.values)
        sizes = np.diff(starts, append=len(order))
        if np.median(sizes) < 2 or (sizes.min() < 2 and not is_named):
            continue
        in_blocks = int((column.values[1:] != column.values[:-1]).sum()) + 1 == len(starts)
        others = [time for time in times if time is not column]
        orders_times = any(
            rises_within(time.values[order], starts) and (in_blocks or len(np.unique(time.values)) < len(order))
            for time in others
        )
        if is_named or column.kind == "category":
            if orders_times:
                candidates.append((len(starts), column))
            elif is_named and in_blocks:
                blocks.append((len(starts), column))
        elif (
            in_blocks
            and not _are_years(column.values)
            and any(counts_within(c, order, starts) for c in columns if c is not column)
        ):
            candidates.append((len(starts), column))
    together = None if candidates else _together(columns, [c for c in times if c.kind == "time"])
    if together is not None:
        return together
    return max(candidates or blocks, key=lambda item: item[0], default=(0, None))[1]


def _are_years(values: np.ndarray) -> bool:
    """Whether each block of a column is one year later than the one before."""
    steps = np.diff(values)
    return bool(values[0] >= 1500 and values[-1] <= 2200 and np.isin(steps, (0, 1)).all())


def _together(columns: Sequence[Column], times: Sequence[Column]) -> Column | None:
    """The fewest of the text columns within which some repeated times increase, as one column."""
    texts = [c for c in columns if c.kind == "category" and not c.is_constant and not c.missing.any()]
    texts = [c for c in texts if not all(is_weekday(text) or month_of(text) for text in c.classes)]
    ids = [c for c in columns if c.kind == "number" and _ID_WORDS.search(c.name) and not c.missing.any()]
    ids = [c for c in ids if not c.is_constant and len(np.unique(c.values)) < len(c.values) / 2]
    chosen = [*texts, *ids][:_MOST_TOGETHER]
    if len(chosen) < 2 or not times:
        return None
    time = times[0]
    if not _orders(time, chosen):
        return None
    for column in chosen[::-1]:
        rest = [other for other in chosen if other is not column]
        if len(rest) > 1 and _orders(time, rest):
            chosen = rest
    codes, kept = _codes_together(chosen)
    labels = [" · ".join(_label(column, row) for column in chosen) for row in kept]
    order = sorted(range(len(labels)), key=labels.__getitem__)
    ranks = np.empty(len(labels), np.int32)
    ranks[order] = np.arange(len(labels), dtype=np.int32)
    names = tuple(column.name for column in chosen)
    taken = {column.name for column in columns}
    name = " · ".join(names)
    while name in taken:
        name += " (series)"
    return Column(name, "category", ranks[codes], tuple(labels[k] for k in order), names)


def _orders(time: Column, columns: Sequence[Column]) -> bool:
    """Whether times increase within each combination of these columns' values, and there are rows enough for that."""
    codes, first = _codes_together(columns)
    order, starts = by_group(codes)
    return 2 * len(first) <= len(codes) and rises_within(time.values[order], starts)


def _codes_together(columns: Sequence[Column]) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) the number of each row's combination, and the first row of each combination."""
    codes = np.zeros(len(columns[0].values), np.int64)
    for column in columns:
        _, own = np.unique(column.values, return_inverse=True)
        _, codes = np.unique(codes * (own.max() + 1) + own, return_inverse=True)
    return codes, np.unique(codes, return_index=True)[1]


def _label(column: Column, row: int) -> str:
    value = column.values[row]
    return column.classes[value] if column.kind == "category" else f"{value:g}"


def by_group(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) the permutation that sorts by group, and (groups,) the index in it of each group's first row."""
    order = np.argsort(values, kind="stable")
    values = values[order]
    return order, np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])


def steps_within(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Steps from row to row of values sorted by group, but not from group to group."""
    return np.delete(np.diff(values), starts[1:] - 1)


def rises_within(values: np.ndarray, starts: np.ndarray) -> bool:
    """Whether values sorted by group increase from row to row within each group, or decrease within all of them."""
    steps = steps_within(values, starts)
    zero = np.zeros_like(steps[:1])
    return len(steps) > 0 and bool((steps > zero).all() or (steps < zero).all())


def counts_within(column: Column, order: np.ndarray | slice, starts: np.ndarray) -> bool:
    """Whether a number column counts up by one within each group, of several."""
    if column.kind != "number" or len(starts) < 2 or column.missing.any():
        return False
    steps = steps_within(column.values[order], starts)
    return len(steps) > 0 and bool((steps == 1).all())
