"""Real runs of small nn.LSTMs that show what equals what: steps and whole sequences, output and h_n, padded and packed.

Each function runs the module itself and measures; nothing here explains in words or draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from lstm_core.experiment import PlaygroundError
from lstm_core.model.rng import rng_scope, rng_state
from lstm_core.trace.gate_trace import trace_lstm

HIDDEN_SIZE, BATCH = 4, 3  # of the small LSTMs and their batches


def seeded_module(seed: int, module: type[nn.Module], *sizes: int, **arguments: Any) -> nn.Module:
    """module(*sizes, **arguments) with the very weights that torch.manual_seed(seed) before it would give."""
    with rng_scope(rng_state(seed)):
        return module(*sizes, **arguments)


def seeded_randn(seed: int, *shape: int) -> Tensor:
    """Standard normal numbers of this shape, from a generator of their own."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def max_abs_difference(a: Tensor, b: Tensor) -> float:
    """The largest |a − b|."""
    return (a - b).abs().max().item()


@dataclass(frozen=True)
class StepwiseComparison:
    """One sequence through one LSTM, step by step and at once; arrays are (steps, hidden_size)."""

    one_by_one: np.ndarray  # (h, c) of each step given to the next
    at_once: np.ndarray
    without_state: np.ndarray  # one by one, but each step begins with zeros: the usual mistake
    difference: float  # between the first two; of h_n and c_n, too


@torch.no_grad()
def compare_stepwise(seed: int, steps: int = 5, size: int = 3) -> StepwiseComparison:
    """nn.LSTM(size, size) on `steps` random inputs, as in PyTorch's tutorial "Sequence Models and LSTM Networks"."""
    lstm = seeded_module(seed, nn.LSTM, size, size)
    inputs = seeded_randn(seed + 1, steps, 1, size)  # (seq_len, batch, input_size)
    at_once, final_state = lstm(inputs)  # (seq_len, batch, hidden_size)
    state, outputs = None, []
    for x in inputs.split(1):  # (1, 1, input_size): a sequence of one step
        output, state = lstm(x, state)
        outputs.append(output)
    one_by_one = torch.cat(outputs)
    forgetful = torch.cat([lstm(x)[0] for x in inputs.split(1)])
    pairs = ((one_by_one, at_once), *zip(state, final_state, strict=True))
    return StepwiseComparison(
        *(run[:, 0].numpy() for run in (one_by_one, at_once, forgetful)),
        difference=max(max_abs_difference(a, b) for a, b in pairs),
    )


@dataclass(frozen=True)
class FinalState:
    """One row of h_n, and the slice of output that it equals."""

    layer: int
    direction: int  # 0 forward, 1 reverse
    step: int  # at which this direction ends: the last, or 0 for the reverse one
    row: int  # of h_n
    code: str | None  # the slice of output; None below the top layer, whose h is in no slice of output
    difference: float  # from h_n's row: of output's slice, or of h inside the layer


@dataclass(frozen=True)
class LSTMOutputs:
    """What nn.LSTM computes and what it returns, of the first sequence of a batch."""

    h: np.ndarray  # (num_layers, num_directions, seq_len, hidden_size): output holds only the last layer's
    h_n: np.ndarray  # (num_layers · num_directions, hidden_size)
    final_states: tuple[FinalState, ...]  # one a row of h_n
    shapes: dict[str, tuple[int, ...]]  # of input, output and h_n
    last_row_difference: float  # between output's last row and the top layer's part of h_n


@torch.no_grad()
def compare_outputs(
    seed: int, num_layers: int = 2, bidirectional: bool = True, batch_first: bool = False, steps: int = 6
) -> LSTMOutputs:
    """Which slice of output is which row of h_n: found by running it and comparing."""
    layout = {"bidirectional": bidirectional, "batch_first": batch_first}
    lstm = seeded_module(seed, nn.LSTM, 5, HIDDEN_SIZE, num_layers, **layout)
    x = seeded_randn(seed + 1, *((BATCH, steps) if batch_first else (steps, BATCH)), 5)
    output, (h_n, _) = lstm(x)
    h = trace_lstm(lstm, x).h  # (num_layers, num_directions, batch, seq_len, hidden_size)
    directions = h.shape[1]
    time_first = output.transpose(0, 1) if batch_first else output
    final_states = []
    for row, final_row in enumerate(h_n):
        layer, direction = divmod(row, directions)
        top, step = layer == num_layers - 1, steps - 1 if direction == 0 else 0
        features = slice(direction * HIDDEN_SIZE, (direction + 1) * HIDDEN_SIZE)
        output_slice = time_first[step, :, features] if top else h[layer, direction, :, step]
        code = slice_code(direction, directions, batch_first) if top else None
        final_states.append(FinalState(layer, direction, step, row, code, max_abs_difference(output_slice, final_row)))
    shapes = {"input": tuple(x.shape), "output": tuple(output.shape), "h_n": tuple(h_n.shape)}
    top_states = h_n[-directions:].transpose(0, 1).flatten(1)  # (batch, num_directions · hidden_size)
    last_row = max_abs_difference(time_first[-1], top_states)
    return LSTMOutputs(h[:, :, 0].numpy(), h_n[:, 0].numpy(), tuple(final_states), shapes, last_row)


def slice_code(direction: int, directions: int, batch_first: bool) -> str:
    """The expression that picks this direction's end from output."""
    step = "-1" if direction == 0 else "0"
    features = ":" if directions == 1 else (":H", "H:")[direction]
    return f"output[:, {step}, {features}]" if batch_first else f"output[{step}, :, {features}]"


@dataclass(frozen=True)
class PackedComparison:
    """A padded batch, run as it is and packed."""

    lengths: tuple[int, ...]
    batch_sizes: tuple[int, ...]  # of the PackedSequence: how many sequences still run at each step
    order: tuple[tuple[int, int], ...]  # (sequence, step) of each row of PackedSequence.data
    packed_error: np.ndarray  # (batch,) how far the packed run's h_n lies from each sequence run alone
    padded_error: np.ndarray  # (batch,) how far the padded run's h_n does
    gathered_error: float  # how far the padded output, read at each sequence's own end, does


@torch.no_grad()
def compare_packed(seed: int, lengths: tuple[int, ...]) -> PackedComparison:
    """Sequences of these lengths, padded with zeros behind, through nn.LSTM(1, HIDDEN_SIZE) with batch_first.

    Raises:
        PlaygroundError: no lengths, or one that is not from 1 to 50, or more than 12 of them.
    """
    if not 1 <= len(lengths) <= 12 or not all(1 <= length <= 50 for length in lengths):
        raise PlaygroundError("Give one to twelve lengths, each a whole number from 1 to 50.")
    lstm = seeded_module(seed, nn.LSTM, 1, HIDDEN_SIZE, batch_first=True)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]  # (batch, seq_len)
    x = seeded_randn(seed + 1, *mask.shape, 1) * mask[..., None]  # (batch, seq_len, 1)
    reference = torch.cat([lstm(x[k : k + 1, :n])[1][0][0] for k, n in enumerate(lengths)])  # (batch, hidden_size)
    output, (padded_h_n, _) = lstm(x)
    packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    _, (packed_h_n, _) = lstm(packed)
    # The same packing of the numbers 0, 1, 2 … says where each row of .data comes from.
    positions = torch.arange(mask.numel()).view(*mask.shape, 1)
    rows = pack_padded_sequence(positions, torch.tensor(lengths), batch_first=True, enforce_sorted=False).data
    order = tuple(divmod(int(position), mask.shape[1]) for position in rows)
    last = torch.tensor(lengths) - 1
    return PackedComparison(
        lengths,
        tuple(packed.batch_sizes.tolist()),
        order,
        (packed_h_n[0] - reference).abs().amax(1).numpy(),
        (padded_h_n[0] - reference).abs().amax(1).numpy(),
        max_abs_difference(output[torch.arange(len(lengths)), last], reference),
    )
