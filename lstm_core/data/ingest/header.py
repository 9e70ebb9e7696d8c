"""Which lines above the values name the columns, and what they name them.

Above the first line of values may stand a preamble, one line of names, several (as pandas writes them, or a group over
its columns), and a line of units.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from lstm_core.data.ingest.calendar_words import month_of
from lstm_core.data.ingest.numbers import is_missing, is_number, parse_number
from lstm_core.data.ingest.time_shapes import is_clock, is_time
from lstm_core.data.table import ImportNote

MAX_NAME = 200
LOOKED_AT = 64  # columns of the sample that guesses look at

_LIKE = 100  # records that show what a column holds
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff]+")


@dataclass(frozen=True)
class Record:
    """One record of the sample."""

    first: int  # line numbers, from 1
    last: int
    cells: list[str]

    @property
    def blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)

    @property
    def has_value(self) -> bool:
        return any(map(is_value, self.cells[:LOOKED_AT]))


@lru_cache(maxsize=2**15)  # the same cells are looked at for every delimiter
def is_value(cell: str) -> bool:
    """Whether the cell is a number with either decimal sign, or a time."""
    return is_number(cell) or is_time(cell)


def is_header(first: list[str], below: list[list[str]]) -> bool:
    """Whether a record names the columns: texts above values, or texts that never come again below."""
    columns = [[row[j] for row in below[:100] if len(row) > j] for j in range(min(len(first), LOOKED_AT))]
    index = first[0].strip() == "" and len(first) > 1 and not any(is_missing(cell) for cell in first[1:])
    if index and columns[0] and not any(map(is_missing, columns[0])):
        return True  # pandas leaves the name of its row numbers empty
    if below and counts_along(first, below):
        return True
    votes, repeated = 0, False
    for cell, column in zip(first, columns, strict=False):
        present = [text for text in column if not is_missing(text)]
        repeated = repeated or cell in present
        if is_missing(cell) or not present or sum(map(is_value, present)) * 2 <= len(present):
            continue
        votes += -1 if is_value(cell) else 1
    if votes or not below:
        return votes > 0 or (not below and not any(map(is_value, first)))
    return not repeated and not any(map(is_missing, first[:-1]))


def counts_along(header: list[str], below: list[list[str]]) -> bool:
    """Whether a record of names ends in times, or in whole numbers that count up: years or hours over values."""
    texts = next((k for k, cell in enumerate(header) if is_value(cell)), len(header))
    tail = [cell.strip() for cell in header[texts:]]
    while tail and not tail[-1]:
        tail.pop()
    if not 0 < texts <= 6 or len(tail) < 4 or any(map(is_missing, header[:texts])):
        return False
    if all(is_time(cell) for cell in tail):
        return not all(is_time(cell) for cell in below[0][texts : texts + len(tail)])
    if not all(cell.isdigit() and len(cell) <= 4 for cell in tail):
        return False
    steps = {int(b) - int(a) for a, b in pairwise(tail)}
    same = [int(parse_number(cell, ".") == float(name)) for cell, name in zip(below[0][texts:], tail, strict=False)]
    return len(steps) == 1 and min(steps) > 0 and sum(same) < len(tail) / 2


def first_values(records: Sequence[Record], width: int) -> int | None:
    """The index of the first record of values: texts stand in fewer of the columns of values than values do."""
    fits = [record for record in records if len(record.cells) == width][:_LIKE]
    valued = [j for j in range(min(width, LOOKED_AT)) if sum(is_value(r.cells[j]) for r in fits) * 2 > len(fits)]
    for k, record in enumerate(records):
        if len(record.cells) == width and record.has_value:
            cells = [record.cells[j] for j in valued]
            values = sum(map(is_value, cells))
            texts = len(cells) - values - sum(map(is_missing, cells))
            if not valued or values > texts or (values == texts and is_value(cells[0])):
                return k
    return None


def header_lines(records: Sequence[Record], start: int, width: int) -> int:
    """How many records from `start` on stand above the values: the names, and lines of units or labels.

    The records after the first one count if texts stand where the columns hold values, and no value does.
    """
    first = first_values(records, width)
    if first is None or first <= start:
        return 1
    below = [record.cells for record in records[first:] if len(record.cells) == width][:_LIKE]
    valued = [j for j in range(width) if sum(is_value(row[j]) for row in below) * 2 > len(below)]
    count = 1
    for record in records[start + 1 : min(first, start + 8)]:
        labelled = any(j < len(record.cells) and not is_missing(record.cells[j]) for j in valued)
        if not labelled or any(map(is_clock, record.cells)):
            break
        count += 1
    return count


def names_of(records: Sequence[Record], below: list[list[str]], width: int) -> tuple[tuple[str, ...], list[ImportNote]]:
    """Unique, printable names for all columns, from the records of the header, none or several."""
    notes: list[ImportNote] = []
    rows = [_fitting(record.cells, below, width, notes if k == 0 else []) for k, record in enumerate(records)]
    header = rows[0] if rows else []
    if len(rows) > 1:
        header = _combined(records, rows, width, notes)
    names: list[str] = []
    taken: dict[str, int] = {}  # name → how often it was met
    renamed = []
    for j in range(width):
        raw = header[j] if j < len(header) else ""
        if j == 0 and raw.lstrip().startswith("#"):
            raw = raw.lstrip("# ") or raw
        base = name = _CONTROL.sub(" ", raw).strip()[:MAX_NAME] or f"column {j + 1}"
        while name in taken:
            taken[base] += 1
            name = f"{base} ({taken[base]})"
        if name != base:
            renamed.append(name)
        taken[name] = 1
        names.append(name)
    if renamed:
        text = f"Some names occur more than once: the later columns are now called {listed(renamed)}."
        notes.append(ImportNote("warning", text))
    unnamed = [name for name, raw in zip(names, header, strict=False) if not raw.strip()]
    if unnamed:
        notes.append(ImportNote("info", f"Columns without a name are called by their position: {listed(unnamed)}."))
    return tuple(names), notes


def listed(names: Sequence[str], max_names: int = 5) -> str:
    return ", ".join(map(repr, names[:max_names])) + (", …" if len(names) > max_names else "")


def _fitting(header: list[str], below: list[list[str]], width: int, notes: list[ImportNote]) -> list[str]:
    """The header with as many cells as the rows: one may be missing at its end, or in front (R)."""
    if len(header) != width - 1:
        return [*header[:width], *[""] * (width - len(header))]
    if all(not row[-1].strip() for row in below if len(row) == width):
        return [*header, ""]
    text = "The header has one name less than the rows have cells: column 1 has none."
    notes.append(ImportNote("info", text))
    return ["", *header]


def _combined(records: Sequence[Record], rows: list[list[str]], width: int, notes: list[ImportNote]) -> list[str]:
    """One line of names out of several: the first if its names differ, else it and what tells its columns apart."""
    first = rows[0]
    names = [cell.strip() for cell in first[1:]]
    alone = len({*names}) == len(names) and all(names)
    if alone:
        used = [first]
    else:
        filled = first[:]
        for j in range(2, width):  # a group's name stands over its first column only
            filled[j] = filled[j] if filled[j].strip() else filled[j - 1]
        others = [row for row in rows[1:] if len({*row[1:]} - {""}) > 1]
        used = [filled, *(row for row in others if not are_units(row))]
    index = next((row[0] for row in rows[1:] if row[0].strip() and not any(cell.strip() for cell in row[1:])), None)
    header = [" ".join(dict.fromkeys(row[j].strip() for row in used if row[j].strip())) for j in range(width)]
    last = used[-1][0].strip()
    header[0] = index or last or header[0]
    for record, row in zip(records[1:], rows[1:], strict=True):
        if row not in used:
            texts = [cell.strip() for cell in row if cell.strip()]
            what = "units or labels" if len(texts) > 1 or width == 1 else "a label"
            text = f"Row {record.first} holds {what} rather than values ({listed(texts)}): it is left out."
            notes.append(ImportNote("info", text, rows=(record.first,)))
    return header


_UNIT = re.compile(r"[\[(]?(?:[°%µ]|[a-zA-Z]{1,4}(?:/[a-zA-Z0-9²³]+)?|[a-zA-Z]{1,4}[²³]|-)[a-zA-Z]{0,3}[\])]?")


def are_units(row: list[str]) -> bool:
    """Whether the texts look like °C, m/s, [kWh]."""
    texts = [cell.strip() for cell in row if cell.strip()]
    odd = any(re.search(r"[°%/²³µ\[(]", text) for text in texts)
    return odd and all(_UNIT.fullmatch(text) or (month_of(text) == 0 and len(text) < 8) for text in texts)
