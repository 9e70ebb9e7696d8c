"""Which format a file has, by its first bytes; what is packed is unpacked, within limits.

Nothing here runs or unpickles what a file holds.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, field

from lstm_core.data.ingest import excel
from lstm_core.data.ingest.arrow_rows import ArrowRows, parquet_rows
from lstm_core.data.ingest.encoding import MAX_BYTES
from lstm_core.data.ingest.json_rows import is_json, json_rows
from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError

FILE_TYPES = ("csv", "tsv", "txt", "xlsx", "parquet", "json", "jsonl", "ndjson", "gz", "zip")  # what the page offers
_STEP = 2**20


@dataclass(frozen=True)
class Source:
    """What a file holds: bytes of text as they came, lines of a sheet's cells, or columns that have types."""

    data: bytes = b""
    sheet: bytes | None = None  # UTF-8, a SEPARATOR between cells
    rows: ArrowRows | None = None
    notes: list[ImportNote] = field(default_factory=list)


def open_source(data: bytes, name: str, layers: int = 2) -> Source:
    """The file's content, unpacked from at most `layers` archives.

    Raises:
        PlaygroundError: an archive that is damaged, holds several files or unpacks to too much, or a workbook, a
            Parquet file or JSON that holds no table.
    """
    if len(data) > MAX_BYTES:
        limit = MAX_BYTES // 2**20
        raise PlaygroundError(f"{name!r} has {-(-len(data) // 2**20)} MiB; at most {limit} MiB can be read: keep less.")
    if data.startswith(b"\x1f\x8b"):
        return _inside(_gunzip(data, name), name, "a gzip archive", layers)
    if data.startswith(b"PK\x03\x04"):
        if excel.is_workbook(data):
            sheet, notes = excel.sheet_text(data, name)
            return Source(sheet=sheet, notes=notes)
        inner, file = _unzip(data, name)
        return _inside(inner, name, f"a zip archive with {file!r} in it", layers)
    if data.startswith(b"PAR1") and data.endswith(b"PAR1"):
        return Source(rows=parquet_rows(data, name))
    if is_json(data):
        return Source(rows=json_rows(data, name))
    return Source(data=data)


def _inside(data: bytes, name: str, what: str, layers: int) -> Source:
    if layers <= 1 and data.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise PlaygroundError(f"{name!r} is packed more than twice: unpack it and load the file inside.")
    source = open_source(data, name, layers - 1)
    source.notes.insert(0, ImportNote("info", f"The file is {what}: it is read unpacked."))
    return source


def _too_large(name: str) -> PlaygroundError:
    limit = MAX_BYTES // 2**20
    return PlaygroundError(f"{name!r} unpacks to more than {limit} MiB, the most that can be read: keep less.")


def _gunzip(data: bytes, name: str) -> bytes:
    """Raises PlaygroundError: damaged, or more than MAX_BYTES."""
    out, left = bytearray(), data
    try:
        while left.startswith(b"\x1f\x8b"):  # members, one behind another
            packed = zlib.decompressobj(wbits=31)
            while not packed.eof:
                piece = packed.decompress(left, _STEP)
                left = packed.unconsumed_tail
                out += piece
                if len(out) > MAX_BYTES:
                    raise _too_large(name)
                if not piece and not left and not packed.eof:
                    raise zlib.error("cut off")
            left = packed.unused_data
    except zlib.error:
        raise PlaygroundError(f"{name!r} is a damaged gzip archive: pack it again.") from None
    return bytes(out)


def _unzip(data: bytes, name: str) -> tuple[bytes, str]:
    """The only file in the archive, and its name there."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [
                info
                for info in archive.infolist()
                if info.filename
                and not info.filename.endswith("/")
                and not info.filename.startswith("__MACOSX/")
                and "/." not in f"/{info.filename}"
            ]
            if len(files) != 1:
                listed = ", ".join(repr(info.filename[:40]) for info in files[:4])
                raise PlaygroundError(
                    f"{name!r} is a zip archive of {len(files)} files{f' ({listed})' if files else ''}: load the one "
                    "that you mean."
                )
            with archive.open(files[0]) as packed:
                inner = packed.read(MAX_BYTES + 1)
    except PlaygroundError:
        raise
    except excel.ZIP_ERRORS:
        problem = f"{name!r} is a zip archive that is damaged or locked: unpack it and load the file inside."
        raise PlaygroundError(problem) from None
    if len(inner) > MAX_BYTES:
        raise _too_large(name)
    return inner, files[0].filename[:80]
