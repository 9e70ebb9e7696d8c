"""Windows as tensors on a device: one gather a batch, scaled as it is gathered. Nothing here trains."""

from __future__ import annotations

import torch
from torch import Tensor

from lstm_core.windows import Windows


class Batches:
    """The rows of a Windows on one device, from which any windows' inputs and targets are gathered."""

    def __init__(self, windows: Windows, device: torch.device, every: bool) -> None:
        """every: one target at each step (head "every") instead of one at the end."""
        self.windows = windows
        self.every = every
        self._x = torch.from_numpy(windows.x).to(device)  # (rows, input_size)
        self._y = torch.from_numpy(windows.y).to(device)  # (rows, targets), or (rows,) classes
        scaler = (windows.x_center, 1 / windows.x_scale, windows.y_center, 1 / windows.y_scale)
        self._x_center, self._x_factor, self._y_center, self._y_factor = (
            torch.from_numpy(part).to(device) for part in scaler
        )
        self._steps = torch.arange(windows.spec.seq_len, device=device)
        self._offsets = torch.from_numpy(windows.offsets).to(device)
        self._part = torch.from_numpy(windows.part_of_row).to(device) if every else None

    def inputs(self, starts: Tensor) -> Tensor:
        """starts: (batch,) int64 on the device. Returns (batch, seq_len, input_size), scaled."""
        rows = starts[:, None] + self._steps
        x = self._x.index_select(0, rows.flatten())
        x = x.sub_(self._x_center).mul_(self._x_factor)
        return x.view(*rows.shape, self._x.shape[1])

    def targets(self, starts: Tensor) -> Tensor:
        """What the model should say: float (batch, [seq_len,] output_size), scaled, NaN where not scored;
        or int64 (batch, [seq_len]) classes, −1 where not scored.

        A step of head "every" is not scored when its targets lie in an earlier part than the window's own:
        a validation window's first steps would otherwise be scored on training rows.
        """
        last = self.windows.spec.seq_len - 1
        base = starts[:, None] + self._steps if self.every else starts + last
        rows = base[..., None] + self._offsets  # (batch, [seq_len,] ahead)
        y = self._y.index_select(0, rows.flatten())
        if self.windows.classes:
            y = y.view(base.shape)
            return y if not self.every else y.masked_fill(self._elsewhere(rows)[..., 0], -1)
        y = y.sub_(self._y_center).mul_(self._y_factor).view(*rows.shape, self._y.shape[1])
        if self.every:
            y = y.masked_fill(self._elsewhere(rows)[..., None], float("nan"))
        return y.flatten(-2)

    def _elsewhere(self, rows: Tensor) -> Tensor:
        part = self._part[rows]
        return part != part[:, -1:, -1:]
