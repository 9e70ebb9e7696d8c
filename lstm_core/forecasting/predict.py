"""What a model says about windows, in the table's own units, and how good that is beside a naive answer."""

from __future__ import annotations

import numpy as np
import torch

from lstm_core.data.windows import Windows
from lstm_core.model.recurrent import SequenceLSTM
from lstm_core.training.batches import Batches

CHUNK = 1024  # windows at once




@torch.no_grad()
def predict(model: SequenceLSTM, windows: Windows, starts: np.ndarray) -> np.ndarray:
    """What the model says at the end of each window, in eval mode, whatever mode it is in.

    Returns (windows, ahead, targets) in the table's own units, or class probabilities (windows, classes).
    """
    device = model.head.weight.device
    batches = Batches(windows, device, every=model.spec.head == "per_step")
    training = model.training
    model.eval()
    said = [model(batches.inputs(chunk)) for chunk in torch.from_numpy(starts).to(device).split(CHUNK)]
    model.train(training)
    said = torch.cat(said)
    if model.spec.head == "per_step":
        said = said[:, -1]
    if windows.classes:
        return said.softmax(-1).cpu().numpy()
    return windows.unscale(said.cpu().numpy())








