"""The recurrence of c and the gates' product against the plain formulas in float64; test_trace.py tests the whole."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from lstm_core.trace.replay import CPU_LANES, accumulate, joined_weights, linear
from tests.conftest import examples


def plain(f: Tensor, c: Tensor, before: Tensor, reverse: bool) -> Tensor:
    """c_t = f_t c_{t-1} + (what c holds at t), step by step."""
    c = c.clone()
    for t in range(len(c))[:: -1 if reverse else 1]:
        before = c[t] = f[t] * before + c[t]
    return c


@examples(80)
@given(
    steps=st.integers(1, 130),
    lanes=st.sampled_from([1, 3, CPU_LANES // 6, CPU_LANES // 5, CPU_LANES // 4, CPU_LANES + 1]),
    reverse=st.booleans(),
    hardness=st.sampled_from([0.0, 1.0, 50.0]),  # at 50 most forget gates are 0 or 1
    seed=st.integers(0, 1000),
)
def test_accumulate_is_the_recurrence(steps, lanes, reverse, hardness, seed):
    steps = min(steps, 40) if lanes > 3 else steps
    draw = torch.randn(3, steps, 1, lanes, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    gates = torch.stack(((hardness * draw[0]).sigmoid(), draw[0]), 2)  # f lies between other gates, as in a trace
    f, c, before = gates[:, :, 0], draw[1].clone(), draw[2, 0].clone()
    expected = plain(f, c, before, reverse)
    accumulate(f, c, before, reverse)
    assert (c - expected).abs().max() <= 1e-12
    assert torch.equal(before, draw[2, 0])


@pytest.mark.parametrize("reverse", [False, True])
def test_a_nan_spreads_only_to_later_steps(reverse):
    f, c = torch.full((30, 1, 2), 0.5), torch.ones(30, 1, 2)
    c[12, 0, 1] = torch.nan
    accumulate(f, c, torch.zeros(1, 2), reverse)
    assert not c[:, 0, 0].isnan().any()
    later = [t <= 12 if reverse else t >= 12 for t in range(30)]
    assert c[:, 0, 1].isnan().tolist() == later


@pytest.mark.parametrize("rows", [1, 40, 700])  # 700 rows of 33 go to oneDNN
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_linear_of_joined_weights_doubles_only_g(rows, dtype):
    generator = torch.Generator().manual_seed(rows)
    shapes = ((20, 28), (20, 5), (20,), (20,))
    weights = [torch.rand(shape, dtype=dtype, generator=generator) - 0.5 for shape in shapes]
    before = [weight.clone() for weight in weights]
    x = torch.randn(rows, 33, dtype=dtype, generator=generator)
    got = linear(x, *joined_weights(weights, True, dtype)).double()
    w_ih, w_hh, b_ih, b_hh = (weight.double() for weight in weights)
    expected = F.linear(x[:, :28].double(), w_ih, b_ih) + F.linear(x[:, 28:].double(), w_hh, b_hh)
    expected[:, 10:15] *= 2
    assert (got - expected).abs().max() <= (1e-12 if dtype == torch.float64 else 1e-5)
    assert all(torch.equal(one, other) for one, other in zip(weights, before, strict=True))
