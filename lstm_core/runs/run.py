"""Run: a handle on one training for pages and programs: start, pause, stop, change, heartbeat, snapshots.

The training thread lives here. Knows no page and draws nothing.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lstm_core.data.table import Table
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment
from lstm_core.model.recurrent import SequenceModel, model_from_weights
from lstm_core.runs.cache import ResultCache
from lstm_core.runs.facts import RunFacts
from lstm_core.runs.queue import FairLock, RunQueue
from lstm_core.runs.scoring import ScoringJob
from lstm_core.training.checkpoint import SAVED_SNAPSHOTS, Checkpoint, resume_trainer, save_checkpoint
from lstm_core.training.loss import NonFiniteLossError
from lstm_core.training.snapshots import ModelSnapshot, Snapshot
from lstm_core.training.trainer import Trainer

IDLE_PAUSE_SECONDS = 600.0  # without a heartbeat: nobody watches the run any more
SAVED_POINTS = 2000  # of each curve in a checkpoint

log = logging.getLogger(__name__)
_ids = itertools.count(1)


class Run(RunFacts):
    """One trainer, driven by at most one thread. Every method returns at once and may be called from any thread."""

    def __init__(self, trainer: Trainer, table: Table, queue: RunQueue, curves: dict[str, tuple] | None = None) -> None:
        super().__init__(trainer, table, curves)
        self.id = next(_ids)  # unique in this process
        self.cache = ResultCache()
        # What was scored last, and its job; replaced together, as several tabs may ask.
        self._scoring: tuple[tuple | None, ScoringJob | None] = (None, None)
        self.should_run = False  # whether the thread should go on
        self.last_seen = time.monotonic()
        self._queue = queue
        self._steps_left: int | None = None  # until the training pauses by itself; None: it trains to the end
        self._status_after_pause = "paused"
        self._thread: threading.Thread | None = None
        self._control = threading.Lock()  # for start and pause
        self._between_steps = FairLock(trainer)

    @classmethod
    def new(cls, windows: Windows, experiment: Experiment, table: Table, queue: RunQueue) -> Run:
        """A new, untrained model of the experiment on these windows, which are the table's.

        Raises:
            PlaygroundError: the loss does not fit the task, the device is not available, or stateful batches do not
                fit the model.
        """
        return cls(Trainer(windows, experiment), table, queue)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, windows: Windows, table: Table, queue: RunQueue) -> Run:
        """The run of a checkpoint, which resumes bit for bit.

        Raises:
            PlaygroundError: the windows do not fit the model, or the file is damaged.
        """
        return cls(resume_trainer(checkpoint, windows), table, queue, checkpoint.curves)

    def kept_and_now(self) -> list[Snapshot]:
        """The snapshots of earlier steps, and one of the weights as they are now."""
        with self._between_steps as trainer:
            now, kept = trainer.snapshot(), trainer.snapshots
            return [*(kept.nearest(step) for step in kept.steps if step < now.step), now]

    def evaluate(self, split: str) -> float | None:
        """Mean loss over a split's windows in scaled units (Trainer.evaluate), between two steps."""
        with self._between_steps as trainer:
            return trainer.evaluate(split)

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
        """Set some of the weights, by the model's own names, between two steps; clears the cache."""
        with self._between_steps as trainer:
            trainer.set_weights(weights)
        self.cache.clear()

    def use_best_weights(self) -> None:
        """Set the weights to those of the best epoch, between two steps; clears the cache."""
        with self._between_steps as trainer:
            trainer.use_best_weights()
        self.cache.clear()

    def checkpoint(self, snapshot_bytes: int = SAVED_SNAPSHOTS, points: int = SAVED_POINTS) -> bytes:
        """The model file of the run as it is now; points: of each curve in it, at most."""
        with self._between_steps as trainer:
            return save_checkpoint(trainer, self._progress.downsampled(points), snapshot_bytes)

    def train_here(self, steps: int | None = None) -> int:
        """Train in the calling thread, for a number of steps or to the end; returns the number of steps done.

        A loss that is not finite ends it as in a training thread: status "failed" and a message.
        """
        done = 0
        try:
            for record in itertools.islice(self._trainer, steps):
                self.append_record(record)
                done += 1
            self.status = "finished" if self.finished else "paused"
        except NonFiniteLossError as error:
            self.message, self.status = str(error), "failed"
        return done

    def start(self, steps: int | None = None) -> None:
        """Train on: to the end, or for a number of steps. A run that is training already is left alone."""
        with self._control:
            if self.is_active or self._trainer.finished or not self._join():
                return
            self.message, self.should_run, self._steps_left, self._status_after_pause = "", True, steps, "paused"
            self.status = "waiting"
            self.heartbeat()
            self._progress.reset_pace()
            self._thread = threading.Thread(target=self._train, name="training", daemon=True)
            self._thread.start()

    def run_epoch(self) -> None:
        """Train to the end of the epoch under way, or of the next one."""
        self.start(self.steps_per_epoch - self.step % self.steps_per_epoch)

    def pause(self, status: str = "paused") -> None:
        """Pause after the step under way."""
        with self._control:
            if not self.is_active:
                return
            self.should_run, self._status_after_pause = False, status
            self._queue.notify()
            self._join()

    def stop(self) -> None:
        """End the training; the weights stay as they are."""
        self.pause("stopped")
        if self.status in ("paused", "ready"):
            self.status = "stopped"

    def change(self, **fields: float | int) -> None:
        """Change live fields of the training spec (training.LIVE_FIELDS) between two steps."""
        with self._between_steps as trainer:
            trainer.change(**fields)
            if self.status in ("finished", "paused", "stopped"):
                self.status = "finished" if trainer.finished else "paused"

    def heartbeat(self) -> None:
        """Someone watches the run: it must not be paused as idle."""
        self.last_seen = time.monotonic()

    def cached(self, kind: str, key: tuple, make: Callable[[], Any], **pauses: float | None) -> Any:
        """make(), or its cached result for this kind and key; pauses: every and rest, of ResultCache.cached."""
        return self.cache.cached(kind, key, make, **pauses)

    def snapshot_at(self, step: int | None = None) -> ModelSnapshot:
        """The model after this step, or after the nearest step with a snapshot; None: as it is now."""
        with self._between_steps as trainer:
            snapshot = trainer.snapshot() if step is None else trainer.snapshots.nearest(step)
        weights, grads = self._trainer.unflatten(snapshot.weights), snapshot.gradients
        model = model_from_weights(self.experiment.model, self.windows.input_size, self.windows.output_size, weights)
        return ModelSnapshot(snapshot.step, model, None if grads is None else self._trainer.unflatten(grads))

    def current_model(self) -> SequenceModel:
        """A copy of the model as it is now, on the CPU, in eval mode."""
        return self.snapshot_at().model

    @property
    def queue_position(self) -> int:
        """Its position among the queued runs, from 1; 0 if it is not queued."""
        return self._queue.position(self)

    def _join(self) -> bool:
        """Wait for the thread to end, two seconds at most: one step of a huge model may take longer. Whether it did."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2.0)
        return thread is None or not thread.is_alive()

    def _train(self) -> None:
        if not self._queue.acquire(self):
            self.status = self._status_after_pause
            return
        try:
            self.status = "running"
            self.status = self._pull()
        except NonFiniteLossError as error:
            self.message, self.status = str(error), "failed"
        except (MemoryError, torch.OutOfMemoryError):
            self.message, self.status = "The device ran out of memory: choose a smaller batch_size.", "failed"
        except Exception:
            log.exception("a training thread failed")
            self.message, self.status = "Training stopped on an internal error, which is in the server's log.", "failed"
        finally:
            self._queue.release(self)

    def _pull(self) -> str:
        """Train step by step until it ends or is paused; returns the status after."""
        trainer = self._trainer
        while self.should_run and self._steps_left != 0:
            with self._between_steps:
                record = next(trainer, None)
            if record is None:
                break
            self.append_record(record)
            if self._steps_left is not None:
                self._steps_left -= 1
        best = trainer.early_stopping
        if trainer.finished and trainer.spec.patience and best.best_epoch != trainer.epoch:
            begin = "Stopped early: e" if best.stopped_early else "E"
            epoch = f"poch {best.best_epoch}" + (", the untrained model," if not best.best_epoch else "")
            self.message = f"{begin}{epoch} had the best validation loss, and its weights are in place."
        return "finished" if trainer.finished else self._status_after_pause

    def append_record(self, record: dict) -> None:
        """Append one of the trainer's records to the curves; pauses a run that nobody watches."""
        measured = self._progress.append(record, self._trainer.steps_per_epoch)
        if measured and time.monotonic() - self.last_seen > IDLE_PAUSE_SECONDS:
            self.should_run = False
            self.message = "Paused: no open page for 10 min. Press Resume to go on."
