"""Session: trains one run's folder while this process holds its lock; obeys control.jsonl, saves every second.

Whenever it is killed, another session goes on from state.safetensors and ends with the same weights, bit for bit:
records.bin and snapshots.bin are cut back to the state, and the events after it are made again at their steps.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from lstm_core.experiment import LIVE_FIELDS, PlaygroundError
from lstm_core.model.devices import ran_out_of_memory
from lstm_core.runs import saved_state
from lstm_core.runs.folder import RunFolder, replace_file
from lstm_core.runs.records import RecordWriter
from lstm_core.runs.snapshot_log import SnapshotReader, SnapshotWriter
from lstm_core.training.checkpoint import ModelState, copy_state, load_checkpoint
from lstm_core.training.loss import NonFiniteLossError
from lstm_core.training.trainer import Trainer

LOOK_SECONDS = 0.02  # between two looks at control.jsonl
SAVE_SECONDS, MAX_SAVE_SECONDS = 1.0, 5.0  # between two saves; longer where copying the state takes over a hundredth
MAX_ATTEMPTS = 3  # at one step: whoever is killed there again and again would be so for ever

log = logging.getLogger(__name__)
_UNKNOWN = {"train_loss": float("nan"), "grad_norm": float("nan")}


class Session:
    """One run in this process."""

    def __init__(self, folder: RunFolder, should_yield: Callable[[], bool] = lambda: False) -> None:
        """The caller holds the folder's lock; should_yield: asked every LOOK_SECONDS, whether it is another's turn."""
        self.folder = folder
        self._should_yield = should_yield
        self.load_trainer = saved_state.load_trainer  # or whatever makes it of another class
        self._trainer: Trainer | None = None
        self._end: str | None = None  # the status to end with
        self._started = False  # whether a command to train was found
        self._until: int | None = None  # the step to pause at
        self._control = 0  # bytes of control.jsonl that are obeyed
        self._message = ""
        self._seconds = 0.0  # of training, before this session
        self._began = self._look_at = self._save_at = time.monotonic()
        self._disk_full = ""
        self._saving: threading.Thread | None = None

    def run(self) -> str:
        """Train until it ends, is paused, or its turn is over; the written status. "deleted": the folder has gone."""
        status = self.folder.status()
        self._seconds = status.get("seconds", 0.0)
        try:
            if not self._open(status):
                return "failed"
            try:
                self._end = self._train()
            finally:
                self._close()
        except PlaygroundError as error:
            self._message, self._end = str(error), "failed"
        except Exception as error:
            if not self.folder.exists:
                return "deleted"
            if ran_out_of_memory(error):
                return self._out_of_memory()
            log.exception("the training of %s failed", self.folder.id)
            self._message = "Training stopped on an internal error, which is in the log of the runs."
            self._end = "failed"
        if self._end == "deleted":
            return self._end
        if self._trainer is None:
            self._control = self.folder.control_size  # it can obey none of them
            self._write_status(self._end)
            return self._end
        return self._finish()

    @property
    def has_obeyed_all(self) -> bool:
        return self.folder.control_size <= self._control

    def score(self) -> None:
        """Write score.json; given up as soon as a command comes."""
        folder, trainer, size = self.folder, self._trainer, self.folder.control_size
        if trainer is not None and trainer.step:
            models = trainer.scored_models()
            saved_state.write_score(folder, models, trainer.windows, trainer.step, lambda: folder.control_size != size)

    # ---- from the disk, and back

    def _open(self, status: dict[str, Any]) -> bool:
        """Build the trainer as the last state has it, and open what is appended to. False: tried too often."""
        folder = self.folder
        table = folder.table()
        trainer, notes = self.load_trainer(folder, table)
        attempts = status.get("attempts", [-1, 0])
        attempts = [trainer.step, attempts[1] + 1 if attempts[0] == trainer.step else 1]
        self._attempts, self._table, self._trainer = attempts, table, trainer
        self._control = max([notes.get("control", 0), *(event.get("control", 0) for event in folder.events())])
        if attempts[1] > MAX_ATTEMPTS and not folder.commands(self._control):
            self._message = f"Training ended {MAX_ATTEMPTS} times at step {trainer.step:,} without a reason given."
            self._write_status("failed")
            return False
        trainer.snapshots = SnapshotReader(folder.file("snapshots.bin")).read(notes.get("snapshots"), trainer.step)
        if not trainer.snapshots.steps:
            trainer.snapshots.append(trainer.snapshot())
        trainer.schedule(folder.changes())
        self._records = RecordWriter(folder.file("records.bin"), trainer.step)
        self._snapshots = SnapshotWriter(folder.file("snapshots.bin"), trainer.snapshots)
        if (interrupted := folder.interrupted_training(notes)) is not None:
            self._started, self._until = True, interrupted["until"]
        self._ended_before = notes.get("end") or "paused"
        self._obey()
        self._began = time.monotonic()
        self._save_at = self._began + SAVE_SECONDS
        if self._end is None:
            self._write_status("running")
        return True

    def _close(self) -> None:
        if self._saving is not None:
            self._saving.join()
        with self._writing():
            self._snapshots.close()
            self._records.close()

    def _finish(self) -> str:
        """After the last step: all files as they stay."""
        trainer = self._trainer
        if self._end == "stopped" and saved_state.restore_best(trainer):
            self._snapshots = SnapshotWriter(self.folder.file("snapshots.bin"), trainer.snapshots)
            self._snapshots.close()
        with self._writing():
            self._save(copy_state(trainer, {}, 0, self._table.sha256, self._notes()).to_bytes())
        self._write_status(self._end)
        if self._end != "waiting":
            try:
                saved_state.write_model(self.folder, trainer, self._table)
            except OSError as error:
                self._note_full_disk(error)
                self._write_status(self._end)
        return self._end

    def _out_of_memory(self) -> str:
        """Pause where it was saved last: a smaller batch, or an idle machine, may go on from there."""
        self._trainer = None
        state = self.folder.file("state.safetensors")
        if not state.exists():
            self._message = "The device ran out of memory: choose a smaller batch_size."
            self._write_status("failed")
            return "failed"
        step = load_checkpoint(state.read_bytes()).progress["step"]
        RecordWriter(self.folder.file("records.bin"), step).close()
        self._message = f"The device ran out of memory: paused at step {step:,}. Close other programs, then Resume."
        self._write_status("paused", step)
        return "paused"

    # ---- training

    def _train(self) -> str:
        trainer, step = self._trainer, self._trainer.step
        while self._end is None:
            if self._until is not None and trainer.step >= self._until:
                return self._ended() if trainer.finished else "paused"
            try:
                record = next(trainer, None)
            except NonFiniteLossError:
                if trainer.step > step:  # found when the step was done
                    self._append({"step": trainer.step, "lr": trainer.spec.lr, **_UNKNOWN})
                raise
            if record is None:
                return self._ended()
            if "step" in record:  # else of the refit, which has no curve
                self._append(record)
            step = trainer.step
            now = time.monotonic()
            if now >= self._look_at:
                self._look_at = now + LOOK_SECONDS
                self._look(now)
        return self._end

    def _append(self, record: dict) -> None:
        with self._writing():
            self._records.append(record)

    def _ended(self) -> str:
        self._message = saved_state.end_message(self._trainer)
        return "finished"

    def _look(self, now: float) -> None:
        """Every LOOK_SECONDS, between two steps."""
        with self._writing():
            self._records.flush()
        if self.folder.control_size > self._control:
            self._obey()
        if self._end is None and self._should_yield():
            self._end = "waiting"
        if now >= self._save_at and (self._saving is None or not self._saving.is_alive()):
            if self.folder.exists:
                self._save_in_background(now)
            else:
                self._end = "deleted"

    def _obey(self) -> None:
        for offset, command in self.folder.commands(self._control):
            try:
                self._obey_one(offset, command)
            except PlaygroundError as error:
                self._message = str(error)
            except OSError as error:
                self._note_full_disk(error)
            self._control = offset
        if not self._started and self._end is None:
            self._end = self._ended_before

    def _obey_one(self, offset: int, command: dict) -> None:
        trainer, do = self._trainer, command.get("do")
        if do == "train" and not (self._started and self._end is None and self._until is None):
            steps = command.get("steps")
            until = None if steps is None else trainer.step + int(steps)
            self.folder.record_event({"step": trainer.step, "do": "train", "until": until, "control": offset})
            self._started, self._end, self._until, self._message = True, None, until, ""
        elif do in ("pause", "stop"):
            self._end = {"pause": "paused", "stop": "stopped"}[do]
        elif do == "save":
            self._save_at = 0.0
        elif do == "change":
            fields = {name: value for name, value in command.get("fields", {}).items() if name in LIVE_FIELDS}
            spec = dataclasses.replace(trainer.spec, **fields)  # checked before it is written down
            fields = {name: getattr(spec, name) for name in fields}
            self.folder.record_event({"step": trainer.step, "do": "change", "fields": fields, "control": offset})
            trainer.change(**fields)

    # ---- saving

    def _notes(self) -> dict[str, Any]:
        return {
            "control": self._control,
            "snapshots": self._snapshots.place,
            "replaced": self._trainer.replaced,
            "end": self._end,
        }

    def _save_in_background(self, now: float) -> None:
        began = time.perf_counter()
        state = copy_state(self._trainer, {}, 0, self._table.sha256, self._notes())
        status = self._status("running")
        seconds = 100 * (time.perf_counter() - began)
        self._save_at = now + min(MAX_SAVE_SECONDS, max(SAVE_SECONDS, seconds))
        self._saving = threading.Thread(target=self._save_and_say, args=(state, status), name="saving", daemon=True)
        self._saving.start()

    def _save_and_say(self, state: ModelState, status: dict[str, Any]) -> None:
        with self._writing():
            self._save(state.to_bytes())
            self._disk_full = ""
        with suppress(OSError):  # the training goes on
            self.folder.write_status(status | {"message": self._disk_full or self._message})

    def _save(self, data: bytes) -> None:
        if not self._snapshots.is_closed:
            self._snapshots.sync()
            self._records.sync()
        replace_file(self.folder.file("state.safetensors"), data)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._note_full_disk(error)

    def _note_full_disk(self, error: OSError) -> None:
        if not self._disk_full:
            log.error("cannot write the run %s: %s", self.folder.id, error)
        reason = error.strerror or str(error)
        self._disk_full = f"The run cannot be saved ({reason}): training goes on, make room on the disk."

    def _write_status(self, status: str, step: int | None = None) -> None:
        with self._writing():
            self.folder.write_status(self._status(status, step))

    def _status(self, status: str, step: int | None = None) -> dict[str, Any]:
        trainer = self._trainer
        described = {
            "status": status,
            "message": self._disk_full or self._message,
            "control": self._control,
            "seconds": self._seconds + time.monotonic() - self._began,
            "time": time.time(),
        }
        if trainer is None:
            return self.folder.status() | described | ({} if step is None else {"step": step})
        return described | saved_state.described_training(trainer) | {"attempts": self._attempts}
