"""Is it the same LSTM? An input and what the other program made of it, beside what the nn.LSTM here makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import safetensors
import safetensors.numpy
import torch
from torch import Tensor

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights.weights import ImportedLstm, quoted, shape_text

MAX_VALUES = 1 << 24  # of an input, or an output
NAMES = {"input": ("x", "input", "inputs"), "output": ("y", "output", "outputs")}
LOOKS_LIKE = '{"x": [[…], …], "y": [[…], …]} in JSON, or tensors x and y in safetensors'


@dataclass(frozen=True)
class Parity:
    """what: of the model, the given output is nearest to; difference: the largest of any value; largest: |value|."""

    what: str
    difference: float
    largest: float


def check_parity(found: Sequence[ImportedLstm], at: int, data: bytes, name: str) -> Parity:
    """How near the LSTM at this place of `found` comes to an output that its own program computed.

    data: of a file with an input x, (seq_len, input_size) or (batch, seq_len, input_size), and an output y: of every
    step, of the last one (both directions side by side), or of the linear layer behind it. An x that the first LSTM of
    the file reads goes through those before this one, too.

    Raises:
        PlaygroundError: the file is no such pair, or its shapes fit nothing that this LSTM gives.
    """
    x, y = read_pair(data, name)
    x = x.unsqueeze(0) if x.dim() == 2 else x
    readings = [
        (what, output)
        for what, output in _readings(found, at, x)
        if output.shape == y.shape or output.squeeze(0).shape == y.shape
    ]
    if not readings:
        size = found[at].lstm.input_size
        raise PlaygroundError(
            f"{quoted(name)} does not fit: its x is {shape_text(x)}, its y {shape_text(y)}, and this LSTM reads "
            f"(batch, seq_len, {size}). Give its input, and its output at every step or at the last one."
        )
    differences = [(float((output.reshape(y.shape) - y).abs().max()), what) for what, output in readings]
    difference, what = min(differences)
    return Parity(what, difference, float(y.abs().max()))


def read_pair(data: bytes, name: str) -> tuple[Tensor, Tensor]:
    """x and y of a file, float32; nothing in it is unpickled.

    Raises:
        PlaygroundError: it has none, or something else than finite numbers.
    """
    try:
        found = safetensors.numpy.load(data) if name.endswith(".safetensors") else json.loads(data)
    except (safetensors.SafetensorError, ValueError, KeyError, RecursionError):
        found = None
    pair = []
    for kind, names in NAMES.items():
        values = next((found[one] for one in names if one in found), None) if isinstance(found, dict) else None
        if values is None:
            raise PlaygroundError(f"{quoted(name)} has no {kind} {names[0]}: it must be {LOOKS_LIKE}.")
        try:
            array = np.asarray(values, dtype=np.float32)
        except (TypeError, ValueError, OverflowError):
            array = np.empty(0, np.float32)
        if not 0 < array.size <= MAX_VALUES or array.ndim not in (1, 2, 3) or not np.isfinite(array).all():
            raise PlaygroundError(
                f"{names[0]} of {quoted(name)} is not up to {MAX_VALUES:,} finite numbers in one to three dimensions."
            )
        pair.append(torch.from_numpy(array))
    if pair[0].dim() == 1:
        raise PlaygroundError(f"x of {quoted(name)} has one dimension: give (seq_len, input_size), a row a step.")
    return pair[0], pair[1]


@torch.no_grad()
def _readings(found: Sequence[ImportedLstm], at: int, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What the other program may have given, with its name; outputs begin with the batch."""
    for first in sorted({at, 0}, reverse=True):
        given = x
        for one in found[first:at]:
            given = one.lstm(given)[0] if given.shape[-1] == one.lstm.input_size else given[..., :0]
        imported = found[at]
        if given.shape[-1] != imported.lstm.input_size:
            continue
        output, (h_n, _) = imported.lstm(given)
        last = h_n.unflatten(0, (imported.lstm.num_layers, -1))[-1].transpose(0, 1).flatten(1)
        yield "the output of every step", output
        yield "h_n of the top layer", last
        yield "the output of the last step", output[:, -1]
        if imported.head is not None:
            yield "the linear layer's output of every step", imported.head(output)
            yield "the linear layer's output", imported.head(last)
            yield "the linear layer's output of the last step", imported.head(output[:, -1])
