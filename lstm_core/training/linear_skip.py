"""The linear skip: ridge regression from a window to its targets, fitted before the training.

All in float64, on the CPU and on one thread, so that it is the same to the last bit wherever it is repeated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lstm_core.architecture.skip_limits import PENALTIES, check_skip, window_stride
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment
from lstm_core.model.recurrent import SequenceModel
from lstm_core.training.batches import WindowTensors
from lstm_core.training.shrinkage import shrinkage


class SkipChoice(NamedTuple):
    """What the validation windows say of a linear skip: its penalty, and what its answer is scaled by, 0 to 1."""

    penalty: float
    share: float


LEFT_OUT = SkipChoice(math.inf, 0.0)

_Fit = Callable[[float], tuple[Tensor, Tensor]]  # penalty → weight (inputs, outputs) and bias (outputs,)


def choose_skip(experiment: Experiment, windows: Windows) -> SkipChoice:
    """Of PENALTIES the one that, fitted to the training windows, is best on the validation windows; LEFT_OUT where
    none has a lower mean squared error there than an output of zero, which is the start itself. With TrainSpec.shrink
    the share is as large as those windows support, as of the output head; else it is 1.

    Raises:
        PlaygroundError: as check_skip does.
    """
    check_skip(experiment.model, windows)
    with _one_thread():
        return _best(_fits(windows, windows.starts["train"]), experiment, windows)


@torch.no_grad()
def fit_skip(
    model: SequenceModel, experiment: Experiment, windows: Windows, choice: SkipChoice | None = None
) -> SkipChoice:
    """Set the model's skip, which is zero, to what the training windows give; choice: choose_skip's unless one is
    given, and then no other split is read.

    Raises:
        PlaygroundError: as check_skip does, without a choice.
    """
    if choice is None:
        check_skip(model.spec, windows)
    elif not choice.share:
        return choice
    with _one_thread():
        fit = _fits(windows, windows.starts["train"])
        choice = choice or _best(fit, experiment, windows)
        if choice.share:
            weight, bias = fit(choice.penalty)
            model.skip.weight.copy_((weight * choice.share).T)
            model.skip.bias.copy_(bias * choice.share)
    return choice


def _best(fit: _Fit, experiment: Experiment, windows: Windows) -> SkipChoice:
    inputs, targets = _pairs(windows, windows.starts["valid"])
    best, answer, least = LEFT_OUT, None, targets.square().mean().item()
    for penalty in PENALTIES:
        weight, bias = fit(penalty)
        predictions = inputs @ weight + bias
        error = (predictions - targets).square().mean().item()
        if error < least:
            best, answer, least = SkipChoice(penalty, 1.0), predictions, error
    if answer is None or not experiment.train.shrink:
        return best
    overlap = windows.output_steps / _stride(windows, len(windows.starts["valid"]))
    return best._replace(share=shrinkage([(answer, targets)], max(1.0, overlap)))


def _fits(windows: Windows, starts: np.ndarray) -> _Fit:
    """All penalties from one decomposition; the bias is not penalised.

    W = V (Λ + αI)⁻¹ Vᵀ XᵀY of the centred X and Y, where XᵀX = V Λ Vᵀ (Hoerl & Kennard, 1970, "Ridge regression").
    """
    inputs, targets = _pairs(windows, starts)
    x_mean, y_mean = inputs.mean(0), targets.mean(0)
    inputs -= x_mean
    values, vectors = torch.linalg.eigh(inputs.T @ inputs)
    projected = vectors.T @ (inputs.T @ (targets - y_mean))

    def fit(penalty: float) -> tuple[Tensor, Tensor]:
        weight = vectors @ (projected / (values.clamp(min=0) + penalty)[:, None])
        return weight, y_mean - x_mean @ weight

    return fit


def _pairs(windows: Windows, starts: np.ndarray) -> tuple[Tensor, Tensor]:
    """(windows, seq_len·input_size) and (windows, output_size) float64, scaled; evenly spread where there are many."""
    tensors = WindowTensors(windows, torch.device("cpu"), per_step=False)
    chosen = torch.from_numpy(starts[:: _stride(windows, len(starts))])
    return tensors.inputs(chosen).flatten(1).double(), tensors.targets(chosen).double()


def _stride(windows: Windows, count: int) -> int:
    return window_stride(count, windows.spec.seq_len * windows.input_size + windows.output_size)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
