"""All that the stage plays, as one value: a window, the trace of every layer, and the weights of every snapshot.

The browser works out the traces of earlier moments, and of altered runs, from those weights (stage/lstm.js); the
numbers of now are this trace's own. No page and no drawing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, STATES
from lstm_core.runs.run import Run
from lstm_core.trace.gate_trace import GateTrace
from lstm_core.training.snapshots import ModelSnapshot, Snapshot, thin_log_spaced

MAX_BYTES = 8 << 20  # of the snapshots' weights on the wire
MAX_BYTES_LIVE = 1 << 20  # the same while training, when there is a new scene every second
MAX_SERIES = 4  # features drawn


def build_scene(
    run: Run, snapshot: ModelSnapshot, trace: GateTrace, start: int, comparisons: Mapping[str, Tensor]
) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What the stage shows of one window: (header, arrays); the header is JSON and names what the arrays are.

    moment: the model that the trace is of; start: first row of the window; others: weights of the same shapes to
    compare with, under a label each. The arrays are, all float32: the inputs as the model reads them (seq_len,
    input_size); the drawn features in the table's own units (features, seq_len); i, f, g, o, c, h of each layer and
    direction, (units, seq_len) each; the weights (all parameters,) of `moment`, of each snapshot and of the others,
    in the order of the header's "parameters".
    """
    windows, spec = run.windows, snapshot.model.spec
    snapshots = _snapshots(run, snapshot.step)
    header = {
        "layers": spec.num_layers,
        "directions": spec.num_directions,
        "hidden": spec.hidden_size,
        "width": spec.h_size,
        "head": spec.head,
        "steps": windows.spec.seq_len,
        "now": snapshot.step,
        "perEpoch": run.steps_per_epoch,
        "snapshots": [kept_snapshot.step for kept_snapshot in snapshots],
        "others": list(comparisons),
        "parameters": [[name, list(p.shape)] for name, p in snapshot.model.named_parameters()],
        "difference": trace.max_difference,
        **_window_texts(windows, start),
    }
    rows = slice(start, start + windows.spec.seq_len)
    values = [
        trace.gate(name)[layer, direction, 0].float().cpu().numpy().T
        for layer in range(spec.num_layers)
        for direction in range(spec.num_directions)
        for name in (*GATES, *STATES)
    ]
    arrays = [
        windows.inputs(np.array([start]))[0],
        windows.x[rows, :MAX_SERIES].T,
        *values,
        snapshot.flat_weights.numpy(),
    ]
    return header, [
        *arrays,
        *(weights.numpy() for weights in (*(s.weights for s in snapshots), *comparisons.values())),
    ]


def _snapshots(run: Run, current_step: int) -> list[Snapshot]:
    """Those before now, as many as may travel."""
    snapshots = run.snapshots
    kept = [snapshots.nearest(step) for step in snapshots.steps if step < current_step]
    size = kept[0].weights.nbytes if kept else 1
    max_snapshots = (MAX_BYTES_LIVE if run.is_active else MAX_BYTES) // size
    return thin_log_spaced(kept, max_snapshots) if max_snapshots >= 2 else []


def _window_texts(windows: Windows, start: int) -> dict[str, Any]:
    """Names, the truth and the scale of what the model says, in the table's own units."""
    starts = np.array([start])
    targets, row = windows.targets(starts)[0], int(windows.target_rows(starts)[0, 0])
    time = None
    if windows.time is not None:
        time = [_format_time(at) for at in windows.time[start : start + windows.spec.seq_len]]
    return {
        "features": list(windows.spec.features),
        "series": list(windows.spec.features[:MAX_SERIES]),
        "targets": list(windows.spec.targets),
        "classes": list(windows.classes),
        "when": time,
        "wanted": f"row {row:,}" if windows.time is None else _format_time(windows.time[row]),
        "truth": int(targets) if windows.classes else [float(v) if np.isfinite(v) else None for v in targets[0]],
        "center": [float(value) for value in windows.y_center],
        "scale": [float(value) for value in windows.y_scale],
    }


def _format_time(at: np.generic) -> str:
    """A time, or a number such as a year, in few letters."""
    return str(at)[:16].replace("T", " ").removesuffix(" 00:00") if at.dtype.kind == "M" else f"{at:g}"
