from __future__ import annotations

import numpy as np

from lstm_core.analysis.saturation import gate_saturation
from lstm_core.experiment import GATES
from tests.factories import trace_of


def test_saturation_is_counted_per_step_over_the_units():
    trace = trace_of(seq_len=3, hidden_size=4)
    trace.f[0, 0, 0] = (trace.f[0, 0, 0] - 0.5).sign() * 0.45 + 0.5  # 0.05 or 0.95
    trace.g[0, 0, 0] = 0.79
    trace.g[0, 0, 0, 0, 0] = 0.81
    result = gate_saturation(trace)
    assert list(result) == ["mean", "closed", "open"]
    for gate in GATES:
        values = trace.gate(gate)[0, 0, 0].numpy()  # (seq_len, units)
        np.testing.assert_allclose(result["mean"][gate], values.mean(1), rtol=1e-5)
        if gate != "g":
            np.testing.assert_allclose(result["closed"][gate], (values < 0.1).mean(1))
            np.testing.assert_allclose(result["open"][gate], (values > 0.9).mean(1))
    assert result["closed"]["f"].max() > 0
    assert result["open"]["g"].tolist() == [0.25, 0, 0]  # tanh saturates at ±0.8


def test_steps_past_the_end_have_no_share():
    trace = trace_of(seq_len=3)
    trace.f[:, :, :, 2] = float("nan")
    result = gate_saturation(trace)
    assert all(np.isnan(result[kind]["f"]).tolist() == [False, False, True] for kind in result)
