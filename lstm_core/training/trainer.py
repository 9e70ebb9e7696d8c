"""Trainer: an iterator of plain records, one an optimiser step. No threads, no files, no UI.

Pause is to stop pulling, one step is to pull once, resume is to pull on. The learning rate, clipping, patience
and number of epochs may change between pulls and never touch the weights.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from contextlib import nullcontext
from functools import cached_property
from typing import NoReturn

import torch
from torch import Tensor

from lstm_core.data.windows import Windows
from lstm_core.experiment import LIVE_FIELDS, Experiment, TrainSpec, resolve_loss
from lstm_core.model.devices import resolve_device
from lstm_core.model.recurrent import RNNState, build_model
from lstm_core.model.rng import rng_scope, rng_state
from lstm_core.training.batches import ShuffledBatches
from lstm_core.training.changes import Change
from lstm_core.training.evaluated_model import EvaluatedModel
from lstm_core.training.evaluation import MAX_EVALUATION_WINDOWS, EvaluationBatches
from lstm_core.training.linear_skip import SkipChoice, choose_skip, fit_skip
from lstm_core.training.loss import NonFiniteLossError, count_scored, numbers_of, sequence_loss
from lstm_core.training.optimizer import load_optimizer_state, make_optimizer, optimizer_state_by_name
from lstm_core.training.refit import refit_plan, refit_steps
from lstm_core.training.saved_values import with_scored
from lstm_core.training.snapshots import SnapshotBuffer
from lstm_core.training.stateful import StatefulBatches, stateful_batches

VALIDATE_EVERY = 500  # steps: a longer epoch is validated on the way too, so that nobody waits minutes for it
_TRAINING = 0  # whose random initial states; EvaluatedModel has its own
_PROGRESS = ("step", "epoch_loss", "epoch_scored", "refitted")
_BEST = ("best_epoch", "best_loss", "stopped_early", "shrunk")


class Trainer(EvaluatedModel):
    """Trains a new model on the training split of `windows`; `for record in trainer` drives it.

    A record is a dict: step and epoch (both counted from 1), train_loss (this batch's), grad_norm (before
    clipping), lr; on the last step of an epoch also epoch_loss (the mean over all that its batches scored), best_epoch
    and valid_loss (None without a validation split), which long epochs also have every VALIDATE_EVERY steps. Losses
    are in scaled units. The best epoch has the lowest validation loss, epoch 0 (untrained) included; with patience its
    weights come back when the training ends; with shrink, their output head then counts as much as its validation
    windows support. With refit there are records of refit_step and refit_steps after that, and its weights in the end.

    A linear skip is fitted before the first step, again for the refit, and belongs to the untrained model of epoch 0.

    The constructor raises PlaygroundError: the loss does not fit the task, the device is not available, stateful
    batches do not fit the model, or a linear skip does not fit the windows.
    """

    def __init__(self, windows: Windows, experiment: Experiment, skip_choice: SkipChoice | None = None) -> None:
        """skip_choice: of a linear skip; None: the one that the validation windows give."""
        spec = experiment.train
        self.experiment = experiment
        self.device = self._resolve_device()
        self.loss_name = resolve_loss(spec.loss, windows.task)
        model = build_model(experiment.model, *windows.model_sizes)
        self._skip_choice = None
        if experiment.model.linear_skip:
            self._skip_choice = fit_skip(model, experiment, windows, skip_choice)
        super().__init__(model.to(self.device), windows)
        self._order = self._training_order()
        self.steps_per_epoch = self._order.steps
        self.step = 0
        self._optimizer_state: dict[str, Tensor] = {}  # by name, until the optimiser is made
        self._dropout_state = rng_state(spec.seed)
        self.evaluation_batches = EvaluationBatches(
            self.batches, spec.initial_state == "stateful", self.steps_per_epoch
        )
        self.epoch_loss, self.epoch_scored = 0.0, 0  # sum over all that the epoch under way has scored, and how much
        self._refit: Trainer | None = None  # under way
        self._refit_steps = 0
        self._scheduled: list[Change] = []  # by step
        self._loaded_gradients: Tensor | None = None  # until the optimiser is made
        self.snapshots.append(self.snapshot())

    def _resolve_device(self) -> torch.device:
        return resolve_device(self.spec.device)

    def _another(self, windows: Windows, experiment: Experiment) -> Trainer:
        return Trainer(windows, experiment, self.skip_choice)

    def _training_order(self) -> ShuffledBatches | StatefulBatches:
        spec, starts = self.spec, self.starts["train"]
        if spec.initial_state == "stateful":
            return stateful_batches(self.batches, starts, self.experiment.model, spec.batch_size)
        return ShuffledBatches(self.batches, starts, spec.batch_size, spec.seed)

    @property
    def spec(self) -> TrainSpec:
        return self.experiment.train

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """Made at the first step: the first optimiser of a process costs PyTorch a second of imports, which a
        model that is only looked at need not pay."""
        optimizer = make_optimizer(self.spec, self.parameters)
        if self._optimizer_state:
            load_optimizer_state(optimizer, self.model, self._optimizer_state)
        return optimizer

    @property
    def skip_choice(self) -> SkipChoice | None:
        """Of the linear skip; None without one."""
        if self._skip_choice is None and self.experiment.model.linear_skip:
            self._skip_choice = choose_skip(self.experiment, self.windows)
        return self._skip_choice

    @property
    def _has_optimizer(self) -> bool:
        return "optimizer" in self.__dict__

    @property
    def epoch(self) -> int:
        """Whole epochs done."""
        return self.step // self.steps_per_epoch

    @property
    def _best_is_known(self) -> bool:
        return self.early_stopping.stopped_early or self.step >= self.spec.epochs * self.steps_per_epoch

    @property
    def finished(self) -> bool:
        return self._best_is_known and (self.refitted or not self.spec.refit)

    @property
    def refit_progress(self) -> tuple[int, int] | None:
        """(steps done, steps), while it is under way."""
        return None if self._refit is None else (self._refit.step, self._refit_steps)

    def __iter__(self) -> Trainer:
        return self

    def __next__(self) -> dict:
        """Raises NonFiniteLossError at a NaN or infinite loss, once the last finite weights are back in place."""
        self._make_changes()
        if self._best_is_known:
            if self.finished:
                raise StopIteration
            return self._refit_step()
        if self.refitted:  # more epochs were asked for: the refit has seen the validation rows
            self.use_best_weights()
        if torch.get_num_threads() != self.spec.threads:
            torch.set_num_threads(self.spec.threads)
        index = self.step % self.steps_per_epoch
        if self.step == 0:
            self.early_stopping.begin(self.evaluate("valid", MAX_EVALUATION_WINDOWS))
        loss, grad_norm, scored = self._training_step(index)
        self.step += 1
        if index == 0:
            self.epoch_loss, self.epoch_scored = 0.0, 0
        self.epoch_loss, self.epoch_scored = self.epoch_loss + loss * scored, self.epoch_scored + scored
        record = {
            "step": self.step,
            "epoch": (self.step - 1) // self.steps_per_epoch + 1,
            "train_loss": loss,
            "grad_norm": grad_norm,
            "lr": self.spec.lr,
        }
        if self.step >= self.snapshots.next_step:
            self.snapshots.append(self.snapshot())
        if index == self.steps_per_epoch - 1:
            record |= self._end_epoch()
        elif (index + 1) % VALIDATE_EVERY == 0:
            record["valid_loss"] = self.evaluate("valid", MAX_EVALUATION_WINDOWS)
        return record

    def schedule(self, changes: Iterable[Change]) -> None:
        """Make these live changes once their steps are done; those of earlier steps were made already."""
        self._scheduled = sorted((one for one in changes if one.step >= self.step), key=lambda one: one.step)

    def _make_changes(self) -> None:
        while self._scheduled and self._scheduled[0].step <= self.step:
            change = self._scheduled.pop(0)
            self.change(**{change.field: change.value})

    def change(self, **fields: float | int) -> None:
        """Change some of LIVE_FIELDS; the weights stay. Raises PlaygroundError: a value out of range."""
        assert set(fields) <= set(LIVE_FIELDS), fields
        spec = dataclasses.replace(self.spec, **fields)
        self.experiment = dataclasses.replace(self.experiment, train=spec)
        if "patience" in fields or "epochs" in fields:
            self.early_stopping.stopped_early = False
        for group in self.optimizer.param_groups if self._has_optimizer else ():
            group["lr"] = spec.lr

    def state_dict(self, snapshot_bytes: int, gradients: bool = False) -> tuple[dict[str, Tensor], dict]:
        """Everything that a bit-for-bit resume needs beside the weights: (tensors, numbers that JSON can hold);
        with gradients those of the last step, too, for whoever only looks."""
        state = optimizer_state_by_name(self.optimizer, self.model) if self._has_optimizer else self._optimizer_state
        tensors = {f"optimizer/{k}": v for k, v in state.items()}
        tensors |= {f"best/{k}": v for k, v in self.early_stopping.weights_by_name.items()}
        tensors |= self._order.state_dict(mid_epoch=self.step % self.steps_per_epoch > 0)
        tensors["dropout"] = self._dropout_state
        if gradients and (flat := self.snapshot().gradients) is not None:
            tensors["gradients"] = flat
        tensors["snapshots/steps"], tensors["snapshots/weights"] = self.snapshots.to_tensors(snapshot_bytes)
        best = {name: getattr(self.early_stopping, name) for name in _BEST}
        return tensors, {name: getattr(self, name) for name in _PROGRESS} | best

    def load_state_dict(self, weights: dict[str, Tensor], tensors: dict[str, Tensor], numbers: dict) -> None:
        """Resume where state_dict() and the model's state_dict were taken."""
        self.model.load_state_dict(weights)
        self._skip_choice = None  # to be chosen again, if a refit asks for it
        best = [tensors[f"best/{name}"] for name, _ in self.model.named_parameters()]
        self.early_stopping.load(best, *(numbers[name] for name in _BEST))
        self._weights.save_to(self._last_good)
        state = {name: tensor for name, tensor in tensors.items() if name.startswith("optimizer/")}
        self._optimizer_state = {name.removeprefix("optimizer/"): tensor for name, tensor in state.items()}
        self.__dict__.pop("optimizer", None)
        self._loaded_gradients = tensors.get("gradients")
        self.snapshots = SnapshotBuffer.from_tensors(tensors["snapshots/steps"], tensors["snapshots/weights"])
        self._order.load_state_dict(tensors)
        torch.Generator().set_state(tensors["dropout"])  # raises RuntimeError now rather than in mid-training
        self._dropout_state = tensors["dropout"]
        size = min(self.spec.batch_size, len(self.starts["train"])) * self.windows.output_size
        numbers = with_scored(numbers, self.steps_per_epoch, size)
        for name in _PROGRESS:
            setattr(self, name, numbers[name])
        self._refit = None
        self.replaced += 1
        if self.step >= self.snapshots.next_step:
            self.snapshots.append(self.snapshot())

    def _flat_gradients(self) -> Tensor | None:
        return self._weights.flat_gradients() if self._has_optimizer else self._loaded_gradients

    def _loss(self, x: Tensor, targets: Tensor, initial_state: RNNState | None) -> tuple[Tensor, RNNState]:
        """The mean loss, and the state after the batch."""
        predictions, final_state = self.model.forward_with_state(x, initial_state)
        return sequence_loss(self.loss_name, predictions, targets, self.batches.per_step), final_state

    def _backward(self, x: Tensor, targets: Tensor, initial_state: RNNState | None) -> tuple[Tensor, RNNState]:
        """Set the gradients to those of a batch's mean loss; that loss, and the state after the batch."""
        with rng_scope(self._dropout_state) if self.uses_dropout else nullcontext() as dropout_states:
            loss, state = self._loss(x, targets, initial_state)
        if dropout_states is not None:
            self._dropout_state = dropout_states[0]
        self._weights.clear_gradients()
        loss.backward()
        return loss.detach(), state

    def _training_step(self, index: int) -> tuple[float, float, int]:
        """One optimiser step on one batch of the epoch; (loss, gradient norm before clipping, how much it scored)."""
        x, targets = self._order.batch(index)
        initial_state = self.initial_state(self._order, index, len(x), _TRAINING, self.step)
        loss, state = self._backward(x, targets, initial_state)
        norm, scored = self._weights.gradient_norm(), count_scored(targets, self.batches.per_step)
        value, norm, scored = numbers_of(loss, norm, scored)
        if not (math.isfinite(value) and math.isfinite(norm)):
            self._stop_at_non_finite("The gradient" if math.isfinite(value) else "The loss", self.step + 1)
        self._weights.clip_gradients(self.spec.max_grad_norm, norm)
        self._weights.save_to(self._last_good)
        self.optimizer.step()
        if self._weights.trainable_masks and self.spec.weight_decay:
            self._weights.restore_frozen(self._last_good)
        self._order.record_state(state)
        return value, norm, scored

    def _stop_at_non_finite(self, subject: str, step: int | None = None) -> NoReturn:
        self._weights.load_from(self._last_good)
        self.snapshots.drop_from(self.step)
        raise NonFiniteLossError(subject, step or self.step, self.spec)

    def _end_epoch(self) -> dict:
        valid_loss = self.evaluate("valid", MAX_EVALUATION_WINDOWS)
        finite = self._weights.are_finite
        if not finite or not math.isfinite(valid_loss or 0.0):  # the last step failed, and no next one would show it
            self._stop_at_non_finite("The validation loss" if finite else "The weights")
        epoch_loss = self.epoch_loss / self.epoch_scored
        monitored = epoch_loss if valid_loss is None else valid_loss
        self.early_stopping.end_epoch(self.epoch, monitored, self.spec.patience)
        if self.spec.patience and self._best_is_known:
            if self.early_stopping.best_epoch != self.epoch:
                self.use_best_weights()
            if self.spec.shrink and "head" not in self.experiment.model.frozen:
                self.shrink_best(self.supported_share())
        return {"epoch_loss": epoch_loss, "valid_loss": valid_loss, "best_epoch": self.early_stopping.best_epoch}

    def _refit_step(self) -> dict:
        """One step of the refit. The weights change at its end alone: interrupted, it begins again, to the same end."""
        if self._refit is None:
            best = self.early_stopping.best_epoch * self.steps_per_epoch if self.spec.patience else self.step
            self._refit_steps = refit_steps(best, self.windows)
            self._refit = self._another(*refit_plan(self.windows, self.experiment, self._refit_steps))
        next(self._refit if self._refit_steps else iter(()), None)
        record = {"refit_step": self._refit.step, "refit_steps": self._refit_steps}
        if self._refit.step >= self._refit_steps:
            if self._refit_steps or self.model.uses_skip:  # else the untrained model was the best, and is in place
                self.set_weights(dict(self._refit.model.named_parameters()))
                self.scale_head(self.early_stopping.shrunk)
            self._refit, self.refitted = None, True
        return record
