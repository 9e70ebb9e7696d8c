"""Readout: one number that a linear head makes of h, as weights of the top layer's h and a constant."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.experiment import PlaygroundError

Output = int | tuple[int, int] | Sequence[float] | np.ndarray | Tensor


@dataclass(frozen=True, eq=False)
class Readout:
    """ŷ = Σ weights ⊙ h + bias, with h the top layer's, on the CPU in float64.

    mix: (outputs,), how the head's outputs are added up to ŷ. weights: (num_directions, proj_size or hidden_size).
    step: of the input at which the head reads h, both directions'; None reads h_n, what each direction has at its own
    end.
    """

    mix: Tensor
    weights: Tensor
    bias: float
    step: int | None

    def read_positions(self, seq_len: int) -> list[int]:
        """For each direction how many steps it has read, less one, when the head reads it."""
        if self.step is None:
            return [seq_len - 1] * len(self.weights)
        return [self.step, seq_len - 1 - self.step][: len(self.weights)]

    def value(self, head: nn.Linear, output: Tensor, h_n: Tensor) -> Tensor:
        """(batch,) float64: ŷ as the module computes it, from output (seq_len, batch, -1) and h_n (rows, batch, -1)."""
        top = h_n[-len(self.weights) :].transpose(0, 1).flatten(1) if self.step is None else output[self.step]
        return head(top).detach().cpu().double() @ self.mix


def readout_of(
    lstm: nn.LSTM, head: nn.Linear, output: Output = 0, step: int | None = None, seq_len: int | None = None
) -> Readout:
    """output: which of the head's outputs; (a, b), whole numbers in a tuple, for the difference of two, such as logits;
    or an array of weights, one for each output. step: see Readout; seq_len: of the sequence, to check it.

    Raises:
        PlaygroundError: the head does not fit the LSTM, or there is no such output or step.
    """
    directions, h_size = 2 if lstm.bidirectional else 1, lstm.proj_size or lstm.hidden_size
    if not isinstance(head, nn.Linear) or head.in_features != directions * h_size:
        raise PlaygroundError(f"The head is {head}: pass the nn.Linear that reads these {directions * h_size} of h.")
    if step is not None and seq_len is not None and step not in range(seq_len):
        raise PlaygroundError(f"There is no step {step}: choose one of 0 to {seq_len - 1}.")
    mix = _mix(output, head.out_features)
    weight = mix @ head.weight.detach().cpu().double()
    bias = 0.0 if head.bias is None else float(mix @ head.bias.detach().cpu().double())
    return Readout(mix, weight.unflatten(0, (directions, h_size)), bias, None if step is None else int(step))


def _mix(output: Output, outputs: int) -> Tensor:
    """(outputs,) float64."""
    mix = torch.zeros(outputs, dtype=torch.float64)
    if isinstance(output, Tensor | np.ndarray | list):
        weights = torch.as_tensor(output).detach().cpu().double()
        if weights.shape != mix.shape or not weights.isfinite().all():
            raise PlaygroundError(
                f"The weights of the outputs have shape {tuple(weights.shape)}: give {outputs} finite numbers."
            )
        return weights
    chosen = output if isinstance(output, tuple) else (output,)
    try:
        indices = [operator.index(one) for one in chosen]
    except TypeError:
        indices = []
    if len(indices) not in (1, 2) or any(index not in range(outputs) for index in indices):
        raise PlaygroundError(
            f"There is no output {output!r:.60}: choose one of 0 to {outputs - 1}, or two of them for a difference."
        )
    for index, sign in zip(indices, (1.0, -1.0), strict=False):
        mix[index] += sign
    return mix
