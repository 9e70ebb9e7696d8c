"""Table, its typed columns, their suggested roles and the notes of its import report: values only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.upload import Upload
from lstm_core.experiment import PlaygroundError


@dataclass(frozen=True)
class Column:
    """One column's name and kind.

    kind "number": its values are column `index` of Table.numbers; "category": `values` are int32 codes into
    `classes`, -1 where missing; "time": `values` are datetime64[ns], NaT where missing.
    """

    name: str
    kind: str  # "number" | "category" | "time"
    values: np.ndarray  # (rows,); for numbers a view of Table.numbers, NaN where missing
    classes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # the file's columns that it was joined from
    known_ahead: bool = False  # an input that prepare added, whose values at times to come are known

    @cached_property
    def missing(self) -> np.ndarray:
        """(rows,) bool: where the value is missing."""
        if self.kind == "category":
            return self.values < 0
        return np.isnat(self.values) if self.kind == "time" else np.isnan(self.values)

    @property
    def is_constant(self) -> bool:
        """Whether all values present are the same, or none is present."""
        values = self.values[~self.missing]
        return len(values) == 0 or bool((values[:100] == values[0]).all() and (values == values[0]).all())


@dataclass(frozen=True)
class OmittedColumn:
    """A column of text that a model has no use for: left out of the table, named in its report."""

    name: str
    missing: int  # cells


@dataclass(frozen=True)
class ColumnRoles:
    """The suggested use of a table's columns, and the window to start with."""

    targets: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None
    seq_len: int = 24
    horizon: int = 1


@dataclass(frozen=True)
class ImportNote:
    """One entry of an import report: a full sentence, and where it applies."""

    level: str  # "info": a guess or a count; "warning": cells were changed, dropped or refused
    text: str
    column: str | None = None
    rows: tuple[int, ...] = ()  # the first few line numbers, as a text editor counts them
    sentinel: float | None = None  # a number that stands for a missing value, if the reader says so


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length. `numbers` is the only copy of all number columns: each of them is a view of it.

    Tables are compared by identity, not by value.
    """

    name: str
    numbers: np.ndarray  # (rows, number of "number" columns), C order; float64 of files
    columns: tuple[Column, ...]
    roles: ColumnRoles = field(default_factory=ColumnRoles)
    report: tuple[ImportNote, ...] = ()
    options: CsvOptions | None = None  # how the file was parsed, with every option resolved; None: not from a file
    upload: Upload | None = None  # the file that it was read from; None: not from a file
    omitted: tuple[OmittedColumn, ...] = ()  # columns of text that were left out
    groups_in_order: bool = False  # its sequences are numbered as drawn or in time, so that the earliest may train

    @property
    def rows(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    @cached_property
    def sha256(self) -> str:
        """Of the columns' names, kinds, classes and values, in hexadecimal: how the file was written is not in it."""
        return self._digest(np.float64)

    @cached_property
    def sha256_of_float32(self) -> str:
        """The same as an earlier version had it, which kept numbers in float32."""
        return self._digest(np.float32)

    def _digest(self, number: type) -> str:
        digest = hashlib.sha256()
        for column in self.columns:
            values = column.values.astype(number) if column.kind == "number" else column.values
            digest.update(repr((column.name, column.kind, column.classes, values.dtype.str)).encode())
            digest.update(np.ascontiguousarray(values).view(np.uint8).data)
        return digest.hexdigest()

    def column(self, name: str) -> Column:
        """Raises PlaygroundError if there is no such column."""
        for column in self.columns:
            if column.name == name:
                return column
        raise PlaygroundError(f"There is no column {name!r} in {self.name!r}: choose another on Data.")

    def column_names(self, *kinds: str) -> list[str]:
        """Names of the columns of these kinds, in the file's order."""
        return [column.name for column in self.columns if column.kind in kinds]

    def head(self, rows: int = 20, columns: int = 50) -> pd.DataFrame:
        """The first rows and columns as parsed: classes by name, missing cells empty."""
        cells = {}
        for column in self.columns[:columns]:
            values = column.values[:rows]
            if column.kind == "category":
                values = [column.classes[code] if code >= 0 else None for code in values]
            cells[column.name] = values
        return pd.DataFrame(cells)

    @staticmethod
    def from_columns(name: str, columns: dict[str, np.ndarray], roles: ColumnRoles) -> Table:
        """A table of number columns and, for values of dtype str, category columns."""
        numeric = [label for label, values in columns.items() if values.dtype.kind in "fiub"]
        numbers = np.stack([np.asarray(columns[label], np.float64) for label in numeric], axis=1)
        typed = []
        for label, values in columns.items():
            if label in numeric:
                typed.append(Column(label, "number", numbers[:, numeric.index(label)]))
            else:
                classes, codes = np.unique(values, return_inverse=True)
                typed.append(Column(label, "category", codes.astype(np.int32), tuple(map(str, classes))))
        return Table(name, numbers, tuple(typed), roles)
