"""One layer of an nn.LSTM run with interventions: native up to the first that touches it, then step by step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lstm_core.experiment import GATES, STATES
from lstm_core.trace.gate_trace import run_layer
from lstm_core.trace.replay import MINUS_ONE, joined_weights, linear, replay, working_dtype

if TYPE_CHECKING:
    from lstm_core.trace.interventions import Intervention


@dataclass(frozen=True)
class Change:
    """An intervention prepared for one run: make(values, t) alters (batch, units) in place at t, one of its steps."""

    steps: Collection[int]
    make: Callable[[Tensor, int], None]


def changes_of(interventions: Sequence[Intervention], gate: str, like: Tensor) -> list[Change]:
    """The edits of one gate in their order, for values of like's kind; like: (seq_len, ...)."""
    own, every = [edit for edit in interventions if edit.gate == gate], range(len(like))
    return [Change(every if edit.steps is None else frozenset(edit.steps), _maker(edit, like)) for edit in own]


def _maker(intervention: Intervention, like: Tensor) -> Callable[[Tensor, int], None]:
    values_by_step = torch.tensor(intervention.value, dtype=like.dtype, device=like.device)
    units = slice(None) if intervention.units is None else torch.tensor(intervention.units, device=like.device)
    row_of = None if intervention.steps is None else {t: row for row, t in enumerate(intervention.steps)}

    def make(values: Tensor, t: int) -> None:
        value = values_by_step
        if value.dim() > 1:  # (sequences, steps, units) or (steps, units)
            value = value[..., t if row_of is None else row_of[t], :]
        if intervention.kind == "scale":
            values[:, units] *= value
        elif intervention.kind in ("add", "input_add"):
            values[:, units] += value
        else:  # "zero" has value 0
            values[:, units] = value

    return make


def run_altered_layer(
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
    changes = {name: changes_of(interventions, name, gathered) for name in GATES + STATES}

    def change(name: str, values: Tensor, t: int) -> None:
        for entry in changes[name]:
            if t in entry.steps:
                entry.make(values, t)

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
