"""The life of h and c over windows that follow one another: zero, random, carried, carried without detaching.

Everything is really run, on a model's own weights; nothing here draws or trains for good.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.data.windows import Windows
from lstm_core.experiment import TrainSpec
from lstm_core.model.recurrent import RNNState, SequenceModel
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.training.batches import WindowTensors
from lstm_core.training.stateful import StatefulBatches, non_overlapping, random_initial_state

STATE_MODES = ("zero", "random", "carried", "not detached")
ROWS = 8  # streams side by side that errors are taken over


@torch.no_grad()
def error_by_step(model: SequenceModel, windows: Windows, train: TrainSpec) -> np.ndarray:
    """(seq_len,): mean squared error at each step of a window, over the validation split, for an LSTM with head
    "per_step" whose states begin as train.initial_state says.

    Whatever the state, the windows are the same: those of the streams but for each stream's first, before which
    there is nothing to carry.
    """
    cpu = torch.device("cpu")
    batches, starts = WindowTensors(windows, cpu, per_step=True), torch.from_numpy(windows.starts["valid"])
    rows = max(1, min(ROWS, len(non_overlapping(starts, windows.spec.seq_len)) // 2))
    order, errors = StatefulBatches(batches, starts, rows), []
    for index in range(order.steps):
        x, targets = order.batch(index)
        state = order.initial_state(index) if train.initial_state == "stateful" else None
        if train.initial_state == "random":
            state = random_initial_state(model.spec, rows, (train.seed, 1, index), cpu)
        predictions, final_state = model.forward_with_state(x, state)
        order.record_state(final_state)
        if index:
            errors.append((predictions - targets).square().mean((0, 2)))
    return torch.stack(errors).mean(0).numpy()


@dataclass(frozen=True, eq=False)
class StateTrajectory:
    """One stream, window after window, in one mode: h and c of the top layer.

    h, c: (windows, seq_len + 1, hidden_size), the first of each window its h_0 and c_0. predictions: (windows,
    seq_len). input_gradient_norm: (windows · seq_len,), the norm of the gradient of the last window's first prediction
    with respect to each step's input.
    """

    h: np.ndarray
    c: np.ndarray
    predictions: np.ndarray
    input_gradient_norm: np.ndarray


def state_trajectory(model: SequenceModel, x: Tensor, mode: str, seed: int = 0) -> StateTrajectory:
    """x: (windows, seq_len, input_size), windows of one stream, one after the other; mode: of STATE_MODES. The
    model: an LSTM of one direction with head "per_step". Draws of "random" are from the seed alone.
    """
    states, predictions = [], []
    x = x.clone().requires_grad_()
    state = None
    for k, window in enumerate(x.split(1)):
        if mode == "zero":
            state = None
        elif mode == "random":
            state = random_initial_state(model.spec, 1, (seed, k), x.device)
        elif mode == "carried" and state is not None:
            state = tuple(tensor.detach() for tensor in state)
        states.append(_timeline(model, window, state))
        prediction, state = model.forward_with_state(window, state)
        predictions.append(prediction[0, :, 0])
    (input_gradients,) = torch.autograd.grad(predictions[-1][0], x)
    h, c = (np.stack([state[k] for state in states]) for k in range(2))
    gradient_norm = input_gradients.norm(dim=-1).flatten().numpy()
    return StateTrajectory(h, c, torch.stack(predictions).detach().numpy(), gradient_norm)


@torch.no_grad()
def _timeline(model: SequenceModel, window: Tensor, state: RNNState | None) -> tuple[np.ndarray, np.ndarray]:
    """h and c of the top layer, each (seq_len + 1, its size), the state before the first step included."""
    trace = trace_lstm(model.lstm, model.to_module_layout(window), state)
    initial_state = [torch.zeros(values.shape[-1]) for values in (trace.h, trace.c)]
    if state is not None:
        initial_state = [tensor[-1, 0] for tensor in state]
    return tuple(
        torch.cat([first[None], values[-1, 0, 0]]).numpy()
        for first, values in zip(initial_state, (trace.h, trace.c), strict=True)
    )


def backward_twice(model: SequenceModel, x: Tensor, detach: bool, retain_graph: bool = False) -> str:
    """Take a step of gradient descent on each of two windows, the state carried: PyTorch's error, or "" if none.

    x: (2, seq_len, input_size). The model is left as it is: a copy trains.
    """
    model, state = copy.deepcopy(model).requires_grad_(), None
    for window in x.split(1):
        if detach and state is not None:
            state = tuple(tensor.detach() for tensor in state)
        prediction, state = model.forward_with_state(window, state)
        model.zero_grad()
        try:
            prediction.square().mean().backward(retain_graph=retain_graph)
        except RuntimeError as error:
            return str(error)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.01 * parameter.grad
    return ""


@torch.no_grad()
def call_shapes(lstm: nn.LSTM, batch: int, seq_len: int, batch_first: bool) -> dict[str, tuple[int, ...]]:
    """The shapes of a call of this very nn.LSTM's configuration with (h_0, c_0), as they come out when it is run."""
    lstm = copy.deepcopy(lstm).eval()
    lstm.batch_first = batch_first
    x = torch.zeros((batch, seq_len, lstm.input_size) if batch_first else (seq_len, batch, lstm.input_size))
    h_0, c_0 = _zeros(lstm, batch)
    output, (h_n, c_n) = lstm(x, (h_0, c_0))
    tensors = {"input": x, "h_0": h_0, "c_0": c_0, "output": output, "h_n": h_n, "c_n": c_n}
    return {name: tuple(value.shape) for name, value in tensors.items()}


@torch.no_grad()
def default_state_is_zero(lstm: nn.LSTM, x: Tensor) -> bool:
    """Whether lstm(x) is lstm(x, (zeros, zeros)) bit for bit. x: (batch, seq_len, input_size), batch_first."""
    (a, (h, c)), (b, (h2, c2)) = lstm(x), lstm(x, _zeros(lstm, len(x)))
    return all(torch.equal(one, other) for one, other in ((a, b), (h, h2), (c, c2)))


def _zeros(lstm: nn.LSTM, batch: int) -> tuple[Tensor, Tensor]:
    """h_0 and c_0 of zeros."""
    layers = lstm.num_layers * (2 if lstm.bidirectional else 1)
    sizes = lstm.proj_size or lstm.hidden_size, lstm.hidden_size
    h_0, c_0 = (torch.zeros(layers, batch, size) for size in sizes)
    return h_0, c_0
