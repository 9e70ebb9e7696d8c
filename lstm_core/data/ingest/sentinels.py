"""Numbers that stand for a missing value, such as −999: found, told, and made missing where the user says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstm_core.data.ingest.header import listed
from lstm_core.data.ingest.typed import TypedColumn
from lstm_core.data.table import ImportNote

_LIKELY = (-99, -99.9, -99.99, -200, -888, -999, -999.9, -999.99, -999.25, -1111, -6999, -8888, -9999, -9999.9)
_LIKELY += (-9999.99, -99999, -999999, 999, 999.9, 9999, 9999.9, 99999, 99999.9, 999999, 9999999, -1e30, 1e30, 1e20)


def find_sentinels(columns: Sequence[TypedColumn]) -> dict[float, list[str]]:
    """Each number that stands apart from all others of a column and is known as such, and these columns' names."""
    found: dict[float, list[str]] = {}
    for column in columns:
        if column.kind != "number":
            continue
        ends = np.fmin.reduce(column.values), np.fmax.reduce(column.values)
        for likely in _LIKELY if len(column.values) > 3 else ():
            if likely not in ends:
                continue
            values = column.values[~column.missing]
            others = values[values != likely]
            spread = max(others.max() - others.min(), 1e-9) if len(others) > 2 else np.inf
            distance = others.min() - likely if likely < 0 else likely - others.max()
            if distance > spread and distance > 0.5 * abs(likely):
                found.setdefault(float(likely), []).append(column.name)
    return found


def without_sentinels(columns: Sequence[TypedColumn], missing: Sequence[float]) -> list[TypedColumn]:
    """The columns, with these numbers missing."""
    if not missing:
        return list(columns)
    return [
        replace(c, values=np.where(np.isin(c.values, missing), np.nan, c.values)) if c.kind == "number" else c
        for c in columns
    ]


def sentinel_notes(found: dict[float, list[str]]) -> list[ImportNote]:
    notes = []
    for value, names in found.items():
        text = f"{value:g} in {listed(names)} stands far from all other values, as a mark for a missing one does"
        notes.append(ImportNote("warning", f"{text}: make it missing on Data if it is one.", names[0], sentinel=value))
    return notes
