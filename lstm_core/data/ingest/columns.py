"""Regular records to typed columns: plain numbers chunk by chunk, straight into float32; only the rest as text.

The memory this takes is one float32 copy of the table, one chunk, and the text of the columns that hold text.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lstm_core.data.column_roles import is_time_name
from lstm_core.data.ingest.cells import NA_VALUES, parse_numbers, parse_times
from lstm_core.data.ingest.column_types import FactorizedText, bad_cells_note, dropped_signs_note, infer_column
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.rows import RegularRows
from lstm_core.data.table import Column, ImportNote

_CHUNK_CELLS = 2**20
_EXACT = 2**24  # float32 holds every whole number up to here


def parse_columns(
    records: RegularRows, options: CsvOptions, notes: list[ImportNote]
) -> tuple[np.ndarray, list[Column], CsvOptions]:
    """The table's numbers (rows, number columns) float32, its columns in order, and the options as used.

    Adds to `notes` what was coerced or left out.
    """
    kinds = dict(options.kinds)
    for column in set(kinds) - set(records.names):
        notes.append(ImportNote("warning", f"There is no column {column!r} to be read as a {kinds[column]}.", column))
    textual = _textual_columns(records, options.decimal, kinds, notes)
    numbers = _plain_numbers(records, options.decimal, kinds, textual, notes)  # (rows, all columns)
    non_numeric: dict[int, Column | None] = {}  # None: left out
    frame = _pandas(records, usecols=sorted(textual), dtype=object, na_filter=False) if textual else {}
    for j in sorted(textual):
        cells = FactorizedText.from_series(records.names[j], frame.pop(j), records.line)
        kind = kinds.get(cells.name)
        column, day_first = infer_column(cells, kind, options.decimal, options.day_first, notes)
        if options.day_first is None:
            options = replace(options, day_first=day_first)
        if column is not None and column.kind == "number":
            with np.errstate(over="ignore"):
                numbers[:, j] = column.values
        else:
            non_numeric[j] = column
    width = len(records.names)
    for j in sorted(set(range(width)) - set(non_numeric)):
        if not _finish_numbers(numbers[:, j], records.names[j], records, notes):
            non_numeric[j] = None
    numeric = [j for j in range(width) if j not in non_numeric]
    numbers = np.ascontiguousarray(numbers[:, numeric]) if non_numeric else numbers
    by_index = non_numeric | {j: Column(records.names[j], "number", numbers[:, i]) for i, j in enumerate(numeric)}
    columns = [by_index[j] for j in range(width) if by_index[j] is not None]
    return numbers, columns, replace(options, day_first=bool(options.day_first))


def _textual_columns(records: RegularRows, decimal: str, kinds: dict[str, str], notes: list[ImportNote]) -> set[int]:
    """The columns to be read as text, by their kinds or first cells.

    Whole numbers that count dates or seconds, which float32 would round, are added to `kinds` as times.
    """
    rows = max(1, min(_CHUNK_CELLS // len(records.names), 1000))
    head = _pandas(records, decimal=decimal, na_values=NA_VALUES, nrows=min(rows, records.rows))
    textual = {j for j, name in enumerate(records.names) if _is_textual(head[j], kinds.get(name), decimal)}
    for j, name in enumerate(records.names):
        if j not in textual and name not in kinds and _counts_time(name, head[j].to_numpy()):
            kinds[name] = "time"
            textual.add(j)
            text = f"Column {name!r} is read as times: its whole numbers are dates or count from 1970."
            notes.append(ImportNote("info", text, name))
    return textual


@dataclass
class _Numbers:
    """One column of numbers while its chunks come in."""

    name: str
    surely: bool  # a number column whatever it holds
    bad: list[int] = field(default_factory=list)  # rows
    signs: set[str] = field(default_factory=set)
    rounded: bool = False

    def read(self, values: pd.Series, decimal: str, row: int) -> pd.Series | np.ndarray | None:
        """A chunk's numbers, beginning at `row`; None if most of its cells are none."""
        if values.dtype.kind in "iu":
            self.rounded = self.rounded or max(values.max(), -values.min()) > _EXACT
        if values.dtype.kind in "iuf":
            return values
        cells = FactorizedText.from_series(self.name, values, int)
        if not self.surely and not cells.is_mostly_numeric(decimal):
            return None
        parsed = parse_numbers(cells.texts, decimal)
        self.bad += (row + cells.rows_with(np.isnan(parsed))).tolist()
        self.signs |= cells.currency_signs()
        return cells.expand(parsed, np.nan)

    def notes(self, records: RegularRows) -> list[ImportNote]:
        notes = bad_cells_note(self.name, self.bad, "non-numeric", records.line)
        notes += dropped_signs_note(self.name, self.signs)
        if self.rounded:
            text = f"Column {self.name!r} has whole numbers beyond {_EXACT:,}: they are rounded to 7 digits."
            notes.append(ImportNote("warning", text, self.name))
        return notes


def _plain_numbers(
    records: RegularRows, decimal: str, kinds: dict[str, str], textual: set[int], notes: list[ImportNote]
) -> np.ndarray:
    """(rows, all columns) float32, set in the columns of numbers; the others are, or get, in `textual`."""
    width = len(records.names)
    numbers = np.empty((records.rows, width), np.float32)
    plain = {j: _Numbers(name, kinds.get(name) == "number") for j, name in enumerate(records.names) if j not in textual}
    row, at_once = 0, max(1, _CHUNK_CELLS // width)
    options = dict(decimal=decimal, na_values=NA_VALUES, usecols=list(plain), chunksize=at_once, low_memory=False)
    for chunk in _pandas(records, **options) if plain else ():
        for j in list(plain):
            values = plain[j].read(chunk[j], decimal, row)
            if values is None:
                textual.add(j)
                del plain[j]
                continue
            with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and noted as such
                numbers[row : row + len(chunk), j] = values
        row += len(chunk)
    for column in plain.values():
        notes += column.notes(records)
    return numbers


def _pandas(records: RegularRows, **options):
    """The records by pandas' C reader; columns are called 0, 1, …"""
    return pd.read_csv(
        io.BytesIO(records.text),
        sep=records.separator,
        skiprows=records.skip,
        header=None,
        names=range(len(records.names)),
        index_col=False,
        engine="c",
        quoting=csv.QUOTE_NONE,
        skipinitialspace=True,
        skip_blank_lines=False,
        keep_default_na=False,
        **{"nrows": records.rows, **options},
    )


def _is_textual(head: pd.Series, kind: str | None, decimal: str) -> bool:
    """Whether a column must be read as text: as its kind says, else by its first cells."""
    if kind is not None:
        return kind != "number"
    return head.dtype.kind not in "iuf" and not FactorizedText.from_series("", head, int).is_mostly_numeric(decimal)


def _counts_time(name: str, values: np.ndarray) -> bool:
    """Whether whole numbers are dates such as 20240131, or seconds (…, nanoseconds) since 1970 by their name."""
    if values.dtype.kind not in "iu" or (values <= 0).any():
        return False
    digits = {len(str(value)) for value in (values.min(), values.max())}
    if digits == {8}:
        years = values // 10_000
        likely = ((years >= 1800) & (years <= 2100)).all()
    else:
        likely = digits <= {10, 13, 16, 19} and len(digits) == 1 and is_time_name(name)
    return bool(likely) and not np.isnat(parse_times(list(map(str, values.tolist())), False)).any()


def _finish_numbers(values: np.ndarray, name: str, records: RegularRows, notes: list[ImportNote]) -> bool:
    """Make a column's infinite cells missing, in place; False if no value is left."""
    infinite = np.flatnonzero(np.isinf(values))
    values[infinite] = np.nan
    notes += bad_cells_note(name, infinite, "infinite", records.line)
    if np.isnan(values).all():
        notes.append(ImportNote("warning", f"Column {name!r} has no values: it is left out.", name))
        return False
    return True
