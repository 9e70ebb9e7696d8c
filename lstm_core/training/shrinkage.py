"""Shrinkage: how much of a trained model's output its validation windows support, from nothing to all of it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from lstm_core.experiment import SUPPORTING_ERRORS


def shrinkage(validation: Iterable[tuple[Tensor, Tensor]], overlap: float) -> float:
    """The factor for the output head, 0 to 1: t / 3, where the squared error is lower by t standard errors than
    that of an output of zero, which is the start itself or, without one, the training mean.

    validation: batches of predictions and targets, (batch, [seq_len,] output_size) in scaled units, both less the
    answer of a linear skip, NaN where not scored; overlap: how many windows, one after the other, share targets:
    together they tell as much as one.
    """
    gains = [_gains(predictions, targets) for predictions, targets in validation]
    gain = torch.cat(gains) if gains else torch.zeros(0)
    gain = gain[~gain.isnan()]
    independent = max(2.0, len(gain) / overlap)
    error = float(gain.std(correction=0)) / independent**0.5 if len(gain) else 0.0
    if not error:
        return 1.0 if len(gain) and gain[0] > 0 else 0.0
    return min(1.0, max(0.0, float(gain.mean()) / error / SUPPORTING_ERRORS))


def _gains(predictions: Tensor, targets: Tensor) -> Tensor:
    """(batch,) float64 on the CPU: by how much each window's mean squared error is lower than with zeros."""
    predictions, targets = predictions.double().cpu(), targets.double().cpu()
    return (targets.square() - (targets - predictions).square()).flatten(1).nanmean(1)
