"""What if the forget gate were stuck open? An LSTM run with some of its gates, units or inputs altered.

A gate that is altered changes h, and with it every later gate, so the altered run cannot be replayed from the
native kernel's h. It goes step by step, but only in the layers and directions that an edit touches and only
from the first step that it touches; all else is native and replayed (trace.py).
No plotting here.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.trace.altered_layer import changes_of, run_altered_layer
from lstm_core.trace.gate_trace import GateTrace, as_returned, assemble, trace_lstm
from lstm_core.trace.inputs import check_input, check_module, check_states, initial_states, time_major

INPUT = "x"
ALLOWED_TARGETS = {  # kind → what it may alter
    "zero": STATES,
    "clamp": GATES + STATES,
    "scale": GATES,
    "add": GATES,
    "input_set": (INPUT,),
    "input_add": (INPUT,),
}


@dataclass(frozen=True)
class Intervention:
    """One alteration of an LSTM's run; `dataclasses.asdict` is its JSON, and Edit(**json) reads it back.

    kind: "clamp" sets a gate or a state to value, "scale" multiplies a gate, "add" adds to it, after its σ or tanh and
        without keeping it in that function's range; "zero" ablates units: their c or h is 0; "input_set" and
        "input_add" alter the module's input. h follows from a clamped c; a clamped h leaves c as it is.
    gate: i, f, g or o; c or h for "clamp" and "zero"; "x" for the input.
    value: a number, or nested tuples of numbers: (units,), one for each of the units; (steps, units), for each of the
        steps in their order; (sequences, steps, units), for each sequence of the batch, too. In the input's own scale,
        as the module sees it.
    layer, direction: from 0; direction 1 reads backwards. The input has neither.
    units: whose; None is all. For h they count its own size, proj_size if set; for "x" they are features.
    steps: when, by the time of the input; None is always.

    Raises:
        PlaygroundError: one of these is not so.
    """

    kind: str
    gate: str = INPUT
    value: float | tuple = 0.0
    layer: int = 0
    direction: int = 0
    units: tuple[int, ...] | None = None
    steps: tuple[int, ...] | range | None = None  # kept as a tuple

    def __post_init__(self) -> None:
        if self.kind not in tuple(ALLOWED_TARGETS):  # a list is no key
            raise PlaygroundError(f"An edit's kind is {self.kind!r}: choose one of {', '.join(ALLOWED_TARGETS)}.")
        if self.gate not in ALLOWED_TARGETS[self.kind]:
            names = ", ".join(ALLOWED_TARGETS[self.kind])
            raise PlaygroundError(f"Edit {self.kind!r} cannot act on {self.gate!r}: choose {names}.")
        object.__setattr__(self, "value", _numbers(self.value))
        for name in ("layer", "direction", "units", "steps"):
            is_scalar, value = name in ("layer", "direction"), getattr(self, name)
            if value is None and not is_scalar:
                continue
            indices = _indices((value,) if is_scalar else value)
            if not indices:
                expected = "a whole number from 0" if is_scalar else "different whole numbers from 0, or None for all"
                raise PlaygroundError(f"An edit's {name} is {value!r:.60}: give {expected}.")
            object.__setattr__(self, name, indices[0] if is_scalar else indices)
        if self.gate == INPUT and self.layer_direction != (0, 0):
            raise PlaygroundError("The input has no layer and no direction: leave both at 0 for an input edit.")
        if self.kind == "zero" and np.any(self.value):
            raise PlaygroundError("Edit 'zero' takes no value: leave it at 0.")

    @property
    def layer_direction(self) -> tuple[int, int]:
        return self.layer, self.direction


@torch.no_grad()
def trace_with(
    lstm: nn.LSTM, x: Tensor, interventions: Sequence[Intervention], hx: tuple[Tensor, Tensor] | None = None
) -> GateTrace:
    """The trace of `lstm(x, hx)` run with these edits, made at each step in the order given.

    x and hx are what the module takes, but not packed. The trace holds what the altered run used: a clamped
    gate shows its value, a zeroed unit of h is zero for the next step, the layer above, output and h_n alike.
    A step that no edit can have reached is that of the plain trace, on the CPU bit for bit; with no edits all
    are. max_difference then also measures what was done to h. The module and x are left as they were.

    Raises:
        PlaygroundError: x or hx does not fit the module, or an edit names a layer, direction, unit or step that
            is not there.
    """
    check_module(lstm)
    if isinstance(x, PackedSequence):
        raise PlaygroundError(
            "Edits need sequences of one length: pass a Tensor instead of a PackedSequence, one length at a time."
        )
    check_input(lstm, x)
    check_states(lstm, x, hx)
    x = x.detach().clone()
    steps, _ = time_major(lstm, x)  # (seq_len, batch, input_size), a view: x is altered with it
    for intervention in interventions:
        check_intervention(intervention, lstm, len(steps), steps.shape[1])
    edit_input(steps, interventions)
    if all(intervention.gate == INPUT for intervention in interventions):
        return trace_lstm(lstm, x, hx)
    seq_len, batch, directions = *steps.shape[:2], 2 if lstm.bidirectional else 1
    h_0, c_0 = initial_states(lstm, batch, hx)
    gates = steps.new_empty(lstm.num_layers, directions, seq_len, batch, 4, lstm.hidden_size)
    c = steps.new_empty(lstm.num_layers, directions, seq_len, batch, lstm.hidden_size)
    layers, h_n, c_n = [], torch.empty_like(h_0), torch.empty_like(c_0)
    for layer in range(lstm.num_layers):
        rows = slice(layer * directions, (layer + 1) * directions)
        of_directions = [[e for e in interventions if e.layer_direction == (layer, d)] for d in range(directions)]
        h, h_n[rows], c_n[rows] = run_altered_layer(
            lstm, layer, steps, (h_0, c_0), of_directions, (gates[layer], c[layer])
        )
        layers.append(h)
        steps = h.flatten(2)
    return assemble(lstm, gates, c, layers, as_returned(lstm, x, steps, h_n, c_n))


def edit_input(steps: Tensor, interventions: Sequence[Intervention]) -> None:
    """Make the edits of the input in place; steps: (seq_len, batch, input_size)."""
    for change in changes_of(interventions, INPUT, steps):
        for t in change.steps:
            change.make(steps[t], t)


def _indices(values: Collection[int]) -> tuple[int, ...]:
    """The values as plain ints; empty unless they are different whole numbers from 0."""
    try:
        indices = tuple(-1 if isinstance(value, bool) else operator.index(value) for value in values)
    except TypeError:  # no collection, or one of something else: refused like an empty one
        return ()
    return indices if min(indices, default=-1) >= 0 and len(set(indices)) == len(indices) else ()


def _numbers(value: float | Sequence) -> float | tuple:
    """A number, or nested tuples of plain floats, three deep at most."""
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        numbers = np.array(math.nan)
    if numbers.ndim > 3 or not numbers.size or not np.isfinite(numbers).all():
        raise PlaygroundError(
            f"An edit's value is {value!r:.60}: give a finite number, or one for each unit, also by step and by "
            "sequence."
        )
    return _tuples(numbers.tolist())


def _tuples(numbers: float | list) -> float | tuple:
    return tuple(_tuples(number) for number in numbers) if isinstance(numbers, list) else numbers


def check_intervention(intervention: Intervention, lstm: nn.LSTM, seq_len: int, batch: int | None = None) -> None:
    """Raises PlaygroundError where the edit names something that this LSTM or sequence does not have; batch: how many
    sequences there are, to check the values that each has of its own."""
    size = {INPUT: lstm.input_size, "h": lstm.proj_size or lstm.hidden_size}.get(intervention.gate, lstm.hidden_size)
    directions = 2 if lstm.bidirectional else 1
    for name, last, there in (
        ("layer", intervention.layer, lstm.num_layers),
        ("direction", intervention.direction, directions),
        ("unit" if intervention.gate != INPUT else "feature", max(intervention.units or (0,)), size),
        ("step", max(intervention.steps or (0,)), seq_len),
    ):
        if last >= there:
            raise PlaygroundError(
                f"The edit of {intervention.gate!r} names {name} {last}, but the last one here is {there - 1}."
            )
    units = size if intervention.units is None else len(intervention.units)
    steps = seq_len if intervention.steps is None else len(intervention.steps)
    sizes = {"units": units, "steps": steps, "sequences": batch}
    for (name, count), given in zip(sizes.items(), reversed(np.shape(intervention.value)), strict=False):
        if count is not None and given != count:
            noun = name if count != 1 else name[:-1]
            raise PlaygroundError(
                f"The edit of {intervention.gate!r} has {given} values for {count} {noun}: give one, or one for each."
            )
