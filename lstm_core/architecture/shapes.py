"""Shapes of all tensors and parameter counts of a ModelSpec, without building the model.

Pure arithmetic, so a page can show it at every keystroke.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lstm_core.experiment import CELL_GATES, ModelSpec, TrainSpec

Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorShape:
    """One tensor of the model: its PyTorch name, its shape, and what its axes are."""

    name: str
    shape: Shape
    meaning: str


def shape_table(spec: ModelSpec, input_size: int, output_size: int, batch_size: int, seq_len: int) -> list[TensorShape]:
    """Inputs, outputs and parameters of the recurrent module, then those of the head and of a linear skip.

    Parameters are in the order of the module's named_parameters.
    """
    width = "hidden_size" if not spec.proj_size else "proj_size"
    order = "batch, seq_len" if spec.batch_first else "seq_len, batch"
    both = ", forward and reverse side by side" if spec.bidirectional else ""
    per_step = spec.head == "per_step"

    def sequence(features: int) -> Shape:
        first, second = (batch_size, seq_len) if spec.batch_first else (seq_len, batch_size)
        return first, second, features

    def states(index: str, when: str) -> Iterator[TensorShape]:
        for name, shape in state_shapes(spec, batch_size).items():
            kind, size = ("hidden", width) if name == "h" else ("cell", "hidden_size")
            axes = f"(num_layers · num_directions, batch, {size}); batch_first does not transpose it"
            yield TensorShape(f"{name}_{index}", tuple(shape), f"{kind} state {when}: {axes}")

    output = f"the top layer's h_t at every step, ({order}, num_directions · {width}){both}"
    output_shape = (batch_size, seq_len, output_size) if per_step else (batch_size, output_size)
    output_axes = "(batch, seq_len, output_size)" if per_step else "(batch, output_size)"
    head_input = "output at every step" if per_step else f"the top layer's h_n{both}"
    top = spec.num_directions * spec.h_size
    return [
        TensorShape("input", sequence(input_size), f"({order}, input_size)"),
        *states("0", "before the first step, zeros"),
        TensorShape("output", sequence(top), output),
        *states("n", "after the last step"),
        *(row for _, row in _recurrent_rows(spec, input_size)),
        TensorShape("head.weight", (output_size, top), f"one row per output; reads {head_input}"),
        TensorShape("head.bias", (output_size,), "one number per output"),
        *_skip_rows(spec, input_size, output_size, seq_len),
        TensorShape("prediction", output_shape, output_axes),
    ]


def _recurrent_rows(spec: ModelSpec, input_size: int) -> Iterator[tuple[int, TensorShape]]:
    """(layer, its row) for each parameter of the recurrent module, in the order of named_parameters."""
    names, rows = CELL_GATES[spec.cell], spec.gate_size
    gates = f"{len(names)} · hidden_size rows: {', '.join(names)}" if names else "hidden_size rows"
    where = ", but in n inside the product with r" if spec.cell == "gru" else ""
    for layer in range(spec.num_layers):
        below = layer_input_size(spec, input_size, layer)
        source = "x_t" if layer == 0 else f"layer {layer - 1}'s h_t"
        for suffix in (f"l{layer}", f"l{layer}_reverse")[: spec.num_directions]:
            neighbours = "later" if suffix.endswith("reverse") else "earlier"
            parameters = {
                "weight_ih": ((rows, below), f"{gates}; reads {source}"),
                "weight_hh": ((rows, spec.h_size), f"{gates}; reads h of the step one {neighbours}"),
            }
            if spec.bias:
                parameters["bias_ih"] = (rows,), gates
                parameters["bias_hh"] = (rows,), f"{gates}; added to bias_ih_{suffix}{where}"
            if spec.proj_size:
                shape = (spec.proj_size, spec.hidden_size)
                parameters["weight_hr"] = shape, "projects hidden_size to proj_size to give h"
            for name, (shape, meaning) in parameters.items():
                yield layer, TensorShape(f"{name}_{suffix}", shape, meaning)


def _skip_rows(spec: ModelSpec, input_size: int, output_size: int, seq_len: int) -> list[TensorShape]:
    if not spec.linear_skip:
        return []
    reads = "one row per output; reads all inputs of the window, step after step; fitted by ridge regression, and fixed"
    return [
        TensorShape("skip.weight", (output_size, seq_len * input_size), reads),
        TensorShape("skip.bias", (output_size,), "one number per output"),
    ]


def layer_input_size(spec: ModelSpec, input_size: int, layer: int) -> int:
    """The number of features that a layer reads."""
    return input_size if layer == 0 else spec.num_directions * spec.h_size


def parameter_shapes(spec: ModelSpec, input_size: int, output_size: int, seq_len: int = 0) -> dict[str, list[int]]:
    """Every weight and bias of a SequenceModel by its name there, in the order of named_parameters.

    seq_len: steps of a window, which a linear skip alone needs to know.
    """
    shapes = {f"{spec.cell}.{row.name}": list(row.shape) for _, row in _recurrent_rows(spec, input_size)}
    top = spec.num_directions * spec.h_size
    shapes |= {"head.weight": [output_size, top], "head.bias": [output_size]}
    return shapes | {row.name: list(row.shape) for row in _skip_rows(spec, input_size, output_size, seq_len)}


def state_shapes(spec: ModelSpec, batch_size: int) -> dict[str, list[int]]:
    """h and, for an LSTM, c, as the recurrent module takes them for h_0 and c_0."""
    states = spec.num_layers * spec.num_directions
    shapes = {"h": [states, batch_size, spec.h_size]}
    return shapes | {"c": [states, batch_size, spec.hidden_size]} if spec.cell == "lstm" else shapes


def optimizer_shapes(train: TrainSpec, parameters: dict[str, list[int]]) -> dict[str, list[int]]:
    """The optimizer's state after its first step, by the names of training.optimizer.optimizer_state_by_name."""
    state_names = {
        "Adam": ("exp_avg", "exp_avg_sq"),
        "AdamW": ("exp_avg", "exp_avg_sq"),
        "RMSprop": ("square_avg",),
        "SGD": ("momentum_buffer",) if train.momentum else (),
    }[train.optimizer]
    shapes = {f"{key}/{name}": shape for key in state_names for name, shape in parameters.items()}
    return shapes if train.optimizer == "SGD" else shapes | {"step": []}


def parameter_count(spec: ModelSpec, input_size: int, output_size: int, seq_len: int = 0) -> dict[str, int]:
    """Parameters per layer, of the head and of a linear skip: "layer 0", "layer 1", …, "head", "skip"."""
    counts = {f"layer {layer}": 0 for layer in range(spec.num_layers)}
    for layer, row in _recurrent_rows(spec, input_size):
        counts[f"layer {layer}"] += math.prod(row.shape)
    counts["head"] = output_size * (spec.num_directions * spec.h_size + 1)
    if skip := _skip_rows(spec, input_size, output_size, seq_len):
        counts["skip"] = sum(math.prod(row.shape) for row in skip)
    return counts
