"""SharedTrainer: a Trainer whose batches several processes share; each has the weights that one process would have.

All processes take the same batches from the same seed, and of each their share. A gradient is the sum of theirs, each
weighted by how much of the batch its process scored: the mean over the batch, also of a last one that is short or has
fewer windows than there are processes. DistributedDataParallel would average with equal weights, needs a window for
every process, and wants to own the gradients, which here are pieces of one vector: that vector is summed in one
message, which also carries the loss.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.model.devices import resolve_device
from lstm_core.model.recurrent import RNNState
from lstm_core.model.rng import rng_state
from lstm_core.training.linear_skip import SkipChoice
from lstm_core.training.loss import count_scored
from lstm_core.training.processes import Processes
from lstm_core.training.trainer import Trainer


class SharedTrainer(Trainer):
    """One process's; all step together. The first one evaluates while the others wait for its result.

    What dropout zeroes comes from the seed, the step and the process: another number of processes draws others.

    The constructor raises PlaygroundError also where there are fewer windows or cards than processes.
    """

    def __init__(
        self, processes: Processes, windows: Windows, experiment: Experiment, skip_choice: SkipChoice | None = None
    ) -> None:
        self.processes = processes
        world, batch_size, available = processes.world, experiment.train.batch_size, len(windows.starts["train"])
        if batch_size < world:
            raise PlaygroundError(
                f"{world} processes cannot share a batch of {batch_size}: raise train.batch_size to {world} or more, "
                "or start fewer processes."
            )
        if available < world:
            raise PlaygroundError(
                f"{world} processes cannot share {available} training windows: start fewer processes."
            )
        super().__init__(windows, experiment, skip_choice)

    def _resolve_device(self) -> torch.device:
        device = resolve_device(self.spec.device)
        if device.type == "cpu" or self.processes.world == 1:
            return device
        cards = torch.cuda.device_count()
        if device.type != "cuda" or self.processes.on_this_machine > cards:
            raise PlaygroundError(
                f"{self.processes.on_this_machine} processes on this machine need a CUDA card each, but it has "
                f"{cards}: start fewer, or set train.device=cpu."
            )
        return torch.device("cuda", self.processes.local_rank)

    def _another(self, windows: Windows, experiment: Experiment) -> Trainer:
        return SharedTrainer(self.processes, windows, experiment, self.skip_choice)

    def evaluate(self, split: str, max_windows: int | None = None) -> float | None:
        if not len(self.starts[split]):
            return None
        loss = super().evaluate(split, max_windows) if self.processes.is_first else math.nan
        return self.processes.agree(loss)

    def supported_share(self) -> float:
        return self.processes.agree(super().supported_share() if self.processes.is_first else math.nan)

    def _backward(self, x: Tensor, targets: Tensor, initial_state: RNNState | None) -> tuple[Tensor, RNNState]:
        share, masked = self.processes.share, self.batches.per_step
        my_x, my_targets = x[share], targets[share]
        loss, state = x.new_zeros(()), None
        if len(my_x):
            weight = int(count_scored(my_targets, masked)) / int(count_scored(targets, masked))
            loss, state = self._my_backward(my_x, my_targets, _part(initial_state, share))
        else:  # of a short last batch
            weight = 0.0
            self._weights.clear_gradients()
        loss = self._sum(weight, loss)
        is_stateful = self.spec.initial_state == "stateful"
        return loss, self._whole(state, len(x)) if is_stateful else state

    def _my_backward(self, x: Tensor, targets: Tensor, initial_state: RNNState | None) -> tuple[Tensor, RNNState]:
        before = self._dropout_state
        if self.uses_dropout and self.processes.world > 1:
            rng = np.random.default_rng((self.spec.seed, self.step, self.processes.rank))
            self._dropout_state = rng_state(int(rng.integers(2**63)))
        loss, state = super()._backward(x, targets, initial_state)
        if self.processes.world > 1:
            self._dropout_state = before  # of one process, which may go on with the run
        return loss, state

    def _sum(self, weight: float, loss: Tensor) -> Tensor:
        """Set the gradients to the weighted sum of all processes' ones; that of the losses."""
        for p in self.parameters:
            if p.grad is None:  # no window yet
                p.grad = torch.zeros_like(p)
        gradients = [p.grad for p in self.parameters]
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), loss.reshape(1)]).mul_(weight)
        self.processes.sum(flat)
        *parts, loss = flat.split([*(gradient.numel() for gradient in gradients), 1])
        torch._foreach_copy_(gradients, [part.view_as(p) for part, p in zip(parts, gradients, strict=True)])
        return loss[0]

    def _whole(self, state: RNNState, batch_size: int) -> RNNState:
        """The state of all rows of a batch, of which this process has its share; the rows are in the second place."""
        whole = []
        for mine in state if isinstance(state, tuple) else (state,):
            rows = mine.new_zeros(mine.shape[0], batch_size, mine.shape[2])
            rows[:, self.processes.share] = mine.detach()
            self.processes.sum(rows)
            whole.append(rows)
        return tuple(whole) if isinstance(state, tuple) else whole[0]


def _part(state: RNNState | None, share: slice) -> RNNState | None:
    if isinstance(state, tuple):
        return tuple(tensor[:, share].contiguous() for tensor in state)
    return None if state is None else state[:, share].contiguous()
