"""CSV bytes to UTF-8 bytes: what is no text at all, which encoding, stray control characters.

No rows or columns are known yet.
"""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

from lstm_core.data.table import ImportNote
from lstm_core.experiment import PlaygroundError

MAX_BYTES = 512 * 2**20
SEPARATOR = "\x1f"  # ASCII's unit separator: decode_text removes it from the data, so it can stand between cells

_EXPORT = "export the table as CSV and load that"
_UNPACK = "unpack it and load the CSV file inside"
_SIGNATURES = (  # first bytes → what the file is, what to do
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "open it in Excel and save the sheet as CSV"),
    (b"\x89HDF", "an HDF5 file", _EXPORT),
    (b"\x93NUMPY", "a NumPy file", "save it with numpy.savetxt(…, delimiter=',') and load that"),
    (b"ARROW1", "an Arrow file", _EXPORT),
    (b"SQLite format 3\x00", "an SQLite database", _EXPORT),
    (b"%PDF-", "a PDF document", _EXPORT),
    (b"\x89PNG", "a picture", "choose a CSV file"),
    (b"\xff\xd8\xff", "a picture", "choose a CSV file"),
)
_NO_TEXT = "{!r} is not a text file: choose a CSV file, or export the table as CSV."
_CONTROLS = bytes(set(range(1, 32)) - set(b"\t\n\v\f\r\x1a\x1b\x1f"))
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_BOMS = (  # the longer first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(data: bytes, name: str, encoding: str | None) -> tuple[bytes, str, list[ImportNote]]:
    """The file as UTF-8 without a byte-order mark, its encoding, and what was noticed.

    Plain UTF-8 comes back as the very same bytes, so that a large file is not copied.

    Raises:
        PlaygroundError: empty, too large, not text, or not in the encoding that was asked for.
    """
    _refuse_other_formats(data, name)
    notes: list[ImportNote] = []
    used = encoding or _guess_encoding(data, notes)
    try:
        if codecs.lookup(used).name == "utf-8":
            data.isascii() or data.decode()  # only to see that it can be read
            text = data
        else:
            text = data.decode(used).encode()
    except LookupError:
        raise PlaygroundError(f"{used!r} is no text encoding: choose another for {name!r}.") from None
    except UnicodeError as error:
        if encoding is None:  # a guess that does not hold: zeros, but no UTF-16
            raise PlaygroundError(_NO_TEXT.format(name)) from None
        at = f" (byte {error.start + 1:,})" if isinstance(error, UnicodeDecodeError) else ""
        raise PlaygroundError(f"{name!r} cannot be read as {used}{at}: choose another encoding.") from None
    sample = text[: 2**16]
    if sum(map(sample.count, _CONTROLS)) > len(sample) / 50 or sample.count(0) > len(sample) / 3:
        raise PlaygroundError(_NO_TEXT.format(name))
    text = _without_controls(text.removeprefix(codecs.BOM_UTF8), notes)
    if not text or text.isspace():
        raise PlaygroundError(f"{name!r} holds nothing but blanks: choose a file with rows of numbers.")
    start = text[:4096].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise PlaygroundError(f"{name!r} is a web page or XML, not a table: download the CSV file itself.")
    return text, used, notes


def _refuse_other_formats(data: bytes, name: str) -> None:
    if not data:
        raise PlaygroundError(f"{name!r} is empty: choose a file with rows of numbers.")
    for signature, kind, advice in _SIGNATURES:
        if data.startswith(signature):
            raise PlaygroundError(f"{name!r} is {kind}, not CSV: {advice}.")


def _guess_encoding(data: bytes, notes: list[ImportNote]) -> str:
    """A byte-order mark, the zeros of UTF-16, strict UTF-8; else a guess that the reader is told of."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            if encoding != "utf-8":
                text = f"The file is {encoding.upper()}: it begins with that encoding's mark."
                notes.append(ImportNote("info", text))
            return encoding
    sample = data[: 2**16]
    zeros = sample[0::2].count(0), sample[1::2].count(0)
    if max(zeros) > len(sample) / 6 and min(zeros) < max(zeros) / 10:
        encoding = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        notes.append(ImportNote("info", f"Every other byte is zero: the file is read as {encoding.upper()}."))
        return encoding
    for encoding in ("utf-8", _by_letters(sample), "cp1252", "latin-1"):
        try:
            data.isascii() or data.decode(encoding)
            break
        except UnicodeDecodeError:  # Western European is the next likeliest, and latin-1 gives every byte a letter
            continue
    if encoding != "utf-8":
        text = f"The file is not UTF-8; it is read as {encoding}: choose another encoding if letters look wrong."
        notes.append(ImportNote("warning", text))
    return encoding


def _by_letters(sample: bytes) -> str:
    """A likely encoding of text that is not UTF-8: by how the bytes beyond ASCII follow one another."""
    runs = _BEYOND_ASCII.findall(sample)
    joined = b"".join(runs)
    if not joined or len(joined) < 2.5 * len(runs):  # single letters among plain ones: é, ü
        return "cp1252"
    cyrillic = sum(code >= 0xC0 or code in (0xA8, 0xB8) for code in joined)
    if cyrillic > 0.95 * len(joined):
        return "cp1251"
    with suppress(UnicodeDecodeError):
        if all(len(run) % 2 == 0 for run in runs) and all(
            "\u4e00" <= sign <= "\u9fff" for sign in joined.decode("gbk")
        ):
            return "gb18030"
    return "cp1252"


def _without_controls(text: bytes, notes: list[ImportNote]) -> bytes:
    """Without NUL, end-of-file and unit-separator characters; every line ends in a line feed."""
    removed = 0
    for code in (b"\x00", b"\x1a", SEPARATOR.encode()):
        if code in text:
            removed += text.count(code)
            text = text.replace(code, b"")
    if removed:
        notes.append(ImportNote("warning", f"Control characters (NUL and the like) are left out: {removed:,} of them."))
    if b"\r" in text and b"\n" not in text:
        text = text.replace(b"\r", b"\n")  # as old Macs end lines
    return text
