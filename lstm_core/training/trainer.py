"""Trainer: an iterator of plain records, one an optimiser step. No threads, no files, no UI.

Pause is to stop pulling, one step is to pull once, resume is to pull on. The learning rate, clipping, patience
and number of epochs may change between pulls and never touch the weights.
"""

from __future__ import annotations

import dataclasses
import math
from contextlib import nullcontext
from functools import cached_property
from typing import NoReturn

import torch
from torch import Tensor

from lstm_core.data.windows import Windows
from lstm_core.experiment import LIVE_FIELDS, Experiment, PlaygroundError, TrainSpec, resolve_loss
from lstm_core.model.devices import pick_device
from lstm_core.model.init import hold
from lstm_core.model.recurrent import State, build_model
from lstm_core.model.rng import random_state, seeded_state
from lstm_core.training.batches import Batches, InOrder, Shuffled
from lstm_core.training.loss import sequence_loss
from lstm_core.training.optimizer import (
    make_optimizer,
    named_state,
    optimised_parameters,
    pieces,
    restore_named_state,
)
from lstm_core.training.snapshots import Snapshot, Snapshots
from lstm_core.training.stateful import Streams, drawn_state, not_overlapping, streams_of
from lstm_core.training.threads import best_threads

EVAL_WINDOWS = 2048  # windows of one validation batch
MOST_EVALUATED = 8192  # windows of a part that its loss is taken over, evenly spread
VALIDATE_WITHIN = (
    500  # steps: a longer epoch is validated on the way too, so that nobody waits minutes for it
)
_TRAINING, _JUDGING = 0, 1  # which random first states
_PROGRESS = ("step", "best_epoch", "best_loss", "stopped_early", "epoch_loss")


class NonFiniteLoss(PlaygroundError):
    """The loss became NaN or infinite; the trainer holds the weights of the last finite loss."""


class Trainer:
    """Trains a fresh model on the training part of `windows`; `for record in trainer` drives it.

    A record is a dict: step and epoch (both counted from 1), train_loss (this batch's), grad_norm (before
    clipping), lr; on the last step of an epoch also epoch_loss (mean of its batches), best_epoch and valid_loss
    (None without a validation part), which long epochs have on the way too. Losses are in scaled units.

    Raises, from the constructor:
        PlaygroundError: the loss does not fit the task, the device is not here, or the state cannot be carried.
    """

    def __init__(self, windows: Windows, experiment: Experiment) -> None:
        spec = experiment.train
        self.windows = windows
        self.experiment = experiment
        self.device = pick_device(spec.device)
        self.loss_name = resolve_loss(spec.loss, windows.task)
        self.model = build_model(experiment.model, windows.input_size, windows.output_size).to(self.device)
        held = hold(self.model)
        self.parameters = optimised_parameters(self.model)
        self._free = self._free_entries(held) if held else []
        self.batches = Batches(windows, self.device, every=experiment.model.head == "per_step")
        self.threads = best_threads(windows, experiment)
        self.starts = {k: torch.from_numpy(v).to(self.device) for k, v in windows.starts.items()}
        self._order = self._training_order()
        self.steps_per_epoch = self._order.steps
        self.step = 0
        self.best_epoch = 0
        self.best_loss = float("inf")
        self.stopped_early = False
        self._optimizer_state: dict[str, Tensor] = {}  # by name, until the optimiser is made
        self._drops = experiment.model.dropout > 0 and experiment.model.num_layers > 1
        self._dropout_state = seeded_state(spec.seed)
        self._judged: dict[str, tuple[Tensor, InOrder]] = {}  # part → its starts, and they in order
        self.epoch_loss = 0.0  # sum over the batches of the epoch under way
        self._best = self._copy_of_weights()
        self._last_good = self._copy_of_weights()
        self.snapshots = Snapshots()
        self.snapshots.take(self.snapshot())

    def _training_order(self) -> Shuffled | Streams:
        spec, starts = self.spec, self.starts["train"]
        if spec.initial_state == "stateful":
            return streams_of(self.batches, starts, self.experiment.model, spec.batch_size)
        return Shuffled(self.batches, starts, spec.batch_size, spec.seed)

    @property
    def spec(self) -> TrainSpec:
        return self.experiment.train

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """Made at the first step: the first optimiser of a process costs PyTorch a second of imports, which a
        model that is only looked at need not pay."""
        optimizer = make_optimizer(self.spec, self.parameters)
        if self._optimizer_state:
            restore_named_state(optimizer, self.model, self._optimizer_state)
        return optimizer

    @property
    def _has_optimizer(self) -> bool:
        return "optimizer" in self.__dict__

    @property
    def epoch(self) -> int:
        """Whole epochs done."""
        return self.step // self.steps_per_epoch

    @property
    def finished(self) -> bool:
        return self.stopped_early or self.step >= self.spec.epochs * self.steps_per_epoch

    def __iter__(self) -> Trainer:
        return self

    def __next__(self) -> dict:
        """Raises NonFiniteLoss at a NaN or infinite loss, once the last finite weights are back in place."""
        if self.finished:
            raise StopIteration
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        place = self.step % self.steps_per_epoch
        loss, grad_norm = self._descend(place)
        self.step += 1
        self.epoch_loss = loss + (self.epoch_loss if place else 0.0)
        record = {
            "step": self.step,
            "epoch": (self.step - 1) // self.steps_per_epoch + 1,
            "train_loss": loss,
            "grad_norm": grad_norm,
            "lr": self.spec.lr,
        }
        if self.step >= self.snapshots.due:
            self.snapshots.take(self.snapshot())
        if place == self.steps_per_epoch - 1:
            record |= self._end_epoch()
        elif (place + 1) % VALIDATE_WITHIN == 0:
            record["valid_loss"] = self.evaluate("valid")
        return record

    def change(self, **fields: float | int) -> None:
        """Change live fields (LIVE_FIELDS) of the training spec; the weights stay.

        Raises:
            PlaygroundError: a value out of range.
        """
        assert set(fields) <= set(LIVE_FIELDS), fields
        spec = dataclasses.replace(self.spec, **fields)
        self.experiment = dataclasses.replace(self.experiment, train=spec)
        if "patience" in fields or "epochs" in fields:
            self.stopped_early = False
        for group in self.optimizer.param_groups if self._has_optimizer else ():
            group["lr"] = spec.lr

    @torch.inference_mode()
    def evaluate(self, part: str) -> float | None:
        """Mean loss over a part's windows, at most MOST_EVALUATED of them, in scaled units; None if it has none."""
        if not len(self.starts[part]):
            return None
        if self._drops:  # else both modes are the same
            self.model.eval()
        total, count, order = 0.0, 0, self._judging_order(part)
        for place in range(order.steps):
            x, wanted = order.batch(place)
            loss, state = self._loss(x, wanted, self._state_before(order, place, len(x), _JUDGING, place))
            order.after(state)
            total, count = total + loss.item() * len(x), count + len(x)
        if self._drops:
            self.model.train()
        return total / count

    def _judging_order(self, part: str) -> InOrder:
        """The part's windows as its loss is taken over them: carried states go along streams as long as training's."""
        starts = self.starts[part]
        known = self._judged.get(part)
        if known is not None and known[0] is starts:
            return known[1]
        if self.spec.initial_state == "stateful":
            there = len(not_overlapping(starts, self.windows.spec.seq_len))
            rows = max(1, there // self.steps_per_epoch)
            order = Streams(self.batches, starts, rows, most=max(1, MOST_EVALUATED // rows))
        else:
            order = InOrder(self.batches, starts[:: -(-len(starts) // MOST_EVALUATED)], EVAL_WINDOWS)
        if order.light:  # what it has gathered last is kept with it, being asked for often
            self._judged[part] = (starts, order)
        return order

    def state(self, snapshot_bytes: int) -> tuple[dict[str, Tensor], dict]:
        """Everything that a bit-for-bit resume needs beside the weights: (tensors, numbers that JSON can hold)."""
        state = named_state(self.optimizer, self.model) if self._has_optimizer else self._optimizer_state
        tensors = {f"optimizer/{k}": v for k, v in state.items()}
        tensors |= {f"best/{k}": v for k, v in self._named(self._best).items()}
        tensors |= self._order.state(mid_epoch=self.step % self.steps_per_epoch > 0)
        tensors["dropout"] = self._dropout_state
        tensors["snapshots/steps"], tensors["snapshots/weights"] = self.snapshots.packed(snapshot_bytes)
        return tensors, {name: getattr(self, name) for name in _PROGRESS}

    def restore(self, weights: dict[str, Tensor], tensors: dict[str, Tensor], numbers: dict) -> None:
        """Go on where state() and the model's state_dict were taken."""
        self.model.load_state_dict(weights)
        best = [tensors[f"best/{name}"] for name, _ in self.model.named_parameters()]
        self._copy(self._as_optimised(best), self._best)
        self._copy(self.parameters, self._last_good)
        self._optimizer_state = {
            k.removeprefix("optimizer/"): v for k, v in tensors.items() if k.startswith("optimizer/")
        }
        self.__dict__.pop("optimizer", None)
        self.snapshots = Snapshots.unpacked(tensors["snapshots/steps"], tensors["snapshots/weights"])
        self._order.restore(tensors)
        torch.Generator().set_state(tensors["dropout"])  # raises RuntimeError now rather than in mid-training
        self._dropout_state = tensors["dropout"]
        for name in _PROGRESS:
            setattr(self, name, numbers[name])
        if self.step >= self.snapshots.due:
            self.snapshots.take(self.snapshot())

    def put_weights(self, weights: dict[str, Tensor]) -> None:
        """Set some of the weights by hand, by the model's own names; the optimiser's memory stays."""
        with torch.no_grad():
            own = dict(self.model.named_parameters())
            for name, value in weights.items():
                own[name].copy_(value)
        self._copy(self.parameters, self._last_good)
        self.snapshots.take(self.snapshot())

    def _free_entries(self, held: dict[str, Tensor]) -> list[Tensor]:
        """For each optimised parameter a bool mask of what trains."""
        none = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in self.model.named_parameters()}
        return self._as_optimised([~mask for mask in (none | held).values()])

    def _as_optimised(self, tensors: list[Tensor]) -> list[Tensor]:
        """One tensor a parameter of the model → one a parameter of the optimiser."""
        whole = len(self.parameters) != len(tensors)
        return [torch.cat([tensor.flatten() for tensor in tensors])] if whole else tensors

    def named(self, flat: Tensor) -> dict[str, Tensor]:
        """A Snapshot's weights or gradients by the model's own names: views of it, in the parameters' shapes."""
        names, own = zip(*self.model.named_parameters(), strict=True)
        return dict(zip(names, pieces(flat, own), strict=True))

    def snapshot(self) -> Snapshot:
        """A copy of the weights as they are, and of the last step's gradients, after clipping, if there was a step."""
        gradients = self._flat([p.grad for p in self.parameters]) if self._has_optimizer else None
        return Snapshot(self.step, self._flat(self.parameters), gradients)

    @staticmethod
    def _flat(tensors: list[Tensor]) -> Tensor:
        """A copy of them on the CPU, one after the other."""
        return torch.cat([tensor.detach().flatten() for tensor in tensors]).cpu()

    def best_weights(self) -> dict[str, Tensor]:
        """The weights of the best epoch so far, by the model's own names."""
        return self._named(self._best)

    def _named(self, values: list[Tensor]) -> dict[str, Tensor]:
        names, own = zip(*self.model.named_parameters(), strict=True)
        parts = values if len(values) == len(own) else pieces(values[0], own)
        return {name: part.clone() for name, part in zip(names, parts, strict=True)}

    def _loss(self, x: Tensor, wanted: Tensor, before: State | None) -> tuple[Tensor, State]:
        """The mean loss, and the state after the batch."""
        said, after = self.model.go_on(x, before)
        return sequence_loss(self.loss_name, said, wanted, self.batches.every), after

    def _state_before(self, order: InOrder, place: int, batch_size: int, *draw: int) -> State | None:
        """h and c before a batch, None for zeros; draw: numbers that no other draw of this seed has."""
        if self.spec.initial_state == "random":
            return drawn_state(self.experiment.model, batch_size, (self.spec.seed, *draw), self.device)
        return order.before(place)

    def _descend(self, place: int) -> tuple[float, float]:
        """One optimiser step on one batch of the epoch; (loss, gradient norm before clipping)."""
        x, wanted = self._order.batch(place)
        before = self._state_before(self._order, place, len(x), _TRAINING, self.step)
        with random_state(self._dropout_state) if self._drops else nullcontext() as after:
            loss, state = self._loss(x, wanted, before)
        if after is not None:
            self._dropout_state = after[0]
        self._clear_gradients()
        loss.backward()
        grads = [p.grad for p in self.parameters]
        if self._free:
            torch._foreach_mul_(grads, self._free)
        grad_norm = grads[0].norm() if len(grads) == 1 else torch.nn.utils.get_total_norm(grads)
        value, norm = torch.stack([loss.detach(), grad_norm]).tolist()  # one wait for the device
        if not (math.isfinite(value) and math.isfinite(norm)):
            self._stop_at_non_finite("The gradient" if math.isfinite(value) else "The loss", self.step + 1)
        if self.spec.max_grad_norm and norm > self.spec.max_grad_norm:
            torch._foreach_mul_(grads, self.spec.max_grad_norm / norm)
        self._copy(self.parameters, self._last_good)
        self.optimizer.step()
        if self._free and self.spec.weight_decay:
            self._put_back_held()
        self._order.after(state)
        return value, norm

    @torch.no_grad()
    def _put_back_held(self) -> None:
        for p, before, free in zip(self.parameters, self._last_good, self._free, strict=True):
            p.copy_(torch.where(free, p, before))

    def _stop_at_non_finite(self, what: str, step: int | None = None) -> NoReturn:
        self._copy(self._last_good, self.parameters)
        self.snapshots.forget_from(self.step)
        clip = "gradient clipping (off now)" if not self.spec.max_grad_norm else "stronger gradient clipping"
        raise NonFiniteLoss(
            f"{what} became NaN or infinite at step {step or self.step}: the last finite weights are kept. Try a "
            f"smaller learning rate ({self.spec.lr:g} now) or {clip}, then press Reset."
        )

    def _clear_gradients(self) -> None:
        for p in self.parameters:  # in place: a flat gradient must stay where its pieces are
            if p.grad is not None:
                p.grad.zero_()

    def _end_epoch(self) -> dict:
        valid_loss = self.evaluate("valid")
        finite = all(bool(p.isfinite().all()) for p in self.parameters)
        if not finite or not math.isfinite(
            valid_loss or 0.0
        ):  # the last step went wrong, and no next one tells
            self._stop_at_non_finite("The validation loss" if finite else "The weights")
        watched = self.epoch_loss / self.steps_per_epoch if valid_loss is None else valid_loss
        epoch = self.epoch
        if watched < self.best_loss:
            self.best_loss, self.best_epoch = watched, epoch
            self._copy(self.parameters, self._best)
        elif self.spec.patience and epoch - self.best_epoch >= self.spec.patience:
            self.stopped_early = True
            self.use_best()
        return {
            "epoch_loss": self.epoch_loss / self.steps_per_epoch,
            "valid_loss": valid_loss,
            "best_epoch": self.best_epoch,
        }

    def use_best(self) -> None:
        """Put the weights of the best epoch so far in place."""
        self._copy(self._best, self.parameters)

    @staticmethod
    @torch.no_grad()
    def _copy(source: list[Tensor], target: list[Tensor]) -> None:
        for a, b in zip(source, target, strict=True):
            b.copy_(a)

    def _copy_of_weights(self) -> list[Tensor]:
        return [p.detach().clone() for p in self.parameters]


def warm_up() -> None:
    """Make one tiny optimiser: PyTorch imports a second's worth of modules at its first."""
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])
