"""Run: a handle on one training for pages and programs: start, pause, stop, change, snapshots.

A run is in memory until it is to train; then it becomes a folder, which a worker's process trains and this one reads.
Knows no page and draws nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from torch import Tensor

from lstm_core.data.table import Table
from lstm_core.data.windows import Windows
from lstm_core.experiment import LIVE_FIELDS, Experiment, PlaygroundError
from lstm_core.model.recurrent import SequenceModel, model_from_weights
from lstm_core.runs import launcher, pool
from lstm_core.runs.cache import ResultCache
from lstm_core.runs.facts import RunFacts
from lstm_core.runs.folder import RunFolder, replace_file
from lstm_core.runs.home import home, new_id
from lstm_core.runs.mirror import Mirror
from lstm_core.runs.saved_state import base_curves, load_trainer, write_idle
from lstm_core.runs.scoring import ScoringJob
from lstm_core.training.checkpoint import SAVED_SNAPSHOTS, Checkpoint, check_table, resume_trainer, save_checkpoint
from lstm_core.training.loss import NonFiniteLossError
from lstm_core.training.snapshots import ModelSnapshot, Snapshot
from lstm_core.training.trainer import Trainer

SAVED_POINTS = 2000  # of each curve in a checkpoint
OBEY_SECONDS = 2.0  # a step of a huge model may take longer; the command is obeyed all the same
WATCH_SECONDS = 5.0  # between two signs of a viewer
_WATCHING = "This run is somebody else's: you can watch it. Train starts one of your own with the same settings."


class Run(RunFacts):
    """One training. Every method returns at once and may be called from any thread."""

    def __init__(
        self,
        trainer: Trainer,
        table: Table,
        curves: dict[str, tuple] | None = None,
        folder: RunFolder | None = None,
        **about: Any,
    ) -> None:
        """about: what about.json is to say of the run, such as its name, once it has a folder."""
        self.id = folder.id if folder else new_id()
        self.table = table
        self.about = about
        self.watch_only = False  # somebody else's: nothing of it can be changed here
        self.cache = ResultCache()
        # What was scored last, and its job; replaced together, as several tabs may ask.
        self._scoring: tuple[tuple | None, ScoringJob | None] = (None, None)
        self._mirror = Mirror(trainer, curves, folder)
        self._control = threading.Lock()  # for start, pause and stop
        self._watch_at = 0.0

    @classmethod
    def new(cls, windows: Windows, experiment: Experiment, table: Table, **about: Any) -> Run:
        """A new, untrained model of the experiment on these windows, which are the table's.

        Raises:
            PlaygroundError: the loss does not fit the task, the device is not available, or stateful batches do not
                fit the model.
        """
        return cls(Trainer(windows, experiment), table, **about)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, windows: Windows, table: Table, **about: Any) -> Run:
        """The run of a checkpoint, which resumes bit for bit.

        Raises:
            PlaygroundError: the windows do not fit the model, they are of other data, or the file is damaged.
        """
        check_table(checkpoint, table)
        return cls(resume_trainer(checkpoint, windows), table, checkpoint.curves, **about)

    @classmethod
    def open(cls, folder: RunFolder, watch_only: bool = False) -> Run:
        """A run that is on disk.

        Raises:
            PlaygroundError: the folder is damaged, or its model does not fit in memory.
        """
        table = folder.table()
        trainer, _ = load_trainer(folder, table)
        run = cls(trainer, table, base_curves(folder), folder, **folder.about())
        run.watch_only = watch_only
        return run

    @property
    def folder(self) -> RunFolder | None:
        """Where it is on disk; None: it has not been trained by anybody yet."""
        return self._mirror.folder

    # ---- its model

    def kept_and_now(self) -> list[Snapshot]:
        """The snapshots of earlier steps, and one of the weights as they are now."""
        with self._mirror.lock:
            now, kept = self._mirror.current.snapshot(), self.snapshots
        return [*(kept.nearest(step) for step in kept.steps if step < now.step), now]

    def evaluate(self, split: str) -> float | None:
        """Mean loss over a split's windows in scaled units (Trainer.evaluate)."""
        with self._mirror.lock:
            return self._mirror.current.evaluate(split)

    def score(self, split: str, wait: float = 0.3) -> ScoringJob:
        """The model as it is now and its baselines on all windows of a split, scored beside the caller.

        Returns once it is done, or after `wait` seconds; ask again for the rest. One job is under way at a time.
        """
        key, (scored, job) = (split, self.weights_key), self._scoring
        if key != scored:
            if job is not None:
                job.cancel()
            job = ScoringJob(self.current_model(), self.windows, split)
            self._scoring = (key, job)
        job.wait(wait)
        return job

    @property
    def is_scoring(self) -> bool:
        job = self._scoring[1]
        return job is not None and not job.done

    def set_weights(self, weights: dict[str, Tensor]) -> None:
        """Set some of the weights, by the model's own names; clears the cache. A run that trains goes on with them."""
        self._alter(lambda trainer: trainer.set_weights(weights))

    def use_best_weights(self) -> None:
        """Set the weights to those of the best epoch; clears the cache."""
        self._alter(Trainer.use_best_weights)

    def checkpoint(self, snapshot_bytes: int = SAVED_SNAPSHOTS, points: int = SAVED_POINTS) -> bytes:
        """The model file of the run as it is now; points: of each curve in it, at most."""
        if self.is_active:
            self._wait_for(self.folder.ask("save"))
        curves = self._mirror.progress.downsampled(points)
        with self._mirror.lock:
            trainer = self._mirror.current
            trainer.snapshots = self.snapshots.up_to(trainer.step)
            return save_checkpoint(trainer, curves, snapshot_bytes, self.table.sha256 if self.table else "")

    def snapshot_at(self, step: int | None = None) -> ModelSnapshot:
        """The model after this step, or after the nearest step with a snapshot; None: as it is now."""
        with self._mirror.lock:
            snapshot = self._mirror.current.snapshot() if step is None else self.snapshots.nearest(step)
        weights, grads = self.weights_by_name(snapshot.weights), snapshot.gradients
        model = model_from_weights(self.experiment.model, self.windows.input_size, self.windows.output_size, weights)
        return ModelSnapshot(snapshot.step, model, None if grads is None else self.weights_by_name(grads))

    def current_model(self) -> SequenceModel:
        """A copy of the model as it is now, on the CPU, in eval mode."""
        return self.snapshot_at().model

    def cached(self, kind: str, key: tuple, make: Callable[[], Any], **pauses: float | None) -> Any:
        """make(), or its cached result for this kind and key; pauses: every and rest, of ResultCache.cached."""
        return self.cache.cached(kind, key, make, **pauses)

    def experiment_file(self) -> str:
        """The experiment as JSON, with the live changes made so far: `python -m lstm_core train` takes it."""
        return self.folder.export() if self.folder is not None else self.experiment.to_json()

    # ---- its training

    def train_here(self, steps: int | None = None) -> int:
        """Train in the calling thread, for a number of steps or to the end; returns the number of steps done.

        Only before the run has a folder. A loss that is not finite ends it: status "failed" and a message.
        """
        assert self.folder is None, "a run with a folder is trained by a worker"
        trainer, done = self._mirror.trainer, 0
        try:
            for record in itertools.islice(trainer, steps):
                self._mirror.progress.append(record, trainer.steps_per_epoch)
                done += 1
            self.set_status("finished" if trainer.finished else "paused")
        except NonFiniteLossError as error:
            self.set_status("failed", str(error))
        return done

    def set_status(self, status: str, message: str = "") -> None:
        """Of a run without a folder."""
        self._mirror.set_status(status, message)

    def start(self, steps: int | None = None) -> None:
        """Train on: to the end, or for a number of steps. A run that is training already is left alone.

        Raises:
            PlaygroundError: there is no room on the disk.
        """
        self._refuse_watchers()
        with self._control:
            self._mirror.look(now=True)
            if self.is_active or self._mirror.current.finished:
                return
            self._make_folder()
            self.heartbeat()
            self.folder.ask("train", steps=steps)
            pool.want(self.folder)
            launcher.ensure_workers()
            self._mirror.look(now=True)

    def run_epoch(self) -> None:
        """Train to the end of the epoch under way, or of the next one."""
        step = self._mirror.current.step
        self.start(self.steps_per_epoch - step % self.steps_per_epoch)

    def pause(self) -> None:
        """Pause after the step under way."""
        self._end("pause", "paused")

    def stop(self) -> None:
        """End the training; with patience the weights of the best epoch come back. Its slot is free for others."""
        if self.folder is None:
            if self.status in ("paused", "ready"):
                self.set_status("stopped")
            return
        self._end("stop", "stopped")

    def request_stop(self) -> None:
        """Stop it, without waiting for it to be done: nobody can see it any more."""
        if self.folder is not None and self.is_active:
            self.folder.ask("stop")

    def change(self, **fields: float | int) -> None:
        """Change live fields of the training spec (experiment.LIVE_FIELDS) between two steps.

        Raises:
            PlaygroundError: a value out of range.
        """
        self._refuse_watchers()
        dataclasses.replace(self.train_spec, **fields)
        trainer = self._mirror.trainer
        if self.folder is None:
            trainer.change(**fields)
            if self.status in ("finished", "paused", "stopped"):
                self.set_status("finished" if trainer.finished else "paused")
        elif self.is_active:
            self._mirror.asked = self.folder.ask("change", fields=fields)
            trainer.change(**fields)  # what the page shows; the weights are the worker's
        else:
            self._write_here(lambda trainer: self._change_here(trainer, fields))

    def heartbeat(self) -> None:
        """Someone watches the run: it does not wait behind those that nobody watches."""
        now = time.monotonic()
        if self.folder is not None and now >= self._watch_at:
            self._watch_at = now + WATCH_SECONDS
            self.folder.watch()

    @property
    def queue_position(self) -> int:
        """Its position among the runs that wait for a slot, from 1; 0 if it does not wait."""
        return pool.queue_position(self.folder) if self.status == "waiting" else 0

    def _refuse_watchers(self) -> None:
        if self.watch_only:
            raise PlaygroundError(_WATCHING)

    # ---- its folder

    def _make_folder(self) -> None:
        if self.folder is not None:
            if not self.folder.exists:
                raise PlaygroundError("This run was deleted: restore it on Runs, or train a new one.")
            return
        trainer, folder = self._mirror.trainer, RunFolder(home() / "runs" / self.id)
        try:
            if trainer.step or trainer.replaced:
                folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(folder.file("start.safetensors"), self.checkpoint())
            folder.create(trainer.experiment, self.table, {"created": time.time()} | self.about)
        except OSError as error:
            raise PlaygroundError(f"The run cannot be saved ({error.strerror}): make room on the disk.") from None
        self._mirror.follow(folder, trainer.step)

    def _end(self, command: str, status: str) -> None:
        self._refuse_watchers()
        with self._control:
            self._mirror.look(now=True)
            can_end = self.is_active or (command == "stop" and self.status in ("paused", "ready"))
            if self.folder is None or not can_end:
                return
            with self.folder.locked(0.02) as is_mine:
                if is_mine:  # nobody trains it: it waits for a slot, or is paused
                    pool.unwant(self.folder)
                    self._write_idle(status, lambda trainer: self._use_best(trainer) if command == "stop" else None)
                    return
            self._wait_for(self.folder.ask(command), ended=True)

    def _wait_for(self, offset: int, ended: bool = False) -> None:
        """Until the worker has obeyed control.jsonl up to there, or for as long as a page can wait."""
        give_up = time.monotonic() + OBEY_SECONDS
        while time.monotonic() < give_up:
            said = self.folder.status()
            if said.get("control", 0) >= offset and not (ended and said.get("status") == "running"):
                break
            if said.get("status") != "running" and not ended:
                break  # it waits for a slot: nothing is newer than what is there
            time.sleep(0.003)
        self._mirror.look(now=True)

    def _alter(self, action: Callable[[Trainer], None]) -> None:
        """Set weights: here, or between two turns of the worker."""
        self._refuse_watchers()
        if self.folder is None:
            with self._mirror.lock:
                action(self._mirror.trainer)
        else:
            was_active = self.is_active
            self.pause()
            self._write_here(action)
            if was_active:
                self.start()
        self.cache.clear()

    def _write_here(self, action: Callable[[Trainer], str | None]) -> None:
        """Change a run that nobody trains; the action may return its new status."""
        with self._control, self.folder.locked(OBEY_SECONDS) as is_mine:
            if not is_mine:
                raise PlaygroundError("This run is at work: pause it first.")
            self._write_idle(self.folder.status().get("status", "ready"), action)

    def _write_idle(self, status: str, action: Callable[[Trainer], str | None]) -> None:
        self._mirror.look(now=True)
        with self._mirror.lock:
            trainer = self._mirror.current
            trainer.snapshots = self.snapshots.up_to(trainer.step)
            write_status = action(trainer) or status
            write_idle(self.folder, trainer, self.table, write_status)
        self._mirror.look(now=True)

    def _change_here(self, trainer: Trainer, fields: dict) -> str | None:
        fields = {name: fields[name] for name in LIVE_FIELDS if name in fields}
        event = {"step": trainer.step, "do": "change", "fields": fields, "control": self.folder.control_size}
        self.folder.record_event(event)
        trainer.change(**fields)
        status = self.folder.status().get("status")
        return ("finished" if trainer.finished else "paused") if status in ("finished", "paused", "stopped") else None

    @staticmethod
    def _use_best(trainer: Trainer) -> None:
        if trainer.spec.patience and trainer.step and not trainer.has_best_weights:
            trainer.use_best_weights()
