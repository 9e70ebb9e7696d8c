"""Who trains when: a Run is one trainer and at most one thread that pulls it, Slots let only so many at once.

The threads, the bounded records and the heartbeat live here. Knows no page and draws nothing.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from lstm_core.data.table import Table
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment, TrainSpec
from lstm_core.model.recurrent import SequenceModel, model_from_weights
from lstm_core.runs.queue import RunQueue
from lstm_core.training.checkpoint import SAVED_SNAPSHOTS, Checkpoint, resume_trainer, save_checkpoint
from lstm_core.training.history import MetricCurve
from lstm_core.training.snapshots import ModelSnapshot, Snapshot, SnapshotBuffer
from lstm_core.training.trainer import NonFiniteLossError, Trainer

CACHE_SIZE = 4  # results of each kind that a run keeps
IDLE_PAUSE_SECONDS = 600.0  # seconds without a look before a run is paused
CURVES = ("train_loss", "valid_loss", "grad_norm")
ACTIVE_STATUSES = ("waiting", "running")
SAVED_POINTS = 2000  # of each curve in a model file

log = logging.getLogger(__name__)
_numbers = itertools.count(1)


class Run:
    """One trainer, driven by at most one thread. Every method returns at once and may be called from any thread."""

    def __init__(self, trainer: Trainer, table: Table, queue: RunQueue, curves: dict[str, tuple] | None = None) -> None:
        self.id = next(_numbers)  # tells this process's runs apart
        self._trainer = trainer
        self.table = table
        self.cache: dict = {}  # pictures computed from this run, shared by the tabs that watch it
        self.curves = {name: MetricCurve(*(curves or {}).get(name, ((), ()))) for name in CURVES}
        self.status = "finished" if trainer.finished else "paused" if trainer.step else "ready"
        self.message = ""
        self.should_run = False  # whether the thread should go on
        self.last_seen = time.monotonic()
        self._queue = queue
        self._steps_left: int | None = None
        self._rest = "paused"  # the status once the thread has stopped on demand
        self._thread: threading.Thread | None = None
        self._control = threading.Lock()
        # Two locks make a fair one: whoever waits for the trainer holds `_turn`, so the training thread, which
        # would otherwise take the lock again at once, queues behind.
        self._turn, self._busy = threading.Lock(), threading.Lock()
        self._pace: deque[tuple[float, int]] = deque(maxlen=32)

    @classmethod
    def new(cls, windows: Windows, experiment: Experiment, table: Table, slots: RunQueue) -> Run:
        """A new, untrained model of the experiment on these windows, which are the table's.

        Raises:
            PlaygroundError: the loss does not fit the task, the device is not here, or the state cannot be carried.
        """
        return cls(Trainer(windows, experiment), table, slots)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, windows: Windows, table: Table, slots: RunQueue) -> Run:
        """The saved run, to go on exactly where it was.

        Raises:
            PlaygroundError: the windows do not fit the model, or the file is damaged.
        """
        return cls(resume_trainer(checkpoint, windows), table, slots, checkpoint.curves)

    @property
    def experiment(self) -> Experiment:
        return self._trainer.experiment

    @property
    def train_spec(self) -> TrainSpec:
        """As it is now: live fields may have changed since the start."""
        return self._trainer.spec

    @property
    def windows(self) -> Windows:
        return self._trainer.windows

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        return self._trainer.step

    @property
    def epoch(self) -> int:
        """Whole epochs done."""
        return self._trainer.epoch

    @property
    def steps_per_epoch(self) -> int:
        return self._trainer.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole training, if nothing stops it early."""
        return self.train_spec.epochs * self.steps_per_epoch

    @property
    def finished(self) -> bool:
        return self._trainer.finished

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss so far; 0 before the first."""
        return self._trainer.best_epoch

    @property
    def loss_name(self) -> str:
        return self._trainer.loss_name

    @property
    def snapshots(self) -> SnapshotBuffer:
        """The weights along the training; read only."""
        return self._trainer.snapshots

    def kept_and_now(self) -> list[Snapshot]:
        """The snapshots before this moment, and this moment's own."""
        with self.locked() as trainer:
            now, kept = trainer.snapshot(), trainer.snapshots
            return [*(kept.nearest(step) for step in kept.steps if step < now.step), now]

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self._trainer.model.parameters())

    def weights_by_name(self, flat: Tensor) -> dict[str, Tensor]:
        """A Snapshot's weights or gradients by the model's own names, in the parameters' shapes."""
        return self._trainer.unflatten(flat)

    def evaluate(self, part: str) -> float | None:
        """Mean loss over a part's windows in scaled units (Trainer.evaluate), between two steps."""
        with self.locked() as trainer:
            return trainer.evaluate(part)

    def set_weights(self, weights: dict[str, Tensor]) -> None:
        """Set some of the weights, by the model's own names, between two steps; what was cached of the old ones goes."""
        with self.locked() as trainer:
            trainer.set_weights(weights)
        self.cache.clear()

    def checkpoint(self, snapshot_bytes: int = SAVED_SNAPSHOTS, points: int = SAVED_POINTS) -> bytes:
        """The model file of this moment; points: of each curve in it, at most."""
        curves = {
            name: tuple(values.tolist() for values in curve.points(points)) for name, curve in self.curves.items()
        }
        with self.locked() as trainer:
            return save_checkpoint(trainer, curves, snapshot_bytes)

    def train_here(self, steps: int | None = None) -> int:
        """Train in the calling thread, so many steps or to the end; the number of steps done.

        For programs, and for a page that needs a few steps before it goes on. A loss that is not finite ends it as it
        ends a run with a thread of its own: status "failed" and a message.
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

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE_STATUSES

    def start(self, steps: int | None = None) -> None:
        """Train on: to the end, or for a number of steps. A run that is training already is left alone."""
        with self._control:
            if self.is_active or self._trainer.finished:
                return
            self._join()
            if self._thread is not None and self._thread.is_alive():
                return
            self.message, self.should_run, self._steps_left, self._rest = "", True, steps, "paused"
            self.status = "waiting"
            self.heartbeat()
            self._pace.clear()
            self._thread = threading.Thread(target=self._train, name="training", daemon=True)
            self._thread.start()

    def run_epoch(self) -> None:
        """Train to the end of the epoch under way, or of the next one."""
        size = self._trainer.steps_per_epoch
        self.start(size - self._trainer.step % size)

    def pause(self, status: str = "paused") -> None:
        """Stop after the step under way."""
        with self._control:
            if not self.is_active:
                return
            self.should_run, self._rest = False, status
            self._queue.notify()
            self._join()

    def stop(self) -> None:
        """End the run; what it has learned stays."""
        self.pause("stopped")
        if self.status in ("paused", "ready"):
            self.status = "stopped"

    def change(self, **fields: float | int) -> None:
        """Change live fields of the training spec (training.LIVE_FIELDS) between two steps."""
        with self.locked() as trainer:
            trainer.change(**fields)
            if self.status in ("finished", "paused", "stopped"):
                self.status = "finished" if trainer.finished else "paused"

    def heartbeat(self) -> None:
        """Somebody is looking: the heartbeat."""
        self.last_seen = time.monotonic()

    @contextmanager
    def locked(self) -> Iterator[Trainer]:
        """The trainer, between two steps."""
        with self._turn:
            self._busy.acquire()
        try:
            yield self._trainer
        finally:
            self._busy.release()

    def cached(self, kind: str, key: tuple, make: Callable[[], Any]) -> Any:
        """make(), never None, or what it gave for this key before: the last few of each kind are kept."""
        cached = self.cache.setdefault(kind, {})
        value = cached.get(key)
        if value is None:
            value = cached[key] = make()
            for old in list(cached)[:-CACHE_SIZE]:  # of another tab too
                cached.pop(old, None)
        return value

    def snapshot_at(self, step: int | None = None) -> ModelSnapshot:
        """The model after this step, or the nearest that a snapshot was kept of; None: as it is now."""
        with self.locked() as trainer:
            snapshot = trainer.snapshot() if step is None else trainer.snapshots.nearest(step)
        windows = self._trainer.windows
        weights, grads = self._trainer.unflatten(snapshot.weights), snapshot.gradients
        model = model_from_weights(self.experiment.model, windows.input_size, windows.output_size, weights)
        return ModelSnapshot(snapshot.step, model, None if grads is None else self._trainer.unflatten(grads))

    def current_model(self) -> SequenceModel:
        """A copy of the model as it is at this moment, on the CPU, in eval mode."""
        return self.snapshot_at().model

    @property
    def steps_per_second(self) -> float:
        pace = list(self._pace)
        if len(pace) < 2 or pace[-1][0] == pace[0][0]:
            return 0.0
        return (pace[-1][1] - pace[0][1]) / (pace[-1][0] - pace[0][0])

    @property
    def seconds_left(self) -> float | None:
        """At the present pace; None while there is none."""
        steps_left = self.total_steps - self.step
        rate = self.steps_per_second
        return steps_left / rate if rate and self.status == "running" else None

    @property
    def queue_position(self) -> int:
        """How many runs are before this one, itself counted; 0 if it does not wait."""
        return self._queue.position(self)

    def _join(self) -> None:
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)  # one step of a huge model may outlast any patience

    def _train(self) -> None:
        if not self._queue.acquire(self):
            self.status = self._rest
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
            self.message = "Training stopped on an internal error, which is in the server's log."
            self.status = "failed"
        finally:
            self._queue.release(self)

    def _pull(self) -> str:
        """Pull records until something says stop; the status after."""
        trainer = self._trainer
        while self.should_run:
            if self._steps_left == 0:
                return "finished" if self._trainer.finished else "paused"
            with self._turn:  # hold(), written out: this is the one place where its microseconds count
                self._busy.acquire()
            try:
                record = next(trainer, None)
            finally:
                self._busy.release()
            if record is None:
                if self._trainer.stopped_early:
                    self.message = (
                        f"Stopped early: epoch {self._trainer.best_epoch} had the best validation loss, and its "
                        "weights are in place."
                    )
                return "finished"
            self.append_record(record)
            if self._steps_left is not None:
                self._steps_left -= 1
        return "finished" if self._trainer.finished else self._rest

    def append_record(self, record: dict) -> None:
        """Keep what the page draws of one of the trainer's records."""
        at = record["step"] / self._trainer.steps_per_epoch
        self.curves["train_loss"].append(at, record["train_loss"])
        self.curves["grad_norm"].append(at, record["grad_norm"])
        if record.get("valid_loss") is not None:
            self.curves["valid_loss"].append(at, record["valid_loss"])
        now = time.monotonic()
        if not self._pace or now - self._pace[-1][0] > 0.1:
            self._pace.append((now, record["step"]))
            if now - self.last_seen > IDLE_PAUSE_SECONDS:
                self.should_run = False
                self.message = "Paused, since nobody has looked at it for ten minutes. Press Resume to go on."
