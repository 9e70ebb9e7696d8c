"""Windows as tensors on a device, scaled as they are gathered, and the order in which an epoch takes them.

Nothing here trains.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lstm_core.data.windows import Windows
from lstm_core.model.recurrent import RNNState

GATHER = 1 << 21  # numbers gathered from the rows at once: many small batches in one go, then slices of that


class WindowTensors:
    """The rows of a Windows on one device, from which any windows' inputs and targets are gathered."""

    def __init__(self, windows: Windows, device: torch.device, per_step: bool) -> None:
        """per_step: one target at each step (head "per_step") instead of one at the end."""
        self.windows = windows
        self.per_step = per_step
        self._x = torch.from_numpy(windows.scaled_x).to(device)  # (rows, input_size)
        targets = windows.y if windows.classes else windows.scaled_y
        self._y = torch.from_numpy(targets).to(device)  # (rows, targets), with a start of all output steps; or classes
        self._steps = torch.arange(windows.spec.seq_len, device=device)
        self._offsets = torch.from_numpy(windows.offsets).to(device)
        self._split_of_row = torch.from_numpy(windows.split_of_row).to(device) if per_step else None

    def inputs(self, starts: Tensor) -> Tensor:
        """starts: (batch,) int64 on the device. Returns (batch, seq_len, input_size), scaled."""
        rows = starts[:, None] + self._steps
        return self._x.index_select(0, rows.flatten()).view(*rows.shape, self._x.shape[1])

    def targets(self, starts: Tensor) -> Tensor:
        """Targets: float (batch, [seq_len,] output_size), scaled, NaN where not scored;
        or int64 (batch, [seq_len]) classes, −1 where not scored.

        A step of head "per_step" is not scored when its targets lie in an earlier split than the window's own:
        a validation window's first steps would otherwise be scored on training rows.
        """
        last = self.windows.spec.seq_len - 1
        base = starts[:, None] + self._steps if self.per_step else starts + last
        rows = base[..., None] + self._offsets  # (batch, [seq_len,] output_steps)
        if self.windows.classes:
            y = self._y.index_select(0, rows.flatten()).view(base.shape)
            return y if not self.per_step else y.masked_fill(self._other_split(rows)[..., 0], -1)
        known_at = rows if self.windows.target is None else base
        y = self._y.index_select(0, known_at.flatten()).view(*rows.shape, self.windows.y.shape[1])
        if self.per_step:
            y = y.masked_fill(self._other_split(rows)[..., None], float("nan"))
        return y.flatten(-2)

    def _other_split(self, rows: Tensor) -> Tensor:
        split = self._split_of_row[rows]
        return split != split[:, -1:, -1:]


class SequentialBatches:
    """Batch after batch of some windows in an order, gathered many batches at once."""

    def __init__(self, batches: WindowTensors, order: Tensor, batch_size: int) -> None:
        """order: (windows,) int64, where they start, on the batches' device."""
        windows = batches.windows
        self.steps = -(-len(order) // batch_size)
        self._batches, self._order, self._size = batches, order, batch_size
        numbers = windows.spec.seq_len * (windows.input_size + windows.output_size)
        self.is_cacheable = min(len(order), batch_size) * numbers <= GATHER  # what is kept gathered
        self._in_block = max(1, GATHER // (batch_size * numbers))
        self._block = -1  # gathered last
        self._gathered: tuple[Tensor, ...] = ()

    def batch(self, index: int) -> tuple[Tensor, Tensor]:
        """The inputs and targets of batch `index`, of `steps`."""
        size = self._size
        block, offset = divmod(index, self._in_block)
        if block != self._block:
            step = size * self._in_block
            starts = self._order[block * step : (block + 1) * step]
            self._gathered = self._batches.inputs(starts), self._batches.targets(starts)
            self._block = block
        return tuple(tensor[offset * size : (offset + 1) * size] for tensor in self._gathered)

    def initial_state(self, index: int) -> RNNState | None:
        """The state before batch `index`: None, for zeros."""

    def record_state(self, state: RNNState) -> None:
        """Keep the state after a batch for the next one; here no batch needs it."""


class ShuffledBatches(SequentialBatches):
    """Each epoch in another order, from a seed alone."""

    def __init__(self, batches: WindowTensors, starts: Tensor, batch_size: int, seed: int) -> None:
        """starts: (windows,) int64 on the batches' device."""
        super().__init__(batches, starts, batch_size)
        self._starts = starts
        self._generator = torch.Generator().manual_seed(seed)
        self._epoch_start_state = self._generator.get_state()  # at the start of the epoch under way
        self._drawn = False  # this epoch's order

    def batch(self, index: int) -> tuple[Tensor, Tensor]:
        """The inputs and targets of this epoch's batch `index`; batch 0 begins a new epoch."""
        if index == 0 or not self._drawn:
            self._shuffle()
        return super().batch(index)

    def state_dict(self, mid_epoch: bool) -> dict[str, Tensor]:
        """What load_state_dict needs to resume in the middle of this epoch, or with the next one."""
        return {"order": self._epoch_start_state if mid_epoch else self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume; raises RuntimeError where `state` is no generator's."""
        self._generator.set_state(state["order"])
        self._epoch_start_state, self._drawn = state["order"], False

    def _shuffle(self) -> None:
        self._epoch_start_state = self._generator.get_state()
        order = torch.randperm(len(self._starts), generator=self._generator)
        self._order = self._starts[order.to(self._starts.device)]
        self._block, self._drawn = -1, True
