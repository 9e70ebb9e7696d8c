"""Rows to typed columns: numbers block by block, straight into float64; only the rest is kept as text.

The memory this takes is one float64 copy of the numbers, one block, and the different texts of the other columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstm_core.data.ingest.column_types import TextColumn, infer_column
from lstm_core.data.ingest.numbers import cast_all, dropped_marks, has_brackets, has_scale, is_missing, parse_numbers
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.rows import NotPlainError
from lstm_core.data.ingest.times import in_range
from lstm_core.data.ingest.typed import NO_ROWS, TypedColumn, cells_note
from lstm_core.data.table import ImportNote

_SAMPLE = 1000  # rows that decide how a column is read at first
_MOST_CELLS = 0.7  # share of the cells that must be numbers for their column to be one
_SOME_CELLS = 0.3  # this share is enough where few different texts stand between many different numbers
_FEW_TEXTS, _MANY_NUMBERS = 5, 10
_LARGEST = float(np.finfo(np.float32).max)  # that a model can compute with
_MAX_TEXTS = 1000  # different texts that are not numbers, remembered a column


class Rows(Protocol):
    """Where rows come from: a CSV text, or columns that have types of their own."""

    names: tuple[str, ...]
    rows: int

    def line(self, row: int) -> int: ...

    def blocks(
        self, chosen: Sequence[int], plain: dict[int, pa.DataType], decimal: str, first: int | None = None
    ) -> Iterator[pa.RecordBatch]: ...


def read_columns(rows: Rows, options: CsvOptions, notes: list[ImportNote]) -> tuple[list[TypedColumn], CsvOptions]:
    """The columns in order, those that are left out of kind "text", and the options as used.

    Adds to `notes` what was guessed or left out; cells that are not of their column's kind are in its `bad`.
    """
    kinds = dict(options.kinds)
    for name in set(kinds) - set(rows.names):
        notes.append(ImportNote("warning", f"There is no column {name!r} to be read as a {kinds[name]}.", name))
    numeric, plain = _first_guess(rows, options, kinds)
    numbers = np.empty((len(rows.names), rows.rows))  # a column lies in one piece
    try:
        found = _read_blocks(rows, numeric, plain, options, numbers, kinds)
    except NotPlainError:
        found = _read_blocks(rows, numeric, {}, options, numbers, kinds)
    texts = [j for j in found if isinstance(found[j], _Numbers) and not found[j].is_numeric]
    if texts:  # they seemed to be numbers, at first
        found |= _read_blocks(rows, (), {}, options, numbers, kinds, texts)
    columns: list[TypedColumn] = []
    for j, name in enumerate(rows.names):
        one = found[j]
        if isinstance(one, _Numbers):
            columns.append(one.column(numbers[j], notes))
            continue
        column, day_first = infer_column(one.column(name), kinds.get(name), options, rows.line, notes)
        if options.day_first is None:
            options = replace(options, day_first=day_first)
        columns.append(column)
    return columns, replace(options, day_first=bool(options.day_first))


def _first_guess(rows: Rows, options: CsvOptions, kinds: dict[str, str]) -> tuple[list[int], dict[int, pa.DataType]]:
    """The columns that may be numbers, by their kinds or first cells; and which hold plain numbers or ISO times alone.

    The latter need no text: what reads the rows makes them of these types.
    """
    numeric, plain = [], {}
    everything = range(len(rows.names))
    head = next(iter(rows.blocks(everything, {}, options.decimal, _SAMPLE)), None)
    for j in everything:
        cells = head.column(j)[:_SAMPLE] if head is not None else pa.array([], pa.string())
        kind = kinds.get(rows.names[j])
        if not pa.types.is_string(cells.type):
            if kind != "category" and not pa.types.is_temporal(cells.type):
                numeric.append(j)
            continue
        present = cells.drop_null()
        values = parse_numbers(present, options.decimal)
        share = np.count_nonzero(~np.isnan(values)) / len(present) if len(present) else 1.0
        if kind == "number" or (kind != "category" and share >= (_SOME_CELLS if kind is None else _MOST_CELLS)):
            numeric.append(j)
            if len(present) and (options.decimal == "," or cast_all(present, pa.float64()) is not None):
                plain[j] = pa.float64()
        elif kind in (None, "time") and len(present) and cast_all(present, pa.timestamp("us")) is not None:
            plain[j] = pa.timestamp("us")
    return numeric, plain


def _read_blocks(
    rows: Rows,
    numeric: Sequence[int],
    plain: dict[int, pa.DataType],
    options: CsvOptions,
    numbers: np.ndarray,
    kinds: dict[str, str],
    chosen: Sequence[int] | None = None,
) -> dict[int, _Numbers | _Texts]:
    """All blocks of the chosen columns, None: all; numbers are written into their column of `numbers`."""
    chosen, numeric = range(len(rows.names)) if chosen is None else chosen, set(numeric)
    found = {
        j: _Numbers(rows.names[j], kinds.get(rows.names[j]) == "number", rows) if j in numeric else _Texts()
        for j in chosen
    }
    row = 0
    for block in rows.blocks(chosen, plain, options.decimal):
        for j, cells in zip(chosen, block.columns, strict=True):
            one = found[j]
            if isinstance(one, _Numbers):
                numbers[j, row : row + len(block)] = one.read(cells, options.decimal, row)
            else:
                one.read(cells)
        row += len(block)
    return found


class _Numbers:
    """One column that seems to hold numbers, while its blocks come in."""

    def __init__(self, name: str, surely: bool, rows: Rows) -> None:
        self.name, self.surely, self.rows = name, surely, rows
        self.bad: list[np.ndarray] = []  # rows
        self.texts: Counter[str] = Counter()  # that are no numbers
        self.marks: set[str] = set()
        self.numbers = self.variety = 0
        self.scaled = self.bracketed = False

    def read(self, cells: pa.Array, decimal: str, row: int) -> np.ndarray:
        """A block's numbers, beginning at `row`."""
        if not pa.types.is_string(cells.type):
            values = np.array(pc.cast(cells, pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
            self.numbers += len(values) - cells.null_count
            self.variety = _MANY_NUMBERS
            return values
        values = parse_numbers(cells, decimal)
        odd = np.flatnonzero(np.isnan(values) & cells.is_valid().to_numpy(zero_copy_only=False))
        self.numbers += len(values) - cells.null_count - len(odd)
        if len(odd):
            texts = cells.take(pa.array(odd)).to_pylist()
            missing = np.array([is_missing(text) for text in texts])
            self.bad.append(row + odd[~missing])
            if len(self.texts) < _MAX_TEXTS:
                self.texts.update(text.strip() for text, gone in zip(texts, missing, strict=True) if not gone)
            self.variety = max(self.variety, len(np.unique(values[~np.isnan(values)])))
        sample = cells[:500].drop_null().to_pylist()
        self.marks |= dropped_marks(sample)
        self.scaled = self.scaled or has_scale(sample)
        self.bracketed = self.bracketed or has_brackets(sample)
        return values

    @property
    def is_numeric(self) -> bool:
        """Whether the column is one of numbers, by all of its cells."""
        bad = sum(map(len, self.bad))
        if self.surely or not bad or self.numbers >= _MOST_CELLS * (self.numbers + bad):
            return True
        some = self.numbers >= _SOME_CELLS * (self.numbers + bad)
        return some and len(self.texts) <= _FEW_TEXTS and self.variety >= _MANY_NUMBERS

    def column(self, values: np.ndarray, notes: list[ImportNote]) -> TypedColumn:
        highest = max(np.fmax.reduce(values), -np.fmin.reduce(values)) if len(values) else np.nan
        infinite = np.flatnonzero(np.abs(values) > _LARGEST) if highest > _LARGEST else NO_ROWS
        values[infinite] = np.nan
        notes += cells_note(self.name, infinite, "infinite", self.rows.line)
        if self.marks:
            text = f"Column {self.name!r}: the signs {' '.join(sorted(self.marks))} are dropped, the numbers kept as "
            notes.append(ImportNote("info", text + "they stand.", self.name))
        if self.scaled:
            text = f"Column {self.name!r}: K, M and B behind a number are read as thousands, millions and billions."
            notes.append(ImportNote("info", text, self.name))
        if self.bracketed:
            text = f"Column {self.name!r}: numbers in brackets are read as negative, as accountants write them."
            notes.append(ImportNote("info", text, self.name))
        if 2**53 < highest <= _LARGEST and not self.marks:
            text = f"Column {self.name!r} has whole numbers beyond {2**53:,}: they are rounded to 16 digits."
            notes.append(ImportNote("warning", text, self.name))
        bad = np.concatenate([np.zeros(0, np.int64), *self.bad])
        texts = tuple(text for text, _ in self.texts.most_common(6))
        return TypedColumn(self.name, "number", values, bad=bad, bad_texts=texts)


class _Texts:
    """One column of text, or of times, while its blocks come in: different texts, or all where few come again."""

    def __init__(self) -> None:
        self._chunks: list[pa.Array] = []
        self._all = False

    def read(self, cells: pa.Array) -> None:
        if pa.types.is_string(cells.type):
            cells = pc.utf8_trim_whitespace(cells)
            if not self._all:
                encoded = pc.dictionary_encode(cells)
                self._all = not self._chunks and 2 * len(encoded.dictionary) > len(cells) > _SAMPLE
                cells = cells if self._all else encoded
        self._chunks.append(cells)

    def column(self, name: str) -> TextColumn | TypedColumn:
        if self._chunks and pa.types.is_temporal(self._chunks[0].type):
            kind = "clock" if pa.types.is_time(self._chunks[0].type) else "time"
            times = pc.cast(pc.cast(pa.chunked_array(self._chunks), pa.int64()), pa.timestamp("us"))
            return TypedColumn(name, kind, in_range(times.to_numpy()))
        if self._all:
            texts = pa.concat_arrays(self._chunks)
            return TextColumn(name, np.arange(len(texts), dtype=np.int32), texts).without_missing()
        cells = pa.chunked_array(self._chunks or [pa.array([], pa.dictionary(pa.int32(), pa.string()))])
        cells = cells.unify_dictionaries().combine_chunks()
        cells = cells if isinstance(cells, pa.DictionaryArray) else cells.chunk(0)
        codes = pc.fill_null(cells.indices, -1).to_numpy(zero_copy_only=False)
        return TextColumn(name, codes, cells.dictionary).without_missing()
