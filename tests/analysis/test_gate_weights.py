"""weights against slices cut by hand, for drawn configurations, and against what one gate alone can change."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.analysis.gate_weights import (
    gate_histograms,
    gate_norms,
    gate_weights,
    magnitudes,
    round_up_nicely,
    split_by_gate,
    with_total_bias,
)
from lstm_core.experiment import GATES, ModelSpec, PlaygroundError
from lstm_core.model.recurrent import build_model
from lstm_core.trace.gate_trace import trace_lstm
from tests.conftest import examples

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@st.composite
def places(draw):
    """(lstm, layer, direction, suffix of its parameters' names)."""
    hidden_size = draw(st.integers(2, 9))
    lstm = nn.LSTM(
        draw(st.integers(1, 6)),
        hidden_size,
        draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        proj_size=draw(st.sampled_from([0, hidden_size - 1])),
        dtype=draw(st.sampled_from([torch.float32, torch.float64])),
    )
    layer = draw(st.integers(0, lstm.num_layers - 1))
    direction = draw(st.integers(0, int(lstm.bidirectional)))
    return lstm, layer, direction, f"_l{layer}" + "_reverse" * direction


def assert_sliced(got, lstm, suffix, tensor_of):
    """`got` holds the very numbers of tensor_of(name), cut into four by hand."""
    kinds = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * lstm.bias
    assert list(got) == kinds
    n = lstm.hidden_size
    for kind in kinds:
        whole = tensor_of(kind + suffix).detach().numpy()
        assert tuple(got[kind]) == GATES
        for k, gate in enumerate("ifgo"):
            assert got[kind][gate].dtype == whole.dtype
            np.testing.assert_array_equal(got[kind][gate], whole[k * n : (k + 1) * n])


@examples(60)
@given(places())
def test_weights_are_pytorchs_rows(index):
    lstm, layer, direction, suffix = index
    got = gate_weights(lstm, layer, direction)
    assert_sliced(got, lstm, suffix, lambda name: getattr(lstm, name))
    assert got["weight_hh"]["f"].shape == (lstm.hidden_size, lstm.proj_size or lstm.hidden_size)


@examples(40)
@given(places(), st.integers(0, 2**31))
def test_gradients_split_like_the_weights(index, seed):
    lstm, layer, direction, suffix = index
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(3, 2, lstm.input_size, dtype=lstm.weight_ih_l0.dtype, generator=generator)
    lstm(x)[0].square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in lstm.named_parameters()}
    got = split_by_gate(gradients, layer, direction)
    assert_sliced(got, lstm, suffix, gradients.__getitem__)
    prefixed = split_by_gate({f"lstm.{name}": grad for name, grad in gradients.items()}, layer, direction)
    for kind, parts in got.items():
        for gate, rows in parts.items():
            np.testing.assert_array_equal(prefixed[kind][gate], rows)


@examples(40)
@given(places())
def test_norms_are_frobenius_and_add_up(index):
    lstm, layer, direction, suffix = index
    got = gate_weights(lstm, layer, direction)
    norms = gate_norms(got)
    assert norms.keys() == got.keys()
    for kind, parts in norms.items():
        for gate, norm in parts.items():
            by_hand = math.sqrt(sum(float(value) ** 2 for value in got[kind][gate].flat))
            assert norm == pytest.approx(by_hand, rel=1e-12)
        whole = getattr(lstm, kind + suffix).detach().double().norm().item()
        assert math.hypot(*parts.values()) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("gate", GATES)
def test_a_gates_rows_move_that_gate_alone(gate):
    """The names are right, not only the order: raise one gate's bias, and at the first step only it moves."""
    lstm = nn.LSTM(2, 3)
    before = trace_lstm(lstm, torch.ones(1, 1, 2))
    rows = gate_weights(lstm)["bias_hh"][gate]
    with torch.no_grad():
        at = next(k for k in range(0, 12, 3) if np.array_equal(lstm.bias_hh_l0[k : k + 3].numpy(), rows))
        lstm.bias_hh_l0[at : at + 3] += 1
    after = trace_lstm(lstm, torch.ones(1, 1, 2))
    assert [name for name in GATES if not torch.equal(before.gate(name), after.gate(name))] == [gate]


def test_a_models_snapshot_is_split_by_its_own_names():
    model = build_model(ModelSpec(hidden_size=4, num_layers=2, bidirectional=True), 3, 1)
    got = split_by_gate(model.state_dict(), 1, 1)
    expected = gate_weights(model.lstm, 1, 1)
    assert got.keys() == expected.keys()
    for kind, parts in expected.items():
        for gate, rows in parts.items():
            np.testing.assert_array_equal(got[kind][gate], rows)


def test_arrays_are_copies_that_training_does_not_change():
    lstm = nn.LSTM(2, 3)
    got = gate_weights(lstm)
    kept = got["weight_ih"]["i"].copy()
    with torch.no_grad():
        lstm.weight_ih_l0.zero_()
    np.testing.assert_array_equal(got["weight_ih"]["i"], kept)
    got["weight_ih"]["i"][:] = 7
    assert not lstm.weight_ih_l0.any()
    assert lstm.weight_ih_l0.requires_grad
    assert lstm.weight_ih_l0.grad is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precisions_come_as_float32(dtype):
    lstm = nn.LSTM(2, 3, dtype=dtype)
    rows = gate_weights(lstm)["weight_hh"]["o"]
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, lstm.weight_hh_l0[9:].detach().float().numpy())


@pytest.mark.parametrize(("layer", "direction"), [(2, 0), (-1, 0), (0, 1), (0, 2), (0, -1)])
def test_a_layer_or_direction_that_is_not_there(layer, direction):
    with pytest.raises(PlaygroundError, match=f"no layer {layer}, direction {direction}"):
        gate_weights(nn.LSTM(2, 3, 2), layer, direction)


@pytest.mark.parametrize("direction", [2, -1])
def test_a_third_direction_is_not_taken_for_the_reverse(direction):
    with pytest.raises(PlaygroundError, match=f"direction {direction} in these weights"):
        gate_weights(nn.LSTM(2, 3, bidirectional=True), 0, direction)


@pytest.mark.parametrize("module", [nn.GRU(2, 4), nn.RNN(2, 4), nn.Linear(2, 4)])
def test_only_an_lstm_has_these_gates(module):
    with pytest.raises(PlaygroundError, match=type(module).__name__):
        gate_weights(module)


def test_gradients_before_the_first_step():
    lstm = nn.LSTM(2, 3)
    with pytest.raises(PlaygroundError, match="weight_ih_l0 has no gradient yet"):
        split_by_gate({name: parameter.grad for name, parameter in lstm.named_parameters()})


@pytest.mark.parametrize("tensor", [torch.ones(9, 3), torch.ones(()), torch.ones(4, 3, 2)])
def test_rows_that_are_not_of_four_gates(tensor):
    with pytest.raises(PlaygroundError, match="not those of four gates"):
        split_by_gate({"weight_ih_l0": tensor, "weight_hh_l0": tensor})


@examples(40)
@given(places())
def test_the_bias_that_acts_is_the_sum_that_nn_lstm_makes(index):
    """Moving all of bias_hh into bias_ih changes no output; without bias there is none."""
    lstm, layer, direction, suffix = index
    got = with_total_bias(gate_weights(lstm, layer, direction))
    assert list(got) == ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh", "bias"] * lstm.bias
    if not lstm.bias:
        return
    x = torch.randn(4, lstm.input_size, dtype=lstm.weight_ih_l0.dtype, generator=torch.Generator().manual_seed(1))
    before = lstm(x)[0]
    with torch.no_grad():
        getattr(lstm, "bias_hh" + suffix).zero_()
        getattr(lstm, "bias_ih" + suffix).copy_(torch.from_numpy(np.concatenate([got["bias"][g] for g in GATES])))
    torch.testing.assert_close(lstm(x)[0], before, rtol=0, atol=1e-6)


def test_the_acting_bias_has_the_gradient_of_either():
    lstm = nn.LSTM(3, 4, dtype=torch.float64)
    lstm(torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))[0].sum().backward()
    by_gate = split_by_gate({name: parameter.grad for name, parameter in lstm.named_parameters()})
    got = with_total_bias(by_gate, gradients=True)
    for gate in GATES:
        np.testing.assert_array_equal(got["bias"][gate], by_gate["bias_ih"][gate])
        np.testing.assert_allclose(got["bias"][gate], by_gate["bias_hh"][gate], rtol=1e-12)


def parts_of(*values: float) -> dict[str, np.ndarray]:
    """A parameter of one column whose i holds these values, and the other gates zeros."""
    rows = np.array(values, np.float32)[:, None]
    return {gate: rows if gate == "i" else np.zeros_like(rows) for gate in GATES}


def test_an_outlier_does_not_stretch_the_reach():
    rng = np.random.default_rng(0)
    calm = {gate: rng.uniform(-0.1, 0.1, (64, 64)).astype(np.float32) for gate in GATES}
    result = magnitudes({"weight_hh": calm})
    assert result.percentile == result.max_abs["weight_hh"] == max(np.abs(rows).max() for rows in calm.values())
    calm["o"][3, 5] = -7
    result = magnitudes({"weight_hh": calm})
    assert result.max_abs == {"weight_hh": 7}
    assert 0.09 < result.percentile <= 0.1
    assert result.norms["weight_hh"]["o"] == pytest.approx(np.linalg.norm(calm["o"].astype(float)))


def test_reach_looks_at_every_column_of_a_large_model():
    """A column in 64 is large: whatever the reach is taken from, it must see that column, and not only it."""
    rows = np.full((4096, 64), 0.1, np.float32)
    rows[:, 0] = 5
    assert magnitudes({"weight_hh": dict.fromkeys(GATES, rows)}).percentile == 5
    rows[:, 0] = 0.1
    rows[:40, 0] = 5  # far fewer than one in a hundred
    assert magnitudes({"weight_hh": dict.fromkeys(GATES, rows)}).percentile == pytest.approx(0.1)


def test_what_is_not_finite_is_left_out_of_the_scale():
    result = magnitudes({"bias": parts_of(np.nan, np.inf, -0.5, 0.25)})
    assert result.max_abs == {"bias": 0.5}
    assert result.percentile == 0.5
    nothing = magnitudes({"bias": {gate: np.full((2, 1), np.nan, np.float32) for gate in GATES}})
    assert nothing.max_abs == {"bias": 0} and nothing.percentile == 0


@given(st.floats(1e-300, 1e300))
def test_rounded_up_is_at_least_the_value_and_never_much_more(value):
    result = round_up_nicely(value)
    assert value <= result <= 1.34 * value  # the widest gap is from 3 to 4
    assert round_up_nicely(result) == result


@pytest.mark.parametrize(("value", "expected"), [(0, 1), (1, 1), (0.11, 0.12), (0.99, 1), (31, 40), (1e-9, 1e-9)])
def test_rounded_up_to_a_number_that_one_can_say(value, expected):
    assert round_up_nicely(value) == pytest.approx(expected)


@examples(40)
@given(places(), st.integers(1, 30))
def test_histograms_count_every_weight_once(index, bins):
    lstm, layer, direction, _ = index
    by_gate = gate_weights(lstm, layer, direction)
    for kind, parts in by_gate.items():
        edge = round_up_nicely(magnitudes({kind: parts}).max_abs[kind])
        edges, counts = gate_histograms(parts, edge, 2 * bins)
        assert list(counts) == list(GATES)
        for gate, rows in parts.items():
            assert counts[gate].sum() == rows.size
            assert counts[gate][:bins].sum() == (rows < 0).sum()  # 0 is an edge
            k = bins // 2
            assert counts[gate][k] == ((rows >= edges[k]) & (rows < edges[k + 1])).sum()
