"""TensorBoard event files from a run's records, written by hand: `tensorboard --logdir` on the runs' folder opens them.

A file is a chain of frames: the length, its checksum, an Event in protocol-buffer encoding, its checksum. Of Event and
Summary only what a scalar needs is here; TensorBoard itself is not needed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from lstm_core.experiment import PlaygroundError
from lstm_core.runs.folder import RunFolder, replace_file
from lstm_core.runs.records import read_records
from lstm_core.runs.shelf import number

SECONDS = 0.1  # between two points of a tag, at least
TAGS = ("train_loss", "valid_loss", "grad_norm")


def write_event_file(folder: RunFolder, more: Mapping[str, Sequence[tuple[int, float]]] | None = None) -> Path:
    """Write, or write anew, the event file of a run into its folder; where it is.

    more: tag → (step, value) of what the records do not have, such as the outputs of the lesson by hand.

    Raises:
        PlaygroundError: the run has no records yet, or the disk is full.
    """
    records = read_records(folder.file("records.bin"))
    if not len(records):
        raise PlaygroundError("This run has no record yet: train it first.")
    times = np.maximum.accumulate(records["time"])  # a clock may have been set back
    points = [
        (times[k], int(records["step"][k]), tag, float(records[tag][k]))
        for tag in TAGS
        for k in _thinned(times, np.flatnonzero(~np.isnan(records[tag])))
    ]
    for tag, values in (more or {}).items():
        at = np.interp([step for step, _ in values], records["step"], times)
        points += [(at[k], *((values[k][0], tag, values[k][1]))) for k in _thinned(at, np.arange(len(values)))]
    created = int(number(folder.about().get("created"), times[0]))
    path = folder.file(f"events.out.tfevents.{created}.lstm-playground")
    try:
        replace_file(path, event_file(sorted(points), created))
    except OSError as error:
        raise PlaygroundError(f"The event file cannot be written ({error.strerror}): make room on the disk.") from None
    return path


def _thinned(times: np.ndarray, places: np.ndarray) -> list[int]:
    """Of these places, in order, those that are SECONDS apart; the last one always."""
    kept, at = [], times[places]
    k = 0
    while k < len(places):
        kept.append(int(places[k]))
        k = max(k + 1, int(np.searchsorted(at, at[k] + SECONDS)))
    if kept and kept[-1] != places[-1]:
        kept[max(1, len(kept) - 1) :] = [int(places[-1])]  # in place of the last, for the tag's final value
    return kept


def event_file(points: Iterable[tuple[float, int, str, float]], created: float) -> bytes:
    """The bytes of an event file with these points: (Unix time, step, tag, value)."""
    version = _bytes_field(3, b"brain.Event:2")
    parts = [_frame(_double_field(1, created) + version)]
    for at, step, tag, value in points:
        scalar = _bytes_field(1, tag.encode()) + _float_field(2, value)
        summary = _bytes_field(1, scalar)
        parts.append(_frame(_double_field(1, at) + _int_field(2, step) + _bytes_field(5, summary)))
    return b"".join(parts)


# ---- TFRecord


def _frame(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc(length)) + data + struct.pack("<I", masked_crc(data))


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated and shifted as the format wants it."""
    crc, table = 0xFFFFFFFF, _table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)  # Castagnoli's polynomial
        table.append(value)
    return table


# ---- protocol buffers: a key of field number and kind, then the value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _int_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double_field(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _bytes_field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _float_field(number: int, value: float) -> bytes:
    return _varint(number << 3 | 5) + struct.pack("<f", value)
