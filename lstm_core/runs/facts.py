"""RunFacts: what can be read of a run at any time, without waiting for a step to end."""

from __future__ import annotations

from torch import Tensor

from lstm_core.data.table import Table
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment, TrainSpec
from lstm_core.runs.progress import Progress
from lstm_core.training.history import MetricCurve
from lstm_core.training.snapshots import SnapshotBuffer
from lstm_core.training.trainer import Trainer

ACTIVE_STATUSES = ("waiting", "running")


class RunFacts:
    """The trainer's and the progress's numbers, and the status."""

    def __init__(self, trainer: Trainer, table: Table, curves: dict[str, tuple] | None = None) -> None:
        self._trainer = trainer
        self.table = table
        self._progress = Progress(curves)
        self.status = "finished" if trainer.finished else "paused" if trainer.step else "ready"
        self.message = ""

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE_STATUSES

    @property
    def experiment(self) -> Experiment:
        return self._trainer.experiment

    @property
    def train_spec(self) -> TrainSpec:
        """The current training spec: live fields may have changed since the start."""
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
        return self._trainer.early_stopping.best_epoch

    @property
    def best_loss(self) -> float:
        """The validation loss of the best epoch, in scaled units; infinite before it is known."""
        return self._trainer.early_stopping.best_loss

    @property
    def has_best_weights(self) -> bool:
        """Whether the weights are those of the best epoch."""
        return self._trainer.early_stopping.is_restored

    @property
    def weights_key(self) -> tuple[int, int]:
        """Another one for other weights: for caches."""
        return self._trainer.step, self._trainer.replaced

    @property
    def loss_name(self) -> str:
        return self._trainer.loss_name

    @property
    def snapshots(self) -> SnapshotBuffer:
        """The weights in the course of the training; read only."""
        return self._trainer.snapshots

    @property
    def curves(self) -> dict[str, MetricCurve]:
        """train_loss, valid_loss and grad_norm, by epoch."""
        return self._progress.curves

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self._trainer.model.parameters())

    def weights_by_name(self, flat: Tensor) -> dict[str, Tensor]:
        """A Snapshot's weights or gradients by the model's own names, in the parameters' shapes."""
        return self._trainer.unflatten(flat)

    @property
    def steps_per_second(self) -> float:
        return self._progress.steps_per_second

    @property
    def seconds_left(self) -> float | None:
        """Until the last epoch at the present pace; None unless the run trains and its pace is known."""
        rate = self.steps_per_second
        return (self.total_steps - self.step) / rate if rate and self.status == "running" else None
