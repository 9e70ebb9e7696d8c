"""All that the stage plays, as one value: a window, the trace of every layer, and the weights of every snapshot.

The browser computes the traces of earlier snapshots, and of interventions, from those weights (stage/lstm.js); those of
the current snapshot are sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from lstm_core.data.window_symbols import window_symbols
from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, STATES
from lstm_core.figures.stage_future import stage_future
from lstm_core.figures.stage_recipe import stage_recipes
from lstm_core.figures.symbols import GLYPHS
from lstm_core.trace.gate_trace import GateTrace
from lstm_core.training.snapshots import ModelSnapshot, Snapshot, SnapshotBuffer, thin_log_spaced

MAX_BYTES = 8 << 20  # of the snapshots' weights on the wire
MAX_BYTES_LIVE = 1 << 20  # the same while training, when there is a new scene every second
MAX_SERIES = 4  # features drawn


def build_scene(
    windows: Windows,
    snapshot: ModelSnapshot,
    earlier: Sequence[Snapshot],
    trace: GateTrace,
    start: int,
    comparisons: Mapping[str, Tensor],
    steps_per_epoch: float,
) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What the stage shows of one window: (header, arrays); the header is JSON and names what the arrays are.

    snapshot: the model of the trace; earlier: those before it, as earlier_snapshots chooses them; start: first row of
    the window; comparisons: weights of the same shapes to compare with, under a label each. The arrays are, all
    float32: the inputs as the model reads them (seq_len, input_size); the drawn features in the table's own units
    (series, seq_len); with a start its values after each step (output_steps, seq_len); i, f, g, o, c, h of
    each layer and direction, (units, seq_len) each; the weights (all parameters,) of `snapshot`, of each earlier one
    and of the comparisons, in the order of the header's "parameters"; last those of stage_recipes and stage_future.
    """
    spec = snapshot.model.spec
    recipes, memories = stage_recipes(windows, start)
    future, rows_to_come = stage_future(windows, spec, start)
    header = {
        "layers": spec.num_layers,
        "directions": spec.num_directions,
        "hidden": spec.hidden_size,
        "width": spec.h_size,
        "head": spec.head,
        "steps": windows.spec.seq_len,
        "now": snapshot.step,
        "perEpoch": steps_per_epoch,
        "snapshots": [kept.step for kept in earlier],
        "others": list(comparisons),
        "parameters": [[name, list(p.shape)] for name, p in snapshot.model.named_parameters()],
        **_window_texts(windows, start),
        "recipes": recipes,
        "future": future,
    }
    rows = slice(start, start + windows.spec.seq_len)
    values = [
        trace.gate(name)[layer, direction, 0].float().cpu().numpy().T
        for layer in range(spec.num_layers)
        for direction in range(spec.num_directions)
        for name in (*GATES, *STATES)
    ]
    series = [windows.feature_names.index(name) for name in header["series"]]
    inputs = [windows.inputs(np.array([start]))[0], windows.features[rows][:, series].T.astype(np.float32)]
    if windows.target is not None:
        inputs.append(windows.target.base[rows, :, 0].T.astype(np.float32))
    weights = [snapshot.flat_weights, *(kept.weights for kept in earlier), *comparisons.values()]
    return header, [*inputs, *values, *(tensor.numpy() for tensor in weights), *memories, *rows_to_come]


def earlier_snapshots(snapshots: SnapshotBuffer, step: int, is_active: bool) -> list[Snapshot]:
    """The snapshots before this step, thinned to what may be sent while the run trains (is_active) or not."""
    kept = [snapshots.nearest(kept_step) for kept_step in snapshots.steps if kept_step < step]
    size = kept[0].weights.nbytes if kept else 1
    max_snapshots = (MAX_BYTES_LIVE if is_active else MAX_BYTES) // size
    return thin_log_spaced(kept, max_snapshots) if max_snapshots >= 2 else []


def _window_texts(windows: Windows, start: int) -> dict[str, Any]:
    """Names, targets and the scale of the predictions, in the table's own units.

    "inputCenter", "inputScale": (input_size,), of what the model reads, (x − center) / scale of the table's own units.
    "truth": what should be predicted after each step, (seq_len,): the first target in the first row that is predicted,
    or a class's number; None where nothing is known. Where the model predicts once a window, the last one counts.
    "horizon": the first target in every row that is predicted after the last step, (output_steps,), None likewise.
    """
    steps = windows.spec.seq_len
    targets = windows.y[start + np.arange(steps) + windows.offsets[0]]
    truth = [int(k) if k >= 0 else None for k in targets] if windows.classes else _numbers(targets[:, 0])
    time = None
    if windows.time is not None:
        time = [windows.label(at) for at in range(start, start + steps)]
    return {
        "features": list(windows.input_names),
        "inputCenter": np.ravel(windows.x_center).tolist(),
        "inputScale": np.ravel(windows.x_scale).tolist(),
        "series": _series(windows),
        "symbols": window_symbols(windows, start),
        "glyphs": {name: GLYPHS[name] for name in (*windows.input_names, *windows.classes) if name in GLYPHS},
        "targets": list(windows.spec.targets),
        "classes": list(windows.classes),
        "when": time,
        "truth": truth,
        "horizon": [] if windows.classes else _numbers(windows.targets(np.array([start]))[0, :, 0]),
        "ahead": int(windows.offsets[0]),
        "outputSteps": windows.output_steps,
        **_target_scale(windows),
    }


def _target_scale(windows: Windows) -> dict[str, Any]:
    """How an output becomes a prediction of the first target: output · scale + center, or with a start + start, of
    each of the rows that are predicted; log: the exponential of that."""
    target = windows.target
    if target is None:
        steps = windows.output_steps
        return {
            "center": float(windows.y_center[0]),
            "scale": [float(windows.y_scale[0])] * steps,
            "start": False,
            "log": False,
        }
    return {"center": 0.0, "scale": target.scale[:, 0].tolist(), "start": True, "log": target.log}


def _numbers(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _series(windows: Windows) -> list[str]:
    """The features that are drawn: the target first, if the model reads it, then the others in their order."""
    target = windows.spec.targets[0]
    return sorted(windows.feature_names, key=lambda name: name != target)[:MAX_SERIES]
