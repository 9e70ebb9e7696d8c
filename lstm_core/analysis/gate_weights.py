"""An LSTM's weights, and their gradients, split by gate, and how large they are. No plotting and no training here.

nn.LSTM stacks the four gates' rows in each parameter, in the order i, f, g, o. weight_hr, the projection, belongs
to no gate and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.experiment import GATES, PlaygroundError

PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
PERCENTILE = 0.99  # of the values: a colour scale that ends there is not washed out by a few large ones
MAX_RANKED = 100_000  # values that the percentile is taken from
ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)

ByGate = dict[str, dict[str, np.ndarray]]  # parameter → gate → its rows


def gate_weights(lstm: nn.LSTM, layer: int = 0, direction: int = 0) -> ByGate:
    """What each gate of one layer and direction weighs: `gate_weights(lstm)["weight_ih"]["f"]`.

    weight_ih: (hidden_size, what the layer reads); weight_hh: (hidden_size, proj_size or hidden_size); bias_ih
    and bias_hh: (hidden_size,), missing from an LSTM without bias. The arrays are copies.

    Raises:
        PlaygroundError: not an nn.LSTM, or it has no such layer or direction.
    """
    if not isinstance(lstm, nn.LSTM):
        raise PlaygroundError(f"gate_weights was given a {type(lstm).__name__}: pass the torch.nn.LSTM itself.")
    return split_by_gate(dict(lstm.named_parameters()), layer, direction)


def split_by_gate(tensors: Mapping[str, Tensor | None], layer: int = 0, direction: int = 0) -> ByGate:
    """The same of anything shaped like an LSTM's parameters: their gradients, a snapshot, a state_dict.

    tensors: by nn.LSTM's names (weight_ih_l0 …) or SequenceModel's (lstm.weight_ih_l0 …); others are ignored. For
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
    return {kind: {gate: _norm(rows) for gate, rows in by_gate_rows.items()} for kind, by_gate_rows in by_gate.items()}


def with_total_bias(by_gate: ByGate, gradients: bool = False) -> ByGate:
    """The same and, as "bias", what acts: nn.LSTM only ever adds bias_ih and bias_hh. Nothing more without biases.

    Of gradients "bias" is that of bias_ih: the loss feels a change of either, or of their sum, alike.
    """
    if "bias_ih" not in by_gate:
        return by_gate
    ih, hh = by_gate["bias_ih"], by_gate["bias_hh"]
    return by_gate | {"bias": ih if gradients else {gate: ih[gate] + hh[gate] for gate in ih}}


@dataclass(frozen=True)
class Magnitudes:
    """How large one layer's weights or gradients are."""

    norms: dict[str, dict[str, float]]  # Frobenius, parameter → gate
    max_abs: dict[str, float]  # parameter → its largest absolute value
    percentile: float  # the absolute value that PERCENTILE of all do not exceed; their maximum, if not much more


def magnitudes(by_gate: ByGate) -> Magnitudes:
    """Norms, peaks and percentile of weights or gradients by gate; NaN and infinite values are left out."""
    sizes = {kind: np.abs(_finite(rows)) for kind, rows in by_gate.items()}
    peaks = {kind: float(values.max(initial=0.0)) for kind, values in sizes.items()}
    all_values = np.concatenate(list(sizes.values()))
    stride = len(all_values) // MAX_RANKED | 1  # odd, so that it does not pick the same columns of every row
    percentile = float(np.quantile(all_values[::stride], PERCENTILE)) if len(all_values) else 0.0
    peak = max(peaks.values())
    return Magnitudes(gate_norms(by_gate), peaks, peak if peak <= 1.5 * percentile else percentile)


def round_up_nicely(value: float) -> float:
    """The next of ROUND times a power of ten: a scale that holds still while a run trains; 1 for 0."""
    if not value > 0:
        return 1.0
    power = math.floor(math.log10(value))
    return next(size for digit in ROUND if (size := float(f"{digit}e{power}")) >= value)


def gate_histograms(
    by_gate_rows: Mapping[str, np.ndarray], limit: float, bins: int = 40
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """One parameter's values counted by gate: (edges, {gate: (bins,) counts}), in bins common to all, −limit to limit.

    What lies outside is counted nowhere: the peaks of `magnitudes` show how far they go.
    """
    edges = np.linspace(-limit, limit, bins + 1)
    return edges, {gate: np.histogram(rows, bins, (-limit, limit))[0] for gate, rows in by_gate_rows.items()}


def _norm(rows: np.ndarray) -> float:
    # np.linalg.norm calls BLAS, whose threads wait for the cores that the training holds: 3 ms instead of 0.02
    return math.sqrt(np.square(rows, dtype=np.float64).sum())


def _finite(by_gate_rows: Mapping[str, np.ndarray]) -> np.ndarray:
    values = np.concatenate([rows.ravel() for rows in by_gate_rows.values()])
    return values[np.isfinite(values)]


def _split(name: str, tensor: Tensor | None) -> dict[str, np.ndarray]:
    if tensor is None:
        raise PlaygroundError(f"{name} has no gradient yet: train at least one step first.")
    if tensor.dim() not in (1, 2) or len(tensor) % len(GATES):
        raise PlaygroundError(
            f"{name} has shape {tuple(tensor.shape)}, whose rows are not those of four gates: pass an LSTM's."
        )
    dtype = torch.float32 if tensor.dtype.itemsize < 4 else tensor.dtype  # numpy knows no bfloat16
    rows = tensor.detach().to("cpu", dtype).numpy().copy()  # a copy: training goes on
    return dict(zip(GATES, np.split(rows, len(GATES)), strict=True))
