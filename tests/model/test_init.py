"""Forget-gate bias and chrono initialisation set the biases they should, and nothing else."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.experiment import OPEN_GATES, ModelSpec
from lstm_core.model.init import init_forget_bias
from lstm_core.model.recurrent import build_model
from lstm_core.trace.gate_trace import trace_lstm
from tests.conftest import examples
from tests.factories import model_specs


@examples(40)
@given(model_specs(cells=("lstm",)), st.floats(-3, 3))
def test_forget_gates_start_with_the_bias_once_and_nothing_else_moves(spec, value):
    plain = build_model(dataclasses.replace(spec, bias=True, forget_bias=None, chrono_t_max=None), 3, 2)
    biased = build_model(dataclasses.replace(spec, bias=True, forget_bias=value, chrono_t_max=None), 3, 2)
    hidden, count = spec.hidden_size, 0
    for layer in range(spec.num_layers):
        for suffix in [f"_l{layer}", f"_l{layer}_reverse"][: spec.num_directions]:
            total = getattr(biased.lstm, "bias_ih" + suffix) + getattr(biased.lstm, "bias_hh" + suffix)
            torch.testing.assert_close(total[hidden : 2 * hidden], torch.full((hidden,), value))
            count += 1
    assert count == spec.num_layers * spec.num_directions
    for (name, a), (_, b) in zip(plain.named_parameters(), biased.named_parameters(), strict=True):
        rest = torch.ones(len(a), dtype=torch.bool)
        if name.startswith("lstm.bias"):
            rest[hidden : 2 * hidden] = False
        assert torch.equal(a[rest], b[rest]), name


def test_forget_bias_of_an_lstm_without_bias_is_left_alone():
    lstm = nn.LSTM(2, 3, bias=False)
    before = [p.clone() for p in lstm.parameters()]
    init_forget_bias(lstm, 1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, lstm.parameters(), strict=True))


@examples(40)
@given(model_specs(cells=("lstm",)), st.integers(3, 200))
def test_chrono_draws_times_within_its_range_and_closes_the_input_gates_as_far(spec, t_max):
    plain = build_model(dataclasses.replace(spec, bias=True, forget_bias=None, chrono_t_max=None), 3, 2)
    drawn = build_model(dataclasses.replace(spec, bias=True, forget_bias=None, chrono_t_max=t_max), 3, 2)
    hidden, seen = spec.hidden_size, []
    for layer in range(spec.num_layers):
        for suffix in [f"_l{layer}", f"_l{layer}_reverse"][: spec.num_directions]:
            total = getattr(drawn.lstm, "bias_ih" + suffix) + getattr(drawn.lstm, "bias_hh" + suffix)
            i, f = total[:hidden], total[hidden : 2 * hidden]
            assert torch.equal(i, -f)
            times = 1 / (1 - f.double().sigmoid())  # a unit's mean time to forget: 1 + e^b_f
            assert bool((times > 2 - 1e-4).all()) and bool((times < t_max * (1 + 1e-4)).all())
            seen += f.tolist()
    assert len(set(seen)) == len(seen)  # each unit its own, in every layer and direction
    for (name, a), (_, b) in zip(plain.named_parameters(), drawn.named_parameters(), strict=True):
        rest = torch.ones(len(a), dtype=torch.bool)
        if name.startswith("lstm.bias"):
            rest[: 2 * hidden] = False
        assert torch.equal(a[rest], b[rest]), name


def test_chrono_covers_its_range_and_comes_from_the_models_seed():
    forget = [
        build_model(ModelSpec(hidden_size=2000, chrono_t_max=50, seed=seed), 1, 1).lstm.bias_ih_l0[2000:4000]
        for seed in (0, 0, 1)
    ]
    assert torch.equal(forget[0], forget[1]) and not torch.equal(forget[0], forget[2])
    even = forget[0].exp().double()  # U(1, 49)
    assert even.mean().item() == pytest.approx(25, abs=1) and even.std().item() == pytest.approx(48 / 12**0.5, abs=0.5)


@pytest.mark.parametrize(("part", "gate"), OPEN_GATES.items())
def test_a_gate_that_is_held_open_is_one_and_all_others_are_as_they_were(part, gate):
    spec = ModelSpec(hidden_size=4, num_layers=2, bidirectional=True)
    x = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(1))
    held, free = (trace_lstm(build_model(dataclasses.replace(spec, frozen=p), 2, 1).lstm, x) for p in ((part,), ()))
    assert bool((held.gate(gate) == 1).all())
    for other in {"i", "f", "g", "o"} - {gate}:  # at the first step, before h differs
        assert torch.equal(held.gate(other)[0, 0, :, 0], free.gate(other)[0, 0, :, 0])
