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
from lstm_core.training.snapshots import Moment, Snapshot, thinned

MOST_BYTES = 8 << 20  # of the snapshots' weights on the wire
MOST_BYTES_LIVE = 1 << 20  # the same while training, when there is a new scene every second
MOST_SERIES = 4  # features drawn


def scene(
    run: Run, moment: Moment, trace: GateTrace, start: int, others: Mapping[str, Tensor]
) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What the stage shows of one window: (header, arrays); the header is JSON and names what the arrays are.

    moment: the model that the trace is of; start: first row of the window; others: weights of the same shapes to
    compare with, under a label each. The arrays are, all float32: the inputs as the model reads them (seq_len,
    input_size); the drawn features in the table's own units (features, seq_len); i, f, g, o, c, h of each layer and
    direction, (units, seq_len) each; the weights (all parameters,) of `moment`, of each snapshot and of the others,
    in the order of the header's "parameters".
    """
    windows, spec = run.windows, moment.model.spec
    kept = _snapshots(run, moment.step)
    header = {
        "layers": spec.num_layers,
        "directions": spec.num_directions,
        "hidden": spec.hidden_size,
        "width": spec.h_size,
        "head": spec.head,
        "steps": windows.spec.seq_len,
        "now": moment.step,
        "perEpoch": run.steps_per_epoch,
        "snapshots": [snapshot.step for snapshot in kept],
        "others": list(others),
        "parameters": [[name, list(p.shape)] for name, p in moment.model.named_parameters()],
        "difference": trace.max_difference,
        **_words(windows, start),
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
        windows.x[rows, :MOST_SERIES].T,
        *values,
        moment.flat.numpy(),
    ]
    return header, [*arrays, *(weights.numpy() for weights in (*(s.weights for s in kept), *others.values()))]


def _snapshots(run: Run, now: int) -> list[Snapshot]:
    """Those before now, as many as may travel."""
    snapshots = run.snapshots
    kept = [snapshots.nearest(step) for step in snapshots.steps if step < now]
    size = kept[0].weights.nbytes if kept else 1
    most = (MOST_BYTES_LIVE if run.live else MOST_BYTES) // size
    return thinned(kept, most) if most >= 2 else []


def _words(windows: Windows, start: int) -> dict[str, Any]:
    """Names, the truth and the scale of what the model says, in the table's own units."""
    starts = np.array([start])
    truth, row = windows.truth(starts)[0], int(windows.target_rows(starts)[0, 0])
    when = None
    if windows.when is not None:
        when = [_moment(at) for at in windows.when[start : start + windows.spec.seq_len]]
    return {
        "features": list(windows.spec.features),
        "series": list(windows.spec.features[:MOST_SERIES]),
        "targets": list(windows.spec.targets),
        "classes": list(windows.classes),
        "when": when,
        "wanted": f"row {row:,}" if windows.when is None else _moment(windows.when[row]),
        "truth": int(truth) if windows.classes else [float(v) if np.isfinite(v) else None for v in truth[0]],
        "center": [float(value) for value in windows.y_center],
        "scale": [float(value) for value in windows.y_scale],
    }


def _moment(at: np.generic) -> str:
    """A time, or a number such as a year, in few letters."""
    return str(at)[:16].replace("T", " ").removesuffix(" 00:00") if at.dtype.kind == "M" else f"{at:g}"
