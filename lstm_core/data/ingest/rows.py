"""The rows of a CSV text, as Arrow arrays of texts block by block; ragged rows repaired; line numbers.

Where the table begins and what separates its cells is found in dialect.py. Arrow's reader takes the text as it is. It
cannot name a ragged row and swallows the rest behind a quotation mark that is never closed, so it must find as many
rows as there are lines; else the csv module reads the text and writes it again, one regular row a line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from lstm_core.data.ingest.encoding import SEPARATOR
from lstm_core.data.ingest.numbers import NULL_TEXTS
from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError

MAX_ROWS = 5_000_000
MAX_COLUMNS = 10_000
MAX_CELLS = 50_000_000

_BLOCK = 8 * 2**20  # bytes read at once
_END = "\x1a"  # a last line of ours: whatever swallows it is a quoted cell that never ends
_NEWLINES = re.compile(r"[\r\n]+")
_HASH = re.compile(rb"(?m)^# +(?=\S)")
_SPACES = re.compile(rb"(?m)^ +| +(?=\r?$)")


class NotRegularError(Exception):
    """The text is not one row a line of equally many cells."""


class NotPlainError(Exception):
    """Not all cells of the columns that were to be plain numbers or times are such."""


@dataclass(frozen=True)
class CsvRows:
    """Rows of a text; `regular`: equally many cells a row and one row a line, by our own hand."""

    text: bytes
    separator: str
    skip: int  # lines of `text` before the first row
    rows: int
    names: tuple[str, ...]
    file: str  # its name, for messages
    regular: bool = False
    lines: np.ndarray | None = None  # (rows,) each row's first line in the file; None: row r is line skip + r + 1

    def line(self, row: int) -> int:
        """The row's line number, as a text editor counts them."""
        return int(self.skip + row + 1 if self.lines is None else self.lines[row])

    def blocks(
        self, chosen: Sequence[int], plain: dict[int, pa.DataType], decimal: str, first: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The chosen columns, named by their index: texts, null where missing; those of `plain` as its types.

        first: only about so many rows.

        Raises:
            NotRegularError: a row has more or fewer cells, or runs over several lines; after some blocks, perhaps.
            NotPlainError: a cell of a plain column is not of its type.
            PlaygroundError: the text is ours and still not regular.
        """
        if not chosen or not self.rows:
            return
        start, end = _line_offset(self.text, self.skip), _end(self.text) if len(self.names) > 1 else len(self.text)
        some = first is not None and first < self.rows
        if some:
            end = _line_offset(self.text, self.skip + first)
        body = memoryview(self.text)[start:end]
        names = [str(j) for j in range(len(self.names))]
        types = {str(j): plain.get(j, pa.string()) for j in chosen}
        found, quoted = 0, not self.regular and b'"' in self.text
        try:
            reader = arrow_csv.open_csv(
                pa.py_buffer(body),
                arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
                arrow_csv.ParseOptions(
                    delimiter=self.separator,
                    quote_char='"' if quoted else False,
                    newlines_in_values=quoted,
                    ignore_empty_lines=len(self.names) > 1,  # they are then found missing, below
                ),
                arrow_csv.ConvertOptions(
                    check_utf8=False,
                    column_types=types,
                    include_columns=list(types),
                    null_values=NULL_TEXTS,
                    strings_can_be_null=True,
                    decimal_point=decimal,
                ),
            )
            for block in reader:
                found += len(block)
                if found > self.rows and len(self.names) == 1:  # blank lines at the end
                    block = block[: len(block) - (found - self.rows)]
                    found = self.rows
                if found > self.rows:
                    raise NotRegularError
                yield block
        except pa.ArrowInvalid as error:
            if "conversion error" in str(error):
                raise NotPlainError from None
            if self.regular:
                problem = f"{self.file!r} has a row of more than {_BLOCK // 2**20} MiB: is this a table?"
                raise PlaygroundError(problem) from None
            raise NotRegularError from None
        if found != self.rows and not some:
            raise NotRegularError

    def cells(self, row: int) -> list[str]:
        """The texts of one row."""
        start = _line_offset(self.text, self.line(row) - 1 if self.lines is None else row + self.skip)
        end = self.text.find(b"\n", start)
        line = self.text[start : len(self.text) if end < 0 else end]
        quote = csv.QUOTE_NONE if self.regular else csv.QUOTE_MINIMAL
        try:
            return next(csv.reader([line.decode().rstrip("\r\n")], delimiter=self.separator, quoting=quote), [])
        except csv.Error:  # a cell longer than that module takes
            return [line.decode()]


def format_line_numbers(lines: Iterable[int], max_lines: int = 5) -> str:
    """Line numbers for a sentence: "row 7", "rows 7, 12, 40", "rows 7, 12, 40, 41, 42, …"."""
    lines = list(lines)
    text = ", ".join(f"{line:,}" if line > 9999 else str(line) for line in lines[:max_lines])
    return f"row{'s' if len(lines) > 1 else ''} {text}" + (", …" if len(lines) > max_lines else "")


def csv_reader(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True)


def without_runs_of_spaces(text: bytes) -> bytes:
    """Blanks at the ends of lines, and behind a # that begins one, removed: runs of them then stand between cells."""
    return _HASH.sub(b"#", _SPACES.sub(b"", text.replace(b"\t", b" ")))


def rows_as_they_are(text: bytes, name: str, delimiter: str, skip: int, names: tuple[str, ...]) -> CsvRows | None:
    """Rows for Arrow to read from the text itself; None where it would misread them.

    Raises:
        PlaygroundError: more than MAX_ROWS, MAX_COLUMNS or MAX_CELLS.
    """
    end = _end(text)
    lines = text.count(b"\n", 0, end) + (end > 0)
    refuse_size(lines, len(names), name)
    returns = b"\r" in text
    if delimiter == " " or not delimiter.isascii() or (returns and text.count(b"\r") != text.count(b"\r\n")):
        return None
    if b'"' in text and (delimiter + ' "').encode() in text:  # the csv module skips such a blank
        return None
    rows = lines - skip
    return CsvRows(text, delimiter, skip, max(0, rows), names, name)


def _line_offset(text: bytes, line: int) -> int:
    """Where the line begins, counted from 0."""
    if line < 1000:
        start = 0
        for _ in range(line):
            start = text.find(b"\n", start) + 1
        return start
    for start in range(0, len(text), _BLOCK):  # most lines that are asked for are near the begin
        ends = np.flatnonzero(np.frombuffer(text[start : start + _BLOCK], np.uint8) == 10)
        if len(ends) >= line:
            return start + int(ends[line - 1]) + 1
        line -= len(ends)
    return len(text)


def _end(text: bytes) -> int:
    """Where the text ends but for its last line ends."""
    end = len(text)
    while end and text[end - 1] in b"\r\n":
        end -= 1
    return end


def refuse_size(rows: int, width: int, name: str) -> None:
    """Raises PlaygroundError: more than MAX_ROWS, MAX_COLUMNS or MAX_CELLS."""
    for count, maximum, unit in (
        (width, MAX_COLUMNS, "columns"),
        (rows, MAX_ROWS, "rows"),
        (rows * width, MAX_CELLS, "cells"),
    ):
        if count > maximum:
            raise PlaygroundError(f"{name!r} has {count:,} {unit}; at most {maximum:,} can be read: keep fewer.")


def repaired_rows(
    text: bytes, name: str, delimiter: str, skip: int, names: tuple[str, ...]
) -> tuple[CsvRows, list[ImportNote]]:
    """Rows read by the csv module and written again, one a line, without quotes; and the notes.

    Raises:
        PlaygroundError: a quotation mark is never closed.
    """
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
    rows = CsvRows(bytes(out), SEPARATOR, 0, len(starts), names, name, True, np.array(starts, np.int64))
    return rows, _ragged_notes(blank, short, long, width)


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
