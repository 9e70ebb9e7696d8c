"""Losses over numbers or classes, at the end of a window or at every step of it, some of them not scored."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lstm_core.experiment import PlaygroundError, TrainSpec

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


def count_scored(target: Tensor, masked: bool) -> Tensor | int:
    """How many numbers or classes sequence_loss takes its mean over; a tensor where it takes the device to know."""
    if not masked:
        return target.numel()
    return (target >= 0).sum() if target.dtype == torch.int64 else (~target.isnan()).sum()


def numbers_of(loss: Tensor, norm: Tensor, scored: Tensor | int) -> tuple[float, float, int]:
    """All in one wait for the device."""
    if isinstance(scored, int):
        return *torch.stack([loss, norm]).tolist(), scored
    loss, norm, scored = torch.stack([loss, norm, scored.to(loss.dtype)]).tolist()
    return loss, norm, int(scored)


class NonFiniteLossError(PlaygroundError):
    """The loss became NaN or infinite; the trainer holds the weights of the last finite loss."""

    def __init__(self, subject: str, step: int, spec: TrainSpec) -> None:
        clip = "stronger gradient clipping" if spec.max_grad_norm else "gradient clipping (off now)"
        super().__init__(
            f"{subject} became NaN or infinite at step {step}: the last finite weights are kept. Try a smaller "
            f"learning rate ({spec.lr:g} now) or {clip}, then press Reset."
        )
