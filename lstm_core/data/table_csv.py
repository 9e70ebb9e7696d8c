"""A table's values as a CSV file: as they were read, and no text of it is a formula."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lstm_core.data.spreadsheet import spreadsheet_text, unique_texts
from lstm_core.data.table import Column, Table


def values_csv(table: Table) -> bytes:
    """The table's columns as CSV, in the file's order."""
    names = unique_texts([column.name for column in table.columns])
    cells = {name: _cells(column) for name, column in zip(names, table.columns, strict=True)}
    return pd.DataFrame(cells).to_csv(index=False).encode()


def _cells(column: Column) -> np.ndarray:
    if column.kind == "number":
        return column.values
    if column.kind == "category":
        return np.array([*map(spreadsheet_text, column.classes), None], dtype=object)[column.values]
    present = column.values[~column.missing]
    unit = next(u for u in ("s", "ms", "us", "ns") if (present.astype(f"M8[{u}]") == present).all())
    texts = np.datetime_as_string(column.values, unit=unit).astype(object)
    texts[column.missing] = None
    return texts
