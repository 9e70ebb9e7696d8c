"""Training memory: the estimate, and the refusal of a model that would not fit."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

from lstm_core.architecture.shapes import layer_input_size, parameter_count
from lstm_core.data.number_format import format_bytes
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment, ModelSpec, PlaygroundError, TrainSpec

MEMORY_SHARE = 0.6  # of the free memory: what one training run may take


def estimate_training_bytes(spec: ModelSpec, input_size: int, output_size: int, batch_size: int, seq_len: int) -> int:
    """Estimated peak memory in bytes of training with Adam on the CPU, float32, the data not counted.

    Weights, gradients and Adam's two moments take 16 bytes per parameter; a copy of the largest layer and direction
    and its gradient take about 8 more. Activations accumulate layer by layer in the forward pass, and the backward
    pass adds the working space of the layer it is in. Where oneDNN has no kernel (nn.GRU, nn.RNN, a projection)
    PyTorch unrolls the steps, and each adds nodes to the autograd graph. The factors were fitted to measurements on
    x86-64: tests/benchmarks/memory.py prints estimate and measurement side by side.
    """
    directions = spec.num_directions
    top = directions * spec.h_size
    saved = peak = 0.0  # float32 numbers at each step of each sequence
    for layer in range(spec.num_layers):
        more, working = _layer_numbers(spec, layer_input_size(spec, input_size, layer))
        saved += more
        if spec.dropout and layer + 1 < spec.num_layers:
            saved += 3 * top  # the mask, what it leaves and its gradient
        peak = max(peak, saved + working)
    counts = parameter_count(spec, input_size, output_size, seq_len)
    largest = max(count for name, count in counts.items() if name.startswith("layer")) // directions
    head_steps = batch_size * (seq_len if spec.head == "per_step" else 1)
    step_graph = 22_000 if spec.proj_size else {"lstm": 0, "gru": 16_000, "rnn": 4_500}[spec.cell]
    graph = step_graph * seq_len * spec.num_layers * directions
    activations = 4 * (batch_size * seq_len * peak + head_steps * (3 * top + 6 * output_size))
    training = int(16 * sum(counts.values()) + 8 * largest + activations + graph)
    return max(training, 4 * sum(counts.values()) + _skip_bytes(spec, seq_len * input_size, output_size))


def _skip_bytes(spec: ModelSpec, inputs: int, output_size: int) -> int:
    """What fitting a linear skip takes before the training, its windows not counted: the decomposition above all."""
    return 8 * inputs * (5 * inputs + 4 * output_size) if spec.linear_skip else 0


def _layer_numbers(spec: ModelSpec, below: int) -> tuple[float, float]:
    """Float32 numbers per step: saved for the backward pass of a layer, and working space of that pass."""
    directions, hidden = spec.num_directions, spec.hidden_size
    if spec.cell == "gru":
        return 5 * directions * hidden + 2 * below, 7.5 * directions * hidden
    if spec.cell == "rnn":
        return 1.9 * directions * hidden + 2 * below, 2.4 * directions * hidden
    if spec.proj_size:
        return directions * (8.5 * hidden + 2 * below + 1.5 * spec.proj_size), 4 * directions * hidden
    widest = max(below, hidden)
    return directions * (3.5 * hidden + 3 * widest), (1 + 4 * directions) * hidden + 4 * widest


def largest_batch(train: TrainSpec, windows: Windows) -> int:
    """Windows in the largest training batch: batch_size, or all training windows where there are fewer."""
    return min(train.batch_size, len(windows.starts["train"]))


def check_memory(experiment: Experiment, windows: Windows, free_bytes: int) -> None:
    """Refuse a training run that would take more than MEMORY_SHARE of free_bytes.

    windows: of the experiment's data; they set input_size, output_size and seq_len.

    Raises:
        PlaygroundError: it does not fit; names the largest batch_size and the largest hidden_size that do.
    """
    spec, limit = experiment.model, MEMORY_SHARE * free_bytes
    input_size, output_size, seq_len = windows.input_size, windows.output_size, windows.spec.seq_len
    batch_size = largest_batch(experiment.train, windows)

    def fits(hidden_size: int, batch: int) -> bool:
        resized = replace(spec, hidden_size=hidden_size)
        return estimate_training_bytes(resized, input_size, output_size, batch, seq_len) <= limit

    if fits(spec.hidden_size, batch_size):
        return
    min_hidden_size = spec.proj_size + 1  # the smallest hidden_size that this projection permits
    batch = _largest(lambda n: fits(spec.hidden_size, n), 1, batch_size - 1)
    hidden = _largest(lambda n: fits(n, batch_size), min_hidden_size, spec.hidden_size - 1)
    suggestions = [f"batch_size {batch}"] * bool(batch) + [f"hidden_size {hidden}"] * bool(hidden)
    if not suggestions and (hidden := _largest(lambda n: fits(n, 1), min_hidden_size, spec.hidden_size - 1)):
        suggestions = [f"batch_size 1 and hidden_size {hidden}"]
    need = estimate_training_bytes(spec, input_size, output_size, batch_size, seq_len)
    advice = f"with {' or '.join(suggestions)} it fits" if suggestions else "shorten seq_len or take fewer layers"
    raise PlaygroundError(
        f"This model would need about {format_bytes(need)} to train and may take {format_bytes(limit)} of the "
        f"{format_bytes(free_bytes)} that are free: {advice}."
    )


def _largest(fits: Callable[[int], bool], low: int, high: int) -> int | None:
    """The largest number from low to high that fits, by bisection; None if none does. What fits is monotonic."""
    numbers = range(low, high + 1)
    count = bisect_left(numbers, True, key=lambda number: not fits(number))
    return numbers[count - 1] if count else None
