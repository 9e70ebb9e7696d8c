"""Runs on disk that nobody trains: folders with the files that a worker would have left, for tests of the shelf."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from lstm_core.experiment import Experiment
from lstm_core.runs.folder import RunFolder, replace_file
from lstm_core.runs.home import home, new_id
from lstm_core.runs.records import RecordWriter

STEPS_PER_EPOCH = 4


def shelve(
    status: str | None = "finished",
    experiment: Experiment | None = None,
    steps: int = 12,
    table: str = "t1",
    score: dict[str, Any] | None = None,
    times: list[float] | None = None,
    **about: Any,
) -> RunFolder:
    """A run's folder; status None: nothing was written of it. times: of the records, Unix time."""
    folder = RunFolder(home() / "runs" / new_id())
    folder.path.mkdir(mode=0o700, parents=True)
    folder.write_about({"created": time.time()} | about)
    described = json.loads((experiment or Experiment()).to_json()) | {"table_sha256": table, "versions": {}}
    folder.file("experiment.json").write_text(json.dumps(described))
    if status is not None:
        told = {"status": status, "step": steps, "steps_per_epoch": STEPS_PER_EPOCH, "epochs": 3, "seconds": 5.0}
        folder.write_status(told | {"time": time.time(), "control": 0, "message": "", "parameters": 7})
    if score is not None:
        replace_file(folder.file("score.json"), json.dumps(score).encode())
    write_records(folder, steps, times)
    return folder


def write_records(folder: RunFolder, steps: int, times: list[float] | None = None) -> None:
    """Losses that fall, validated at the end of each epoch."""
    path = folder.file("records.bin")
    writer = RecordWriter(path, 0)
    for step in range(1, steps + 1):
        record = {"step": step, "lr": 0.01, "train_loss": 1 / step, "grad_norm": 2.0}
        if step % STEPS_PER_EPOCH == 0:
            record["valid_loss"] = 2 / step
        writer.append(record)
    writer.flush()
    writer.close()
    if times is not None:
        _set_times(path, times)


def _set_times(path, times: list[float]) -> None:
    import zlib

    from lstm_core.runs.records import HEADER, RECORD

    data = path.read_bytes()
    records = np.frombuffer(data[HEADER.size :], RECORD).copy()
    records["time"] = times
    for k in range(len(records)):
        record = records[k : k + 1].tobytes()
        records["crc"][k] = zlib.crc32(record[8:], zlib.crc32(record[:4]))
    path.write_bytes(data[: HEADER.size] + records.tobytes())
