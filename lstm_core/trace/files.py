"""A trace as files for other tools: CSV for people and spreadsheets, NPZ for numpy."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from lstm_core.data.spreadsheet import spreadsheet_text, unique_texts
from lstm_core.experiment import GATES, STATES
from lstm_core.trace.gate_trace import GateTrace


def trace_arrays(trace: GateTrace) -> dict[str, np.ndarray]:
    """i, f, g, o, c: (num_layers, num_directions, batch, seq_len, hidden_size); h with its own width; and output,
    h_n, c_n as nn.LSTM gave them."""
    names = (*GATES, *STATES, "output", "h_n", "c_n")
    return {name: getattr(trace, name).float().cpu().numpy() for name in names}


def trace_npz(trace: GateTrace) -> bytes:
    """trace_arrays as a compressed .npz file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **trace_arrays(trace))
    return buffer.getvalue()


def trace_csv(trace: GateTrace, steps: dict[str, np.ndarray] | None = None) -> bytes:
    """One row a layer, direction, sequence, step and unit, with columns i, f, g, o, c, h; steps count from 1.

    With a projection h has fewer units than the gates: its cells are empty past its width.

    steps: further columns by name, such as time, inputs and prediction, each (seq_len,) or (batch, seq_len): the same
        in every layer, direction and unit. A text that a spreadsheet would run as a formula is escaped, a name too.
    """
    arrays = trace_arrays(trace)
    shape = arrays["i"].shape
    width = arrays["h"].shape[-1]
    arrays["h"] = np.pad(arrays["h"], [(0, 0)] * 4 + [(0, shape[-1] - width)], constant_values=np.nan)
    names = ["layer", "direction", "sequence", "step", "unit"]
    firsts = [int(name == "step") for name in names]  # steps as on screen
    index = pd.MultiIndex.from_product(
        [range(first, first + size) for first, size in zip(firsts, shape, strict=True)], names=names
    )
    columns = {name: arrays[name].ravel() for name in (*GATES, *STATES)}
    added = unique_texts([*columns, *(steps or {})])[len(columns) :]
    for name, values in zip(added, (steps or {}).values(), strict=True):
        if values.dtype.kind in "OU":
            values = np.array([spreadsheet_text(str(text)) for text in values.flat], object).reshape(values.shape)
        columns[name] = np.broadcast_to(values[..., None], shape).ravel()
    return pd.DataFrame(columns, index=index).to_csv(float_format="%.9g").encode()
