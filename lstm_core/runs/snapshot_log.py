"""snapshots.bin: the snapshots that a training appends to its SnapshotBuffer, in that order, for other processes.

The file: 16 bytes of header (magic, version, generation), then entries of 24 bytes and their float32 values, weights
first, then the gradients if there are any. An entry without values says that those from its step on were dropped.
One process appends; a torn entry at the end is left out. When the file has grown to MAX_BYTES it is written anew,
thinned as the buffer is, under another generation.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from lstm_core.training.snapshots import BUDGET, Snapshot, SnapshotBuffer

_HEADER = struct.Struct("<8sII")
_ENTRY = struct.Struct("<qIIII")  # step, values of weights, of gradients, CRC-32 of all else, 0
_MAGIC, _VERSION = b"LSTMsnp\n", 1
MAX_BYTES = 3 * BUDGET


class SnapshotWriter:
    """Listens to a trainer's buffer."""

    def __init__(self, path: Path, buffer: SnapshotBuffer) -> None:
        """A new file of all that the buffer has."""
        self._path, self._buffer, self._generation = path, buffer, int.from_bytes(os.urandom(4), "little")
        self._begin()
        buffer.listener = self._append

    @property
    def place(self) -> list[int]:
        """Generation and size: where a reader of now would end."""
        return [self._generation, self._size]

    @property
    def is_closed(self) -> bool:
        return self._file.closed

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._buffer.listener = None
        self._file.close()

    def _begin(self) -> None:
        temporary = self._path.with_suffix(".tmp")
        kept = [self._buffer.nearest(step) for step in self._buffer.steps]
        data = _HEADER.pack(_MAGIC, _VERSION, self._generation) + b"".join(map(_entry, kept))
        temporary.write_bytes(data)
        os.replace(temporary, self._path)
        self._file = self._path.open("ab", buffering=0)
        self._size = len(data)

    def _append(self, snapshot: Snapshot | int) -> None:
        entry = _entry(snapshot)
        try:
            written = self._file.write(entry)
            if written != len(entry):
                raise OSError("the disk is full")
            self._size += written
            too_large = self._size > MAX_BYTES
        except OSError:  # no room: one snapshot less, and no torn one before the next
            self._file.truncate(self._size)
            return
        if too_large:
            self._file.close()
            self._generation = (self._generation + 1) % (1 << 32)
            self._begin()


class SnapshotReader:
    """Follows a file that another process appends to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._generation, self._offset = -1, 0
        self.buffer = SnapshotBuffer()

    def read(self, place: list[int] | None = None, step: int | None = None) -> SnapshotBuffer:
        """The buffer as it is after all entries; place and step: only up to there, of a state that was saved.

        A buffer's own object changes when the file was written anew, so that who holds one keeps what it was.
        """
        try:
            with self._path.open("rb") as file:
                head = file.read(_HEADER.size)
                if len(head) < _HEADER.size:
                    return self.buffer
                magic, version, generation = _HEADER.unpack(head)
                if (magic, version) != (_MAGIC, _VERSION):
                    return self.buffer
                if generation != self._generation or os.fstat(file.fileno()).st_size < self._offset:
                    self._generation, self._offset, self.buffer = generation, _HEADER.size, SnapshotBuffer()
                file.seek(self._offset)
                same = place is not None and place[0] == generation
                data = file.read(max(0, place[1] - self._offset)) if same else file.read()
        except FileNotFoundError:
            return self.buffer
        self._offset += self._apply(data, None if same else step)
        return self.buffer

    def _apply(self, data: bytes, last_step: int | None) -> int:
        """Apply the whole entries of these bytes; how many bytes they are."""
        at = 0
        while at + _ENTRY.size <= len(data):
            step, weights, gradients, crc, _ = _ENTRY.unpack_from(data, at)
            end = at + _ENTRY.size + 4 * (weights + gradients)
            if end > len(data) or crc != _crc(step, weights, gradients, data[at + _ENTRY.size : end]):
                break
            if last_step is None or step <= last_step:
                self._one(step, weights, gradients, data[at + _ENTRY.size : end])
            at = end
        return at

    def _one(self, step: int, weights: int, gradients: int, values: bytes) -> None:
        if not weights:
            self.buffer.drop_from(step)
            return
        flat = torch.from_numpy(np.frombuffer(values, "<f4").astype(np.float32))
        self.buffer.append(Snapshot(step, flat[:weights], flat[weights:] if gradients else None))


def _entry(snapshot: Snapshot | int) -> bytes:
    if isinstance(snapshot, int):
        return _ENTRY.pack(snapshot, 0, 0, _crc(snapshot, 0, 0, b""), 0)
    tensors = (snapshot.weights, snapshot.gradients)
    values = [tensor.numpy().astype("<f4").tobytes() for tensor in tensors if tensor is not None]
    counts = (len(values[0]) // 4, len(values[1]) // 4 if len(values) > 1 else 0)
    data = b"".join(values)
    return _ENTRY.pack(snapshot.step, *counts, _crc(snapshot.step, *counts, data), 0) + data


def _crc(step: int, weights: int, gradients: int, values: bytes) -> int:
    return zlib.crc32(values, zlib.crc32(struct.pack("<qII", step, weights, gradients)))
