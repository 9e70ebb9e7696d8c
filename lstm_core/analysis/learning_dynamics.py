"""Learning dynamics: one unit's gates and states for one window, at every snapshot of a run.

Nothing is recorded while training: a snapshot is weights, and its trace is worked out when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from torch import Tensor

from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.training.snapshots import ModelSnapshot


def unit_history(
    snapshots: Iterable[ModelSnapshot], x: Tensor, layer: int = 0, direction: int = 0, unit: int | None = None
) -> dict[str, np.ndarray]:
    """i, f, g, o, c, h of one unit at every snapshot and step: name → (snapshots, seq_len); unit None: the units' mean.

    x: one window, (1, seq_len, input_size). With proj_size h has fewer units: where it has not this one it is
    missing.

    Raises:
        PlaygroundError: x does not fit the models, or there is no such layer, direction or unit.
    """
    rows: dict[str, list[np.ndarray]] = {name: [] for name in (*GATES, *STATES)}
    for snapshot in snapshots:
        trace = trace_lstm(snapshot.model.lstm, snapshot.model.to_module_layout(x))
        layers, directions, _, _, units = trace.c.shape
        if layer not in range(layers) or direction not in range(directions) or unit not in (None, *range(units)):
            raise PlaygroundError(
                f"There is no layer {layer}, direction {direction}, unit {unit} in this LSTM: choose one that it has."
            )
        for name, rows_of_gate in rows.items():
            values = trace.gate(name)[layer, direction, 0].float().cpu().numpy()  # (seq_len, units)
            if unit is None:
                rows_of_gate.append(values.mean(1))
            elif unit < values.shape[1]:
                rows_of_gate.append(values[:, unit])
    return {name: np.stack(rows_of_gate) for name, rows_of_gate in rows.items() if rows_of_gate}


def settling_index(values: np.ndarray, share: float = 0.1) -> int:
    """The index from which on `values` stays within `share` of its largest distance (Euclidean) from its last value.

    values: (snapshots, …), any quantity along a run; 0 if it never moved.
    """
    far = np.linalg.norm((values - values[-1]).reshape(len(values), -1), axis=1)
    outside = np.flatnonzero(far > share * far.max(initial=0.0))
    return int(outside[-1]) + 1 if len(outside) else 0
