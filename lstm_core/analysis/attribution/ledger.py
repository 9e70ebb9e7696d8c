"""The contribution ledger: one prediction of an nn.LSTM told exactly as a sum over its steps and inputs.

The gates i, f and o are kept at the values that they had, and tanh(z) is read as τ(z)·z with its secant τ(z) =
tanh(z) / z. The prediction is then linear in the inputs, and one pass back gives what each of them has added. With R
for what a value counts for in the prediction, a for g's pre-activation, W, U and b for its rows of weight_ih, weight_hh
and both biases:

    R_c[t] = f_{t+1} ⊙ R_c[t+1] + o_t ⊙ τ(c_t) ⊙ R_m[t]        R_a[t] = i_t ⊙ τ(a_t) ⊙ R_c[t]
    R_h[t] = what the head and the layer above count h_t for + Uᵀ R_a[t+1]

where R_m is R_h, or weight_hrᵀ R_h if proj_size is set. The items are (Wᵀ R_a[t]) ⊙ x_t, R_a[t]·b, R·h_0 and R·c_0 and
the head's bias. Frozen gates and secants are a convention, as in layer-wise relevance propagation (Arras et al. 2017,
"Explaining recurrent neural network predictions in sentiment analysis"): the sum is exact, its division is one of
several. What an input did by moving a gate is not told apart. Where x_t is 0 it adds nothing: inputs that were scaled
count from their centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstm_core.analysis.readout import Output, Readout, readout_of
from lstm_core.experiment import PlaygroundError
from lstm_core.trace.gate_trace import GateTrace, trace_lstm
from lstm_core.trace.inputs import check_module, initial_states, time_major
from lstm_core.trace.replay import accumulate

CHUNK = 1 << 23  # numbers of a gate of all windows at once


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each part of a sequence has added to one prediction; all float64, by the time of the input."""

    inputs: np.ndarray  # (seq_len, input_size)
    constants: np.ndarray  # (seq_len,): the biases of the candidate gate, of all layers
    initial_state: float  # h_0 and c_0, of all layers
    bias: float  # the head's
    prediction: float  # as nn.LSTM and the head compute it

    @property
    def items(self) -> np.ndarray:
        """(seq_len·input_size + seq_len + 2,): all that is added up."""
        return np.concatenate([self.inputs.ravel(), self.constants, [self.initial_state, self.bias]])

    @property
    def total(self) -> float:
        return math.fsum(self.items)

    @property
    def error(self) -> float:
        """The sum less the prediction: rounding, the module's own above all."""
        return self.total - self.prediction

    @property
    def magnitude(self) -> float:
        """Σ|items|: much more than |prediction| where items cancel."""
        return float(np.abs(self.items).sum())


def contributions(
    lstm: nn.LSTM,
    head: nn.Linear,
    x: Tensor,
    output: Output = 0,
    hx: tuple[Tensor, Tensor] | None = None,
    step: int | None = None,
) -> Contributions:
    """The ledger of one sequence x (seq_len, input_size).

    The head reads the top layer's h_n, both directions side by side; with step, `lstm(x)[0][step]` as a head at every
    step does. output: which of the head's outputs; a tuple (a, b) for the difference of two; or an array of weights,
    one for each output. hx: h_0 and c_0 as the module takes them for this x. Neither module is touched.

    Raises:
        PlaygroundError: x, hx, output or step does not fit the modules, or dropout makes its runs differ.
    """
    check_module(lstm)
    if not isinstance(x, Tensor) or x.dim() != 2:
        shape = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise PlaygroundError(f"x is {shape}: pass one sequence, a Tensor (seq_len, {lstm.input_size}).")
    readout = readout_of(lstm, head, output, step, len(x))
    return _ledgers(lstm, head, trace_lstm(lstm, x, hx), x.unsqueeze(1), initial_states(lstm, 1, hx), readout)[0]


def batch_contributions(
    lstm: nn.LSTM, head: nn.Linear, x: Tensor, output: Output = 0, step: int | None = None
) -> list[Contributions]:
    """The same for many sequences x (batch, seq_len, input_size), whatever batch_first says, from states of zero.

    Raises:
        PlaygroundError: as contributions does.
    """
    check_module(lstm)
    if not isinstance(x, Tensor) or x.dim() != 3:
        raise PlaygroundError(f"x must be a Tensor (batch, seq_len, {lstm.input_size}).")
    readout = readout_of(lstm, head, output, step, x.shape[1])
    size = max(1, CHUNK // (x.shape[1] * max(lstm.hidden_size, lstm.input_size)))
    ledgers = []
    for chunk in x.split(size):
        trace = trace_lstm(lstm, chunk if lstm.batch_first else chunk.transpose(0, 1))
        states = initial_states(lstm, len(chunk), None)
        ledgers += _ledgers(lstm, head, trace, chunk.transpose(0, 1), states, readout)
    return ledgers


@torch.no_grad()
def _ledgers(
    lstm: nn.LSTM, head: nn.Linear, trace: GateTrace, x: Tensor, start: tuple[Tensor, Tensor], readout: Readout
) -> list[Contributions]:
    """x: (seq_len, batch, input_size); start: h_0 and c_0, (num_layers·num_directions, batch, -1)."""
    x, h_0, c_0 = (tensor.detach().cpu().double() for tensor in (x, *start))
    seq_len, batch, directions = *x.shape[:2], len(readout.weights)
    h = trace.h.cpu().double().transpose(2, 3)  # (num_layers, num_directions, seq_len, batch, h_size)
    above = x.new_zeros(directions, seq_len, batch, h.shape[-1])  # in the order of reading
    for direction, position in enumerate(readout.read_positions(seq_len)):
        above[direction, position] = readout.weights[direction]
    constants, initial = x.new_zeros(seq_len, batch), x.new_zeros(batch)
    for layer in reversed(range(lstm.num_layers)):
        read = h[layer - 1].movedim(0, 2).flatten(2) if layer else x  # (seq_len, batch, features)
        below = torch.zeros_like(read)
        for direction in range(directions):
            row = layer * directions + direction
            weights = [weight.detach().cpu().double() for weight in lstm.all_weights[row]]
            states = h_0[row], c_0[row]
            credit, (to_h, to_c) = _back(
                weights,
                lstm.bias,
                _turned(read, direction),
                _turned(h[layer, direction], direction),
                states,
                above[direction],
            )
            below += _turned(credit, direction) @ _candidate(weights[0])
            if lstm.bias:
                constants += _turned(credit, direction) @ _candidate(weights[2] + weights[3])
            initial += (to_h * states[0]).sum(1) + (to_c * states[1]).sum(1)
        if layer:
            above = below.unflatten(2, (directions, -1)).movedim(2, 0)
            above = torch.stack([_turned(above[direction], direction) for direction in range(directions)])
    inputs = (below * x).transpose(0, 1).numpy()
    h_n = trace.h_n if trace.h_n.dim() == 3 else trace.h_n.unsqueeze(1)
    predictions = readout.value(head, time_major(lstm, trace.output)[0], h_n).tolist()
    parts = zip(inputs, constants.T.numpy(), initial.tolist(), predictions, strict=True)
    return [Contributions(item, fixed, first, readout.bias, y) for item, fixed, first, y in parts]


def _back(
    weights: list[Tensor], bias: bool, x: Tensor, h: Tensor, start: tuple[Tensor, Tensor], above: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """R_a (seq_len, batch, hidden_size), and R of h_0 and c_0, of one direction of a layer, all as read.

    x, h and above: (seq_len, batch, -1); above: what the head or the layer above counts h for.
    """
    hidden_size = len(weights[0]) // 4
    before = torch.cat([start[0][None], h[:-1]])
    a = F.linear(x, weights[0], weights[2] if bias else None) + F.linear(
        before, weights[1], weights[3] if bias else None
    )
    i, f, _, o = a.unflatten(2, (4, hidden_size)).sigmoid().unbind(2)
    a_g = a[..., 2 * hidden_size : 3 * hidden_size]
    c = i * a_g.tanh()
    accumulate(f, c, start[1], reverse=False)
    write, read = i * secant(a_g), o * secant(c)
    candidate = _candidate(weights[1])  # (hidden_size, h_size)
    weight_hr = weights[-1] if h.shape[2] < hidden_size else None  # a projection is narrower than c
    credit = torch.empty_like(c)
    to_h, to_c = torch.zeros_like(start[0]), torch.zeros_like(start[1])
    for t in reversed(range(len(c))):
        r_m = above[t] + to_h
        if weight_hr is not None:
            r_m = r_m @ weight_hr
        r_c = torch.addcmul(to_c, read[t], r_m)
        torch.mul(write[t], r_c, out=credit[t])
        to_h, to_c = credit[t] @ candidate, f[t] * r_c
    return credit, (to_h, to_c)


def secant(z: Tensor) -> Tensor:
    """tanh(z) / z, 1 at 0."""
    return torch.where(z == 0, 1.0, z.tanh() / torch.where(z == 0, 1.0, z))


def _candidate(weight: Tensor) -> Tensor:
    """The rows of the gate g."""
    return weight.unflatten(0, (4, -1))[2]


def _turned(sequence: Tensor, direction: int) -> Tensor:
    """(seq_len, ...) from the input's time to the order of reading, or back."""
    return sequence.flip(0) if direction else sequence
