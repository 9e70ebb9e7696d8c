"""Stateful batches for truncated BPTT: row b of a batch goes on where row b of the batch before ended, h and c with it.

Here lives the order in which initial_state "stateful" takes windows, and the initial states that "random" draws. The
gradient never crosses from one batch to the next: the state is detached (truncated backpropagation through time;
Williams & Peng 1990, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
Neural Computation 2, 490-501). Nothing here trains.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lstm_core.architecture.shapes import state_shapes
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.model.recurrent import RNNState
from lstm_core.training.batches import SequentialBatches, WindowTensors


class StatefulBatches(SequentialBatches):
    """As many streams side by side as a batch has rows, read from the first window to the last in each epoch.

    Of windows that begin at every row, only those that do not overlap are taken: each unbroken stretch is cut every
    seq_len rows. All of them, one after the other, are then dealt to the rows in equal shares; what is left over,
    fewer windows than rows, is not read. A row starts from zeros at the beginning of an epoch, and wherever its next
    window does not begin where the last one ended: at another sequence, or behind missing values.
    """

    def __init__(self, batches: WindowTensors, starts: Tensor, rows: int, max_batches: int | None = None) -> None:
        """starts: (windows,) int64, rising, on the batches' device; rows: no more than there are windows;
        max_batches: in an epoch."""
        seq_len = batches.windows.spec.seq_len
        separate = non_overlapping(starts, seq_len)
        steps = min(len(separate) // rows, max_batches or len(separate))
        order = separate[: len(separate) // rows * rows].view(rows, -1)[:, :steps].T  # (steps, rows)
        super().__init__(batches, order.flatten(), rows)
        self._breaks = order[1:] != order[:-1] + seq_len  # (steps − 1, rows)
        self._broken = self._breaks.any(1).tolist()
        self._state: tuple[Tensor, ...] = ()  # h and, for an LSTM, c, after the last batch

    def initial_state(self, index: int) -> RNNState | None:
        """The state before the windows of batch `index`; None, which is zeros, before the first."""
        state = self._state
        if index == 0 or not state:
            return None
        if self._broken[index - 1]:
            state = tuple(tensor.masked_fill(self._breaks[index - 1][:, None], 0.0) for tensor in state)
        return state if len(state) > 1 else state[0]

    def record_state(self, state: RNNState) -> None:
        """Keep the state after a batch for the next: detached."""
        self._state = tuple(tensor.detach() for tensor in (state if isinstance(state, tuple) else (state,)))

    def state_dict(self, mid_epoch: bool) -> dict[str, Tensor]:
        """What load_state_dict needs to resume in the middle of this epoch; between two epochs nothing."""
        tensors = zip("hc", self._state, strict=False) if mid_epoch else ()
        return {f"carried/{name}": tensor for name, tensor in tensors}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume where state_dict() was taken."""
        tensors = (state[f"carried/{name}"] for name in "hc" if f"carried/{name}" in state)
        self._state = tuple(tensor.to(self._order.device) for tensor in tensors)


def stateful_batches(batches: WindowTensors, starts: Tensor, model: ModelSpec, rows: int) -> StatefulBatches:
    """The streams that a model trains on.

    Raises:
        PlaygroundError: the model is bidirectional, or there are fewer windows than streams.
    """
    if model.bidirectional:
        raise PlaygroundError(
            "initial_state is stateful, but the model is bidirectional: its reverse direction begins at a window's "
            "end, where no window before has been. Switch bidirectional off or choose another initial_state."
        )
    seq_len = batches.windows.spec.seq_len
    available = len(non_overlapping(starts, seq_len))
    if available < rows:
        raise PlaygroundError(
            f"initial_state is stateful, but the training part has only {available} windows of seq_len {seq_len} that "
            f"do not overlap, fewer than batch_size {rows}: lower batch_size to {available} or less."
        )
    return StatefulBatches(batches, starts, rows)


def non_overlapping(starts: Tensor, seq_len: int) -> Tensor:
    """starts: (windows,) int64, rising. Of each stretch without a gap the first and every seq_len-th after it."""
    index = torch.arange(len(starts), device=starts.device)
    begins = torch.ones_like(index, dtype=torch.bool)
    begins[1:] = starts[1:] != starts[:-1] + 1
    first = torch.where(begins, index, 0).cummax(0).values
    return starts[(index - first) % seq_len == 0]


def random_initial_state(spec: ModelSpec, batch_size: int, seed: tuple[int, ...], device: torch.device) -> RNNState:
    """h_0 and, for an LSTM, c_0 from a standard normal: what tutorials' torch.randn(num_layers, batch, hidden_size)
    is, but from a seed alone."""
    rng = np.random.default_rng(seed)
    shapes = state_shapes(spec, batch_size).values()
    tensors = [torch.from_numpy(rng.standard_normal(shape, np.float32)).to(device) for shape in shapes]
    return tuple(tensors) if len(tensors) > 1 else tensors[0]
