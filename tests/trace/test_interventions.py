"""Altered runs against a plain step loop over cells, written out here with every edit made by hand."""

from __future__ import annotations

import copy
import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.trace.interventions import ALLOWED_TARGETS, Intervention, trace_with
from tests.conftest import examples

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def by_hand(edits, gate, layer, direction, t, values):
    """values (batch, size) of one gate at one step, after the edits that name it, one unit at a time."""
    columns = list(values.unbind(1))
    for edit in edits:
        is_target = (edit.gate, edit.layer, edit.direction) == (gate, layer, direction)
        if not is_target or (edit.steps is not None and t not in edit.steps):
            continue
        units = range(len(columns)) if edit.units is None else edit.units
        for index, unit in enumerate(units):
            value = np.array(edit.value)
            if value.ndim > 1:
                value = value[..., t if edit.steps is None else edit.steps.index(t), :]
            value = torch.tensor(value[..., index] if value.ndim else value)  # one number, or one for each sequence
            columns[unit] = {
                "clamp": lambda old, v: v.expand_as(old),
                "input_set": lambda old, v: v.expand_as(old),
                "zero": lambda old, v: torch.zeros_like(old),
                "scale": lambda old, v: old * v,
                "add": lambda old, v: old + v,
                "input_add": lambda old, v: old + v,
            }[edit.kind](columns[unit], value)
    return torch.stack(columns, 1)


def step_loop(lstm, x, h_0, c_0, edits):
    """x (seq_len, batch, input_size) → {(layer, direction): {gate: (seq_len, batch, -1)}}, output, h_n, c_n."""
    record, ends = {}, []
    x = torch.stack([by_hand(edits, "x", 0, 0, t, x[t]) for t in range(len(x))])
    for layer in range(lstm.num_layers):
        for direction in range(2 if lstm.bidirectional else 1):
            row, suffix = len(ends), f"_l{layer}" + "_reverse" * direction
            h, c, steps = h_0[row], c_0[row], [None] * len(x)
            for t in reversed(range(len(x))) if direction else range(len(x)):
                a = x[t] @ getattr(lstm, "weight_ih" + suffix).T + h @ getattr(lstm, "weight_hh" + suffix).T
                if lstm.bias:
                    a = a + getattr(lstm, "bias_ih" + suffix) + getattr(lstm, "bias_hh" + suffix)
                i, f, g, o = a.chunk(4, 1)
                now = dict(i=i.sigmoid(), f=f.sigmoid(), g=g.tanh(), o=o.sigmoid())
                now = {k: by_hand(edits, k, layer, direction, t, v) for k, v in now.items()}
                c = by_hand(edits, "c", layer, direction, t, now["f"] * c + now["i"] * now["g"])
                h = now["o"] * c.tanh()
                if lstm.proj_size:
                    h = h @ getattr(lstm, "weight_hr" + suffix).T
                h = by_hand(edits, "h", layer, direction, t, h)
                steps[t] = now | dict(c=c, h=h)
            record[layer, direction] = {k: torch.stack([s[k] for s in steps]) for k in steps[0]}
            ends.append((h, c))
        x = torch.cat([v["h"] for (at, _), v in record.items() if at == layer], 2)
    h_n, c_n = (torch.stack(states) for states in zip(*ends, strict=True))
    return record, x, h_n, c_n


def random_lstm(seed, *args, bound=1.0, **settings):
    lstm = nn.LSTM(*args, **{"dtype": torch.float64} | settings).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in lstm.parameters():
            weight.copy_(torch.rand(weight.shape, generator=generator) * 2 * bound - bound)
    return lstm


def normal(*shape, dtype=torch.float64, seed=0):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@st.composite
def edits_for(draw, lstm, seq_len, batch):
    kind = draw(st.sampled_from(list(ALLOWED_TARGETS)))
    gate = draw(st.sampled_from(ALLOWED_TARGETS[kind]))
    size = {"x": lstm.input_size, "h": lstm.proj_size or lstm.hidden_size}.get(gate, lstm.hidden_size)
    some = st.lists(st.integers(0, size - 1), min_size=1, unique=True)
    units = draw(st.none() | some)
    steps = draw(st.none() | st.lists(st.integers(0, seq_len - 1), min_size=1, max_size=4, unique=True))
    shape = (batch, seq_len if steps is None else len(steps), size if units is None else len(units))
    value = normal(*shape[draw(st.integers(0, 3)) :], seed=draw(st.integers(0, 99))).tolist()
    if gate == "x":
        return Intervention(kind, gate, value, units=units, steps=steps)
    layer, direction = (draw(st.integers(0, lstm.num_layers - 1)), draw(st.integers(0, int(lstm.bidirectional))))
    return Intervention(kind, gate, 0.0 if kind == "zero" else value, layer, direction, units, steps)


@st.composite
def cases(draw):
    hidden_size, seed = draw(st.integers(2, 5)), draw(st.integers(0, 2**31))
    lstm = random_lstm(
        seed,
        draw(st.integers(1, 3)),
        hidden_size,
        draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        proj_size=draw(st.sampled_from([0, 0, hidden_size - 1])),
    )
    seq_len, batch = draw(st.sampled_from([1, 2, 7])), draw(st.integers(1, 3))
    x = normal(seq_len, batch, lstm.input_size, seed=seed)
    rows = lstm.num_layers * (1 + lstm.bidirectional)
    hx = normal(rows, batch, lstm.proj_size or hidden_size), normal(rows, batch, hidden_size, seed=1)
    given_hx = draw(st.booleans())
    if not given_hx:
        hx = tuple(torch.zeros_like(state) for state in hx)
    unbatched = batch == 1 and draw(st.booleans())
    edits = draw(st.lists(edits_for(lstm, seq_len, batch), max_size=4))
    return lstm, x, hx, given_hx, unbatched, edits


@examples(100)
@given(cases())
def test_equals_a_step_loop_with_the_edits_made_by_hand(case):
    lstm, x, hx, given_hx, unbatched, edits = case
    with torch.no_grad():
        record, output, h_n, c_n = step_loop(lstm, x, *hx, edits)
    if unbatched:
        x, output, h_n, c_n, *hx = (tensor.squeeze(1) for tensor in (x, output, h_n, c_n, *hx))
    elif lstm.batch_first:
        x, output = x.transpose(0, 1), output.transpose(0, 1)
    given_x, weights = x.clone(), copy.deepcopy(lstm.state_dict())
    trace = trace_with(lstm, x, edits, tuple(hx) if given_hx else None)
    for (layer, direction), values in record.items():
        for name, expected in values.items():
            got = trace.gate(name)[layer, direction].transpose(0, 1)
            torch.testing.assert_close(got, expected, rtol=0, atol=1e-12, msg=name)
    for got, expected in ((trace.output, output), (trace.h_n, h_n), (trace.c_n, c_n)):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)
        assert not got.requires_grad
    assert torch.equal(x, given_x)
    assert all(torch.equal(weights[name], value) for name, value in lstm.state_dict().items())


def assert_same(one, other, *, atol=0.0):
    for name in (*GATES, *STATES, "output", "h_n", "c_n"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=0, atol=atol, msg=name)


NOTHING = [
    [],
    [Intervention("scale", "f", 1.0)],
    [Intervention("add", "g", 0.0, layer=1)],
    [Intervention("input_add", value=0.0)],
]


@pytest.mark.parametrize("edits", NOTHING)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_edits_that_change_nothing_leave_the_plain_trace(edits, dtype):
    lstm = random_lstm(3, 4, 16, 2, bound=0.3, bidirectional=True, dtype=dtype)
    x = normal(60, 5, 4, dtype=dtype)
    looped = any(edit.gate != "x" for edit in edits)
    tolerance = 2e-6 if dtype == torch.float32 else 1e-13
    assert_same(trace_with(lstm, x, edits), trace_lstm(lstm, x), atol=tolerance if looped else 0.0)


def test_large_shapes_in_float32_stay_exact():
    """The inputs' product by oneDNN, which small cases do not reach."""
    lstm = nn.LSTM(64, 128).eval()
    for weight in lstm.parameters():
        nn.init.uniform_(weight, -0.1, 0.1, generator=torch.Generator().manual_seed(2))
    x, edits = (
        normal(40, 16, 64, dtype=torch.float32),
        [Intervention("scale", "o", 0.5), Intervention("zero", "h", units=(3, 70))],
    )
    exact = trace_with(copy.deepcopy(lstm).double(), x.double(), edits)
    trace = trace_with(lstm, x, edits)
    for name in GATES + STATES:
        assert (trace.gate(name) - exact.gate(name)).abs().max() <= 2e-6, name


def test_a_forget_gate_stuck_open_and_a_shut_input_gate_keep_c():
    lstm, c_0 = random_lstm(1, 2, 5), normal(1, 3, 5)
    edits = [Intervention("clamp", "f", 1.0), Intervention("clamp", "i", 0.0)]
    trace = trace_with(lstm, normal(30, 3, 2), edits, (normal(1, 3, 5, seed=4), c_0))
    assert torch.equal(trace.c, c_0[:, None, :, None].expand_as(trace.c))
    assert (trace.f == 1).all()
    assert (trace.i == 0).all()
    assert trace.h.std(3).min() > 0  # o goes on reacting


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("proj_size", [0, 3])
def test_a_state_clamped_at_one_step_is_nn_lstm_restarted_there(state, proj_size):
    """The native kernel itself, from the state that the clamp leaves: with values of each sequence's own."""
    lstm, x = random_lstm(8, 2, 4, proj_size=proj_size), normal(9, 3, 2)
    before, t = trace_lstm(lstm, x), 5
    c, h = before.c[0, 0, :, t].clone(), before.h[0, 0, :, t].clone()  # (batch, -1)
    values = normal(*(c if state == "c" else h).shape, seed=9)
    edit = Intervention("clamp", state, tuple((row,) for row in values.tolist()), steps=(t,))
    trace = trace_with(lstm, x, [edit])
    if state == "c":
        c, h = values, before.o[0, 0, :, t] * values.tanh()
        h = h @ lstm.weight_hr_l0.T if proj_size else h
    else:
        h = values
    with torch.no_grad():
        output, (h_n, c_n) = lstm(x[t + 1 :], (h[None], c[None]))
    for got, expected in ((trace.output[t + 1 :], output), (trace.h_n, h_n), (trace.c_n, c_n), (trace.output[t], h)):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-13)
    assert torch.equal(trace.output[:t], before.output[:t])
    assert (trace.h_n - before.h_n).abs().min() > 0


def test_another_runs_whole_state_makes_that_runs_end():
    """c and h of every step of run A put into run B, step by step, leave nothing of B."""
    lstm, a, b = random_lstm(8, 2, 4), normal(6, 1, 2, seed=1), normal(6, 1, 2, seed=2)
    of_a = trace_lstm(lstm, a)
    edits = [Intervention("clamp", state, of_a.gate(state)[0, 0, 0].tolist()) for state in STATES]
    assert torch.equal(trace_with(lstm, b, edits).h_n, of_a.h_n)


def test_edits_follow_the_order_given():
    lstm, x = random_lstm(1, 2, 3), normal(4, 1, 2)
    clamp, double = Intervention("clamp", "f", 0.25), Intervention("scale", "f", 2.0)
    assert (trace_with(lstm, x, [clamp, double]).f == 0.5).all()
    assert (trace_with(lstm, x, [double, clamp]).f == 0.25).all()


@pytest.mark.parametrize("state", STATES)
def test_ablated_units_are_zero_wherever_they_are_read(state):
    lstm, x = random_lstm(5, 2, 4, 2), normal(9, 2, 2)
    trace = trace_with(lstm, x, [Intervention("zero", state, layer=1, units=(0, 2))])
    for values in (trace.gate(state)[1, 0], trace.h[1, 0], trace.output.transpose(0, 1)):
        assert (values[..., [0, 2]] == 0).all()
        assert (values[..., [1, 3]] != 0).all()
    assert (trace.h_n[1][:, [0, 2]] == 0).all()
    assert torch.equal(trace.h[0], trace_lstm(lstm, x).h[0])
    # what is zero at each step might as well have no weights from it
    without = copy.deepcopy(lstm)
    with torch.no_grad():
        without.weight_hh_l1[:, [0, 2]] = 0
    others = [1, 3] if state == "h" else [0, 1, 2, 3]
    expected = trace_lstm(without, x)
    torch.testing.assert_close(trace.f[1][..., others], expected.f[1][..., others], rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "edit",
    [
        Intervention("clamp", "f", 1.0, steps=(40, 50)),
        Intervention("zero", "h", layer=1, steps=[40]),
        Intervention("input_set", value=3.0, steps=range(40, 70)),
    ],
)
def test_steps_before_an_edit_stay_as_they_were_bit_for_bit(edit, dtype):
    lstm, x = random_lstm(7, 8, 24, 3, dtype=dtype), normal(70, 9, 8, dtype=dtype)
    before, after = trace_lstm(lstm, x), trace_with(lstm, x, [edit])
    for name in GATES + STATES:
        assert torch.equal(before.gate(name)[..., :40, :], after.gate(name)[..., :40, :]), name
    changed = (before.c != after.c)[2, 0].flatten(2).any(-1).all(0)  # (seq_len,)
    assert changed.tolist() == [False] * 40 + [True] * 30 or edit.layer == 1
    assert not torch.equal(before.output[-1], after.output[-1])


def test_the_reverse_direction_is_edited_in_its_own_order_and_leaves_the_other_alone():
    lstm, x = random_lstm(2, 3, 6, bidirectional=True), normal(12, 2, 3)
    before, after = (
        trace_lstm(lstm, x),
        trace_with(lstm, x, [Intervention("clamp", "i", 0.0, direction=1, steps=(5,))]),
    )
    moved = (before.c != after.c)[0].flatten(3).any(-1).any(1)  # (num_directions, seq_len)
    assert moved.tolist() == [[False] * 12, [True] * 6 + [False] * 6]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precisions_keep_their_dtype(dtype):
    lstm = nn.LSTM(3, 8, 2).eval()
    x, edits = normal(20, 2, 3, dtype=torch.float32), [Intervention("clamp", "f", 0.5, steps=range(5, 20))]
    half, full = trace_with(copy.deepcopy(lstm).to(dtype), x.to(dtype), edits), trace_with(lstm, x, edits)
    for name in GATES + STATES:
        assert half.gate(name).dtype == dtype
        assert (half.gate(name).float() - full.gate(name)).abs().max() < 0.03


def test_an_edit_is_json_both_ways_and_keeps_plain_numbers():
    edit = Intervention("clamp", "f", np.array([0.5, 1.0]), 1, np.int64(0), units=[np.int64(4), 2], steps=range(3, 6))
    assert edit == Intervention("clamp", "f", (0.5, 1.0), 1, 0, (4, 2), (3, 4, 5))
    assert Intervention(**json.loads(json.dumps(dataclasses.asdict(edit)))) == edit
    with pytest.raises(dataclasses.FrozenInstanceError):
        edit.value = 2.0


BAD_EDITS = [
    (dict(kind="freeze", gate="f"), "kind is 'freeze': choose one of zero, clamp, scale, add"),
    (dict(kind=["clamp"], gate="f"), r"kind is \['clamp'\]"),
    (dict(kind="scale", gate="c"), "'scale' cannot act on 'c': choose i, f, g, o"),
    (dict(kind="clamp"), "'clamp' cannot act on 'x'"),
    (dict(kind="zero", gate="f"), "'zero' cannot act on 'f': choose c, h"),
    (dict(kind="input_set", gate="i"), "choose x"),
    (dict(kind="zero", gate="h", value=1.0), "'zero' takes no value"),
    (dict(kind="clamp", gate="f", value=math.nan), "value is nan: give a finite number"),
    (dict(kind="clamp", gate="f", value="open"), "value is 'open'"),
    (dict(kind="clamp", gate="f", value=()), r"value is \(\)"),
    (dict(kind="clamp", gate="f", value=None), "value is None"),
    (dict(kind="clamp", gate="f", value=(0.5, math.inf)), "give a finite number, or one for each unit"),
    (dict(kind="clamp", gate="c", value=((0.5,), (1.0, 2.0))), "also by step and by sequence"),
    (dict(kind="clamp", gate="c", value=np.zeros((1, 1, 1, 1))), "also by step and by sequence"),
    (dict(kind="clamp", gate="f", layer=-1), "layer is -1: give a whole number from 0"),
    (dict(kind="clamp", gate="f", layer=None), "layer is None"),
    (dict(kind="clamp", gate="f", direction=0.5), "direction is 0.5"),
    (dict(kind="clamp", gate="f", units=()), r"units is \(\): give different whole numbers"),
    (dict(kind="clamp", gate="f", units=3), "units is 3"),
    (dict(kind="clamp", gate="f", units=(1, 1)), r"units is \(1, 1\)"),
    (dict(kind="clamp", gate="f", units=(True,)), "units"),
    (dict(kind="clamp", gate="f", steps=(-1,)), r"steps is \(-1,\)"),
    (dict(kind="clamp", gate="f", steps=range(0)), r"steps is range\(0, 0\)"),
    (dict(kind="input_add", layer=1), "input has no layer and no direction"),
]


@pytest.mark.parametrize(("fields", "sentence"), BAD_EDITS)
def test_a_bad_edit_is_refused_in_one_sentence(fields, sentence):
    with pytest.raises(PlaygroundError, match=sentence) as caught:
        Intervention(**fields)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


UNFIT = [
    (Intervention("clamp", "f", layer=2), "names layer 2, but the last one here is 1"),
    (Intervention("clamp", "f", direction=1), "names direction 1, but the last one here is 0"),
    (Intervention("clamp", "f", units=(0, 4)), "names unit 4, but the last one here is 3"),
    (Intervention("zero", "h", units=(3,)), "edit of 'h' names unit 3, but the last one here is 2"),
    (Intervention("input_set", units=(2,)), "names feature 2, but the last one here is 1"),
    (Intervention("scale", "o", steps=(5,)), "names step 5, but the last one here is 4"),
    (Intervention("clamp", "f", (0.1, 0.2)), "has 2 values for 4 units"),
    (Intervention("clamp", "c", ((0.1,), (0.2,)), units=(1,)), "has 2 values for 5 steps"),
    (Intervention("clamp", "c", ((0.1,), (0.2,)), units=(1,), steps=(3,)), "has 2 values for 1 step:"),
    (Intervention("clamp", "c", (((0.1,),), ((0.2,),)), units=(1,), steps=(3,)), "has 2 values for 1 sequence:"),
]


@pytest.mark.parametrize(("edit", "sentence"), UNFIT)
def test_an_edit_that_does_not_fit_is_refused_in_one_sentence(edit, sentence):
    lstm = random_lstm(0, 2, 4, 2, proj_size=3)
    with pytest.raises(PlaygroundError, match=sentence) as caught:
        trace_with(lstm, normal(5, 1, 2), [edit])
    assert str(caught.value).endswith(".")


def test_what_the_module_does_not_take_is_refused():
    lstm = random_lstm(0, 2, 3)
    with pytest.raises(PlaygroundError, match="pass a Tensor instead of a PackedSequence"):
        trace_with(lstm, pack_sequence([normal(4, 2)]), [])
    with pytest.raises(PlaygroundError, match=r"x has shape \(4, 1, 5\)"):
        trace_with(lstm, normal(4, 1, 5), [])
    with pytest.raises(PlaygroundError, match="given a GRU"):
        trace_with(nn.GRU(2, 3), normal(4, 1, 2), [])
