"""What stands beside the gates in an exported trace: the row or time, the inputs, the predictions and the targets."""

from __future__ import annotations

import numpy as np
import torch

from lstm_core.data.windows import Windows
from pages.shared.gates.selection import Selection


def step_columns(selection: Selection) -> dict[str, np.ndarray]:
    """Columns by name, (seq_len,) each, of the window's steps.

    "row", and "time" where the table has one; "input NAME" in the file's units; "prediction" and "target", with the
    target's name and how many rows ahead it is where there are several, empty at steps that have none.
    """
    windows, start = selection.run.windows, selection.start
    rows = np.arange(start, start + windows.spec.seq_len)
    columns: dict[str, np.ndarray] = {"row": rows}
    if windows.time is not None:
        columns["time"] = windows.time[rows]
    columns |= {f"input {name}": windows.features[rows, k] for k, name in enumerate(windows.feature_names)}
    if windows.target is not None:
        columns |= {f"input {name}": windows.x[rows, k] for k, name in enumerate(windows.input_names)}
    model = selection.snapshot.model
    with torch.no_grad():
        outputs = model(torch.from_numpy(windows.inputs(np.array([start]))))[0].numpy()
    predicted = len(rows) if model.spec.head == "per_step" else 1  # so many of the last steps
    outputs = outputs.reshape(predicted, windows.output_size)
    target_rows = rows[-predicted:, None] + windows.offsets  # (predicted, output_steps)
    add = _class_columns if windows.classes else _number_columns
    return columns | add(windows, outputs, target_rows)


def _class_columns(windows: Windows, outputs: np.ndarray, target_rows: np.ndarray) -> dict[str, np.ndarray]:
    names = np.array([*windows.classes, ""], object)  # −1, no class, takes the last
    empty = np.full(windows.spec.seq_len - len(outputs), "", object)
    return {
        "prediction": np.concatenate([empty, names[outputs.argmax(1)]]),
        "target": np.concatenate([empty, names[windows.y[target_rows[:, 0]]]]),
    }


def _number_columns(windows: Windows, outputs: np.ndarray, target_rows: np.ndarray) -> dict[str, np.ndarray]:
    rows = target_rows[:, 0] - windows.offsets[0]
    predictions = windows.inverse_transform(outputs, rows)  # (predicted, output_steps, targets)
    targets = windows.y[target_rows]
    empty = np.full(windows.spec.seq_len - len(outputs), np.nan, np.float32)
    columns = {}
    for j, target in enumerate(windows.spec.targets):
        for k, ahead in enumerate(windows.offsets):
            label = f" {target}" * (len(windows.spec.targets) > 1) + f" +{ahead}" * (len(windows.offsets) > 1)
            columns[f"prediction{label}"] = np.concatenate([empty, predictions[:, k, j]])
            columns[f"target{label}"] = np.concatenate([empty, targets[:, k, j]])
    return columns
