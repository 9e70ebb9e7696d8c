"""Table, its typed columns, their suggested roles, and what was noted while reading: values only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lstm_core.data.ingest.options import CsvOptions
from lstm_core.experiment import PlaygroundError


@dataclass(frozen=True)
class Column:
    """One column's name and kind.

    kind "number": its values are column `index` of Table.numbers; "category": `values` are int32 codes into
    `classes`, -1 where missing; "time": `values` are datetime64[ns], NaT where missing.
    """

    name: str
    kind: str  # "number" | "category" | "time"
    values: np.ndarray  # (rows,); for numbers a view of Table.numbers, float32, NaN where missing
    classes: tuple[str, ...] = ()

    @property
    def missing(self) -> np.ndarray:
        """(rows,) bool: where the value is missing."""
        if self.kind == "category":
            return self.values < 0
        return np.isnat(self.values) if self.kind == "time" else np.isnan(self.values)

    @property
    def is_constant(self) -> bool:
        """Whether all values present are the same, or none is present."""
        values = self.values[~self.missing]
        return len(values) == 0 or bool((values == values[0]).all())


@dataclass(frozen=True)
class ColumnRoles:
    """What a table's columns are suggested to be used as."""

    targets: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    time: str | None = None
    group: str | None = None
    seq_len: int = 24
    horizon: int = 1


@dataclass(frozen=True)
class ImportNote:
    """One line of an import report: a whole sentence, and where it applies."""

    level: str  # "info": a guess or a count; "warning": cells were changed, dropped or refused
    text: str
    column: str | None = None
    rows: tuple[int, ...] = ()  # the first few line numbers, as a text editor counts them


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length. `numbers` is the one float32 copy that every number column is a view of.

    A table equals itself alone, whatever the values of another.
    """

    name: str
    numbers: np.ndarray  # (rows, number of "number" columns), float32, C order
    columns: tuple[Column, ...]
    roles: ColumnRoles = field(default_factory=ColumnRoles)
    report: tuple[ImportNote, ...] = ()
    options: CsvOptions | None = None  # how a file was read, every guess filled in; None: not from a file

    @property
    def rows(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def column(self, name: str) -> Column:
        """Raises PlaygroundError if there is no such column."""
        for column in self.columns:
            if column.name == name:
                return column
        raise PlaygroundError(f"There is no column {name!r} in {self.name!r}: choose another on Data.")

    def column_names(self, *kinds: str) -> list[str]:
        """Names of the columns of these kinds, in the file's order."""
        return [column.name for column in self.columns if column.kind in kinds]

    @staticmethod
    def from_columns(name: str, columns: dict[str, np.ndarray], roles: ColumnRoles, **more) -> Table:
        """A table of number columns and, for values of dtype str, category columns."""
        numeric = {k: v for k, v in columns.items() if v.dtype.kind in "fiub"}
        numbers = np.stack([np.asarray(v, np.float32) for v in numeric.values()], axis=1)
        columns_made = []
        for label, values in columns.items():
            if label in numeric:
                columns_made.append(Column(label, "number", numbers[:, list(numeric).index(label)]))
            else:
                classes, codes = np.unique(values, return_inverse=True)
                columns_made.append(Column(label, "category", codes.astype(np.int32), tuple(map(str, classes))))
        return Table(name, numbers, tuple(columns_made), roles, **more)
