"""How open the gates of a trace are at each step, over all units together."""

from __future__ import annotations

import numpy as np

from lstm_core.experiment import GATES
from lstm_core.trace.gate_trace import GateTrace

CLOSED, OPEN = 0.1, 0.9


def saturation(
    trace: GateTrace, layer: int = 0, direction: int = 0, sample: int = 0
) -> dict[str, dict[str, np.ndarray]]:
    """{"mean" | "closed" | "open": {gate: (seq_len,) float32}}: mean over units, share of units below 0.1, above 0.9.

    The candidate g is a tanh: its shares are those of its sigmoid form (tanh x = 2σ(2x) − 1), so closed is g < −0.8
    and open g > 0.8. Steps past a sequence's end are NaN.
    """
    found: dict[str, dict[str, np.ndarray]] = {"mean": {}, "closed": {}, "open": {}}
    for gate in GATES:
        values = trace.gate(gate)[layer, direction, sample].float().cpu().numpy()  # (seq_len, hidden_size)
        squashed = (values + 1) / 2 if gate == "g" else values
        gone = np.where(np.isnan(values).all(1), np.nan, 0)
        found["mean"][gate] = values.mean(1)
        found["closed"][gate] = ((squashed < CLOSED).mean(1) + gone).astype(np.float32)
        found["open"][gate] = ((squashed > OPEN).mean(1) + gone).astype(np.float32)
    return found
