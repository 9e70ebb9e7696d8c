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
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lstm_core.curves import Curve
from lstm_core.experiment import Experiment
from lstm_core.model import SequenceLSTM, model_with
from lstm_core.tables import Table
from lstm_core.training import NonFiniteLoss, Trainer

REMEMBERED = 4  # results of each kind that a run keeps
ABANDONED = 600.0  # seconds without a look before a run is paused
CURVES = ("train_loss", "valid_loss", "grad_norm")
LIVE_STATES = ("waiting", "running")

log = logging.getLogger(__name__)
_numbers = itertools.count(1)


class Slots:
    """Room for a number of running trainers; those that wait are served in order."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._changed = threading.Condition()
        self._queue: list[Run] = []
        self._running: set[Run] = set()

    def enter(self, run: Run) -> bool:
        """Wait for a place; False if the run was paused meanwhile."""
        with self._changed:
            self._queue.append(run)
            try:
                self._changed.wait_for(lambda: not run.wanted or self._is_next(run))
                if not run.wanted:
                    return False
                self._running.add(run)
                return True
            finally:
                self._queue.remove(run)
                self._changed.notify_all()

    def leave(self, run: Run) -> None:
        with self._changed:
            self._running.discard(run)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those that wait look again whether they are still wanted."""
        with self._changed:
            self._changed.notify_all()

    def ahead_of(self, run: Run) -> int:
        """How many runs must end or pause before this one starts."""
        with self._changed:
            return self._queue.index(run) + 1 if run in self._queue else 0

    def _is_next(self, run: Run) -> bool:
        return self._queue[0] is run and len(self._running) < self.number


@dataclass(frozen=True, eq=False)
class Moment:
    """A run's model as it was after one optimiser step: a copy on the CPU, in eval mode.

    gradients: of that step, after clipping, by the model's own names; None before the first step and where they
    are not known, as in a model that came from a file.
    """

    step: int
    model: SequenceLSTM
    gradients: dict[str, Tensor] | None

    @property
    def flat(self) -> Tensor:
        """All weights one after the other, as a snapshot has them."""
        return torch.cat([p.detach().flatten() for p in self.model.parameters()])


class Run:
    """One trainer, driven by at most one thread. Every method returns at once and may be called from any thread."""

    def __init__(
        self, trainer: Trainer, table: Table, slots: Slots, curves: dict[str, tuple] | None = None
    ) -> None:
        self.number = next(_numbers)  # tells this process's runs apart
        self.trainer = trainer
        self.table = table
        self.memo: dict = {}  # pictures computed from this run, shared by the tabs that watch it
        self.curves = {name: Curve(*(curves or {}).get(name, ((), ()))) for name in CURVES}
        self.status = "finished" if trainer.finished else "paused" if trainer.step else "ready"
        self.message = ""
        self.wanted = False  # whether the thread should go on
        self.seen = time.monotonic()
        self._slots = slots
        self._steps_left: int | None = None
        self._rest = "paused"  # the status once the thread has stopped on demand
        self._thread: threading.Thread | None = None
        self._control = threading.Lock()
        # Two locks make a fair one: whoever waits for the trainer holds `_turn`, so the training thread, which
        # would otherwise take the lock again at once, queues behind.
        self._turn, self._busy = threading.Lock(), threading.Lock()
        self._pace: deque[tuple[float, int]] = deque(maxlen=32)

    @property
    def experiment(self) -> Experiment:
        return self.trainer.experiment

    @property
    def live(self) -> bool:
        return self.status in LIVE_STATES

    def play(self, steps: int | None = None) -> None:
        """Train on: to the end, or for a number of steps. A run that is training already is left alone."""
        with self._control:
            if self.live or self.trainer.finished:
                return
            self._join()
            if self._thread is not None and self._thread.is_alive():
                return
            self.message, self.wanted, self._steps_left, self._rest = "", True, steps, "paused"
            self.status = "waiting"
            self.touch()
            self._pace.clear()
            self._thread = threading.Thread(target=self._train, name="training", daemon=True)
            self._thread.start()

    def play_epoch(self) -> None:
        """Train to the end of the epoch under way, or of the next one."""
        size = self.trainer.steps_per_epoch
        self.play(size - self.trainer.step % size)

    def pause(self, status: str = "paused") -> None:
        """Stop after the step under way."""
        with self._control:
            if not self.live:
                return
            self.wanted, self._rest = False, status
            self._slots.wake()
            self._join()

    def stop(self) -> None:
        """End the run; what it has learned stays."""
        self.pause("stopped")
        if self.status in ("paused", "ready"):
            self.status = "stopped"

    def change(self, **fields: float | int) -> None:
        """Change live fields of the training spec (training.LIVE_FIELDS) between two steps."""
        with self.hold() as trainer:
            trainer.change(**fields)
            if self.status in ("finished", "paused", "stopped"):
                self.status = "finished" if trainer.finished else "paused"

    def touch(self) -> None:
        """Somebody is looking: the heartbeat."""
        self.seen = time.monotonic()

    @contextmanager
    def hold(self) -> Iterator[Trainer]:
        """The trainer, between two steps."""
        with self._turn:
            self._busy.acquire()
        try:
            yield self.trainer
        finally:
            self._busy.release()

    def remembered(self, what: str, key: tuple, make: Callable[[], Any]) -> Any:
        """make(), never None, or what it gave for this key before: the last few of each kind are kept."""
        known = self.memo.setdefault(what, {})
        found = known.get(key)
        if found is None:
            found = known[key] = make()
            for old in list(known)[:-REMEMBERED]:  # of another tab too
                known.pop(old, None)
        return found

    def moment(self, step: int | None = None) -> Moment:
        """The model after this step, or the nearest that a snapshot was kept of; None: as it is now."""
        with self.hold() as trainer:
            found = trainer.snapshot() if step is None else trainer.snapshots.nearest(step)
        windows = self.trainer.windows
        weights, grads = self.trainer.named(found.weights), found.gradients
        model = model_with(self.experiment.model, windows.input_size, windows.output_size, weights)
        return Moment(found.step, model, None if grads is None else self.trainer.named(grads))

    def model(self) -> SequenceLSTM:
        """A copy of the model as it is at this moment, on the CPU, in eval mode."""
        return self.moment().model

    @property
    def steps_per_second(self) -> float:
        pace = list(self._pace)
        if len(pace) < 2 or pace[-1][0] == pace[0][0]:
            return 0.0
        return (pace[-1][1] - pace[0][1]) / (pace[-1][0] - pace[0][0])

    @property
    def seconds_left(self) -> float | None:
        """At the present pace; None while there is none."""
        left = self.trainer.spec.epochs * self.trainer.steps_per_epoch - self.trainer.step
        rate = self.steps_per_second
        return left / rate if rate and self.status == "running" else None

    @property
    def queue_place(self) -> int:
        """How many runs are before this one, itself counted; 0 if it does not wait."""
        return self._slots.ahead_of(self)

    def _join(self) -> None:
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)  # one step of a huge model may outlast any patience

    def _train(self) -> None:
        if not self._slots.enter(self):
            self.status = self._rest
            return
        try:
            self.status = "running"
            self.status = self._pull()
        except NonFiniteLoss as error:
            self.message, self.status = str(error), "failed"
        except (MemoryError, torch.OutOfMemoryError):
            self.message, self.status = "The device ran out of memory: choose a smaller batch_size.", "failed"
        except Exception:
            log.exception("a training thread failed")
            self.message = "Training stopped on an internal error, which is in the server's log."
            self.status = "failed"
        finally:
            self._slots.leave(self)

    def _pull(self) -> str:
        """Pull records until something says stop; the status after."""
        trainer = self.trainer
        while self.wanted:
            if self._steps_left == 0:
                return "finished" if self.trainer.finished else "paused"
            with self._turn:  # hold(), written out: this is the one place where its microseconds count
                self._busy.acquire()
            try:
                record = next(trainer, None)
            finally:
                self._busy.release()
            if record is None:
                if self.trainer.stopped_early:
                    self.message = (
                        f"Stopped early: epoch {self.trainer.best_epoch} had the best validation loss, and its "
                        "weights are in place."
                    )
                return "finished"
            self.note(record)
            if self._steps_left is not None:
                self._steps_left -= 1
        return "finished" if self.trainer.finished else self._rest

    def note(self, record: dict) -> None:
        """Keep what the page draws of one of the trainer's records."""
        at = record["step"] / self.trainer.steps_per_epoch
        self.curves["train_loss"].add(at, record["train_loss"])
        self.curves["grad_norm"].add(at, record["grad_norm"])
        if record.get("valid_loss") is not None:
            self.curves["valid_loss"].add(at, record["valid_loss"])
        now = time.monotonic()
        if not self._pace or now - self._pace[-1][0] > 0.1:
            self._pace.append((now, record["step"]))
            if now - self.seen > ABANDONED:
                self.wanted = False
                self.message = "Paused, since nobody has looked at it for ten minutes. Press Resume to go on."
