"""What a ModelSpec comes to before it is built: every shape, the parameters, the memory.

Pure arithmetic on a spec: nothing here imports torch or builds a model, so a page can show it at every keystroke.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lstm_core.experiment import CELL_GATES, ModelSpec, PlaygroundError, TrainSpec

MEMORY_SHARE = 0.6  # of the free memory that one training may take

Shape = tuple[int, ...]


@dataclass(frozen=True)
class ShapeRow:
    """One tensor of the model: its PyTorch name, its shape, and what its axes are."""

    name: str
    shape: Shape
    meaning: str


def shape_table(
    spec: ModelSpec, input_size: int, output_size: int, batch_size: int, seq_len: int
) -> list[ShapeRow]:
    """Every tensor that goes into the recurrent module, comes out of it or is learned, then the head's.

    Weights stand in the order of the module's own named_parameters.
    """
    width = "hidden_size" if not spec.proj_size else "proj_size"
    order = "batch, seq_len" if spec.batch_first else "seq_len, batch"
    both = ", forward and reverse side by side" if spec.bidirectional else ""
    every = spec.head == "per_step"

    def sequence(features: int) -> Shape:
        first, second = (batch_size, seq_len) if spec.batch_first else (seq_len, batch_size)
        return first, second, features

    states = state_shapes(spec, batch_size)
    h, c = (tuple(states.get(name, ())) for name in ("h", "c"))
    axes = "(num_layers · num_directions, batch, {}); batch_first does not turn it"
    has_c = "c" in states
    c_0 = ShapeRow("c_0", c, f"cell state before the first step, zeros: {axes.format('hidden_size')}")
    c_n = ShapeRow("c_n", c, f"cell state after the last step: {axes.format('hidden_size')}")
    said = (batch_size, seq_len, output_size) if every else (batch_size, output_size)
    reads = "output at every step" if every else f"the top layer's h_n{both}"
    top = spec.num_directions * spec.h_size
    return [
        ShapeRow("input", sequence(input_size), f"({order}, input_size)"),
        ShapeRow("h_0", h, f"hidden state before the first step, zeros: {axes.format(width)}"),
        *[c_0] * has_c,
        ShapeRow("output", sequence(top), f"the top layer's h_t at every step, ({order}, num_directions · {width}){both}"),
        ShapeRow("h_n", h, f"hidden state after the last step: {axes.format(width)}"),
        *[c_n] * has_c,
        *(row for _, row in _recurrent_rows(spec, input_size)),
        ShapeRow("head.weight", (output_size, top), f"one row an output; reads {reads}"),
        ShapeRow("head.bias", (output_size,), "one number an output"),
        ShapeRow("prediction", said, "(batch, seq_len, output_size)" if every else "(batch, output_size)"),
    ]  # fmt: skip


def _recurrent_rows(spec: ModelSpec, input_size: int) -> Iterator[tuple[int, ShapeRow]]:
    """(layer, its row) for each parameter of the recurrent module, in the order of named_parameters."""
    names, rows = CELL_GATES[spec.cell], spec.gate_size
    gates = f"{len(names)} · hidden_size rows: {', '.join(names)}" if names else "hidden_size rows"
    where = ", but in n inside the product with r" if spec.cell == "gru" else ""
    for layer in range(spec.num_layers):
        below = _layer_input(spec, input_size, layer)
        source = "x_t" if layer == 0 else f"layer {layer - 1}'s h_t"
        for suffix in (f"l{layer}", f"l{layer}_reverse")[: spec.num_directions]:
            before = "later" if suffix.endswith("reverse") else "earlier"
            found = [
                ShapeRow(f"weight_ih_{suffix}", (rows, below), f"{gates}; reads {source}"),
                ShapeRow(f"weight_hh_{suffix}", (rows, spec.h_size),
                         f"{gates}; reads h of the step one {before}"),
            ]  # fmt: skip
            if spec.bias:
                added = f"{gates}; added to bias_ih_{suffix}{where}"
                found.append(ShapeRow(f"bias_ih_{suffix}", (rows,), gates))
                found.append(ShapeRow(f"bias_hh_{suffix}", (rows,), added))
            if spec.proj_size:
                shape = (spec.proj_size, spec.hidden_size)
                found.append(
                    ShapeRow(f"weight_hr_{suffix}", shape, "makes h: proj_size numbers from hidden_size")
                )
            yield from ((layer, row) for row in found)


def _layer_input(spec: ModelSpec, input_size: int, layer: int) -> int:
    return input_size if layer == 0 else spec.num_directions * spec.h_size


def parameter_shapes(spec: ModelSpec, input_size: int, output_size: int) -> dict[str, list[int]]:
    """Every weight and bias of a SequenceLSTM by its name there, in the order of named_parameters."""
    shapes = {f"{spec.cell}.{row.name}": list(row.shape) for _, row in _recurrent_rows(spec, input_size)}
    top = spec.num_directions * spec.h_size
    return shapes | {"head.weight": [output_size, top], "head.bias": [output_size]}


def state_shapes(spec: ModelSpec, batch_size: int) -> dict[str, list[int]]:
    """h and, for an LSTM, c, as the recurrent module takes them for h_0 and c_0."""
    states = spec.num_layers * spec.num_directions
    shapes = {"h": [states, batch_size, spec.h_size]}
    return shapes | {"c": [states, batch_size, spec.hidden_size]} if spec.cell == "lstm" else shapes


def optimizer_shapes(train: TrainSpec, parameters: dict[str, list[int]]) -> dict[str, list[int]]:
    """What the optimiser remembers after a step, by optimiser.named_state's names."""
    kept = {"Adam": ("exp_avg", "exp_avg_sq"), "AdamW": ("exp_avg", "exp_avg_sq"), "RMSprop": ("square_avg",),
            "SGD": ("momentum_buffer",) if train.momentum else ()}[train.optimizer]  # fmt: skip
    shapes = {f"{key}/{name}": shape for key in kept for name, shape in parameters.items()}
    return shapes if train.optimizer == "SGD" else shapes | {"step": []}


def parameter_count(spec: ModelSpec, input_size: int, output_size: int) -> dict[str, int]:
    """Learned numbers by part: "layer 0", "layer 1", …, "head"."""
    counts = {f"layer {layer}": 0 for layer in range(spec.num_layers)}
    for layer, row in _recurrent_rows(spec, input_size):
        counts[f"layer {layer}"] += math.prod(row.shape)
    counts["head"] = output_size * (spec.num_directions * spec.h_size + 1)
    return counts


def training_bytes(spec: ModelSpec, input_size: int, output_size: int, batch_size: int, seq_len: int) -> int:
    """Estimated peak memory in bytes of training with Adam on the CPU, float32, the data not counted.

    Weights, gradients and Adam's two averages are 16 bytes a parameter; one more copy of one layer and direction
    and its gradient are about 8 more. Activations grow layer by layer in the forward pass and the backward pass
    adds the working space of the layer it is in. Where oneDNN has no kernel (nn.GRU, nn.RNN, a projection) PyTorch
    unrolls the steps, and each has a graph of its own. The factors were fitted to measurements on x86-64: tests/benchmarks/memory.py prints estimate and
    measurement side by side.
    """
    directions = spec.num_directions
    top = directions * spec.h_size
    kept = peak = 0.0  # float32 numbers at each step of each sequence
    for layer in range(spec.num_layers):
        more, working = _layer_numbers(spec, _layer_input(spec, input_size, layer))
        kept += more
        if spec.dropout and layer + 1 < spec.num_layers:
            kept += 3 * top  # the mask, what it leaves and its gradient
        peak = max(peak, kept + working)
    counts = parameter_count(spec, input_size, output_size)
    largest = max(count for part, count in counts.items() if part != "head") // directions
    head_steps = batch_size * (seq_len if spec.head == "per_step" else 1)
    step_graph = 22_000 if spec.proj_size else {"lstm": 0, "gru": 16_000, "rnn": 4_500}[spec.cell]
    graph = step_graph * seq_len * spec.num_layers * directions
    activations = 4 * (batch_size * seq_len * peak + head_steps * (3 * top + 6 * output_size))
    return int(16 * sum(counts.values()) + 8 * largest + activations + graph)


def _layer_numbers(spec: ModelSpec, below: int) -> tuple[float, float]:
    """Float32 numbers a step that a layer keeps for the backward pass, and that its own backward pass works in."""
    directions, hidden = spec.num_directions, spec.hidden_size
    if spec.cell == "gru":
        return 5 * directions * hidden + 2 * below, 7.5 * directions * hidden
    if spec.cell == "rnn":
        return 1.9 * directions * hidden + 2 * below, 2.4 * directions * hidden
    if spec.proj_size:
        return directions * (8.5 * hidden + 2 * below + 1.5 * spec.proj_size), 4 * directions * hidden
    widest = max(below, hidden)
    return directions * (3.5 * hidden + 3 * widest), (1 + 4 * directions) * hidden + 4 * widest


def check_fits(
    spec: ModelSpec, input_size: int, output_size: int, batch_size: int, seq_len: int, free_bytes: int
) -> None:
    """Refuse what would take more than MEMORY_SHARE of free_bytes to train.

    Raises:
        PlaygroundError: it does not fit; names the largest batch_size and the largest hidden_size that do.
    """
    limit = MEMORY_SHARE * free_bytes

    def fits(hidden_size: int, batch: int) -> bool:
        sized = replace(spec, hidden_size=hidden_size)
        return training_bytes(sized, input_size, output_size, batch, seq_len) <= limit

    if fits(spec.hidden_size, batch_size):
        return
    low = spec.proj_size + 1  # the smallest hidden_size that this projection permits
    batch = _largest(lambda n: fits(spec.hidden_size, n), 1, batch_size - 1)
    hidden = _largest(lambda n: fits(n, batch_size), low, spec.hidden_size - 1)
    offers = [f"batch_size {batch}"] * bool(batch) + [f"hidden_size {hidden}"] * bool(hidden)
    if not offers and (hidden := _largest(lambda n: fits(n, 1), low, spec.hidden_size - 1)):
        offers = [f"batch_size 1 and hidden_size {hidden}"]
    need = training_bytes(spec, input_size, output_size, batch_size, seq_len)
    way = f"with {' or '.join(offers)} it fits" if offers else "shorten seq_len or take fewer layers"
    raise PlaygroundError(
        f"This model would need about {in_words(need)} to train and may take {in_words(limit)} of the "
        f"{in_words(free_bytes)} that are free: {way}."
    )


def _largest(fits: Callable[[int], bool], low: int, high: int) -> int | None:
    """The largest number from low to high that fits, by bisection; None if none does. Larger is never easier."""
    if high < low or not fits(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def in_words(amount: float) -> str:
    """Bytes in words: "31 GB", "8.4 GB", "250 MB"."""
    size, unit = next((s, u) for s, u in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if amount >= s or u == "kB")
    value = amount / size
    return f"{value:.1f} {unit}" if unit != "kB" and value < 10 else f"{value:,.0f} {unit}"
