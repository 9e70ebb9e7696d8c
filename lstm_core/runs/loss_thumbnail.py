"""LossThumbnail: a few dozen points of a run's loss, read from records.bin at a few places, however long it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lstm_core.runs.records import HEADER, RECORD, first_step, offset_of, read_records

POINTS = 48  # of each line
WHOLE = 4096  # records: so many are read at once, 180 kB; of more only some
AVERAGED = 8  # records of a training loss that are averaged then: single batches are noise


@dataclass(frozen=True, eq=False)
class LossThumbnail:
    """Losses in scaled units, in order of time; (points,) float64 each, without gaps."""

    train: np.ndarray = field(default_factory=lambda: np.empty(0))
    valid: np.ndarray = field(default_factory=lambda: np.empty(0))
    last_step: int = 0


def loss_thumbnail(path: Path, steps_per_epoch: int) -> LossThumbnail:
    """Of a records.bin; steps_per_epoch: where a validation loss is found, 0 if it is not known."""
    try:
        first, count = first_step(path), (path.stat().st_size - HEADER.size) // RECORD.itemsize
        if first is None or count < 1:
            return LossThumbnail()
        if count <= WHOLE:
            return _of_all(read_records(path))
        with path.open("rb") as file:
            return _of_some(file, first, count, steps_per_epoch)
    except OSError:  # it was deleted in between
        return LossThumbnail()


def _of_all(records: np.ndarray) -> LossThumbnail:
    if not len(records):
        return LossThumbnail()
    edges = np.unique(np.linspace(0, len(records), POINTS + 1).astype(int))
    train = np.add.reduceat(records["train_loss"].astype(float), edges[:-1]) / np.diff(edges)
    valid = records["valid_loss"][~np.isnan(records["valid_loss"])]
    chosen = np.unique(np.linspace(0, len(valid) - 1, POINTS).astype(int)) if len(valid) else []
    return LossThumbnail(_finite(train), _finite(valid[chosen]), int(records["step"][-1]))


def _of_some(file: BinaryIO, first: int, count: int, steps_per_epoch: int) -> LossThumbnail:
    places = np.linspace(0, count - AVERAGED, POINTS).astype(int)
    train = [float(_block(file, first, int(at), AVERAGED)["train_loss"].mean()) for at in places]
    valid: list[float] = []
    if steps_per_epoch:
        epochs = np.arange(first // steps_per_epoch + 1, (first + count) // steps_per_epoch + 1)
        chosen = epochs[np.unique(np.linspace(0, len(epochs) - 1, POINTS).astype(int))] if len(epochs) else []
        blocks = (_block(file, first, int(epoch) * steps_per_epoch - first - 1, 1) for epoch in chosen)
        valid = [float(block["valid_loss"][0]) for block in blocks if len(block)]
    return LossThumbnail(_finite(np.array(train)), _finite(np.array(valid)), first + count)


def _block(file: BinaryIO, first: int, index: int, count: int) -> np.ndarray:
    """Records from this index on that are in place."""
    file.seek(offset_of(index))
    data = file.read(count * RECORD.itemsize)
    records = np.frombuffer(data, RECORD, len(data) // RECORD.itemsize)
    return records[records["step"] == first + index + 1 + np.arange(len(records))]


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)].astype(float)
