"""What if the forget gate were stuck open? An LSTM run with some of its gates, units or inputs altered.

A gate that is altered changes h, and with it every later gate, so the altered run cannot be replayed from the
native kernel's h. It goes step by step, but only in the layers and directions that an edit touches and only
from the first step that it touches; all else is native and replayed (trace.py). `gate_importance` needs no
steps at all: a gate frozen at every step is a gate whose weights are zero, so the native kernel runs it. No
plotting here.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_core.batches import Batches
from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.model import SequenceLSTM, model_with
from lstm_core.predictions import predict, scores
from lstm_core.trace import (
    MINUS_ONE,
    GateTrace,
    as_returned,
    assemble,
    joined_weights,
    linear,
    replay,
    run_layer,
    trace_lstm,
    working_dtype,
)
from lstm_core.trace_inputs import check_input, check_module, check_states, initial_states, time_major
from lstm_core.windows import Windows

INPUT = "x"
ACTS_ON = {  # kind → what it may alter
    "clamp": GATES,
    "scale": GATES,
    "add": GATES,
    "zero": STATES,
    "input_set": (INPUT,),
    "input_add": (INPUT,),
}
TRACED_AT_ONCE = 1 << 24  # numbers in the traces of a part of the windows: 64 MiB in float32
SURE = 1 - 1e-12  # a gate nearer to its bounds than this is at them


@dataclass(frozen=True)
class Edit:
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
        if self.kind not in tuple(ACTS_ON):  # a list is no key
            raise PlaygroundError(f"An edit's kind is {self.kind!r}: choose one of {', '.join(ACTS_ON)}.")
        if self.gate not in ACTS_ON[self.kind]:
            names = ", ".join(ACTS_ON[self.kind])
            raise PlaygroundError(f"Edit {self.kind!r} cannot act on {self.gate!r}: choose {names}.")
        object.__setattr__(self, "value", _numbers(self.value))
        for name in ("layer", "direction", "units", "steps"):
            one, given = name in ("layer", "direction"), getattr(self, name)
            if given is None and not one:
                continue
            found = _indices((given,) if one else given)
            if not found:
                wanted = "a whole number from 0" if one else "different whole numbers from 0, or None for all"
                raise PlaygroundError(f"An edit's {name} is {given!r:.60}: give {wanted}.")
            object.__setattr__(self, name, found[0] if one else found)
        if self.gate == INPUT and self.place != (0, 0):
            raise PlaygroundError(
                "The input has no layer and no direction: leave both at 0 for an input edit."
            )
        if self.kind == "zero" and self.value != 0:
            raise PlaygroundError("Edit 'zero' takes no value: leave it at 0.")

    @property
    def place(self) -> tuple[int, int]:
        return self.layer, self.direction


@dataclass(frozen=True)
class Importance:
    """How the score on some windows changes when one gate no longer reacts to anything.

    edit: the clamp that freezes the gate, each unit at its mean over these windows and their steps; before and
    after: the model's score without and with it; measure: "RMSE", in the table's own units, or "accuracy".
    """

    edit: Edit
    measure: str
    before: float
    after: float

    @property
    def harm(self) -> float:
        """By how much the score got worse; negative where it got better."""
        return self.after - self.before if self.measure == "RMSE" else self.before - self.after


@torch.no_grad()
def trace_with(
    lstm: nn.LSTM, x: Tensor, edits: Sequence[Edit], hx: tuple[Tensor, Tensor] | None = None
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
    for edit in edits:
        _check_fits(edit, lstm, len(steps))
    for change in _changes(edits, INPUT, steps):
        for t in change.steps:
            change.make(steps[t])
    if all(edit.gate == INPUT for edit in edits):
        return trace_lstm(lstm, x, hx)
    seq_len, batch, directions = *steps.shape[:2], 2 if lstm.bidirectional else 1
    h_0, c_0 = initial_states(lstm, batch, hx)
    gates = steps.new_empty(lstm.num_layers, directions, seq_len, batch, 4, lstm.hidden_size)
    c = steps.new_empty(lstm.num_layers, directions, seq_len, batch, lstm.hidden_size)
    layers, h_n, c_n = [], torch.empty_like(h_0), torch.empty_like(c_0)
    for layer in range(lstm.num_layers):
        rows = slice(layer * directions, (layer + 1) * directions)
        of_directions = [[e for e in edits if e.place == (layer, d)] for d in range(directions)]
        h, h_n[rows], c_n[rows] = _run_edited_layer(
            lstm, layer, steps, (h_0, c_0), of_directions, (gates[layer], c[layer])
        )
        layers.append(h)
        steps = h.flatten(2)
    return assemble(lstm, gates, c, layers, as_returned(lstm, x, steps, h_n, c_n))


def predict_with(
    model: SequenceLSTM, windows: Windows, starts: np.ndarray, edits: Sequence[Edit]
) -> np.ndarray:
    """What `predictions.predict` returns for these windows, of a model whose LSTM runs with these edits.

    (windows, ahead, targets) in the table's own units, or class probabilities (windows, classes), in eval mode.

    Raises:
        PlaygroundError: an edit does not fit the model or the windows.
    """
    for edit in edits:
        _check_fits(edit, model.lstm, windows.spec.seq_len)

    def run(lstm: nn.LSTM, x: Tensor) -> _Returned:
        trace = trace_with(lstm, x, edits)
        return trace.output, (trace.h_n, trace.c_n)

    if not len(starts):
        return predict(model, windows, starts)
    altered = _sharing(model, model.state_dict())
    altered.lstm = _InParts(altered.lstm, run)
    return predict(altered, windows, starts)


def gate_importance(
    model: SequenceLSTM, windows: Windows, starts: np.ndarray, limit: int = 256
) -> list[Importance]:
    """Every gate of every layer and direction frozen in turn: how much worse is the model? Most harmful first.

    At most `limit` of the windows are used, evenly spread over `starts`; without any the list is empty. A
    frozen gate stays at its mean, unit by unit, over these windows and their steps in the unaltered model.

    Raises:
        PlaygroundError: a gate's mean is not a finite number.
    """
    if not len(starts):
        return []
    starts = starts[np.linspace(0, len(starts) - 1, min(limit, len(starts))).round().astype(int)]
    measure, before = _score(_sharing(model, model.state_dict()), windows, starts)
    found = []
    for edit in _freezing(model, windows, starts):
        _, after = _score(_frozen(model, edit), windows, starts)
        found.append(Importance(edit, measure, before, after))
    return sorted(found, key=lambda importance: -importance.harm)


def _indices(values: Collection[int]) -> tuple[int, ...]:
    """The values as plain ints; empty unless they are different whole numbers from 0."""
    try:
        found = tuple(-1 if isinstance(value, bool) else operator.index(value) for value in values)
    except TypeError:  # no collection, or one of something else: refused like an empty one
        return ()
    return found if min(found, default=-1) >= 0 and len(set(found)) == len(found) else ()


def _numbers(value: float | Sequence[float]) -> float | tuple[float, ...]:
    try:
        found = float(value) if np.ndim(value) == 0 else tuple(float(number) for number in value)
    except (TypeError, ValueError):
        found = math.nan
    if not np.isfinite(found).all() or found == ():
        raise PlaygroundError(
            f"An edit's value is {value!r:.60}: give a finite number, or one for each unit."
        )
    return found


def _check_fits(edit: Edit, lstm: nn.LSTM, seq_len: int) -> None:
    """Raises PlaygroundError where the edit names something that this LSTM or sequence does not have."""
    size = {INPUT: lstm.input_size, "h": lstm.proj_size or lstm.hidden_size}.get(edit.gate, lstm.hidden_size)
    directions = 2 if lstm.bidirectional else 1
    for name, last, there in (
        ("layer", edit.layer, lstm.num_layers),
        ("direction", edit.direction, directions),
        ("unit" if edit.gate != INPUT else "feature", max(edit.units or (0,)), size),
        ("step", max(edit.steps or (0,)), seq_len),
    ):
        if last >= there:
            raise PlaygroundError(
                f"The edit of {edit.gate!r} names {name} {last}, but the last one here is {there - 1}."
            )
    units = size if edit.units is None else len(edit.units)
    if isinstance(edit.value, tuple) and len(edit.value) != units:
        raise PlaygroundError(
            f"The edit of {edit.gate!r} has {len(edit.value)} values for {units} units: give one, or one for each."
        )


@dataclass(frozen=True)
class _Change:
    """An edit made ready for one run: make(values) alters (batch, units) in place at one of its steps."""

    steps: Collection[int]
    make: Callable[[Tensor], None]


def _changes(edits: Sequence[Edit], gate: str, like: Tensor) -> list[_Change]:
    """The edits of one gate in their order, for values of like's kind; like: (seq_len, ...)."""
    return [
        _Change(range(len(like)) if edit.steps is None else frozenset(edit.steps), _maker(edit, like))
        for edit in edits
        if edit.gate == gate
    ]


def _maker(edit: Edit, like: Tensor) -> Callable[[Tensor], None]:
    value = torch.tensor(edit.value, dtype=like.dtype, device=like.device)
    units = slice(None) if edit.units is None else torch.tensor(edit.units, device=like.device)

    def make(values: Tensor) -> None:
        if edit.kind == "scale":
            values[:, units] *= value
        elif edit.kind in ("add", "input_add"):
            values[:, units] += value
        else:  # "zero" has value 0
            values[:, units] = value

    return make


def _run_edited_layer(
    lstm: nn.LSTM,
    layer: int,
    x: Tensor,
    start: tuple[Tensor, Tensor],
    edits: list[list[Edit]],
    into: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """One layer with each direction's edits: h (seq_len, batch, num_directions, -1), h_n and c_n.

    x: (seq_len, batch, features); start: h_0 and c_0 of all layers; into: where the layer's gates
    (num_directions, seq_len, batch, 4, hidden_size) and c go.
    """
    seq_len, batch, directions = *x.shape[:2], len(edits)
    rows = slice(layer * directions, (layer + 1) * directions)
    firsts = [_first(edits[direction], seq_len, direction == 1) for direction in range(directions)]
    if any(firsts):
        h, h_n, c_n = run_layer(lstm, layer, x, *start)
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
            _step_loop(weights, lstm.bias, x, state, edits[direction], order[first:], (gates, c, h_own))
            h_n[direction], c_n[direction] = h_own[order[-1]], c[order[-1]]
    return h, h_n, c_n


def _first(edits: list[Edit], seq_len: int, reverse: bool) -> int:
    """How many steps a direction reads before one is edited; seq_len if none is."""
    if any(edit.steps is None for edit in edits):
        return 0
    steps = [t for edit in edits for t in edit.steps]
    return min((seq_len - 1 - t if reverse else t for t in steps), default=seq_len)


def _step_loop(
    weights: list[Tensor],
    bias: bool,
    x: Tensor,
    state: tuple[Tensor, Tensor],
    edits: list[Edit],
    order: range,
    into: tuple[Tensor, Tensor, Tensor],
) -> None:
    """Run one direction of a layer with edits through the steps of `order`, from h and c before the first.

    into: the layer's gates (seq_len, batch, 4, hidden_size), c and h, written at those steps. As in
    trace.replay the rows of g are doubled, and half precisions are computed in float32.
    """
    dtype = working_dtype(x.dtype)
    h, c = (tensor.to(dtype) for tensor in state)  # (batch, -1)
    weight, offset = joined_weights(weights, bias, dtype)
    weight_ih, weight_hh = weight.split([x.shape[2], h.shape[1]], 1)
    weight_hr = weights[-1].to(dtype) if h.shape[1] < c.shape[1] else None  # a projection is narrower than c
    part = slice(min(order), max(order) + 1)
    gathered = linear(x[part].to(dtype).flatten(0, 1), weight_ih, offset)
    gathered = gathered.view(len(order), len(c), 4, -1)  # what x brings to the gates, then the gates
    changes = {name: _changes(edits, name, gathered) for name in GATES + STATES}

    def change(name: str, values: Tensor, t: int) -> None:
        for one in changes[name]:
            if t in one.steps:
                one.make(values)

    for t in order:
        now = gathered[t - part.start]
        now.flatten(1).addmm_(h, weight_hh.T).sigmoid_()
        i, f, g, o = now.unbind(1)
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
    into[0][part] = gathered


# A SequenceLSTM whose nn.LSTM is run in some other way: what predictions.predict asks of a model stays as it is.

_Returned = tuple[Tensor, tuple[Tensor, Tensor]]


class _InParts(nn.Module):
    """Stands where a SequenceLSTM has its nn.LSTM: runs some of the batch at a time, so memory stays bounded."""

    def __init__(self, lstm: nn.LSTM, run: Callable[[nn.LSTM, Tensor], _Returned]) -> None:
        super().__init__()
        self.lstm, self.run = lstm, run

    def forward(self, x: Tensor) -> _Returned:
        along, seq_len = (0, x.shape[1]) if self.lstm.batch_first else (1, x.shape[0])
        parts = x.split(_at_once(self.lstm, seq_len), along)
        outputs, ends = zip(*(self.run(self.lstm, part) for part in parts), strict=True)
        h_n, c_n = (torch.cat(states, 1) for states in zip(*ends, strict=True))
        return torch.cat(outputs, along), (h_n, c_n)


def _at_once(lstm: nn.LSTM, seq_len: int) -> int:
    """How many windows a part has, so that their trace holds TRACED_AT_ONCE numbers at most."""
    numbers = len(GATES + STATES) * lstm.hidden_size * len(lstm.all_weights) * seq_len
    return max(1, TRACED_AT_ONCE // numbers)


def _sharing(model: SequenceLSTM, weights: dict[str, Tensor]) -> SequenceLSTM:
    """Another model in eval mode that holds these weights, most of them the model's own; that stays untouched."""
    spec = replace(model.spec, bias="lstm.bias_ih_l0" in weights)
    other = model_with(spec, model.lstm.input_size, model.head.out_features, weights)
    other.lstm.flatten_parameters()  # one block, which cuDNN asks for; elsewhere it does nothing
    return other


def _score(model: SequenceLSTM, windows: Windows, starts: np.ndarray) -> tuple[str, float]:
    """The measure's name and the score of a model of _sharing, whose LSTM is put in parts."""
    model.lstm = _InParts(model.lstm, lambda lstm, x: lstm(x))
    own = scores(windows, starts, predict(model, windows, starts))[0]
    return ("accuracy", own.accuracy) if windows.classes else ("RMSE", own.rmse)


@torch.no_grad()
def _freezing(model: SequenceLSTM, windows: Windows, starts: np.ndarray) -> Iterator[Edit]:
    """For every layer, direction and gate the clamp at its mean over these windows and their steps."""
    model = _sharing(model, model.state_dict())
    device = model.head.weight.device
    inputs = Batches(windows, device, every=False).inputs
    total = 0
    for part in torch.from_numpy(starts).to(device).split(_at_once(model.lstm, windows.spec.seq_len)):
        trace = trace_lstm(model.lstm, model.lstm_input(inputs(part)))
        sums = [trace.gate(name).sum((2, 3)).cpu().double() for name in GATES]
        total = total + torch.stack(sums, 2)  # (num_layers, num_directions, 4, hidden_size)
    means = total / (len(starts) * windows.spec.seq_len)
    if not means.isfinite().all():
        raise PlaygroundError(
            "This model's gates are not finite numbers on these windows: go back to weights from before the "
            "training diverged."
        )
    for layer, direction, k in np.ndindex(*means.shape[:3]):
        yield Edit("clamp", GATES[k], tuple(means[layer, direction, k].tolist()), layer, direction)


def _frozen(model: SequenceLSTM, edit: Edit) -> SequenceLSTM:
    """The model with a whole gate clamped at every step, told by its weights: zeros, and a bias whose σ or tanh
    is the edit's value."""
    value = torch.tensor(edit.value, dtype=torch.float64)
    bias = value.clamp(-SURE, SURE).atanh() if edit.gate == "g" else value.clamp(1 - SURE, SURE).logit()
    size, at = model.lstm.hidden_size, GATES.index(edit.gate)
    weights = model.state_dict()
    if not model.spec.bias:
        for name, weight in model.state_dict().items():
            if "_ih_l" in name or "_hh_l" in name:
                weights[name.replace("weight", "bias")] = weight.new_zeros(len(weight))
    for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        name = f"lstm.{kind}_l{edit.layer}" + "_reverse" * edit.direction
        weights[name] = weights[name].clone()
        weights[name][at * size : (at + 1) * size] = bias.to(weights[name]) if kind == "bias_ih" else 0.0
    return _sharing(model, weights)
