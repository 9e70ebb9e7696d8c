"""Mirror: this process's copy of a run that another one trains: its records, status and weights, from its folder.

Before a run has a folder the copy is the run itself: a model that was just made or loaded.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import time

from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.progress import Progress
from lstm_core.runs.records import first_step, read_records
from lstm_core.runs.snapshot_log import SnapshotReader
from lstm_core.training.changes import Change
from lstm_core.training.checkpoint import load_checkpoint, tensors_of
from lstm_core.training.snapshots import SnapshotBuffer
from lstm_core.training.trainer import Trainer

LOOK_SECONDS = 0.01  # between two looks at the folder


class Mirror:
    """Follows a folder. Any thread may read any of it; `lock` is held while the trainer's weights are read or set."""

    def __init__(
        self, trainer: Trainer, curves: dict[str, tuple] | None = None, folder: RunFolder | None = None
    ) -> None:
        """curves: name → MetricCurve.lists up to the trainer's step, or up to the first of the folder's records."""
        self.trainer = trainer
        self.folder: RunFolder | None = None
        self.lock = threading.RLock()
        self._progress = Progress(curves)
        self._status = "finished" if trainer.finished else "paused" if trainer.step else "ready"
        self._message = ""
        self._looking = threading.Lock()
        self._look_at = self._weights_at = 0.0
        self._seen: dict[str, tuple] = {}
        self._said: dict = {}  # status.json
        self._changes: list[Change] = []
        self._is_repeatable = not trainer.step and not trainer.replaced
        self._step = self._recorded = trainer.step  # shown; the last one whose record is in the curves
        self.first_step = trainer.step if folder is None else 0  # the step that the records begin after
        self.asked = 0  # the size of control.jsonl after the last live change that this process asked for
        if folder is not None:
            self.follow(folder, 0)

    def follow(self, folder: RunFolder, step: int) -> None:
        """From now on the run is this folder; step: the last one whose record is in the curves already."""
        self._snapshots = SnapshotReader(folder.file("snapshots.bin"))
        self.first_step = step or first_step(folder.file("records.bin")) or 0
        self._step = self._recorded = step
        self.folder = folder

    def set_status(self, status: str, message: str) -> None:
        """Of a run without a folder."""
        self._status, self._message = status, message

    @property
    def status(self) -> str:
        self.look()
        return self._status

    @property
    def message(self) -> str:
        self.look()
        return self._message

    @property
    def step(self) -> int:
        """Of the last record, or of the weights where no folder is."""
        self.look()
        return self.trainer.step if self.folder is None else self._step

    @property
    def refit_progress(self) -> tuple[int, int] | None:
        """(steps done, steps) of the refit under way."""
        self.look()
        refit = self._said.get("refit") if self._status == "running" else None
        return tuple(refit) if refit else None

    @property
    def progress(self) -> Progress:
        self.look()
        return self._progress

    @property
    def changes(self) -> list[Change]:
        """The live changes made so far, in their order."""
        self.look()
        return [change for change in self._changes if change.step <= self._step]  # some may be planned

    @property
    def is_repeatable(self) -> bool:
        """Whether training the experiment, with its changes, gives these weights."""
        self.look()
        return self._is_repeatable

    @property
    def snapshots(self) -> SnapshotBuffer:
        if self.folder is None:
            return self.trainer.snapshots
        with self.lock:
            buffer = self._snapshots.read()
        return buffer if buffer.steps else self.trainer.snapshots

    @property
    def current(self) -> Trainer:
        """The trainer with the weights that were saved last: at most a second old, and of now where nobody trains."""
        folder, now = self.folder, time.monotonic()
        if folder is None or now < self._weights_at:
            return self.trainer
        with self.lock:
            self._weights_at = now + LOOK_SECONDS
            if self._has_changed("state.safetensors"):
                self._load(folder.file("state.safetensors").read_bytes())
        return self.trainer

    def look(self, now: bool = False) -> None:
        """Read what is new in the folder; now: however recently that was done."""
        folder, clock = self.folder, time.monotonic()
        if folder is None or (clock < self._look_at and not now):
            return
        with self._looking:
            self._look_at = clock + LOOK_SECONDS
            if self._has_changed("status.json"):
                self._said = folder.status()
            if self._has_changed("events.jsonl"):
                self._changes, self._is_repeatable = folder.changes(), folder.is_repeatable
            if self._has_changed("records.bin"):
                records = read_records(folder.file("records.bin"), self._recorded)
                if len(records):
                    self._progress.extend(records, self.trainer.steps_per_epoch)
                    self._step = self._recorded = int(records["step"][-1])
            self._status, self._message = pool.current_status(folder, self._said), self._said.get("message", "")
            if self._status not in ("waiting", "running"):
                self._weights_at = 0.0
                self._step = self._said.get("step", self._step)
            if now:
                self._weights_at = 0.0

    def _load(self, data: bytes) -> None:
        checkpoint, trainer = load_checkpoint(data), self.trainer
        trainer.load_state_dict(tensors_of(checkpoint.weights), tensors_of(checkpoint.state), checkpoint.progress)
        trainer.replaced = checkpoint.notes.get("replaced", 0)
        trainer.snapshots = self._snapshots.read()
        if checkpoint.notes.get("control", 0) < self.asked:
            return  # what was asked for since is shown already
        live = dataclasses.replace(checkpoint.experiment.train, device=trainer.spec.device)
        trainer.experiment = dataclasses.replace(trainer.experiment, train=live)

    def _has_changed(self, name: str) -> bool:
        try:
            stat = os.stat(self.folder.file(name))
        except FileNotFoundError:
            return False
        mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if self._seen.get(name) == mark:
            return False
        self._seen[name] = mark
        return True
