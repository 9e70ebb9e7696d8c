"""The shape lab: one nn.LSTM call of any configuration, really made, and every shape of it or PyTorch's own error."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from lstm_core.architecture.code import MODULE_DEFAULTS
from lstm_core.architecture.shapes import Shape, TensorShape, shape_table
from lstm_core.experiment import ModelSpec
from lstm_core.lessons.catalog.tutorials.shapes.call import LSTMCall
from lstm_core.lessons.catalog.tutorials.shapes.explain_errors import (
    explain_error,
    explain_state_shapes,
    explain_warning,
)
from lstm_core.lessons.catalog.tutorials.shapes.outputs import seeded_module

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError)  # what nn.LSTM and packing raise
_warnings_are_ours = threading.Lock()  # warnings.catch_warnings changes the whole process


@dataclass(frozen=True)
class CallError:
    """What PyTorch raised."""

    kind: str  # such as "RuntimeError"
    text: str  # its own words
    meaning: str  # in plain words; "" for an error that explain_errors.py does not know


@dataclass(frozen=True)
class CallWarning:
    """What ran, but not as one may think."""

    text: str  # PyTorch's own warning; "" where it gave none
    meaning: str


@dataclass(frozen=True)
class CallReport:
    """What became of one call."""

    code: tuple[str, ...]  # the lines that were run; after an error the last is the one that raised it
    rows: tuple[TensorShape, ...] = ()  # every tensor's true shape, of the module's weights even after an error
    problem: CallError | None = None
    notes: tuple[CallWarning, ...] = ()


def run_call(call: LSTMCall) -> CallReport:
    """Make the call on zeros, in eval mode, and report. Warnings of PyTorch come as notes."""
    lines = _Lines(call)
    problem = None
    with caught_warnings() as caught, torch.no_grad():
        try:
            lines.run()
        except REFUSALS as error:
            problem = CallError(type(error).__name__, str(error), explain_error(call, str(error)))
    notes = [CallWarning(str(w.message), explain_warning(str(w.message))) for w in caught if "torch" in w.filename]
    silent = "" if problem or lines.result is None else explain_state_shapes(call)
    if silent:
        notes.append(CallWarning("", f"PyTorch did not complain, but this is not what it looks like. {silent}"))
    return CallReport(tuple(lines.code), tuple(lines.rows()), problem, tuple(notes))


@contextmanager
def caught_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """The warnings raised inside, every one of them, recorded in place of being shown; one thread at a time."""
    with _warnings_are_ours, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


class _Lines:
    """The call line by line, each noted before it is run."""

    def __init__(self, call: LSTMCall) -> None:
        self.call = call
        self.code: list[str] = []
        self.lstm: nn.LSTM | None = None
        self.result: tuple | None = None

    def run(self) -> None:
        call = self.call
        self.code.append(f"lstm = nn.LSTM({call.module_arguments})")
        arguments = {name: getattr(call, name) for name in ("input_size", "hidden_size", *MODULE_DEFAULTS)}
        lstm = seeded_module(0, nn.LSTM, dtype=getattr(torch, call.dtype), **arguments)
        self.lstm = lstm.eval()
        x = self._zeros("x", call.x)
        if call.lengths:
            sort = "" if call.enforce_sorted else ", enforce_sorted=False"
            first = ", batch_first=True" if call.batch_first else ""
            self.code.append(f"x = pack_padded_sequence(x, {list(call.lengths)}{first}{sort})")
            x = pack_padded_sequence(
                x, torch.tensor(call.lengths), batch_first=call.batch_first, enforce_sorted=call.enforce_sorted
            )
        hx = None
        if call.states != "none":
            hx = self._zeros("h_0", call.h_0)
        if call.states == "(h_0, c_0)":
            hx = (hx, self._zeros("c_0", call.c_0))
        arguments_text = "x" if hx is None else f"x, {call.states.removesuffix(' alone')}"
        self.code.append(f"output, (h_n, c_n) = lstm({arguments_text})")
        self.result = lstm(x, hx)

    def _zeros(self, name: str, shape: Shape) -> torch.Tensor:
        kind = "" if self.call.x_dtype == "float32" else f", dtype=torch.{self.call.x_dtype}"
        self.code.append(f"{name} = torch.zeros({', '.join(map(str, shape)) or '()'}{kind})")
        return torch.zeros(shape, dtype=getattr(torch, self.call.x_dtype))

    def rows(self) -> list[TensorShape]:
        """Shapes as the tensors have them; none before the module was made."""
        if self.lstm is None:
            return []
        call = self.call
        spec = ModelSpec(
            hidden_size=call.hidden_size,
            num_layers=call.num_layers,
            bias=call.bias,
            bidirectional=call.bidirectional,
            proj_size=call.proj_size,
        )
        meanings = {row.name: row.meaning for row in shape_table(spec, call.input_size, 1, 1, 1)}
        results = [] if self.result is None else self._results()
        return results + [
            TensorShape(name, tuple(parameter.shape), meanings[name])
            for name, parameter in self.lstm.named_parameters()
        ]

    def _results(self) -> list[TensorShape]:
        call, (output, (h_n, c_n)) = self.call, self.result
        states = [] if call.states == "none" else [("h_0", call.h_0), ("c_0", call.c_0)]
        states = states[:1] if call.states == "h_0 alone" else states
        steps, batch, features = call.input_axes
        read = (
            f"{steps} steps"
            + ("" if batch is None else f" of each of {batch} sequences")
            + f", {features} features a step"
        )
        packed = isinstance(output, PackedSequence)
        if packed:
            sizes = ", ".join(map(str, output.batch_sizes.tolist()))
            read = f"{sum(call.lengths)} true steps, the padding is gone; sequences still running at each step: {sizes}"
        side = ", forward and reverse side by side" if call.bidirectional else ""
        meaning = f"the top layer's h at every step{side}"
        name = "output.data (packed)" if packed else "output"
        shape = output.data.shape if packed else output.shape
        return [
            TensorShape("input", call.x, f"read as {read}"),
            *(TensorShape(name, shape, "the state before the first step") for name, shape in states),
            TensorShape(name, tuple(shape), meaning),
            TensorShape("h_n", tuple(h_n.shape), "h of every layer and direction at its end"),
            TensorShape("c_n", tuple(c_n.shape), "c of the same"),
        ]


PRESETS: dict[str, LSTMCall] = {
    "The tutorial's call": LSTMCall(),
    "No h_0 and c_0: zeros": LSTMCall(states="none"),
    "batch_first, but h_0 is turned too": LSTMCall(batch_first=True, x=(3, 5, 10), h_0=(3, 2, 20), c_0=(3, 2, 20)),
    "batch_first forgotten": LSTMCall(x=(3, 5, 10)),
    "bidirectional, h_0 as before": LSTMCall(bidirectional=True),
    "One sequence, unbatched": LSTMCall(x=(5, 10), h_0=(2, 20), c_0=(2, 20)),
    "A plain series, one axis": LSTMCall(input_size=1, num_layers=1, x=(5,), states="none"),
    "Wrong number of features": LSTMCall(x=(10, 5, 3), states="none"),
    "h_0 alone, as for nn.GRU": LSTMCall(states="h_0 alone"),
    "Numbers from NumPy: float64": LSTMCall(states="none", x_dtype="float64"),
    "Dropout with one layer": LSTMCall(num_layers=1, dropout=0.5, states="none"),
    "A projection": LSTMCall(proj_size=5, h_0=(2, 3, 5)),
    "Packed": LSTMCall(states="none", lengths=(5, 4, 2)),
    "Packed, not sorted": LSTMCall(states="none", lengths=(2, 5, 4)),
}
