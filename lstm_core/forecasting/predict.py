"""Predictions of a model for windows, in the table's own units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from lstm_core.data.windows import Windows
from lstm_core.model.recurrent import SequenceModel
from lstm_core.training.batches import WindowTensors

MAX_WINDOWS_AT_ONCE = 1024
MAX_NUMBERS_AT_ONCE = 1 << 23  # inputs and all gates of the windows at once: 32 MiB in float32


def windows_at_once(model: SequenceModel, windows: Windows) -> int:
    """How many windows are predicted in one go, so that memory stays bounded."""
    spec = model.spec
    per_step = windows.input_size + 2 * spec.gate_size * spec.num_directions
    return int(np.clip(MAX_NUMBERS_AT_ONCE // (per_step * windows.spec.seq_len), 1, MAX_WINDOWS_AT_ONCE))


def predict(model: SequenceModel, windows: Windows, starts: np.ndarray) -> np.ndarray:
    """The model's prediction at the end of each window, in eval mode, whatever mode it is in.

    Returns (windows, output_steps, targets) in the table's own units, or class probabilities (windows, classes).
    """
    outputs = _outputs(model, windows, starts)
    outputs = outputs[:, -1] if model.spec.head == "per_step" else outputs
    return _in_own_units(windows, outputs, windows.last_rows(starts))


def predict_skip(model: SequenceModel, windows: Windows, starts: np.ndarray) -> np.ndarray:
    """What the model's linear skip alone predicts at the end of each window, (windows, output_steps, targets)."""
    return _in_own_units(windows, _outputs(model, windows, starts, model.skip_outputs), windows.last_rows(starts))


def predict_steps(
    model: SequenceModel, windows: Windows, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All predictions that are scored: of head "last" one a window, of head "per_step" one a step of each window.

    Returns rows (steps, output_steps), those of the targets; scored (the same shape), False where a step's target
    lies in an earlier split than its window, or has no start; predictions as predict has them, (steps, output_steps,
    targets) or (steps, classes).
    """
    outputs = _outputs(model, windows, starts)
    if model.spec.head != "per_step":
        rows = windows.target_rows(starts)
        return rows, np.ones(rows.shape, bool), _in_own_units(windows, outputs, windows.last_rows(starts))
    steps = np.asarray(starts)[:, None] + np.arange(windows.spec.seq_len)
    predictions = _in_own_units(windows, outputs, steps)
    rows = steps[..., None] + windows.offsets  # (windows, seq_len, output_steps)
    split = windows.split_of_row[rows]
    scored = split == split[:, -1:, -1:]
    if windows.target is not None:  # a window's first steps may lie before the first start
        scored &= np.isfinite(windows.target.base[steps]).all((2, 3))[..., None]
    return *(values.reshape(-1, len(windows.offsets)) for values in (rows, scored)), predictions.reshape(
        -1, *predictions.shape[2:]
    )


@torch.no_grad()
def _outputs(
    model: SequenceModel, windows: Windows, starts: np.ndarray, part: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """The model's outputs, (windows, [seq_len,] output_size); part: a method of it, in place of its whole."""
    device = model.head.weight.device
    inputs = WindowTensors(windows, device, per_step=model.spec.head == "per_step").inputs
    chunks = torch.from_numpy(starts).to(device).split(windows_at_once(model, windows))
    training = model.training
    model.eval()
    outputs = [(part or model)(inputs(chunk)) for chunk in chunks]
    model.train(training)
    return torch.cat(outputs).cpu()


def _in_own_units(windows: Windows, outputs: Tensor, rows: np.ndarray) -> np.ndarray:
    """rows: after which row of the table each output is made, of the outputs' first axes."""
    return outputs.softmax(-1).numpy() if windows.classes else windows.inverse_transform(outputs.numpy(), rows)
