"""An LSTM's weights, and their gradients, split by gate. No plotting and no training here.

nn.LSTM stacks the four gates' rows in each parameter, in the order i, f, g, o. weight_hr, the projection, belongs
to no gate and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.experiment import GATES, PlaygroundError

PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

ByGate = dict[str, dict[str, np.ndarray]]  # parameter → gate → its rows


def gate_weights(lstm: nn.LSTM, layer: int = 0, direction: int = 0) -> ByGate:
    """What each gate of one layer and direction weighs: `gate_weights(lstm)["weight_ih"]["f"]`.

    weight_ih: (hidden_size, what the layer reads); weight_hh: (hidden_size, proj_size or hidden_size); bias_ih
    and bias_hh: (hidden_size,), missing from an LSTM without bias. The arrays are copies.

    Raises:
        PlaygroundError: not an nn.LSTM, or it has no such layer or direction.
    """
    if not isinstance(lstm, nn.LSTM):
        raise PlaygroundError(
            f"gate_weights was given a {type(lstm).__name__}: pass the torch.nn.LSTM itself."
        )
    return split_by_gate(dict(lstm.named_parameters()), layer, direction)


def split_by_gate(tensors: Mapping[str, Tensor | None], layer: int = 0, direction: int = 0) -> ByGate:
    """The same of anything shaped like an LSTM's parameters: their gradients, a snapshot, a state_dict.

    tensors: by nn.LSTM's names (weight_ih_l0 …) or SequenceLSTM's (lstm.weight_ih_l0 …); others are ignored. For
    the gradients of the last step pass `{name: p.grad for name, p in lstm.named_parameters()}`.

    Raises:
        PlaygroundError: no such layer or direction, a gradient that is not there yet, or rows of no four gates.
    """
    suffix = f"_l{layer}" + ("_reverse" if direction else "")
    prefix = "lstm." if f"lstm.weight_ih{suffix}" in tensors else ""
    names = {kind: prefix + kind + suffix for kind in PARAMETERS if prefix + kind + suffix in tensors}
    if direction not in (0, 1) or not {"weight_ih", "weight_hh"} <= names.keys():
        raise PlaygroundError(
            f"There is no layer {layer}, direction {direction} in these weights: choose one that the LSTM has."
        )
    return {kind: _split(name, tensors[name]) for kind, name in names.items()}


def gate_norms(by_gate: ByGate) -> dict[str, dict[str, float]]:
    """The Frobenius norm of each gate's part of each parameter, in the same places."""
    return {
        kind: {gate: float(np.linalg.norm(rows.astype(np.float64))) for gate, rows in parts.items()}
        for kind, parts in by_gate.items()
    }


def _split(name: str, tensor: Tensor | None) -> dict[str, np.ndarray]:
    if tensor is None:
        raise PlaygroundError(f"{name} has no gradient yet: train at least one step first.")
    if tensor.dim() not in (1, 2) or len(tensor) % len(GATES):
        raise PlaygroundError(
            f"{name} has shape {tuple(tensor.shape)}, whose rows are not those of four gates: pass an LSTM's."
        )
    dtype = torch.float32 if tensor.dtype.itemsize < 4 else tensor.dtype  # numpy knows no bfloat16
    rows = tensor.detach().to("cpu", dtype, copy=True).numpy()  # a copy: training goes on
    return dict(zip(GATES, np.split(rows, len(GATES)), strict=True))
