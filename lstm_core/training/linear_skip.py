"""The linear skip: ridge regression from a window to its targets, fitted before the training.

All in float64, on the CPU and on one thread, so that it is the same to the last bit wherever it is repeated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from lstm_core.architecture.skip_limits import PENALTIES, check_skip, window_stride
from lstm_core.data.windows import Windows
from lstm_core.experiment import ModelSpec
from lstm_core.model.recurrent import SequenceModel
from lstm_core.training.batches import WindowTensors

LEFT_OUT = math.inf  # in place of a penalty: no weights at all

_Fit = Callable[[float], tuple[Tensor, Tensor]]  # penalty → weight (inputs, outputs) and bias (outputs,)


def choose_penalty(spec: ModelSpec, windows: Windows) -> float:
    """Of PENALTIES the one that, fitted to the training windows, is best on the validation windows; LEFT_OUT where
    none has a lower mean squared error there than an output of zero, which is the start itself.

    Raises:
        PlaygroundError: as check_skip does.
    """
    check_skip(spec, windows)
    with _one_thread():
        return _best(_fits(windows, windows.starts["train"]), windows)


@torch.no_grad()
def fit_skip(model: SequenceModel, windows: Windows, penalty: float | None = None) -> float:
    """Set the model's skip to what the training windows give; the penalty: choose_penalty's unless one is given, and
    then no other split is read.

    Raises:
        PlaygroundError: as check_skip does, without a penalty.
    """
    if penalty == LEFT_OUT:  # build_model's zeros
        return LEFT_OUT
    if penalty is None:
        check_skip(model.spec, windows)
    with _one_thread():
        fit = _fits(windows, windows.starts["train"])
        penalty = _best(fit, windows) if penalty is None else penalty
        weight, bias = fit(penalty)
    model.skip.weight.copy_(weight.T)
    model.skip.bias.copy_(bias)
    return penalty


def _best(fit: _Fit, windows: Windows) -> float:
    inputs, targets = _pairs(windows, windows.starts["valid"])
    errors = {}
    for penalty in (LEFT_OUT, *PENALTIES):
        weight, bias = fit(penalty)
        errors[penalty] = (inputs @ weight + bias - targets).square().mean().item()
    return min(errors, key=errors.__getitem__)


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
        if penalty == LEFT_OUT:
            return torch.zeros_like(projected), torch.zeros_like(y_mean)
        weight = vectors @ (projected / (values.clamp(min=0) + penalty)[:, None])
        return weight, y_mean - x_mean @ weight

    return fit


def _pairs(windows: Windows, starts: np.ndarray) -> tuple[Tensor, Tensor]:
    """(windows, seq_len·input_size) and (windows, output_size) float64, scaled; evenly spread where there are many."""
    tensors = WindowTensors(windows, torch.device("cpu"), per_step=False)
    stride = window_stride(len(starts), windows.spec.seq_len * windows.input_size + windows.output_size)
    chosen = torch.from_numpy(starts[::stride])
    return tensors.inputs(chosen).flatten(1).double(), tensors.targets(chosen).double()


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
