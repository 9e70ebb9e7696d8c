"""CSV texts read in tests, and what their tables contain."""

from __future__ import annotations

import pytest

from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.read import read_table
from lstm_core.data.table import Table
from lstm_core.experiment import PlaygroundError

NAN = float("nan")


def read(text: str | bytes, **options) -> Table:
    return read_table(text.encode() if isinstance(text, str) else text, "x.csv", CsvOptions(**options))


def values(table: Table, name: str) -> list:
    column = table.column(name)
    if column.kind == "category":
        return [column.classes[code] if code >= 0 else None for code in column.values]
    if column.kind == "time":
        return [str(value)[:16] for value in column.values]
    return column.values.tolist()


def names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def notes(table: Table, level: str | None = None) -> str:
    return "\n".join(note.text for note in table.report if level in (None, note.level))


def refusal(text: str | bytes, **options) -> str:
    with pytest.raises(PlaygroundError) as caught:
        read(text, **options)
    sentence = str(caught.value)
    assert "'x.csv'" in sentence
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    return sentence
