"""The shape lab: one nn.LSTM call of any configuration, really made, and every shape of it or PyTorch's own error."""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from lstm_core.architecture.shapes import Shape, ShapeRow, shape_table
from lstm_core.experiment import ModelSpec
from lstm_core.lessons.catalog.shapes.call import Setup
from lstm_core.lessons.catalog.shapes.explain_errors import meaning_of_error, meaning_of_warning, unfit_states
from lstm_core.lessons.catalog.shapes.outputs import fresh

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError)  # what nn.LSTM and packing raise
_warnings_are_ours = threading.Lock()  # warnings.catch_warnings changes the whole process


@dataclass(frozen=True)
class Problem:
    """What PyTorch raised."""

    kind: str  # such as "RuntimeError"
    text: str  # its own words
    meaning: str  # in plain words; "" for an error that shape_errors.py does not know


@dataclass(frozen=True)
class Note:
    """What ran, but not as one may think."""

    text: str  # PyTorch's own warning; "" where it gave none
    meaning: str


@dataclass(frozen=True)
class Report:
    """What became of one call."""

    code: tuple[str, ...]  # the lines that were run; after an error the last is the one that raised it
    rows: tuple[ShapeRow, ...] = ()  # every tensor's true shape, of the module's weights even after an error
    problem: Problem | None = None
    notes: tuple[Note, ...] = ()


def run_setup(setup: Setup) -> Report:
    """Make the call on zeros, in eval mode, and report. Warnings of PyTorch come as notes."""
    lines = _Lines(setup)
    problem = None
    with _warnings_are_ours, warnings.catch_warnings(record=True) as caught, torch.no_grad():
        warnings.simplefilter("always")
        try:
            lines.run()
        except REFUSALS as error:
            problem = Problem(type(error).__name__, str(error), meaning_of_error(setup, str(error)))
    notes = [
        Note(str(w.message), meaning_of_warning(str(w.message))) for w in caught if "torch" in w.filename
    ]
    silent = "" if problem or lines.result is None else unfit_states(setup)
    if silent:
        notes.append(Note("", f"PyTorch did not complain, but this is not what it looks like. {silent}"))
    return Report(tuple(lines.code), tuple(lines.rows()), problem, tuple(notes))


class _Lines:
    """The call line by line, each noted before it is run."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.code: list[str] = []
        self.lstm: nn.LSTM | None = None
        self.result: tuple | None = None

    def run(self) -> None:
        setup = self.setup
        self.code.append(f"lstm = nn.LSTM({setup.module_arguments})")
        arguments = {name: getattr(setup, name) for name in _ARGUMENTS}
        lstm = fresh(0, nn.LSTM, dtype=getattr(torch, setup.dtype), **arguments)
        self.lstm = lstm.eval()
        x = self._zeros("x", setup.x)
        if setup.lengths:
            sort = "" if setup.enforce_sorted else ", enforce_sorted=False"
            first = ", batch_first=True" if setup.batch_first else ""
            self.code.append(f"x = pack_padded_sequence(x, {list(setup.lengths)}{first}{sort})")
            x = pack_padded_sequence(
                x,
                torch.tensor(setup.lengths),
                batch_first=setup.batch_first,
                enforce_sorted=setup.enforce_sorted,
            )
        hx = None
        if setup.states != "none":
            hx = self._zeros("h_0", setup.h_0)
        if setup.states == "(h_0, c_0)":
            hx = (hx, self._zeros("c_0", setup.c_0))
        given = "x" if hx is None else f"x, {setup.states.removesuffix(' alone')}"
        self.code.append(f"output, (h_n, c_n) = lstm({given})")
        self.result = lstm(x, hx)

    def _zeros(self, name: str, shape: Shape) -> torch.Tensor:
        kind = "" if self.setup.x_dtype == "float32" else f", dtype=torch.{self.setup.x_dtype}"
        self.code.append(f"{name} = torch.zeros({', '.join(map(str, shape)) or '()'}{kind})")
        return torch.zeros(shape, dtype=getattr(torch, self.setup.x_dtype))

    def rows(self) -> list[ShapeRow]:
        """Shapes as the tensors have them; none before the module was made."""
        if self.lstm is None:
            return []
        setup = self.setup
        spec = ModelSpec(hidden_size=setup.hidden_size, num_layers=setup.num_layers, bias=setup.bias,
                         bidirectional=setup.bidirectional, proj_size=setup.proj_size)  # fmt: skip
        meanings = {row.name: row.meaning for row in shape_table(spec, setup.input_size, 1, 1, 1)}
        found = [] if self.result is None else self._results()
        return found + [
            ShapeRow(name, tuple(parameter.shape), meanings[name])
            for name, parameter in self.lstm.named_parameters()
        ]

    def _results(self) -> list[ShapeRow]:
        setup, (output, (h_n, c_n)) = self.setup, self.result
        states = [] if setup.states == "none" else [("h_0", setup.h_0), ("c_0", setup.c_0)]
        states = states[:1] if setup.states == "h_0 alone" else states
        steps, batch, features = setup.read
        read = (
            f"{steps} steps"
            + ("" if batch is None else f" of each of {batch} sequences")
            + f", {features} features a step"
        )
        packed = isinstance(output, PackedSequence)
        if packed:
            sizes = ", ".join(map(str, output.batch_sizes.tolist()))
            read = f"{sum(setup.lengths)} true steps, the padding is gone; sequences still running at each step: {sizes}"
        side = ", forward and reverse side by side" if setup.bidirectional else ""
        said = f"the top layer's h at every step{side}"
        name = "output.data (packed)" if packed else "output"
        shape = output.data.shape if packed else output.shape
        return [
            ShapeRow("input", setup.x, f"read as {read}"),
            *(ShapeRow(name, shape, "the state before the first step") for name, shape in states),
            ShapeRow(name, tuple(shape), said),
            ShapeRow("h_n", tuple(h_n.shape), "h of every layer and direction at its end"),
            ShapeRow("c_n", tuple(c_n.shape), "c of the same"),
        ]  # fmt: skip


_ARGUMENTS = (
    "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size",
)  # fmt: skip

PRESETS: dict[str, Setup] = {
    "The tutorial's call": Setup(),
    "No h_0 and c_0: zeros": Setup(states="none"),
    "batch_first, but h_0 is turned too": Setup(
        batch_first=True, x=(3, 5, 10), h_0=(3, 2, 20), c_0=(3, 2, 20)
    ),
    "batch_first forgotten": Setup(x=(3, 5, 10)),
    "bidirectional, h_0 as before": Setup(bidirectional=True),
    "One sequence, unbatched": Setup(x=(5, 10), h_0=(2, 20), c_0=(2, 20)),
    "A plain series, one axis": Setup(input_size=1, num_layers=1, x=(5,), states="none"),
    "Wrong number of features": Setup(x=(10, 5, 3), states="none"),
    "h_0 alone, as for nn.GRU": Setup(states="h_0 alone"),
    "Numbers from NumPy: float64": Setup(states="none", x_dtype="float64"),
    "Dropout with one layer": Setup(num_layers=1, dropout=0.5, states="none"),
    "A projection": Setup(proj_size=5, h_0=(2, 3, 5)),
    "Packed": Setup(states="none", lengths=(5, 4, 2)),
    "Packed, not sorted": Setup(states="none", lengths=(2, 5, 4)),
}
