"""The LSTM cell's equations with one unit's own numbers at one step: what a lesson writes out.

Knows no page and draws nothing; the numbers are the trace's, split into where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from lstm_core.experiment import GATES
from lstm_core.trace.gate_trace import GateTrace

ACTIVATIONS = {"i": r"\sigma", "f": r"\sigma", "g": r"\tanh", "o": r"\sigma"}


@dataclass(frozen=True)
class GateArithmetic:
    """One gate of one unit at one step: squash(from_x + from_h + bias) = value."""

    gate: str
    from_x: float  # W_ih x_t, this unit's row
    from_h: float  # W_hh h_(t−1), this unit's row
    bias: float  # bias_ih + bias_hh
    value: float

    @property
    def total(self) -> float:
        return self.from_x + self.from_h + self.bias


@dataclass(frozen=True)
class StepArithmetic:
    """All that one unit of the first layer works out at one step."""

    gates: dict[str, GateArithmetic]  # i, f, g, o
    c_before: float
    c: float
    h: float

    @property
    def latex(self) -> str:
        """The six equations with their numbers, aligned, as LaTeX."""
        lines = [
            rf"{gate} &= {ACTIVATIONS[gate]}({_sum(s.from_x, s.from_h, s.bias)}) = {ACTIVATIONS[gate]}({s.total:.2f}) "
            rf"= \mathbf{{{s.value:.2f}}}"
            for gate, s in self.gates.items()
        ]
        i, f, g, o = (s.value for s in self.gates.values())
        lines.append(
            rf"c_t &= f\,c_{{t-1}} + i\,g = {f:.2f}\cdot{_in_sum(self.c_before)} + {i:.2f}\cdot{_in_sum(g)} "
            rf"= \mathbf{{{self.c:.2f}}}"
        )
        lines.append(rf"h_t &= o\,\tanh c_t = {o:.2f}\cdot\tanh({self.c:.2f}) = \mathbf{{{self.h:.2f}}}")
        return r"\begin{aligned}" + r"\\".join(lines) + r"\end{aligned}"


def step_arithmetic(lstm: nn.LSTM, trace: GateTrace, x: Tensor, step: int, unit: int) -> StepArithmetic:
    """What this unit of layer 0, forward, works out at this step of the first sequence of a batch.

    lstm: batch_first, without projection, on the CPU; x: (batch, seq_len, input_size), what `trace` is of. All is
    in float64 but the trace's own values.

    Raises:
        IndexError: there is no such step or unit.
    """
    hidden = lstm.hidden_size
    if unit not in range(hidden) or step not in range(x.shape[1]):
        raise IndexError(f"unit {unit} of {hidden}, step {step} of {x.shape[1]}")

    def at(name: str, step: int) -> float:
        return trace.gate(name)[0, 0, 0, step, unit].item() if step >= 0 else 0.0

    x_t = x[0, step].double()  # (input_size,)
    h_before = trace.h[0, 0, 0, step - 1].double() if step else x_t.new_zeros(hidden)
    gates = {}
    for k, gate in enumerate(GATES):
        row = k * hidden + unit
        bias = (lstm.bias_ih_l0[row] + lstm.bias_hh_l0[row]).item() if lstm.bias else 0.0
        from_x = float(lstm.weight_ih_l0[row].detach().double() @ x_t)
        from_h = float(lstm.weight_hh_l0[row].detach().double() @ h_before)
        gates[gate] = GateArithmetic(gate, from_x, from_h, bias, at(gate, step))
    return StepArithmetic(gates, at("c", step - 1), at("c", step), at("h", step))


def _sum(first: float, *terms: float) -> str:
    return f"{first:.2f}" + "".join(f" {'-' if x < 0 else '+'} {abs(x):.2f}" for x in terms)


def _in_sum(value: float) -> str:
    return f"({value:.2f})" if value < 0 else f"{value:.2f}"
