"""Integrated gradients: the mean gradient on the straight way from a baseline to the input, times their difference.

    IG_k = (x_k − x⁰_k) ∫₀¹ ∂f/∂x_k (x⁰ + α (x − x⁰)) dα

Sundararajan, Taly & Yan (2017), "Axiomatic attribution for deep networks"; their sum is f(x) − f(x⁰) (completeness).
The integral is by Gauss–Legendre with n points, 32 in each of n/32 equal parts. How far the sum is from completeness is
measured, and n doubled until that is small: a fixed n is wrong by an unknown amount where the gates saturate on the
way.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.analysis.readout import Output, readout_of
from lstm_core.experiment import PlaygroundError
from lstm_core.trace.inputs import check_input, check_module

TOLERANCE = 1e-3  # of |f(x) − f(x⁰)|
FIRST_POINTS, MAX_POINTS = 32, 4096
MAX_STEPS = 1 << 19  # of all points together, so that a long sequence ends, too
CHUNK = 1 << 21  # numbers of the inputs and states of a chunk of points


@dataclass(frozen=True, eq=False)
class IntegratedGradients:
    """inputs: (seq_len, input_size) float64; their sum and baseline_prediction make the prediction, but for `error`."""

    inputs: np.ndarray
    prediction: float  # f(x), in float64
    baseline_prediction: float  # f(x⁰)
    points: int  # n, at which it stopped

    @property
    def error(self) -> float:
        """|Σ − (f(x) − f(x⁰))| in the prediction's units."""
        return abs(float(self.inputs.sum()) - (self.prediction - self.baseline_prediction))

    @property
    def is_complete(self) -> bool:
        """Whether the error is at most 0.1 % of |f(x) − f(x⁰)|; else n has reached its cap, max_points."""
        return self.error <= TOLERANCE * abs(self.prediction - self.baseline_prediction)


def integrated_gradients(
    lstm: nn.LSTM,
    head: nn.Linear,
    x: Tensor,
    output: Output = 0,
    baseline: Tensor | None = None,
    step: int | None = None,
) -> IntegratedGradients:
    """Of one sequence x (seq_len, input_size) against a baseline of its shape, zeros if None; else as contributions.

    Computed on the CPU in float64, from a copy of the modules.

    Raises:
        PlaygroundError: x, baseline, output or step does not fit the modules.
    """
    check_module(lstm)
    check_input(lstm, x)
    if x.dim() != 2 or (baseline is not None and baseline.shape != x.shape):
        raise PlaygroundError("Integrated gradients take one sequence, (seq_len, input_size), and a baseline like it.")
    readout = readout_of(lstm, head, output, step, len(x))
    module = copy.deepcopy(lstm).cpu().double()
    module.batch_first = False

    def function(steps: Tensor) -> Tensor:
        sequence, (h_n, _) = module(steps.transpose(0, 1))
        if readout.step is not None:
            return sequence[readout.step] @ readout.weights.flatten() + readout.bias
        return h_n[-len(readout.weights) :].transpose(0, 1).flatten(1) @ readout.weights.flatten() + readout.bias

    start = torch.zeros_like(x) if baseline is None else baseline
    width = 8 * lstm.hidden_size * len(lstm.all_weights)
    return integrate(function, x.detach().cpu().double(), start.detach().cpu().double(), width)


def max_points(seq_len: int) -> int:
    """Where the doubling ends: 4,096, or fewer for a long sequence."""
    points = FIRST_POINTS
    while 2 * points * seq_len <= MAX_STEPS and 2 * points <= MAX_POINTS:
        points *= 2
    return points


def integrate(
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    baseline: Tensor,
    width: int,
    progress: Callable[[float], None] = lambda share: None,
) -> IntegratedGradients:
    """function: differentiable, (points, seq_len, input_size) → (points,) float64. width: about how many numbers it
    keeps for each step of a point, so that memory stays bounded. progress: called with the share that is done if all
    points are needed; what it raises ends this."""
    with torch.no_grad():
        ends = function(torch.stack([x, baseline])).tolist()
    difference, points, cap = x - baseline, FIRST_POINTS, max_points(len(x))
    size = max(1, CHUNK // (len(x) * (x.shape[1] + width)))
    nodes, shares = np.polynomial.legendre.leggauss(FIRST_POINTS)
    done = 0  # points of all rounds, which are 2 · cap in the end
    while True:
        parts = points // FIRST_POINTS
        alphas = torch.from_numpy((np.arange(parts)[:, None] + (nodes + 1) / 2).ravel() / parts)
        weights = torch.from_numpy(np.tile(shares / 2, parts) / parts)
        mean = torch.zeros_like(x)
        for alpha, weight in zip(alphas.split(size), weights.split(size), strict=True):
            way = (baseline + alpha[:, None, None] * difference).requires_grad_()
            (gradient,) = torch.autograd.grad(function(way).sum(), way)
            mean += torch.einsum("p,psf->sf", weight, gradient)
            done += len(alpha)
            progress(done / (2 * cap))
        result = IntegratedGradients((mean * difference).numpy(), *ends, points)
        if result.is_complete or points >= cap:
            return result
        points *= 2
