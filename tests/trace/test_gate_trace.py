"""trace_lstm against two oracles: nn.LSTM itself (bit for bit) and a step loop written out here."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.trace.gate_trace import trace_lstm
from tests.conftest import examples

TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-12}

pytestmark = [
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
    pytest.mark.filterwarnings("ignore:dropout option adds dropout after all but last"),
]


def step_loop(lstm, sequence, h_0, c_0):
    """Gates and states of one sequence (seq_len, input_size), as dicts by (layer, direction) of
    (seq_len, -1)."""
    record = {}
    directions = 2 if lstm.bidirectional else 1
    for layer in range(lstm.num_layers):
        outputs = []
        for direction in range(directions):
            row = layer * directions + direction
            names = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * lstm.bias
            names += ["weight_hr"] * (lstm.proj_size > 0)
            suffix = f"_l{layer}" + "_reverse" * direction
            weights = {name: getattr(lstm, name + suffix) for name in names}
            h, c, steps = h_0[row], c_0[row], [None] * len(sequence)
            for t in reversed(range(len(sequence))) if direction else range(len(sequence)):
                a = weights["weight_ih"] @ sequence[t] + weights["weight_hh"] @ h
                if lstm.bias:
                    a = a + weights["bias_ih"] + weights["bias_hh"]
                i, f, g, o = a.chunk(4)
                i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
                c = f * c + i * g
                h = o * c.tanh()
                if lstm.proj_size:
                    h = weights["weight_hr"] @ h
                steps[t] = dict(i=i, f=f, g=g, o=o, c=c, h=h)
            record[layer, direction] = {k: torch.stack([s[k] for s in steps]) for k in steps[0]}
            outputs.append(record[layer, direction]["h"])
        sequence = torch.cat(outputs, 1)
    return record


@st.composite
def cases(draw):
    """(lstm, x, hx, sequences): any configuration; `sequences` is x as a list of (seq_len,
    input_size)."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    hidden_size = draw(st.integers(2, 9))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    lstm = nn.LSTM(
        draw(st.integers(1, 6)),
        hidden_size,
        draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        proj_size=draw(st.sampled_from([0, 0, hidden_size - 1])),
        dropout=draw(st.sampled_from([0.0, 0.3])),
        dtype=dtype,
    ).eval()
    with torch.no_grad():
        for weight in lstm.parameters():
            weight.copy_(torch.rand(weight.shape, generator=generator) - 0.5)
    kind = draw(st.sampled_from(["batched", "unbatched", "packed"]))
    batch = 1 if kind == "unbatched" else draw(st.integers(1, 5))
    longest = draw(st.sampled_from([1, 2, 7, 33, 70]))
    lengths = [longest] * batch
    if kind == "packed":
        lengths = [draw(st.integers(1, longest)) for _ in range(batch)]

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    sequences = [normal(length, lstm.input_size) for length in lengths]
    if kind == "packed":
        x = pack_sequence(sequences, enforce_sorted=False)
    elif kind == "unbatched":
        x = sequences[0]
    else:
        x = torch.stack(sequences, 0 if lstm.batch_first else 1)
    rows = lstm.num_layers * (2 if lstm.bidirectional else 1)
    hx = None
    if draw(st.booleans()):
        hx = normal(rows, batch, lstm.proj_size or hidden_size), normal(rows, batch, hidden_size)
        if kind == "unbatched":
            hx = tuple(state.squeeze(1) for state in hx)
    return lstm, x, hx, sequences


def assert_native(trace, lstm, x, hx):
    with torch.no_grad():
        output, (h_n, c_n) = lstm(x, hx)
    if isinstance(x, PackedSequence):
        assert torch.equal(trace.output.data, output.data)
        assert torch.equal(trace.output.batch_sizes, output.batch_sizes)
        assert torch.equal(trace.output.unsorted_indices, output.unsorted_indices)
    else:
        assert torch.equal(trace.output, output)
    assert torch.equal(trace.h_n, h_n)
    assert torch.equal(trace.c_n, c_n)


@examples(60)
@given(cases())
def test_equals_the_module_and_a_step_loop(case):
    lstm, x, hx, sequences = case
    trace = trace_lstm(lstm, x, hx)
    assert_native(trace, lstm, x, hx)
    batch, seq_len, directions = (len(sequences), max(map(len, sequences)), 2 if lstm.bidirectional else 1)
    for name in GATES + STATES:
        last = lstm.proj_size or lstm.hidden_size if name == "h" else lstm.hidden_size
        assert trace.gate(name).shape == (lstm.num_layers, directions, batch, seq_len, last)
        assert trace.gate(name).dtype == lstm.weight_ih_l0.dtype
        assert not trace.gate(name).requires_grad
    if isinstance(x, PackedSequence):
        assert trace.lengths.tolist() == [len(sequence) for sequence in sequences]
    else:
        assert trace.lengths is None
    rows = lstm.num_layers * directions
    if hx is None:
        zeros = sequences[0].new_zeros
        hx = (zeros(rows, batch, lstm.proj_size or lstm.hidden_size), zeros(rows, batch, lstm.hidden_size))
    h_0, c_0 = (state.reshape(rows, batch, -1) for state in hx)
    tolerance = TOLERANCE[trace.c.dtype]
    for b, sequence in enumerate(sequences):
        with torch.no_grad():
            record = step_loop(lstm, sequence, h_0[:, b], c_0[:, b])
        for (layer, direction), values in record.items():
            for name, expected in values.items():
                got = trace.gate(name)[layer, direction, b]
                assert (got[: len(sequence)] - expected).abs().max() <= tolerance, name
                assert got[len(sequence) :].isnan().all(), name
    assert trace.max_difference <= tolerance


@pytest.mark.parametrize(
    ("batch", "seq_len", "features", "hidden_size"), [(1, 700, 8, 64), (33, 90, 7, 100), (2, 2500, 3, 256)]
)
@pytest.mark.parametrize("bidirectional", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_large_shapes_stay_exact(batch, seq_len, features, hidden_size, bidirectional):
    """c by chunks with a rest, products by oneDNN, and several blocks of steps: small cases see
    none."""
    lstm = nn.LSTM(features, hidden_size, bidirectional=bidirectional).eval()
    generator = torch.Generator().manual_seed(3)
    for weight in lstm.parameters():
        nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5, generator=generator)
    x = torch.randn(seq_len, batch, features, generator=generator)
    trace = trace_lstm(lstm, x)
    assert_native(trace, lstm, x, None)
    exact = trace_lstm(copy.deepcopy(lstm).double(), x.double())
    assert exact.max_difference <= 1e-12
    for name in GATES + STATES:
        assert (trace.gate(name) - exact.gate(name)).abs().max() <= 2e-6, name


def test_gates_lie_in_their_ranges():
    lstm = nn.LSTM(3, 8, 2, bidirectional=True).eval()
    trace = trace_lstm(lstm, 30 * torch.randn(40, 4, 3, generator=torch.Generator().manual_seed(0)))
    for name in "ifo":
        assert trace.gate(name).min() >= 0
        assert trace.gate(name).max() <= 1
    assert trace.g.min() >= -1
    assert trace.g.max() <= 1


def test_reverse_direction_is_indexed_by_input_time():
    lstm = nn.LSTM(2, 3, bidirectional=True, batch_first=True, dtype=torch.float64).eval()
    x = torch.randn(1, 6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    changed = x.clone()
    changed[0, 2] += 1
    before, after = trace_lstm(lstm, x), trace_lstm(lstm, changed)
    moved = (before.c != after.c)[0, :, 0].any(-1)  # (num_directions, seq_len)
    assert moved.tolist() == [[False] * 2 + [True] * 4, [True] * 3 + [False] * 3]


@pytest.mark.parametrize("training", [False, True])
def test_module_is_left_as_it_was(training):
    lstm = nn.LSTM(3, 5, 2, dropout=0.0).train(training)
    before = copy.deepcopy(lstm.state_dict())
    x = torch.randn(4, 2, 3, requires_grad=True)
    trace = trace_lstm(lstm, x)
    assert_native(trace, lstm, x, None)
    assert lstm.training == training
    assert torch.is_grad_enabled()
    assert x.grad is None
    assert all(p.requires_grad and p.grad is None for p in lstm.parameters())
    assert all(torch.equal(before[name], value) for name, value in lstm.state_dict().items())


@pytest.mark.parametrize("proj_size", [0, 3])
def test_max_difference_sees_a_wrong_gate(proj_size):
    lstm = nn.LSTM(2, 4, 2, proj_size=proj_size, dtype=torch.float64).eval()
    good, bad = (trace_lstm(lstm, torch.ones(5, 3, 2, dtype=torch.float64)) for _ in range(2))
    bad.o[1, 0, 2, 3] += 0.5
    assert good.max_difference < 1e-15
    assert bad.max_difference > 1e-3
    wrong_c = trace_lstm(lstm, torch.ones(5, 3, 2, dtype=torch.float64))
    wrong_c.c_n[0] += 2
    assert wrong_c.max_difference > 1


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.03), (torch.float16, 0.004)])
def test_half_precisions_keep_their_dtype(dtype, tolerance):
    lstm = nn.LSTM(4, 8, 2, bidirectional=True).eval()
    x = torch.randn(20, 3, 4, generator=torch.Generator().manual_seed(2))
    half, full = trace_lstm(copy.deepcopy(lstm).to(dtype), x.to(dtype)), trace_lstm(lstm, x)
    for name in GATES + STATES:
        assert half.gate(name).dtype == dtype
        assert (half.gate(name).float() - full.gate(name)).abs().max() < tolerance
    assert half.max_difference < tolerance


def test_max_difference_of_a_model_gone_nan_is_nan():
    lstm = nn.LSTM(2, 3).eval()
    with torch.no_grad():
        lstm.weight_hh_l0[0, 0] = torch.nan
    assert math.isnan(trace_lstm(lstm, torch.ones(4, 1, 2)).max_difference)


ones = torch.ones
REFUSED = [
    (nn.GRU(3, 4), ones(5, 2, 3), None, "given a GRU: pass the torch.nn.LSTM itself"),
    (nn.LSTM(3, 4).state_dict(), ones(5, 2, 3), None, "given a dict: .* call its load_state_dict"),
    (nn.LSTM(3, 4, 2, dropout=0.2), ones(5, 2, 3), None, "train mode with dropout=0.2"),
    (nn.LSTM(3, 4), [1.0, 2.0], None, "x is a list"),
    (nn.LSTM(3, 4), ones(5, 2, 2), None, r"shape \(5, 2, 2\), but this LSTM takes \(seq_len, batch, 3\)"),
    (nn.LSTM(3, 4, batch_first=True), ones(3), None, r"shape \(3,\).* \(batch, seq_len, 3\)"),
    (nn.LSTM(3, 4), ones(0, 2, 3), None, "at least one sequence and one step"),
    (nn.LSTM(3, 4), ones(5, 0, 3), None, "at least one sequence and one step"),
    (nn.LSTM(3, 4), pack_sequence([ones(5, 2)]), None, r"shape \(5, 2\).* 3\) as its data"),
    (nn.LSTM(3, 4), ones(5, 2, 3).double(), None, "x is torch.float64.* weights are torch.float32"),
    (nn.LSTM(3, 4), ones(5, 2, 3, device="meta"), None, "x is on meta, but the LSTM is on cpu"),
    (nn.LSTM(3, 4), ones(5, 2, 3), ones(1, 2, 4), "pair of tensors"),
    (nn.LSTM(3, 4), ones(5, 2, 3), (ones(1, 2, 4), None), "pair of tensors"),
    (nn.LSTM(3, 4), ones(5, 2, 3), (ones(2, 4), ones(1, 2, 4)), r"h_0 has shape \(2, 4\).*\(1, 2, 4\)"),
    (nn.LSTM(3, 4), ones(5, 3), (ones(1, 4), ones(1, 1, 4)), r"c_0 has shape \(1, 1, 4\).*\(1, 4\)"),
    (nn.LSTM(3, 4, 2), ones(5, 2, 3), (ones(2, 2, 4), ones(2, 2, 4).half()), "c_0 is torch.float16"),
    (nn.LSTM(3, 4), ones(5, 2, 3), (ones(1, 2, 4, device="meta"), ones(1, 2, 4)), "h_0 is on meta"),
]


@pytest.mark.parametrize(("lstm", "x", "hx", "sentence"), REFUSED, ids=[case[3][:24] for case in REFUSED])
def test_what_does_not_fit_is_refused_in_one_sentence(lstm, x, hx, sentence):
    with pytest.raises(PlaygroundError, match=sentence) as caught:
        trace_lstm(lstm, x, hx)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_unknown_gate_is_refused():
    trace = trace_lstm(nn.LSTM(2, 3), ones(4, 1, 2))
    with pytest.raises(PlaygroundError, match="no gate 'x': choose one of i, f, g, o, c, h"):
        trace.gate("x")
