"""The equations with numbers, against the sums written out here with the module's own weights."""

from __future__ import annotations

import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.analysis.step_arithmetic import step_arithmetic
from lstm_core.trace.gate_trace import trace_lstm
from tests.conftest import examples


def lstm_and_input(seed: int, bias: bool = True) -> tuple[nn.LSTM, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    lstm = nn.LSTM(3, 4, batch_first=True, bias=bias)
    with torch.no_grad():
        for p in lstm.parameters():
            p.copy_(torch.randn(p.shape, generator=generator))
    return lstm, torch.randn(1, 5, 3, generator=generator)


@examples(30)
@given(seed=st.integers(0, 99), step=st.integers(0, 4), unit=st.integers(0, 3), bias=st.booleans())
def test_the_numbers_add_up_and_are_the_modules_own(seed, step, unit, bias):
    lstm, x = lstm_and_input(seed, bias)
    result = step_arithmetic(lstm, trace_lstm(lstm, x), x, step, unit)
    squash = {"i": math.tanh, "f": math.tanh, "o": math.tanh}
    for gate, s in result.gates.items():
        value = math.tanh(s.total) if gate == "g" else (1 + squash[gate](s.total / 2)) / 2
        assert s.value == pytest.approx(value, abs=1e-5)
        assert bias or s.bias == 0
    i, f, g, o = (result.gates[gate].value for gate in "ifgo")
    assert result.c == pytest.approx(f * result.c_before + i * g, abs=1e-5)
    assert result.h == pytest.approx(o * math.tanh(result.c), abs=1e-5)
    output, _ = lstm(x)
    assert result.h == pytest.approx(output[0, step, unit].item(), abs=1e-6)
    if step == 0:
        assert result.c_before == 0 and all(s.from_h == 0 for s in result.gates.values())


def test_the_latex_shows_each_number_with_its_sign():
    lstm, x = lstm_and_input(1)
    result = step_arithmetic(lstm, trace_lstm(lstm, x), x, 2, 0)
    lines = result.latex.removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}").split(r"\\")
    assert len(lines) == 6
    for line, s in zip(lines, result.gates.values(), strict=False):
        assert f"{s.total:.2f}" in line and rf"\mathbf{{{s.value:.2f}}}" in line
        assert not re.search(r"[-+] -", line)


@pytest.mark.parametrize(("step", "unit"), [(5, 0), (-1, 0), (0, 4)])
def test_no_other_step_or_unit(step, unit):
    lstm, x = lstm_and_input(0)
    with pytest.raises(IndexError):
        step_arithmetic(lstm, trace_lstm(lstm, x), x, step, unit)
