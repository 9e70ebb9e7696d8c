"""Losses over numbers or classes, at the end of a window or at every step of it, some of them not scored."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_REGRESSION = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}


def sequence_loss(name: str, prediction: Tensor, target: Tensor, masked: bool) -> Tensor:
    """Mean loss over what is scored.

    prediction: (batch, [seq_len,] output_size); target: the same shape, NaN where not scored, or classes
    (batch, [seq_len]), −1 where not scored. masked: whether anything may be unscored.
    """
    if name == "cross_entropy":
        return F.cross_entropy(prediction.flatten(0, -2), target.flatten(), ignore_index=-1)
    if masked:
        scored = ~target.isnan()
        prediction, target = prediction[scored], target[scored]
    return _REGRESSION[name](prediction, target)
