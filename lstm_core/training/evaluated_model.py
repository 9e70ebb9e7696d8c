"""EvaluatedModel: what a trainer measures of its model on a split: the loss, and how much of its output holds."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment
from lstm_core.model.recurrent import RNNState, SequenceModel
from lstm_core.training.batches import SequentialBatches, WindowTensors
from lstm_core.training.evaluation import MAX_EVALUATION_WINDOWS, EvaluationBatches
from lstm_core.training.loss import count_scored, sequence_loss
from lstm_core.training.shrinkage import shrinkage
from lstm_core.training.stateful import random_initial_state
from lstm_core.training.trained_model import TrainedModel

_EVALUATION = 1  # whose random initial states; a training's are 0


class EvaluatedModel(TrainedModel):
    """A trained model and the windows that it is evaluated on."""

    experiment: Experiment
    device: torch.device
    loss_name: str
    evaluation_batches: EvaluationBatches

    def __init__(self, model: SequenceModel, windows: Windows) -> None:
        """model: on the device that it stays on."""
        super().__init__(model)
        self.windows = windows
        device, spec = model.head.weight.device, model.spec
        self.batches = WindowTensors(windows, device, per_step=spec.head == "per_step")
        self.starts = {k: torch.from_numpy(v).to(device) for k, v in windows.starts.items()}
        self.uses_dropout = spec.dropout > 0 and spec.num_layers > 1

    @torch.inference_mode()
    def evaluate(self, split: str, max_windows: int | None = None) -> float | None:
        """Mean loss in scaled units over all that a split's windows score; None if it has no window.

        max_windows: take so many of them at most, evenly spread.
        """
        if not len(self.starts[split]):
            return None
        total, count = 0.0, 0
        for _, predictions, targets in self._predictions(split, max_windows):
            loss = sequence_loss(self.loss_name, predictions, targets, self.batches.per_step)
            scored = int(count_scored(targets, self.batches.per_step))
            total, count = total + loss.item() * scored, count + scored
        return total / count

    @torch.inference_mode()
    def supported_share(self) -> float:
        """How much of the head's output the validation windows support, 0 to 1: 1 for classes and without any."""
        if self.windows.classes or not len(self.starts["valid"]):
            return 1.0
        stride = -(-len(self.starts["valid"]) // MAX_EVALUATION_WINDOWS)
        span = self.windows.output_steps + (self.windows.spec.seq_len - 1 if self.batches.per_step else 0)
        return shrinkage(self._corrections("valid", MAX_EVALUATION_WINDOWS), max(1.0, span / stride))

    def _corrections(self, split: str, max_windows: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        """What the head adds to a linear skip, and what that leaves of the targets; without one all of both."""
        for x, predictions, targets in self._predictions(split, max_windows):
            if self.model.spec.linear_skip:
                skip = self.model.skip_outputs(x).double()
                predictions, targets = predictions.double() - skip, targets.double() - skip
            yield predictions, targets

    def _predictions(self, split: str, max_windows: int | None) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Inputs, predictions and targets, batch by batch, in eval mode."""
        if self.uses_dropout:  # else both modes are the same
            self.model.eval()
        order = self.evaluation_batches.of(split, self.starts[split], max_windows)
        for index in range(order.steps):
            x, targets = order.batch(index)
            initial_state = self.initial_state(order, index, len(x), _EVALUATION, index)
            predictions, state = self.model.forward_with_state(x, initial_state)
            order.record_state(state)
            yield x, predictions, targets
        if self.uses_dropout:
            self.model.train()

    def initial_state(self, order: SequentialBatches, index: int, batch_size: int, *draw: int) -> RNNState | None:
        """h and c before a batch, None for zeros; draw: numbers that no other draw of this seed has."""
        train = self.experiment.train
        if train.initial_state == "random":
            return random_initial_state(self.experiment.model, batch_size, (train.seed, *draw), self.device)
        return order.initial_state(index)
