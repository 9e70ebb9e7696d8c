"""How open the gates of a trace are at each step, over all units together."""

from __future__ import annotations

import numpy as np

from lstm_core.experiment import GATES
from lstm_core.trace.gate_trace import GateTrace

CLOSED_BELOW, OPEN_ABOVE = 0.1, 0.9


def gate_saturation(
    trace: GateTrace, layer: int = 0, direction: int = 0, sample: int = 0
) -> dict[str, dict[str, np.ndarray]]:
    """{"mean" | "closed" | "open": {gate: (seq_len,) float32}}: mean over units, share of units below 0.1, above 0.9.

    The candidate g is a tanh: its shares are those of its sigmoid form (tanh x = 2σ(2x) − 1), so closed is g < −0.8
    and open g > 0.8. Steps past a sequence's end are NaN.
    """
    shares: dict[str, dict[str, np.ndarray]] = {"mean": {}, "closed": {}, "open": {}}
    for gate in GATES:
        values = trace.gate(gate)[layer, direction, sample].float().cpu().numpy()  # (seq_len, hidden_size)
        squashed = (values + 1) / 2 if gate == "g" else values
        missing = np.where(np.isnan(values).all(1), np.nan, 0)
        shares["mean"][gate] = values.mean(1)
        shares["closed"][gate] = ((squashed < CLOSED_BELOW).mean(1) + missing).astype(np.float32)
        shares["open"][gate] = ((squashed > OPEN_ABOVE).mean(1) + missing).astype(np.float32)
    return shares
