"""RunFacts: what can be read of a run at any time, without waiting for a step to end."""

from __future__ import annotations

from torch import Tensor

from lstm_core.data.table import Table
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment, TrainSpec
from lstm_core.runs.mirror import Mirror
from lstm_core.runs.pool import ACTIVE
from lstm_core.training.changes import Change
from lstm_core.training.history import MetricCurve
from lstm_core.training.snapshots import SnapshotBuffer


class RunFacts:
    """Numbers of the run's training, and its status."""

    table: Table
    _mirror: Mirror

    @property
    def status(self) -> str:
        """As pool.current_status has it."""
        return self._mirror.status

    @property
    def message(self) -> str:
        """A sentence about the status; "" if there is nothing to say."""
        return self._mirror.message

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def experiment(self) -> Experiment:
        return self._mirror.trainer.experiment

    @property
    def train_spec(self) -> TrainSpec:
        """The current training spec: live fields may have changed since the start."""
        return self._mirror.trainer.spec

    @property
    def windows(self) -> Windows:
        return self._mirror.trainer.windows

    @property
    def step(self) -> int:
        """Optimiser steps done."""
        return self._mirror.step

    @property
    def epoch(self) -> int:
        """Whole epochs done."""
        return self.step // self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        return self._mirror.trainer.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole training, if nothing stops it early."""
        return self.train_spec.epochs * self.steps_per_epoch

    @property
    def finished(self) -> bool:
        return not self.is_active and self._mirror.current.finished

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss so far; 0 before the first."""
        return self._mirror.current.early_stopping.best_epoch

    @property
    def best_loss(self) -> float:
        """The validation loss of the best epoch, in scaled units; infinite before it is known."""
        return self._mirror.current.early_stopping.best_loss

    @property
    def has_best_weights(self) -> bool:
        """Whether the weights are those of the best epoch."""
        return self._mirror.current.early_stopping.is_restored

    @property
    def adds_nothing(self) -> bool:
        """Whether a model that began as its start itself has ended as no more than that."""
        is_over = not self.is_active and self.step > 0 and self.experiment.model.zero_head
        return is_over and self._mirror.current.early_stopping.adds_nothing

    @property
    def shrunk(self) -> float:
        """What the output head of the best epoch was scaled by; 1 where it was not."""
        return self._mirror.current.early_stopping.shrunk

    @property
    def refitted(self) -> bool:
        """Whether the weights are those of a refit, on the training and validation rows together."""
        return self._mirror.current.refitted

    @property
    def refit_progress(self) -> tuple[int, int] | None:
        """(steps done, steps) of the refit under way."""
        return self._mirror.refit_progress

    @property
    def weights_key(self) -> tuple[int, int]:
        """Another one for other weights: for caches."""
        trainer = self._mirror.current
        return trainer.step, trainer.replaced

    @property
    def loss_name(self) -> str:
        return self._mirror.trainer.loss_name

    @property
    def snapshots(self) -> SnapshotBuffer:
        """The weights in the course of the training; read only."""
        return self._mirror.snapshots

    @property
    def records_url(self) -> str | None:
        """Where a browser reads the records of a run that trains (pages/shared/server/routes.py); None if it has none,
        or began from a saved model, whose earlier curves are not among them."""
        folder = self._mirror.folder
        return f"run/{folder.id}" if folder is not None and self.is_active and not self._mirror.first_step else None

    @property
    def curves(self) -> dict[str, MetricCurve]:
        """train_loss, valid_loss and grad_norm, by epoch."""
        return self._mirror.progress.curves

    @property
    def changes(self) -> list[Change]:
        """The live changes of the training spec made so far, in their order."""
        return self._mirror.changes

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self._mirror.trainer.model.parameters())

    def weights_by_name(self, flat: Tensor) -> dict[str, Tensor]:
        """A Snapshot's weights or gradients by the model's own names, in the parameters' shapes."""
        return self._mirror.trainer.unflatten(flat)

    @property
    def steps_per_second(self) -> float:
        return self._mirror.progress.steps_per_second

    @property
    def seconds_left(self) -> float | None:
        """Until the last epoch at the present pace; None unless the run trains and its pace is known."""
        rate = self.steps_per_second
        return (self.total_steps - self.step) / rate if rate and self.status == "running" else None
