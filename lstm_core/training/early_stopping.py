"""EarlyStopping: the best epoch so far and its weights, and when to stop for want of a better one."""

from __future__ import annotations

import math

from torch import Tensor

from lstm_core.training.parameters import TrainedParameters, copy_values


class EarlyStopping:
    """The best epoch has the lowest loss, epoch 0 (the untrained model) included where its loss is known."""

    def __init__(self, weights: TrainedParameters) -> None:
        self._weights = weights
        self._best = weights.copy()
        self.best_epoch, self.best_loss = 0, math.inf
        self.stopped_early = False
        self.shrunk = 1.0  # what the output head of the best weights was scaled by

    @property
    def adds_nothing(self) -> bool:
        """Whether the best weights are those of the untrained model, or their output head was scaled by 0."""
        return not self.best_epoch or not self.shrunk

    def begin(self, loss: float | None) -> None:
        """loss: of the untrained model; None: not known."""
        self._weights.save_to(self._best)
        self.best_loss = loss if loss is not None and math.isfinite(loss) else math.inf

    def end_epoch(self, epoch: int, loss: float, patience: int) -> None:
        """Keep the weights of the lowest loss so far; patience: stop after so many epochs without one, 0 for never."""
        if loss < self.best_loss:
            self.best_loss, self.best_epoch, self.shrunk = loss, epoch, 1.0
            self._weights.save_to(self._best)
        elif patience and epoch - self.best_epoch >= patience:
            self.stopped_early = True

    def restore(self) -> None:
        """Set the model's weights to those of the best epoch."""
        self._weights.load_from(self._best)

    def shrink(self, factor: float) -> None:
        """The model has the best weights, and its output head was scaled by this."""
        self._weights.save_to(self._best)
        self.shrunk = factor

    @property
    def weights_by_name(self) -> dict[str, Tensor]:
        """A copy of the best weights, by the model's own names."""
        return self._weights.by_name(self._best)

    @property
    def is_restored(self) -> bool:
        """Whether the model has the weights of the best epoch."""
        return all(p.equal(best) for p, best in zip(self._weights.optimized, self._best, strict=True))

    def load(
        self, weights: list[Tensor], best_epoch: int, best_loss: float, stopped_early: bool, shrunk: float
    ) -> None:
        """Resume; weights: one tensor a parameter of the model."""
        copy_values(self._weights.to_values(weights), self._best)
        self.best_epoch, self.best_loss = best_epoch, best_loss
        self.stopped_early, self.shrunk = stopped_early, shrunk
