"""The first sheet of an Excel workbook that holds a table, as lines of text: numbers in full, dates as ISO 8601."""

from __future__ import annotations

import datetime
import io
import re
import struct
import zipfile
import zlib

import python_calamine

from lstm_core.data.ingest.encoding import MAX_BYTES, SEPARATOR
from lstm_core.data.ingest.rows import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError

ZIP_ERRORS = (  # what zipfile raises on damaged, locked or unknown archives
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
)
_PLACE = re.compile(rb'<c[^>]*? r="([A-Z]{1,3})([0-9]{1,7})"')
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")


def is_workbook(data: bytes) -> bool:
    """Whether a zip archive is a workbook (xlsx)."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(name.startswith("xl/workbook") for name in archive.namelist())
    except ZIP_ERRORS:
        return False


def sheet_text(data: bytes, name: str) -> tuple[bytes, list[ImportNote]]:
    """The sheet as UTF-8, a SEPARATOR between cells and one line a row, counted as Excel counts them; and the notes.

    Raises:
        PlaygroundError: damaged, locked, empty, or more cells than MAX_CELLS from the first to the last one.
    """
    _refuse_too_large(data, name)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(data))
        sheets = workbook.sheet_names
        for title in sheets:
            rows = workbook.get_sheet_by_name(title).to_python(skip_empty_area=False)
            if sum(any(cell != "" for cell in row) for row in rows) > 1:
                break
        else:
            raise PlaygroundError(f"{name!r} is an Excel workbook without a table: choose another file.")
    except PlaygroundError:
        raise
    except (python_calamine.CalamineError, OSError, ValueError):
        problem = f"{name!r} is an Excel workbook that cannot be read: save its sheet as CSV and load that."
        raise PlaygroundError(problem) from None
    lines = (SEPARATOR.join(map(_text, row)) for row in rows)
    others = [other for other in sheets if other != title]
    text = f"The file is an Excel workbook: its sheet {title[:40]!r} is read"
    text += f", and not {', '.join(repr(other[:40]) for other in others[:4])}." if others else "."
    return ("\n".join(lines) + "\n").encode(), [ImportNote("warning" if others else "info", text)]


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return _CONTROLS.sub(" ", cell)
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, datetime.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(cell)


def _refuse_too_large(data: bytes, name: str) -> None:
    """How much it unpacks to, and how far apart a sheet's first and last cells are: it is laid out as a rectangle."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                with archive.open(info) as file:
                    content = file.read(MAX_BYTES - total + 1)
                total += len(content)
                if total > MAX_BYTES:
                    raise PlaygroundError(
                        f"{name!r} unpacks to more than {MAX_BYTES // 2**20} MiB, the most that can be read: keep less."
                    )
                if info.filename.startswith("xl/worksheets/"):
                    _refuse_extent(content, name)
    except PlaygroundError:
        raise
    except ZIP_ERRORS:
        problem = f"{name!r} is a damaged or locked Excel workbook: save its sheet as CSV and load that."
        raise PlaygroundError(problem) from None


def _refuse_extent(sheet: bytes, name: str) -> None:
    rows = columns = 0
    for match in _PLACE.finditer(sheet):
        rows, column = max(rows, int(match[2])), 0
        for letter in match[1]:
            column = column * 26 + letter - 64
        columns = max(columns, column)
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise PlaygroundError(
            f"A sheet of {name!r} reaches over {rows:,} rows and {columns:,} columns, more than can be read: keep the "
            "table alone."
        )
