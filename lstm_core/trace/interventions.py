"""What if the forget gate were stuck open? An LSTM run with some of its gates, units or inputs altered.

A gate that is altered changes h, and with it every later gate, so the altered run cannot be replayed from the
native kernel's h. It goes step by step, but only in the layers and directions that an edit touches and only
from the first step that it touches; all else is native and replayed (trace.py).
No plotting here.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.trace.gate_trace import GateTrace, as_returned, assemble, run_layer, trace_lstm
from lstm_core.trace.inputs import check_input, check_module, check_states, initial_states, time_major
from lstm_core.trace.replay import MINUS_ONE, joined_weights, linear, replay, working_dtype

INPUT = "x"
ALLOWED_TARGETS = {  # kind → what it may alter
    "clamp": GATES,
    "scale": GATES,
    "add": GATES,
    "zero": STATES,
    "input_set": (INPUT,),
    "input_add": (INPUT,),
}


@dataclass(frozen=True)
class Intervention:
    """One alteration of an LSTM's run; `dataclasses.asdict` is its JSON, and Edit(**json) reads it back.

    kind: "clamp" sets a gate to value, "scale" multiplies it, "add" adds to it, after its σ or tanh and without
        keeping it in that function's range; "zero" ablates units: their c or h is 0; "input_set" and
        "input_add" alter the module's input.
    gate: i, f, g or o; c or h for "zero"; "x" for the input.
    value: a number, or one for each of the units. In the input's own scale, as the module sees it.
    layer, direction: from 0; direction 1 reads backwards. The input has neither.
    units: whose; None is all. For h they count its own size, proj_size if set; for "x" they are features.
    steps: when, by the time of the input; None is always.

    Raises:
        PlaygroundError: one of these is not so.
    """

    kind: str
    gate: str = INPUT
    value: float | tuple[float, ...] = 0.0
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
        if self.kind == "zero" and self.value != 0:
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
        check_intervention(intervention, lstm, len(steps))
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
        h, h_n[rows], c_n[rows] = _run_intervened_layer(
            lstm, layer, steps, (h_0, c_0), of_directions, (gates[layer], c[layer])
        )
        layers.append(h)
        steps = h.flatten(2)
    return assemble(lstm, gates, c, layers, as_returned(lstm, x, steps, h_n, c_n))


def edit_input(steps: Tensor, interventions: Sequence[Intervention]) -> None:
    """Make the edits of the input in place; steps: (seq_len, batch, input_size)."""
    for change in _changes(interventions, INPUT, steps):
        for t in change.steps:
            change.make(steps[t])


def _indices(values: Collection[int]) -> tuple[int, ...]:
    """The values as plain ints; empty unless they are different whole numbers from 0."""
    try:
        indices = tuple(-1 if isinstance(value, bool) else operator.index(value) for value in values)
    except TypeError:  # no collection, or one of something else: refused like an empty one
        return ()
    return indices if min(indices, default=-1) >= 0 and len(set(indices)) == len(indices) else ()


def _numbers(value: float | Sequence[float]) -> float | tuple[float, ...]:
    try:
        numbers = float(value) if np.ndim(value) == 0 else tuple(float(number) for number in value)
    except (TypeError, ValueError):
        numbers = math.nan
    if not np.isfinite(numbers).all() or numbers == ():
        raise PlaygroundError(f"An edit's value is {value!r:.60}: give a finite number, or one for each unit.")
    return numbers


def check_intervention(intervention: Intervention, lstm: nn.LSTM, seq_len: int) -> None:
    """Raises PlaygroundError where the edit names something that this LSTM or sequence does not have."""
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
    if isinstance(intervention.value, tuple) and len(intervention.value) != units:
        raise PlaygroundError(
            f"The edit of {intervention.gate!r} has {len(intervention.value)} values for {units} units: give one, or "
            "one for each."
        )


@dataclass(frozen=True)
class _Change:
    """An intervention prepared for one run: make(values) alters (batch, units) in place at one of its steps."""

    steps: Collection[int]
    make: Callable[[Tensor], None]


def _changes(interventions: Sequence[Intervention], gate: str, like: Tensor) -> list[_Change]:
    """The edits of one gate in their order, for values of like's kind; like: (seq_len, ...)."""
    own, every = [edit for edit in interventions if edit.gate == gate], range(len(like))
    return [_Change(every if edit.steps is None else frozenset(edit.steps), _maker(edit, like)) for edit in own]


def _maker(intervention: Intervention, like: Tensor) -> Callable[[Tensor], None]:
    value = torch.tensor(intervention.value, dtype=like.dtype, device=like.device)
    units = slice(None) if intervention.units is None else torch.tensor(intervention.units, device=like.device)

    def make(values: Tensor) -> None:
        if intervention.kind == "scale":
            values[:, units] *= value
        elif intervention.kind in ("add", "input_add"):
            values[:, units] += value
        else:  # "zero" has value 0
            values[:, units] = value

    return make


def _run_intervened_layer(
    lstm: nn.LSTM,
    layer: int,
    x: Tensor,
    start: tuple[Tensor, Tensor],
    interventions: list[list[Intervention]],
    into: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """One layer with each direction's edits: h (seq_len, batch, num_directions, -1), h_n and c_n.

    x: (seq_len, batch, features); start: h_0 and c_0 of all layers; into: where the layer's gates
    (num_directions, seq_len, batch, 4, hidden_size) and c go.
    """
    seq_len, batch, directions = *x.shape[:2], len(interventions)
    rows = slice(layer * directions, (layer + 1) * directions)
    firsts = [_first(interventions[direction], seq_len, direction == 1) for direction in range(directions)]
    if any(firsts):
        states = tuple(state[rows] for state in start)
        h, h_n, c_n = run_layer(lstm, lstm.all_weights[rows], x, states)
        h = h.unflatten(2, (directions, -1))
    else:  # the step loops would leave nothing of the native run
        h_n, c_n = (torch.empty_like(state[rows]) for state in start)
        h = x.new_empty(seq_len, batch, directions, h_n.shape[-1])
    for direction, first in enumerate(firsts):
        row, reverse = rows.start + direction, direction == 1
        weights, state = lstm.all_weights[row], tuple(state[row] for state in start)
        gates, c, h_own = into[0][direction], into[1][direction], h[:, :, direction]
        if first:
            replay(weights, lstm.bias, x, h_own, state, (gates, c), None, reverse)
        if first < seq_len:
            order = range(seq_len)[:: -1 if reverse else 1]
            if first:
                state = h_own[order[first - 1]], c[order[first - 1]]
            _step_loop(weights, lstm.bias, x, state, interventions[direction], order[first:], (gates, c, h_own))
            h_n[direction], c_n[direction] = h_own[order[-1]], c[order[-1]]
    return h, h_n, c_n


def _first(interventions: list[Intervention], seq_len: int, reverse: bool) -> int:
    """How many steps a direction reads before one is edited; seq_len if none is."""
    if any(intervention.steps is None for intervention in interventions):
        return 0
    steps = [t for intervention in interventions for t in intervention.steps]
    return min((seq_len - 1 - t if reverse else t for t in steps), default=seq_len)


def _step_loop(
    weights: list[Tensor],
    bias: bool,
    x: Tensor,
    state: tuple[Tensor, Tensor],
    interventions: list[Intervention],
    order: range,
    into: tuple[Tensor, Tensor, Tensor],
) -> None:
    """Run one direction of a layer with edits through the steps of `order`, from h and c before the first.

    into: the layer's gates (seq_len, batch, 4, hidden_size), c and h, written at those steps. As in
    replay.replay the rows of g are doubled, and half precisions are computed in float32.
    """
    dtype = working_dtype(x.dtype)
    h, c = (tensor.to(dtype) for tensor in state)  # (batch, -1)
    weight, offset = joined_weights(weights, bias, dtype)
    weight_ih, weight_hh = weight.split([x.shape[2], h.shape[1]], 1)
    weight_hr = weights[-1].to(dtype) if h.shape[1] < c.shape[1] else None  # a projection is narrower than c
    step_range = slice(min(order), max(order) + 1)
    gathered = linear(x[step_range].to(dtype).flatten(0, 1), weight_ih, offset)
    gathered = gathered.view(len(order), len(c), 4, -1)  # what x brings to the gates, then the gates
    changes = {name: _changes(interventions, name, gathered) for name in GATES + STATES}

    def change(name: str, values: Tensor, t: int) -> None:
        for entry in changes[name]:
            if t in entry.steps:
                entry.make(values)

    for t in order:
        gates_now = gathered[t - step_range.start]
        gates_now.flatten(1).addmm_(h, weight_hh.T).sigmoid_()
        i, f, g, o = gates_now.unbind(1)
        torch.add(MINUS_ONE, g, alpha=2, out=g)
        for name, gate in zip(GATES, (i, f, g, o), strict=True):
            change(name, gate, t)
        c = (f * c).addcmul_(i, g)
        change("c", c, t)
        h = o * c.tanh()
        if weight_hr is not None:
            h = h @ weight_hr.T
        change("h", h, t)
        into[1][t], into[2][t] = c, h
    into[0][step_range] = gathered
