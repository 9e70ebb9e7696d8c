"""records.bin: what a run's every step measured, at a fixed place, so that any reader takes just the range it lacks.

The file: 16 bytes of header, then RECORD.itemsize bytes a step. The header names the step that the run began from, 0
for a new model: record k, counted from 0, is of step first + k + 1 and begins at byte 16 + k · itemsize. All numbers
are little-endian. One process appends (whoever has the run's lock); any number may
read: a record whose CRC-32 does not fit is still being written, and ends what is read.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

HEADER = struct.Struct("<8sHHI")  # magic, version, bytes of a record, the step before the first record's
_MAGIC, _VERSION = b"LSTMrec\n", 1
RECORD = np.dtype(
    [
        ("step", "<u4"),  # from 1
        ("crc", "<u4"),  # of the record's other bytes, in their order
        ("time", "<f8"),  # Unix time in seconds
        ("lr", "<f8"),
        ("valid_loss", "<f8"),  # NaN where the step did not validate
        ("train_loss", "<f4"),  # of this step's batch; losses are in scaled units
        ("grad_norm", "<f4"),  # before clipping
    ]
)
_HEAD, _BODY = struct.Struct("<II"), struct.Struct("<dddff")
FLUSH_SECONDS = 0.03  # so old may be what a reader lacks


class RecordWriter:
    """Appends to a run's records, from `step` on: what the file has beyond is cut off."""

    def __init__(self, path: Path, step: int) -> None:
        """A new file begins at this step. Raises OSError: it cannot be written; ValueError: it ends before `step`."""
        first = first_step(path)
        if first is None:
            first = step
            path.write_bytes(HEADER.pack(_MAGIC, _VERSION, RECORD.itemsize, step))
        last = first + len(read_records(path, first, step))
        if last < step:
            raise ValueError(f"{path.name} ends at step {last}, before {step}")
        self._file: BinaryIO = path.open("r+b", buffering=0)
        self._written = offset_of(step - first)
        self._file.truncate(self._written)
        self._pending = bytearray()
        self._flush_at = 0.0  # by time.monotonic

    def append(self, record: dict) -> None:
        """One of the Trainer's records. It is written within FLUSH_SECONDS, if another one follows.

        Raises:
            OSError: the disk is full; nothing is lost, and what is pending is written as soon as it fits.
        """
        valid = record.get("valid_loss")
        valid = float("nan") if valid is None else valid
        body = _BODY.pack(time.time(), record["lr"], valid, record["train_loss"], record["grad_norm"])
        step = record["step"]
        self._pending += _HEAD.pack(step, zlib.crc32(body, zlib.crc32(step.to_bytes(4, "little")))) + body
        now = time.monotonic()
        if now >= self._flush_at:
            self._flush_at = now + FLUSH_SECONDS
            self.flush()

    def flush(self) -> None:
        """Let readers see all that was appended; raises as append does."""
        while self._pending:
            self._file.seek(self._written)
            written = self._file.write(self._pending)
            del self._pending[:written]
            self._written += written

    def sync(self) -> None:
        """Let what was flushed outlive a power cut; any thread may ask."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flushes; raises as append does."""
        try:
            self.flush()
        finally:
            self._file.close()


def offset_of(index: int) -> int:
    """Where record `index`, counted from 0, begins."""
    return HEADER.size + index * RECORD.itemsize


def first_step(path: Path) -> int | None:
    """The step that the records begin after; None: there is no such file."""
    try:
        with path.open("rb") as file:
            return _first(file.read(HEADER.size))
    except FileNotFoundError:
        return None


def _first(header: bytes) -> int | None:
    if len(header) < HEADER.size:
        return None
    magic, version, size, first = HEADER.unpack(header)
    return first if (magic, version, size) == (_MAGIC, _VERSION, RECORD.itemsize) else None


def read_records(path: Path, after: int = 0, to: int | None = None) -> np.ndarray:
    """(n,) RECORD: the intact records of the steps after + 1 … to, as far as the file has them.

    An absent or foreign file has none; the first record that is torn or out of place ends it.
    """
    try:
        with path.open("rb") as file:
            first = _first(file.read(HEADER.size))
            if first is None:
                return np.empty(0, RECORD)
            after = max(after, first)
            file.seek(offset_of(after - first))
            data = file.read() if to is None else file.read(max(0, to - after) * RECORD.itemsize)
    except FileNotFoundError:
        return np.empty(0, RECORD)
    return intact(data, after)


def intact(data: bytes, after: int) -> np.ndarray:
    """(n,) RECORD: the leading records of these bytes that are in place; they begin with the one of step after + 1.

    Only the last one's CRC is computed: those before it were written earlier, whole.
    """
    count = len(data) // RECORD.itemsize
    records = np.frombuffer(data, RECORD, count)
    wrong = np.flatnonzero(records["step"] != np.arange(after + 1, after + 1 + count, dtype=np.uint32))
    count = int(wrong[0]) if len(wrong) else count
    while count and not _fits(records[count - 1 : count].tobytes()):
        count -= 1
    return records[:count]


def _fits(record: bytes) -> bool:
    _, crc = _HEAD.unpack_from(record)
    return crc == zlib.crc32(record[8:], zlib.crc32(record[:4]))
