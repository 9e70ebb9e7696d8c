"""EvaluationBatches: the windows, in batches, that a split's loss is taken over."""

from __future__ import annotations

from torch import Tensor

from lstm_core.training.batches import SequentialBatches, WindowTensors
from lstm_core.training.stateful import StatefulBatches, non_overlapping

EVALUATION_BATCH_SIZE = 2048  # windows of one validation batch
MAX_EVALUATION_WINDOWS = 8192  # windows of the validation split that its loss is taken over while a run trains


class EvaluationBatches:
    """Of each split its batches in order; those that are asked for often stay gathered."""

    def __init__(self, batches: WindowTensors, stateful: bool, steps_per_epoch: int) -> None:
        """stateful: the state goes from batch to batch, along sequences as long as those of the training."""
        self._batches, self._stateful, self._steps_per_epoch = batches, stateful, steps_per_epoch
        self._cache: dict[
            tuple[str, int], tuple[Tensor, SequentialBatches]
        ] = {}  # → the split's starts, and their batches

    def of(self, split: str, starts: Tensor, max_windows: int | None) -> SequentialBatches:
        """starts: (windows,) int64, where the split's windows begin, at least one; max_windows: evenly spread."""
        max_windows = min(len(starts), max_windows or len(starts))
        cached = self._cache.get((split, max_windows))
        if cached is not None and cached[0] is starts:
            return cached[1]
        if self._stateful:
            available = len(non_overlapping(starts, self._batches.windows.spec.seq_len))
            rows = max(1, available // self._steps_per_epoch)
            order = StatefulBatches(self._batches, starts, rows, max_batches=max(1, max_windows // rows))
        else:
            stride = -(-len(starts) // max_windows)
            order = SequentialBatches(self._batches, starts[::stride], EVALUATION_BATCH_SIZE)
        if order.is_cacheable:
            self._cache[split, max_windows] = (starts, order)
        return order
