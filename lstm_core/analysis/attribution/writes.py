"""When was it written? The final cell state of an nn.LSTM as a sum over the steps that wrote it.

    c_T = Σ_t e_t + (Π_s f_s) ⊙ c_0,    e_t = (Π_{s>t} f_s) ⊙ i_t ⊙ g_t

and the head reads o_T ⊙ (tanh(c_T) / c_T) ⊙ e_t of each. "Written at t" is not "caused by x_t": i_t and g_t read
h_{t−1} as well, and what an earlier input did through it is booked at t. The ledger asks what x_t caused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.analysis.attribution.ledger import secant
from lstm_core.analysis.readout import Output, readout_of
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.trace.inputs import initial_states, time_major


@dataclass(frozen=True, eq=False)
class Writes:
    """What the top layer's cells had of each step when the head read them, counted in the prediction; float64."""

    units: np.ndarray  # (num_directions, seq_len, hidden_size), by the time of the input; 0 past what was read
    initial_state: float  # what was left of c_0
    bias: float  # the head's
    prediction: float  # as nn.LSTM and the head compute it

    @property
    def steps(self) -> np.ndarray:
        """(seq_len,): the sum over units and directions."""
        return self.units.sum((0, 2))

    @property
    def error(self) -> float:
        """The sum less the prediction: rounding."""
        return math.fsum([*self.units.ravel(), self.initial_state, self.bias]) - self.prediction


@torch.no_grad()
def writes(
    lstm: nn.LSTM,
    head: nn.Linear,
    x: Tensor,
    output: Output = 0,
    hx: tuple[Tensor, Tensor] | None = None,
    step: int | None = None,
) -> Writes:
    """When the top layer's cells were written, of one sequence x (seq_len, input_size); arguments as contributions.

    Raises:
        PlaygroundError: as contributions does.
    """
    trace = trace_lstm(lstm, x, hx)
    seq_len, hidden_size = trace.c.shape[3:]
    readout = readout_of(lstm, head, output, step, seq_len)
    c_0 = initial_states(lstm, 1, hx)[1]
    units, initial = np.zeros((len(readout.weights), seq_len, hidden_size)), 0.0
    for direction, position in enumerate(readout.read_positions(seq_len)):
        order = range(seq_len)[:: -1 if direction else 1][: position + 1]
        i, f, g, o = (trace.gate(name)[-1, direction, 0][list(order)].cpu().double() for name in "ifgo")
        row = len(c_0) - len(readout.weights) + direction
        start = c_0[row, 0].cpu().double()
        after = torch.cat([f[1:].flip(0).cumprod(0).flip(0), torch.ones_like(f[:1])])  # of f, past each step
        kept, first = after * i * g, after[0] * f[0] * start
        counted = readout.weights[direction]
        if lstm.proj_size:
            counted = counted @ lstm.all_weights[row][-1].cpu().double()
        counted = counted * o[-1] * secant(kept.sum(0) + first)
        units[direction, list(order)] = (kept * counted).numpy()
        initial += float(first @ counted)
    h_n = trace.h_n if trace.h_n.dim() == 3 else trace.h_n.unsqueeze(1)
    prediction = readout.value(head, time_major(lstm, trace.output)[0], h_n)
    return Writes(units, initial, readout.bias, float(prediction))
