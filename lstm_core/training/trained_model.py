"""TrainedModel: a model's weights while it is trained: set by hand, restored, kept as snapshots."""

from __future__ import annotations

import torch
from torch import Tensor

from lstm_core.model.recurrent import SequenceModel, model_from_weights
from lstm_core.training.early_stopping import EarlyStopping
from lstm_core.training.parameters import TrainedParameters
from lstm_core.training.snapshots import Snapshot, SnapshotBuffer


class TrainedModel:
    """The weights as they are, those of the best epoch, and the snapshots on the way."""

    step: int  # optimiser steps done

    def __init__(self, model: SequenceModel) -> None:
        self.model = model
        self._weights = TrainedParameters(model)
        self.parameters = self._weights.optimized
        self.early_stopping = EarlyStopping(self._weights)
        self.replaced = 0  # how often the weights were set other than by a step
        self.refitted = False  # whether they are those of a refit, which has no snapshots but its last
        self.snapshots = SnapshotBuffer()
        self._last_good = self._weights.copy()

    def set_weights(self, weights: dict[str, Tensor]) -> None:
        """Set some of the weights by hand, by the model's own names; the optimiser's memory stays."""
        with torch.no_grad():
            parameters = dict(self.model.named_parameters())
            for name, value in weights.items():
                parameters[name].copy_(value)
        self._weights.save_to(self._last_good)
        self._weights_replaced()

    def use_best_weights(self) -> None:
        """Set the weights to those of the best epoch so far; the optimiser's memory stays."""
        self.early_stopping.restore()
        self.refitted = False
        self._weights.save_to(self._last_good)
        self._weights_replaced()

    def shrink_best(self, factor: float) -> None:
        """Scale the output head by 0 to 1, unless that was done to the weights of the best epoch, which are in place.

        With a zero head at first and a start, the model's output is its correction: exactly so much of it stays.
        """
        if self.early_stopping.shrunk == 1 and factor < 1:
            self.scale_head(factor)
            self.early_stopping.shrink(factor)

    def scale_head(self, factor: float) -> None:
        """Scale weight and bias of the output head; the optimiser's memory stays."""
        if factor != 1:
            head = {name: p for name, p in self.model.named_parameters() if name.startswith("head.")}
            self.set_weights({name: parameter.detach() * factor for name, parameter in head.items()})

    def scored_models(self) -> dict[str, SequenceModel]:
        """Split → a copy of the model to score on it, on the CPU, in eval mode: the one that is the result, but where
        that is a refit, which has learned the validation rows, too, the model of the best epoch on those."""
        result = self.unflatten(self.snapshot().weights)
        weights = {"train": result, "valid": self.early_stopping.weights_by_name if self.refitted else result}
        weights["test"] = result
        copies = {split: {name: w.detach().cpu().clone() for name, w in of.items()} for split, of in weights.items()}
        return {split: model_from_weights(self.model.spec, self.model.sizes, of) for split, of in copies.items()}

    def _weights_replaced(self) -> None:
        self.replaced += 1
        self.snapshots.append(self.snapshot())  # in place of one of the weights before

    def unflatten(self, flat: Tensor) -> dict[str, Tensor]:
        """A Snapshot's weights or gradients by the model's own names: views of it, in the parameters' shapes."""
        return self._weights.unflatten(flat)

    def snapshot(self) -> Snapshot:
        """A copy of the weights as they are, and of the last step's gradients, after clipping, if there was a step."""
        return Snapshot(self.step, self._weights.flat_weights(), self._flat_gradients())

    def _flat_gradients(self) -> Tensor | None:
        raise NotImplementedError
