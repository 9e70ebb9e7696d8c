"""A run's whole history in a few thousand buckets, for a browser that has seen none of it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from lstm_core.runs.records import RECORD, first_step, offset_of, read_records

FIELDS = ("train_loss", "valid_loss", "grad_norm")
MAX_BUCKETS = 8_000
HEADER = struct.Struct("<4I")  # records covered, records a bucket, buckets, the step before the first record
_CHUNK = 1 << 16  # records at once: as much as stays in a core's cache


def bucketed(path: Path, max_buckets: int) -> bytes:
    """HEADER, then (fields, 4, buckets) float32: the lowest, highest and mean finite value, and how many are finite.

    All buckets but the last have the same number of records. A bucket without a finite value has NaN and 0. Browsers
    read it in pages/shared/components/records.js.
    """
    size = path.stat().st_size if path.exists() else 0
    each = max(1, -(-max(0, size - offset_of(0)) // RECORD.itemsize // max_buckets))
    chunks, covered, first = [], 0, first_step(path) or 0
    while True:
        asked = each * max(1, _CHUNK // each)
        records = read_records(path, first + covered, first + covered + asked)
        chunks.append(_reduce(records, each))
        covered += len(records)
        if len(records) < asked or sum(part.shape[2] for part in chunks) >= max_buckets:
            break
    table = np.concatenate(chunks, axis=2)
    return HEADER.pack(covered, each, table.shape[2], first) + table.tobytes()


def _reduce(records: np.ndarray, each: int) -> np.ndarray:
    """(fields, 4, buckets) of these records."""
    if not len(records):
        return np.empty((len(FIELDS), 4, 0), "<f4")
    return np.stack([_statistics(records[name].astype("f8"), each) for name in FIELDS])


def _statistics(values: np.ndarray, each: int) -> np.ndarray:
    firsts = np.arange(0, len(values), each)
    finite = np.isfinite(values)
    count = np.add.reduceat(finite, firsts, dtype="f8")
    low = np.minimum.reduceat(np.where(finite, values, np.inf), firsts)
    high = np.maximum.reduceat(np.where(finite, values, -np.inf), firsts)
    total = np.add.reduceat(np.where(finite, values, 0.0), firsts)
    with np.errstate(over="ignore"):  # beyond float32 is off every plot
        table = np.stack([low, high, total / np.maximum(count, 1), count]).astype("<f4")
    table[:3, count == 0] = np.nan
    return table
