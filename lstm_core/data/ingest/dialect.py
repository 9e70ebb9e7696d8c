"""The layout of a CSV text, detected from its first lines: delimiter, preamble, header, names, decimal sign.

rows.py makes the rows regular; column_types.py decides what the cells of a column mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace

from lstm_core.data.ingest.cells import implied_decimal_sign, is_ambiguous_separator, is_missing, is_number_or_time
from lstm_core.data.ingest.encoding import SEPARATOR
from lstm_core.data.ingest.options import DELIMITERS, CsvOptions
from lstm_core.data.ingest.rows import RegularRows, csv_reader, normalize_rows
from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError

MAX_NAME = 200

_SAMPLE_LINES, _SAMPLE_BYTES, _MAX_LINE_LENGTH = 400, 2**20, 2**23
_SAMPLE_RECORDS = 64  # columns of the sample that guesses look at
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff]+")


@dataclass(frozen=True)
class _Record:
    first: int  # line numbers, from 1
    last: int
    cells: list[str]

    @property
    def blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


def detect_dialect(text: bytes, name: str, options: CsvOptions) -> tuple[RegularRows, CsvOptions, list[ImportNote]]:
    """Find the table in the text.

    Returns:
        The rows made regular, the options with every guess about the layout filled in, and the notes.

    Raises:
        PlaygroundError: too large, a quotation mark that is never closed, or no row under the header.
    """
    lines = _sample(text, name)
    excel_separator = _excel_separator(lines[0])
    skip = options.skip_rows or (1 if excel_separator else 0)
    delimiter = excel_separator if options.delimiter is None else options.delimiter
    if delimiter is None:
        delimiter = max(DELIMITERS, key=lambda sign: _score(_records(lines, sign or SEPARATOR), sign))
    all_records = _records(lines, delimiter or SEPARATOR)
    all_records = [record for record in all_records if record.first > skip and not record.blank]
    if not all_records:
        raise PlaygroundError(f"{name!r} has no table after the first {skip} lines: skip fewer lines.")
    start, width = _table_start(all_records, skip=options.skip_rows is None)
    start = _short_header_start(all_records, start, width, options)
    header, below = all_records[start], [record.cells for record in all_records[start + 1 :]]
    has_header = options.header
    if has_header is None:
        has_header = len(header.cells) < width or _is_header(header.cells, below)
    skip = header.first - 1 if options.skip_rows is None else options.skip_rows
    decimal = options.decimal or _decimal(all_records[start + has_header :], delimiter)
    options_used = replace(options, delimiter=delimiter, decimal=decimal, header=has_header, skip_rows=skip)
    names, notes = _names(header.cells if has_header else [], below, width)
    data_line = header.last if has_header else header.first - 1
    records, ragged = normalize_rows(text, name, delimiter or SEPARATOR, data_line, names)
    if not records.rows:
        raise PlaygroundError(f"{name!r} has a header and no rows: add rows of numbers under it.")
    return records, options_used, _layout_notes(options_used) + notes + ragged


def _sample(text: bytes, name: str) -> list[str]:
    lines, size = [], 0
    for line in io.BytesIO(text):
        if len(line) > _MAX_LINE_LENGTH:
            raise PlaygroundError(
                f"Row {len(lines) + 1} of {name!r} is longer than {_MAX_LINE_LENGTH // 2**20} MiB: is this a table "
                "with one line a row?"
            )
        lines.append(line.decode())
        size += len(line)
        if len(lines) == _SAMPLE_LINES or (size > _SAMPLE_BYTES and len(lines) >= 20):
            break
    return lines


def _excel_separator(line: str) -> str | None:
    """Excel writes the delimiter into a first line of its own: sep=;"""
    match = re.fullmatch(r'"?sep=([,;|\t])"?', line.strip("\r\n "))
    return match[1] if match else None


def _records(lines: list[str], delimiter: str) -> list[_Record]:
    """The sample's records; a quoted cell that runs on beyond the sample ends with it."""
    if delimiter != " " and not any('"' in line for line in lines):
        return [_Record(i, i, line.rstrip("\r\n").split(delimiter)) for i, line in enumerate(lines, 1)]
    reader, first, records = csv_reader(lines, delimiter), 1, []
    with suppress(csv.Error):  # a cell that never ends is named when all is read; here what came before it counts
        for cells in reader:
            records.append(_Record(first, reader.line_num, cells))
            first = reader.line_num + 1
    return records


def _score(records: list[_Record], delimiter: str) -> float:
    """How well a delimiter explains the sample: rows of one width, and cells that hold no other delimiter."""
    records = [record for record in records if not record.blank]
    if not records:
        return 0.0
    start, width = _table_start(records)
    if delimiter and width < 2:
        return 0.0
    body = records[start:]
    consistent = sum(len(record.cells) == width for record in body) / len(body)
    other_delimiters = set(DELIMITERS) - {delimiter, ""}
    cells = [cell for record in body for cell in record.cells[:_SAMPLE_RECORDS]]
    scores = [1.0 if other_delimiters.isdisjoint(cell) or is_number_or_time(cell) else 0.3 for cell in cells]
    clean = sum(scores) / len(scores)
    if not delimiter and not other_delimiters.isdisjoint(cells[0]) and not is_number_or_time(cells[0]):
        clean *= 0.3  # a name that holds a delimiter is the names of several columns
    return consistent * clean * (0.9 if start else 1.0)


def _table_start(records: list[_Record], skip: bool = True) -> tuple[int, int]:
    """Index of the table's first record, after any preamble, and how many cells most records have.

    The table is the first record with a value in it and the lines right above that have as many cells.
    """
    counts = Counter(len(record.cells) for record in records)
    width = max(counts, key=lambda w: (counts[w], w))
    if not skip:
        return 0, width
    fits = [len(record.cells) == width for record in records]
    start = fits.index(True)
    data = (
        i for i, record in enumerate(records) if fits[i] and any(map(is_number_or_time, record.cells[:_SAMPLE_RECORDS]))
    )
    first = next(data, None)
    if first is not None:
        start = first
        while start and fits[start - 1] and (start == first or records[start - 1].last + 1 == records[start].first):
            start -= 1
    while start + 1 < len(records) and records[start].cells[0].lstrip().startswith("#"):
        following = records[start + 1].cells
        if len(records[start].cells) == width and any(map(is_number_or_time, following)):
            break  # "# time,value" right above the data is the header
        start += 1
    return start, width


def _short_header_start(records: list[_Record], start: int, width: int, options: CsvOptions) -> int:
    """One back where the header lacks one cell: rows end in a delimiter, or begin with a row name (R)."""
    if start == 0 or options.skip_rows is not None or options.header is False:
        return start
    header = records[start - 1].cells
    trailing = all(not record.cells[-1].strip() for record in records[start:] if len(record.cells) == width)
    fits = len(header) == width - 1 and not any(is_number_or_time(cell) or is_missing(cell) for cell in header)
    return start - 1 if fits and (trailing or width > 2) else start


def _is_header(first: list[str], below: list[list[str]]) -> bool:
    """Whether a record names the columns: texts above values, or texts that never come again below."""
    columns = [[row[j] for row in below[:100] if len(row) > j] for j in range(min(len(first), _SAMPLE_RECORDS))]
    index = first[0].strip() == "" and len(first) > 1 and not any(is_missing(cell) for cell in first[1:])
    if index and columns[0] and not any(map(is_missing, columns[0])):
        return True  # pandas leaves the name of its row numbers empty
    votes, repeated = 0, False
    for cell, column in zip(first, columns, strict=False):
        present = [text for text in column if not is_missing(text)]
        repeated = repeated or cell in present
        if is_missing(cell) or not present or sum(map(is_number_or_time, present)) * 2 <= len(present):
            continue
        votes += -1 if is_number_or_time(cell) else 1
    if votes or not below:
        return votes > 0 or (not below and not any(map(is_number_or_time, first)))
    return not repeated and not any(map(is_missing, first[:-1]))


def _decimal(records: list[_Record], delimiter: str) -> str:
    cells = [cell.strip() for record in records for cell in record.cells[:_SAMPLE_RECORDS]]
    unclear = {sign: sum(is_ambiguous_separator(cell, sign) for cell in cells) for sign in ".,"}
    clear = (cell for cell in cells if not any(is_ambiguous_separator(cell, sign) for sign in ".,"))
    signs = Counter(map(implied_decimal_sign, clear))
    if signs[","] != signs["."]:
        return "," if signs[","] > signs["."] else "."
    return "," if delimiter == ";" and unclear[","] > unclear["."] else "."


def _names(header: list[str], below: list[list[str]], width: int) -> tuple[tuple[str, ...], list[ImportNote]]:
    """Unique, printable names for all columns."""
    notes = []
    if header and len(header) == width - 1:
        if all(not row[-1].strip() for row in below if len(row) == width):
            header = [*header, ""]
        else:
            header = ["", *header]
            text = "The header has one name less than the rows have cells: column 1 has none."
            notes.append(ImportNote("info", text))
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
        text = f"Some names occur more than once: the later columns are now called {_listed(renamed)}."
        notes.append(ImportNote("warning", text))
    unnamed = [name for name, raw in zip(names, header, strict=False) if not raw.strip()]
    if unnamed:
        notes.append(ImportNote("info", f"Columns without a name are called by their position: {_listed(unnamed)}."))
    return tuple(names), notes


def _listed(names: list[str], max_names: int = 5) -> str:
    return ", ".join(map(repr, names[:max_names])) + (", …" if len(names) > max_names else "")


def _layout_notes(used: CsvOptions) -> list[ImportNote]:
    between = f"a {DELIMITERS.get(used.delimiter, repr(used.delimiter))} between cells"
    point = "comma" if used.decimal == "," else "point"
    text = f"Read with {between if used.delimiter else 'one cell a row'} and a decimal {point}."
    notes = [ImportNote("info", text)]
    if used.skip_rows:
        lines = "line is" if used.skip_rows == 1 else f"{used.skip_rows} lines are"
        notes.append(ImportNote("info", f"The first {lines} left out: the table begins after that."))
    if not used.header:
        notes.append(ImportNote("info", "No row names the columns: they are called by their position."))
    return notes
