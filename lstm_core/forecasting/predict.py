"""Predictions of a model for windows, in the table's own units."""

from __future__ import annotations

import numpy as np
import torch

from lstm_core.data.windows import Windows
from lstm_core.model.recurrent import SequenceModel
from lstm_core.training.batches import WindowTensors

CHUNK = 1024  # windows at once


@torch.no_grad()
def predict(model: SequenceModel, windows: Windows, starts: np.ndarray) -> np.ndarray:
    """The model's prediction at the end of each window, in eval mode, whatever mode it is in.

    Returns (windows, output_steps, targets) in the table's own units, or class probabilities (windows, classes).
    """
    device = model.head.weight.device
    batches = WindowTensors(windows, device, per_step=model.spec.head == "per_step")
    training = model.training
    model.eval()
    predictions = [model(batches.inputs(chunk)) for chunk in torch.from_numpy(starts).to(device).split(CHUNK)]
    model.train(training)
    predictions = torch.cat(predictions)
    if model.spec.head == "per_step":
        predictions = predictions[:, -1]
    if windows.classes:
        return predictions.softmax(-1).cpu().numpy()
    return windows.inverse_transform(predictions.cpu().numpy())
