"""RunPair: two runs of one LSTM, A and B, prepared so that B can be run on from any step with some of A's values.

Only one direction of the top layer is run again: what is below it, and the other direction, is B's. All of it is on the
CPU in float64, in the order of reading; so that a patch that changes nothing gives B's prediction to the last digits.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstm_core.analysis.readout import Output, readout_of
from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.trace.gate_trace import GateTrace, trace_lstm
from lstm_core.trace.inputs import check_input, check_module
from lstm_core.trace.replay import MINUS_ONE, joined_weights

PATCHABLE = STATES + GATES
LEAST_SHARE = 0.05  # of the spread of predictions: a smaller difference has no cause worth looking for
ROUNDING = 1e-9

Change = Callable[[str, Tensor], Tensor]  # a tensor's name and its values (rows, size) → the values to go on with


@dataclass(frozen=True, eq=False)
class RunPair:
    """a, b: i, f, g, o, c and h of each run, (seq_len, size).

    inputs: (seq_len, 4·hidden_size), what x and the biases bring to B's gates; as in weight_hh the rows of g are
    doubled, for tanh(a) = 2σ(2a) − 1. weights: (h_size,), what the head makes of this direction's h after the step
    number `read`; offset: what else is in B's prediction, the bias above all.
    """

    a: dict[str, Tensor]
    b: dict[str, Tensor]
    inputs: Tensor
    weight_hh: Tensor
    weight_hr: Tensor | None
    weights: Tensor
    offset: float
    read: int
    y_a: float
    y_b: float
    is_reverse: bool

    @property
    def seq_len(self) -> int:
        return len(self.inputs)

    @property
    def difference(self) -> float:
        return self.y_a - self.y_b

    def positions(self, steps: Tensor) -> Tensor:
        """Steps of the input as positions in the order of reading, or back."""
        return self.seq_len - 1 - steps if self.is_reverse else steps

    @cached_property
    def before(self) -> tuple[Tensor, Tensor]:
        """B's h and c before each step, (seq_len, size)."""
        return tuple(F.pad(self.b[name][:-1], (0, 0, 1, 0)) for name in ("h", "c"))

    def check(self, spread: float | None) -> None:
        """Raises PlaygroundError where the two predictions are the same for all that can be told; spread: the standard
        deviation of such predictions, None if it is not known."""
        y_a, y_b = (format_significant(y, 4) for y in (self.y_a, self.y_b))
        if not abs(self.difference) > ROUNDING * max(1.0, abs(self.y_a), abs(self.y_b)):
            raise PlaygroundError(
                f"Both runs have the same prediction, {y_b}, so nothing carries a difference: compare with another "
                "sequence, or read the prediction after another step."
            )
        if spread is not None and abs(self.difference) < LEAST_SHARE * spread:
            raise PlaygroundError(
                f"The two predictions, {y_b} and {y_a}, differ by less than {format_percent(LEAST_SHARE, 0)} of their "
                f"spread, {format_significant(spread, 3)}: compare with another sequence, or read the prediction after "
                "another step."
            )

    def advance(self, t: int, h: Tensor, c: Tensor, change: Change | None = None) -> tuple[Tensor, Tensor]:
        """h and c (rows, size) after step t of B, from those before it; change: made to i, f, g, o, c and h in turn."""
        change = change or _nothing
        gates = torch.addmm(self.inputs[t], h, self.weight_hh.T).sigmoid()
        i, f, g, o = gates.chunk(4, 1)
        g = torch.add(MINUS_ONE, g, alpha=2)
        i, f, g, o = (change(name, gate) for name, gate in zip(GATES, (i, f, g, o), strict=True))
        c = change("c", torch.addcmul(f * c, i, g))
        h = o * c.tanh()
        return change("h", h if self.weight_hr is None else h @ self.weight_hr.T), c

    def predictions(self, h: Tensor) -> Tensor:
        """(rows,) from h (rows, h_size) after the step that is read."""
        return h @ self.weights + self.offset

    def effects(self, h: Tensor) -> Tensor:
        """(rows,): how much of the way from B's prediction to A's, 0 to 1."""
        return (self.predictions(h) - self.y_b) / self.difference


def _nothing(name: str, values: Tensor) -> Tensor:
    return values


@torch.no_grad()
def run_pair(
    lstm: nn.LSTM,
    head: nn.Linear,
    x_a: Tensor,
    x_b: Tensor,
    output: Output = 0,
    step: int | None = None,
    direction: int = 0,
    dtype: torch.dtype = torch.float64,
) -> RunPair:
    """x_a, x_b: (seq_len, input_size), of equal length; output and step: as for the ledger (readout.py).

    dtype: what B is run on in; float32 is more than twice as fast, and exact to about 1e-6 of a prediction.

    Raises:
        PlaygroundError: the sequences, output, step or direction do not fit the modules or one another.
    """
    check_module(lstm)
    for x in (x_a, x_b):
        check_input(lstm, x)
    if x_a.dim() != 2 or x_a.shape != x_b.shape:
        raise PlaygroundError(
            f"A has shape {tuple(x_a.shape)} and B {tuple(x_b.shape)}: pass two sequences of one length, each "
            f"(seq_len, {lstm.input_size})."
        )
    directions, seq_len = 2 if lstm.bidirectional else 1, len(x_a)
    if direction not in range(directions):
        raise PlaygroundError(f"There is no direction {direction}: choose one of 0 to {directions - 1}.")
    readout = readout_of(lstm, head, output, step, seq_len)
    module = copy.deepcopy(lstm).cpu().double()
    module.batch_first = True
    trace = trace_lstm(module, torch.stack([x_a, x_b]).detach().cpu().double())
    reads = readout.read_positions(seq_len)
    parts = [_h_as_read(trace, k)[:, reads[k]] @ readout.weights[k] for k in range(directions)]  # each (2,)
    y_a, y_b = (sum(parts) + readout.bias).tolist()
    offset = readout.bias + sum(float(part[1]) for k, part in enumerate(parts) if k != direction)
    weights = module.all_weights[-directions + direction]
    below = x_b.detach().cpu().double() if module.num_layers == 1 else trace.h[-2, :, 1].movedim(0, 1).flatten(1)
    weight, bias = joined_weights(weights, module.bias, torch.float64)
    weight_ih, weight_hh = weight.split([below.shape[1], weights[1].shape[1]], 1)
    inputs = F.linear(_turned(below, direction), weight_ih, bias)
    a, b = (
        {name: _turned(trace.gate(name)[-1, direction, sample], direction).to(dtype) for name in PATCHABLE}
        for sample in (0, 1)
    )
    return RunPair(
        a,
        b,
        inputs=inputs.to(dtype),
        weight_hh=weight_hh.to(dtype),
        weight_hr=weights[-1].to(dtype) if module.proj_size else None,
        weights=readout.weights[direction].to(dtype),
        offset=offset,
        read=reads[direction],
        y_a=y_a,
        y_b=y_b,
        is_reverse=direction == 1,
    )


def _h_as_read(trace: GateTrace, direction: int) -> Tensor:
    """(batch, seq_len, h_size) of the top layer, in the order of reading."""
    h = trace.h[-1, direction]
    return h.flip(1) if direction else h


def _turned(sequence: Tensor, direction: int) -> Tensor:
    """(seq_len, ...) from the input's time to the order of reading."""
    return sequence.flip(0) if direction else sequence
