"""TypedColumn: a column once its cells have been understood, with what could not be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lstm_core.data.ingest.rows import format_line_numbers
from lstm_core.data.table import ImportNote

NO_ROWS = np.zeros(0, np.int64)


@dataclass(frozen=True)
class TypedColumn:
    """values: float64, NaN where missing; datetime64[ns], NaT; or int32 codes into `classes`, −1.

    kind "text" is a column to be left out; "clock" a time of day, as on 1970-01-01, which a column of days may join.
    """

    name: str
    kind: str  # "number" | "time" | "clock" | "category" | "text"
    values: np.ndarray
    classes: tuple[str, ...] = ()
    bad: np.ndarray = field(default_factory=lambda: NO_ROWS)  # rows whose cell is not of the kind: missing
    bad_texts: tuple[str, ...] = ()  # a few of their texts
    parts: tuple[str, ...] = ()

    @cached_property
    def missing(self) -> np.ndarray:
        """(rows,) bool."""
        if self.values.dtype.kind == "i":
            return self.values < 0
        return np.isnat(self.values) if self.values.dtype.kind == "M" else np.isnan(self.values)

    def take(self, rows: np.ndarray) -> TypedColumn:
        """These rows, in this order; classes that are gone are forgotten."""
        values, classes = self.values[rows], self.classes
        if self.kind == "category":
            kept, values = np.unique(values, return_inverse=True)
            gone = int(len(kept) > 0 and kept[0] < 0)
            values, classes = (values - gone).astype(np.int32), tuple(classes[k] for k in kept[gone:])
        place = np.full(len(self.values), -1)
        place[rows] = np.arange(len(rows))
        bad = place[self.bad]
        return replace(self, values=values, classes=classes, bad=bad[bad >= 0])


def cells_note(
    name: str, rows: Sequence[int], problem: str, line: Callable[[int], int], texts: Sequence[str] = ()
) -> list[ImportNote]:
    """A note on the cells that became missing values, if there are any; `line` gives a row's line number."""
    if len(rows) == 0:
        return []
    lines = [line(int(row)) for row in rows[:6]]
    cells, verb = ("cell", "it counts") if len(rows) == 1 else ("cells", "they count")
    shown = f" ({', '.join(repr(text[:20]) for text in texts[:5])}{', …' * (len(texts) > 5)})" if texts else ""
    text = (
        f"Column {name!r} has {len(rows):,} {problem} {cells}: {format_line_numbers(lines)}{shown}; {verb} as missing."
    )
    return [ImportNote("warning", text, name, tuple(lines[:5]))]
