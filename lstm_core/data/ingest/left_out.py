"""Rows that hold no values of the table: units under the names, names again, totals, footers, empty rows at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from lstm_core.data.ingest.header import listed
from lstm_core.data.ingest.rows import format_line_numbers
from lstm_core.data.ingest.typed import TypedColumn
from lstm_core.data.table import ImportNote

_MAX_ODD = 10_000  # rows looked at one by one
_TOTAL = re.compile(
    r"(grand |sub-?|sous-)?(total|totals|sum|summe|gesamt|gesamtsumme|insgesamt|totale|suma|итого|合计|总计|average|"
    r"mean|durchschnitt|mittelwert|moyenne|media)\b.*",
    re.IGNORECASE,
)


def rows_without_values(
    columns: Sequence[TypedColumn], cells: Callable[[int], list[str]] | None, line: Callable[[int], int], named: bool
) -> tuple[np.ndarray, list[ImportNote]]:
    """(rows,) bool: which rows to leave out, and why.

    cells: the texts of a row in the file; None where it has no texts. named: whether a header stands above.
    """
    count = len(columns[0].values)
    gone = np.zeros(count, bool)
    valued = [column for column in columns if column.kind in ("number", "time", "clock")]
    if cells is None or not valued:
        return gone, []
    present = np.zeros(count, np.int32)
    for column in columns:
        if column.kind != "text":
            present += ~column.missing
    units, names, totals, footers = [], [], [], []
    odd = np.unique(np.concatenate([column.bad for column in valued]))
    readable = np.zeros(count, np.int32)
    for column in valued:
        readable += ~column.missing
    for row in odd[:_MAX_ODD].tolist():
        texts = [text.strip() for text in cells(row)]
        if _is_header_again(texts, columns):
            names.append(row)
        elif _is_total(texts, columns, row):
            totals.append(row)
        elif named and not readable[row] and row < 3 and count > 3 and row == len(units):
            units.append(row)
        elif not readable[row] and row > odd[-1] - 10 and not readable[row:].any():
            footers.append(row)
    last = count - 1
    if last >= 3 and last not in totals and _is_total_of_classes(columns, last):
        totals.append(last)
    end, empty = count, []
    while end and not present[end - 1]:
        end -= 1
        if end not in footers and end not in totals:
            if any(text.strip() for text in cells(end)):  # such as NaN: a row, though without a value
                break
            empty.insert(0, end)
    notes = []
    for level, rows, what in (
        ("info", units, "of units or labels"),
        ("info", names, "that repeats the header"),
        ("warning", totals, "of totals"),
        ("info", footers, "of remarks at the end"),
        ("info", empty, "without any value at the end"),
    ):
        if rows:
            gone[rows] = True
            lines = [line(row) for row in rows[:6]]
            texts = [text for text in cells(rows[0]) if text.strip()] if rows is not empty else []
            shown = f" ({listed(texts, 4)})" if texts else ""
            plural = "rows" if len(rows) > 1 else "row"
            verb = "are" if len(rows) > 1 else "is"
            text = f"{len(rows):,} {plural} {what}{shown} {verb} left out: {format_line_numbers(lines)}."
            notes.append(
                ImportNote(level, text.replace("rows that repeats", "rows that repeat"), rows=tuple(lines[:5]))
            )
    return gone, notes


def _is_header_again(texts: list[str], columns: Sequence[TypedColumn]) -> bool:
    same = [text == column.name for text, column in zip(texts, columns, strict=False) if text]
    return len(same) > 0 and sum(same) >= max(1, 0.7 * len(same))


def _is_total(texts: list[str], columns: Sequence[TypedColumn], row: int) -> bool:
    """Whether a cell that should be a value, or the first cell, says so."""
    named = any(
        column.kind != "category" and column.missing[row] and _TOTAL.fullmatch(text)
        for text, column in zip(texts, columns, strict=False)
    )
    return bool(named or (texts and _TOTAL.fullmatch(texts[0])))


def _is_total_of_classes(columns: Sequence[TypedColumn], row: int) -> bool:
    """Whether the last row's first text is "Total", as no other row's."""
    for column in columns:
        if column.kind == "category" and column.values[row] >= 0:
            alone = np.count_nonzero(column.values == column.values[row]) == 1
            return bool(alone and _TOTAL.fullmatch(column.classes[column.values[row]]))
    return False
