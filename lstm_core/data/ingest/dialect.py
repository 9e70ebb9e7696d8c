"""The layout of a CSV text, detected from its first lines: delimiter, preamble, header, decimal sign.

header.py names the columns; rows.py reads the rows; column_types.py decides what the cells of a column mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace

from lstm_core.data.ingest.encoding import SEPARATOR
from lstm_core.data.ingest.header import (
    LOOKED_AT,
    Record,
    are_units,
    first_values,
    header_lines,
    is_header,
    is_value,
    names_of,
)
from lstm_core.data.ingest.numbers import implied_decimal_sign, is_ambiguous_separator, is_missing
from lstm_core.data.ingest.options import DELIMITERS, CsvOptions
from lstm_core.data.ingest.rows import csv_reader, without_runs_of_spaces
from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError

_SCORED = 100  # records that a delimiter is judged by
_SAMPLE_LINES, _SAMPLE_BYTES, _MAX_LINE_LENGTH = 400, 2**20, 2**23


@dataclass(frozen=True)
class Layout:
    """Where the table is in a text, and how its cells are told apart."""

    text: bytes  # the text, without blanks at the ends of lines where they stand between cells
    options: CsvOptions  # with every guess about the layout filled in
    names: tuple[str, ...]
    data_line: int  # lines before the first row
    notes: list[ImportNote]

    @property
    def separator(self) -> str:
        return self.options.delimiter or SEPARATOR


def detect_layout(text: bytes, name: str, options: CsvOptions) -> Layout:
    """Find the table in the text.

    Raises:
        PlaygroundError: no table after the lines to skip, or a line is too long.
    """
    lines = _sample(text, name)
    excel_separator = _excel_separator(lines[0])
    skip = options.skip_rows or (1 if excel_separator else 0)
    delimiter = excel_separator if options.delimiter is None else options.delimiter
    if delimiter is None:
        delimiter = _guess_delimiter(lines)
    if delimiter == " ":
        text = without_runs_of_spaces(text)
        lines = _sample(text, name)
    all_records = _records(lines[skip:], delimiter or SEPARATOR, skip)
    all_records = [record for record in all_records if not record.blank]
    if not all_records:
        raise PlaygroundError(f"{name!r} has no table after the first {skip} lines: skip fewer lines.")
    start, width = _table_start(all_records, skip=options.skip_rows is None)
    start = _short_header_start(all_records, start, width, options)
    below = [record.cells for record in all_records[start + 1 :]]
    has_header = options.header if options.header is not None or options.header_rows is None else True
    if has_header is None:
        header = all_records[start].cells
        has_header = len(header) < width or is_header(header, below) or header_lines(all_records, start, width) > 1
    count = options.header_rows or (header_lines(all_records, start, width) if has_header else 0)
    count = count if has_header else 0
    header = all_records[start : start + count]
    if options.skip_rows is None and options.header_rows is None:
        padded = _padded_preamble(header, width)
        start, header, count = start + padded, header[padded:], count - padded
    first = all_records[start].first
    skip = first - 1 if options.skip_rows is None else options.skip_rows
    values = all_records[start + count :]
    below = [record.cells for record in values]
    names, notes = names_of(header, below, width)
    decimal = options.decimal or _decimal(values, delimiter, notes)
    data_line = header[-1].last if header else first - 1
    used = replace(
        options, delimiter=delimiter, decimal=decimal, header=bool(has_header), header_rows=count, skip_rows=skip
    )
    return Layout(text, used, names, data_line, _layout_notes(used) + notes)


def first_rows(text: bytes, name: str, delimiter: str | None, count: int = 12) -> list[list[str]]:
    """The first lines cut at the delimiter, None: a guessed one; whatever they hold. For a file that was refused."""
    lines = _sample(text, name)
    sign = _guess_delimiter(lines) if delimiter is None else delimiter
    return [record.cells[:LOOKED_AT] for record in _records(lines[:count], sign or SEPARATOR)]


def _padded_preamble(header: list[Record], width: int) -> int:
    """How many lines above the names say something else: few of their cells are filled, and only the first ones."""
    filled = [[j for j, cell in enumerate(record.cells) if cell.strip()] for record in header]
    if width == 2 and len(header) > 1:
        return 0 if len(filled[-1]) < 2 or are_units(header[-1].cells) else len(header) - 1
    count = 0
    while count + 1 < len(header):
        most = max(map(len, filled[count + 1 :]))
        if width < 3 or len(filled[count]) > 2 or max(filled[count], default=0) > 1 or most < width - 1:
            break
        count += 1
    return count


def _guess_delimiter(lines: list[str]) -> str:
    scores = {sign: _score(_records(lines, sign or SEPARATOR), sign) for sign in DELIMITERS if sign != " "}
    best = max(scores, key=scores.get)
    if best == "" and _is_spaced(lines):
        return " "
    if best == "," and _is_decimal_comma(lines):
        return ""
    return best


def _is_spaced(lines: list[str]) -> bool:
    """Whether runs of blanks stand between values, equally many in most lines."""
    rows = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    fits = [row for row in rows if len(row) == width]
    if width < 2 or len(fits) < 0.8 * len(rows) or sum(is_value(line) for line in lines) > len(lines) / 2:
        return False
    cells = [cell for row in fits[1:] or fits for cell in row]
    return sum(is_value(cell) for cell in cells) > 0.5 * len(cells)  # "word 7" is one cell


def _is_decimal_comma(lines: list[str]) -> bool:
    """Whether each line is one number with a comma: always as many figures behind it, as in 19,700 or 3,05."""
    rows = [line.strip() for line in lines if line.strip()]
    pairs = [match for match in (re.fullmatch(r"-?\d+,(\d{2,})", row) for row in rows) if match]
    if len(pairs) < 5 or len(pairs) < len(rows) - 1:
        return False
    figures = {len(match[1]) for match in pairs}
    padded = any(match[1].startswith("0") for match in pairs) or figures == {3}
    return len(figures) == 1 and padded


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


def _records(lines: list[str], delimiter: str, skipped: int = 0) -> list[Record]:
    """The sample's records, below so many skipped lines; a quoted cell that runs on beyond the sample ends with it."""
    if delimiter != " " and not any('"' in line for line in lines):
        return [Record(i, i, line.rstrip("\r\n").split(delimiter)) for i, line in enumerate(lines, skipped + 1)]
    reader, first, records = csv_reader(lines, delimiter), skipped + 1, []
    with suppress(csv.Error):  # a cell that never ends is named when all is read; here what came before it counts
        for cells in reader:
            records.append(Record(first, skipped + reader.line_num, cells))
            first = skipped + reader.line_num + 1
    return records


def _score(records: list[Record], delimiter: str) -> float:
    """How well a delimiter explains the sample: rows of one width, and cells that hold no other delimiter."""
    records = [record for record in records if not record.blank]
    if not records:
        return 0.0
    start, width = _table_start(records)
    if delimiter and width < 2:
        return 0.0
    body = records[start : start + _SCORED]
    consistent = sum(len(record.cells) == width for record in body) / len(body)
    other_delimiters = set(DELIMITERS) - {delimiter, ""}
    cells = [cell for record in body for cell in record.cells[:LOOKED_AT]]
    scores = [1.0 if other_delimiters.isdisjoint(cell) or is_value(cell) else 0.3 for cell in cells]
    clean = sum(scores) / len(scores)
    if not delimiter and not other_delimiters.isdisjoint(cells[0]) and not is_value(cells[0]):
        clean *= 0.3  # a name that holds a delimiter is the names of several columns
    return consistent * clean * (0.9 if start else 1.0)


def _table_start(records: list[Record], skip: bool = True) -> tuple[int, int]:
    """Index of the table's first record, after any preamble, and how many cells most records have.

    The table is the first record with a value in it and the lines right above that have as many cells.
    """
    counts = Counter(len(record.cells) for record in records)
    width = max(counts, key=lambda w: (counts[w], w))
    if not skip:
        return 0, width
    fits = [len(record.cells) == width for record in records]
    start = fits.index(True)
    first = first_values(records, width)
    if first is not None:
        start = first
        while start and fits[start - 1] and (start == first or records[start - 1].last + 1 == records[start].first):
            start -= 1
    while start + 1 < len(records) and records[start].cells[0].lstrip().startswith("#"):
        following = records[start + 1].cells
        if len(records[start].cells) == width and any(map(is_value, following)):
            break  # "# time,value" right above the data is the header
        start += 1
    return start, width


def _short_header_start(records: list[Record], start: int, width: int, options: CsvOptions) -> int:
    """One back where the header lacks one cell: rows end in a delimiter, or begin with a row name (R)."""
    if start == 0 or options.skip_rows is not None or options.header is False:
        return start
    header = records[start - 1].cells
    trailing = all(not record.cells[-1].strip() for record in records[start:] if len(record.cells) == width)
    fits = len(header) == width - 1 and not any(is_value(cell) or is_missing(cell) for cell in header)
    return start - 1 if fits and (trailing or width > 2) else start


def _decimal(records: list[Record], delimiter: str, notes: list[ImportNote]) -> str:
    columns = zip(*(record.cells[:LOOKED_AT] for record in records), strict=False)
    columns = [[cell.strip() for cell in column if not is_missing(cell)] for column in columns]
    cells = [cell for column in columns for cell in column]
    unclear = {sign: sum(is_ambiguous_separator(cell, sign) for cell in cells) for sign in ".,"}
    clear = (cell for cell in cells if not any(is_ambiguous_separator(cell, sign) for sign in ".,"))
    signs = Counter(map(implied_decimal_sign, clear))
    if signs[","] != signs["."]:
        return "," if signs[","] > signs["."] else "."
    grouping = {sign for sign in ".," if unclear[sign] and any(_is_grouping(column, sign) for column in columns)}
    if len(grouping) == 1:
        return "." if grouping == {","} else ","
    decimal = "," if delimiter in ("", ";") and unclear[","] > unclear["."] else "."
    if unclear[decimal]:
        example = next(cell for cell in cells if is_ambiguous_separator(cell, decimal))
        text = f"The sign in {example!r} may stand before decimals or thousands; it is read as a decimal sign."
        notes.append(ImportNote("warning", text + " Choose the other decimal sign if the numbers look too small."))
    return decimal


def _is_grouping(column: list[str], sign: str) -> bool:
    """Whether the sign stands before thousands: 950, 1.020, 1.100 have it from a thousand on, zeros at the end too."""
    grouped = [cell for cell in column if is_ambiguous_separator(cell, sign)]
    plain = [cell for cell in column if re.fullmatch(r"-?\d{1,3}", cell, re.ASCII)]
    return bool(plain and len(grouped) + len(plain) == len(column) and any(cell.endswith("0") for cell in grouped))


def _layout_notes(used: CsvOptions) -> list[ImportNote]:
    between = f"a {DELIMITERS.get(used.delimiter, repr(used.delimiter))} between cells".replace("a blanks", "blanks")
    point = "comma" if used.decimal == "," else "point"
    text = f"Read with {between if used.delimiter else 'one cell a row'} and a decimal {point}."
    notes = [ImportNote("info", text)]
    if used.skip_rows:
        lines = "line is" if used.skip_rows == 1 else f"{used.skip_rows} lines are"
        notes.append(ImportNote("info", f"The first {lines} left out: the table begins after that."))
    if not used.header:
        notes.append(ImportNote("info", "No row names the columns: they are called by their position."))
    return notes
