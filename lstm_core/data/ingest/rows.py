"""The rows of a text made regular: one a line, equally many cells, no quotes; ragged rows and line numbers.

Where the table begins and what separates its cells is found in dialect.py.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from lstm_core.data.ingest.encoding import SEPARATOR
from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError

MAX_ROWS = 5_000_000
MAX_COLUMNS = 10_000
MAX_CELLS = 50_000_000

_END = "\x1a"  # a last line of ours: whatever swallows it is a quoted cell that never ends
_NEWLINES = re.compile(r"[\r\n]+")


@dataclass(frozen=True)
class RegularRows:
    """Rows of equally many cells, ready for pandas' C reader with quoting off."""

    text: bytes
    separator: str
    skip: int  # lines of `text` before the first row
    rows: int
    names: tuple[str, ...]
    lines: np.ndarray | None  # (rows,) each row's first line in the file; None: row r is line skip + r + 1

    def line(self, row: int) -> int:
        """The row's line number, as a text editor counts them."""
        return int(self.skip + row + 1 if self.lines is None else self.lines[row])


def format_line_numbers(lines: Iterable[int], max_lines: int = 5) -> str:
    """Line numbers for a sentence: "row 7", "rows 7, 12, 40", "rows 7, 12, 40, 41, 42, …"."""
    lines = list(lines)
    text = ", ".join(f"{line:,}" if line > 9999 else str(line) for line in lines[:max_lines])
    return f"row{'s' if len(lines) > 1 else ''} {text}" + (", …" if len(lines) > max_lines else "")


def csv_reader(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True)


def normalize_rows(text: bytes, name: str, delimiter: str, skip: int, names: tuple[str, ...]):
    """The text as it is if its lines are rows of one width without quotes, else made so; and the notes."""
    _refuse_too_large(text, name, len(names))
    start = sum(len(line) for line in islice(io.BytesIO(text), skip))
    quoted = text.find(b'"', start) >= 0
    if quoted or delimiter == " " or not delimiter.isascii() or text.count(b"\r") != text.count(b"\r\n"):
        return _repaired(text, name, delimiter, skip, names)
    sign, between, total = delimiter.encode(), len(names) - 1, 0
    odd, blank = [], []  # line numbers
    for total, line in enumerate(io.BytesIO(text), 1):
        if total > skip and (line.count(sign) != between or not between):
            if not line.strip(b" \r\n"):
                blank.append(total)
            elif between:
                odd.append(total)
    while blank and blank[-1] == total:
        blank.pop()
        total -= 1
    if odd or (blank and between):  # a blank line inside a single column is a missing cell
        return _repaired(text, name, delimiter, skip, names)
    return RegularRows(text, delimiter, skip, total - skip, names, None), []


def _refuse_too_large(text: bytes, name: str, width: int) -> None:
    rows = text.count(b"\n")
    for count, maximum, unit in (
        (width, MAX_COLUMNS, "columns"),
        (rows, MAX_ROWS, "rows"),
        (rows * width, MAX_CELLS, "cells"),
    ):
        if count > maximum:
            raise PlaygroundError(f"{name!r} has {count:,} {unit}; at most {maximum:,} can be read: keep fewer.")


def _repaired(text: bytes, name: str, delimiter: str, skip: int, names: tuple[str, ...]):
    """Rows read by the csv module and written again, one a line, without quotes; and the notes."""
    lines = islice(io.TextIOWrapper(io.BytesIO(text), "utf-8", newline=""), skip, None)
    reader = csv_reader(chain(lines, [_END]), delimiter)
    width, line, out = len(names), skip + 1, bytearray()
    starts, blank, short, long = [], [], [], []  # line numbers
    try:
        for cells in reader:
            next_line, line = line, skip + reader.line_num + 1
            if cells == [_END]:
                break
            if len(cells) <= 1 < width and not "".join(cells).strip():
                blank.append(next_line)
                continue
            if len(cells) < width:
                short.append(next_line)
                cells += [""] * (width - len(cells))
            elif any(map(str.strip, cells[width:])):
                long.append(next_line)
                continue
            row = SEPARATOR.join(cells[:width])
            out += (_NEWLINES.sub(" ", row) + "\n").encode()
            starts.append(next_line)
        else:
            raise PlaygroundError(f"A quotation mark opened in row {next_line} of {name!r} is never closed: close it.")
    except csv.Error:
        raise PlaygroundError(
            f"Row {line} of {name!r} has a cell of more than {csv.field_size_limit():,} characters: is a quotation "
            "mark never closed?"
        ) from None
    while width == 1 and starts and (out == b"\n" or out.endswith(b"\n\n")):  # blank lines at the end
        starts.pop()
        del out[-1:]
    records = RegularRows(bytes(out), SEPARATOR, 0, len(starts), names, np.array(starts, np.int64))
    return records, _ragged_notes(blank, short, long, width)


def _ragged_notes(blank: list[int], short: list[int], long: list[int], width: int) -> list[ImportNote]:
    notes = []
    for level, lines, problem, consequence in (
        ("info", blank, "blank row{}", "left out"),
        ("warning", short, f"row{{}} with fewer cells than the table's {width} columns", "the others count as missing"),
        ("warning", long, f"row{{}} with more cells than the table's {width} columns", "left out"),
    ):
        if lines:
            problem = problem.format("s" if len(lines) > 1 else "")
            text = f"{len(lines):,} {problem}: {format_line_numbers(lines)}; {consequence}."
            notes.append(ImportNote(level, text, rows=tuple(lines[:5])))
    return notes
