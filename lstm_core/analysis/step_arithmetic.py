"""One step of one LSTM unit written out: the six equations with their numbers, as text and as LaTeX.

`step_arithmetic` takes the numbers from a trace of any nn.LSTM; the lesson by hand computes its own. Importing this
module does not load torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lstm_core.data.number_format import format_factor, format_number
from lstm_core.experiment import GATES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lstm_core.trace.gate_trace import GateTrace

ACTIVATIONS = {"i": "σ", "f": "σ", "g": "tanh", "o": "σ"}
LATEX = {"σ": r"\sigma", "tanh": r"\tanh", "·": r"\cdot ", "−": "-"}


@dataclass(frozen=True)
class GateArithmetic:
    """One gate of one unit at one step: activation(from_x + from_h + bias) = value."""

    from_x: float  # W_ih x_t, this unit's row
    from_h: float  # W_hh h_(t−1), this unit's row
    bias: float  # bias_ih + bias_hh
    value: float

    @property
    def total(self) -> float:
        """The pre-activation."""
        return self.from_x + self.from_h + self.bias


@dataclass(frozen=True)
class StepArithmetic:
    """All that one unit computes at one step."""

    gates: Mapping[str, GateArithmetic]  # i, f, g, o
    c_before: float
    c: float
    h: float

    def sum_text(self, gate: str) -> str:
        """The pre-activation as the sum of its three terms."""
        terms = self.gates[gate]
        return added(*map(format_number, (terms.from_x, terms.from_h, terms.bias)))

    def c_text(self) -> str:
        """f·c + i·g with their numbers."""
        i, f, g = (self.gates[gate].value for gate in ("i", "f", "g"))
        return added(f"{format_number(f)}·{format_factor(self.c_before)}", f"{format_number(i)}·{format_factor(g)}")

    def h_text(self) -> str:
        """o·tanh(c) with its numbers."""
        return f"{format_number(self.gates['o'].value)}·tanh({format_number(self.c)})"

    @property
    def latex(self) -> str:
        """The six equations with their numbers, aligned, as LaTeX."""
        lines = []
        for gate, terms in self.gates.items():
            activation = ACTIVATIONS[gate]
            middle = f"{activation}({self.sum_text(gate)}) = {activation}({format_number(terms.total)})"
            lines.append(_latex_line(gate, middle, terms.value))
        lines.append(_latex_line("c_t", self.c_text(), self.c, r"f\,c_{t-1} + i\,g = "))
        lines.append(_latex_line("h_t", self.h_text(), self.h, r"o\,\tanh c_t = "))
        return r"\begin{aligned}" + r"\\".join(lines) + r"\end{aligned}"


def step_arithmetic(lstm: nn.LSTM, trace: GateTrace, x: Tensor, step: int, unit: int) -> StepArithmetic:
    """What this unit of layer 0, forward, computes at this step of the first sequence of a batch.

    lstm: batch_first, without projection, on the CPU; x: (batch, seq_len, input_size), the input of `trace`. All is
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
        gates[gate] = GateArithmetic(from_x, from_h, bias, at(gate, step))
    return StepArithmetic(gates, at("c", step - 1), at("c", step), at("h", step))


def added(*terms: str) -> str:
    """Formatted terms with + between them, or − where one begins with a minus sign."""
    first, *others = terms
    return first + "".join(f" − {term[1:]}" if term.startswith("−") else f" + {term}" for term in others)


def _latex_line(name: str, text: str, value: float, equation: str = "") -> str:
    for plain, latex in LATEX.items():
        text = text.replace(plain, latex)
    return rf"{name} &= {equation}{text} = \mathbf{{{value:.2f}}}"
