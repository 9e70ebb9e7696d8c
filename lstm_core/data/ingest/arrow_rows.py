"""Rows whose columns have types of their own, as Parquet and JSON give them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from lstm_core.data.ingest.encoding import MAX_BYTES
from lstm_core.data.ingest.rows import refuse_size
from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError

_MAX_NAME = 200


@dataclass(frozen=True)
class ArrowRows:
    """Columns of float64, string, timestamp[us] or time64[us], one array each."""

    columns: list[pa.Array]
    names: tuple[str, ...]
    rows: int
    notes: tuple[ImportNote, ...] = ()

    def line(self, row: int) -> int:
        """The row's number, counted from 1."""
        return row + 1

    def blocks(
        self, chosen: Sequence[int], plain: dict[int, pa.DataType], decimal: str, first: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The chosen columns at once."""
        if chosen and self.rows:
            yield pa.RecordBatch.from_arrays([self.columns[j] for j in chosen], [str(j) for j in chosen])


def parquet_rows(data: bytes, name: str) -> ArrowRows:
    """The columns of a Parquet file.

    Raises:
        PlaygroundError: damaged, too large, or without rows.
    """
    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
        about = file.metadata
        refuse_size(about.num_rows, about.num_columns, name)
        size = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
        if size > 4 * MAX_BYTES:
            raise PlaygroundError(f"{name!r} unpacks to {size // 2**20:,} MiB, more than can be read: keep less.")
        texts = [one.name for one in file.schema_arrow if pa.types.is_string(one.type)]
        file = parquet.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
        batches, rows = [], 0
        for batch in file.iter_batches():
            rows += len(batch)
            refuse_size(rows, about.num_columns, name)
            batches.append(batch)
        table = pa.Table.from_batches(batches, file.schema_arrow) if batches else file.schema_arrow.empty_table()
        return arrow_rows(table, name, "a Parquet file")
    except PlaygroundError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        problem = f"{name!r} is a Parquet file that cannot be read ({type(error).__name__}): export the table as CSV."
        raise PlaygroundError(problem) from None


def arrow_rows(table: pa.Table, name: str, what: str) -> ArrowRows:
    """A table's columns in the four types that are read on; what holds lists and the like is left out by name.

    Raises:
        PlaygroundError: too large, or no rows.
    """
    table = table.flatten()  # a column of records is a column each
    refuse_size(table.num_rows, table.num_columns, name)
    if not table.num_rows:
        raise PlaygroundError(f"{name!r} has columns and no rows: add rows of numbers.")
    columns, names, left, budget = [], [], [], MAX_BYTES
    for field, column in zip(table.schema, table.columns, strict=True):
        label = " ".join(field.name.split())[:_MAX_NAME] or f"column {len(names) + 1}"
        label = "index" if label == "__index_level_0__" else label
        plain, budget = _plain(column, budget, name)
        if plain is None:
            left.append(label)
            continue
        while label in names:
            label += " (2)"
        columns.append(plain)
        names.append(label)
    notes = [ImportNote("info", f"The file is {what}: its columns bring their types.")]
    if left:
        text = f"Columns of lists or bytes are left out: {', '.join(map(repr, left[:5]))}."
        notes.append(ImportNote("warning", text))
    return ArrowRows(columns, tuple(names), table.num_rows, tuple(notes))


def _plain(column: pa.ChunkedArray, budget: int, name: str) -> tuple[pa.Array | None, int]:
    """One array of one of the four types, None where there is no such, and the bytes of text still allowed."""
    kind, is_a = column.type, pa.types
    if is_a.is_dictionary(kind):
        kind = kind.value_type
        if is_a.is_string(kind) or is_a.is_large_string(kind):
            for chunk in column.chunks:  # a text may be stored once and meant a million times
                budget -= pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0
    if budget < 0:
        raise PlaygroundError(f"{name!r} holds more than {MAX_BYTES // 2**20} MiB of text: keep less.")
    if is_a.is_null(kind) or is_a.is_boolean(kind) or is_a.is_string(kind) or is_a.is_large_string(kind):
        target = pa.string()
    elif is_a.is_integer(kind) or is_a.is_floating(kind) or is_a.is_decimal(kind):
        target = pa.float64()
    elif is_a.is_date(kind) or is_a.is_timestamp(kind):
        target = pa.timestamp("us")
    elif is_a.is_time(kind):
        target = pa.time64("us")
    elif is_a.is_duration(kind):
        column, target = (
            pc.divide(pc.cast(pc.cast(column, pa.duration("us"), safe=False), pa.int64()), 1e6),
            pa.float64(),
        )
    else:
        return None, budget
    plain = pc.cast(column, target, safe=False).combine_chunks()
    return (pa.concat_arrays(plain.chunks) if isinstance(plain, pa.ChunkedArray) else plain), budget
