"""Validation of trace_lstm's arguments, and their conversion to one layout: time-major and batched."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from lstm_core.experiment import PlaygroundError


def check_module(lstm: nn.LSTM) -> None:
    if isinstance(lstm, dict):
        raise PlaygroundError(
            "trace_lstm was given a dict: if it is a state_dict, build a torch.nn.LSTM of the same sizes, "
            "call its load_state_dict with it, and pass that LSTM."
        )
    if not isinstance(lstm, nn.LSTM):
        raise PlaygroundError(
            f"trace_lstm was given a {type(lstm).__name__}: pass the torch.nn.LSTM itself, such as model.lstm."
        )
    if lstm.training and lstm.dropout > 0 and lstm.num_layers > 1:
        raise PlaygroundError(
            f"The LSTM is in train mode with dropout={lstm.dropout:g} between its layers, so "
            "no two runs are the same: call lstm.eval() before tracing it."
        )


def check_input(lstm: nn.LSTM, x: Tensor | PackedSequence) -> None:
    if not isinstance(x, Tensor | PackedSequence):
        raise PlaygroundError(f"x is a {type(x).__name__}: pass a Tensor or a PackedSequence.")
    packed = isinstance(x, PackedSequence)
    data, features = x.data if packed else x, lstm.input_size
    fits = data.dim() == 2 or (data.dim() == 3 and not packed)
    if not fits or data.shape[-1] != features or data.numel() == 0:
        order = "batch, seq_len" if lstm.batch_first else "seq_len, batch"
        expected = f"({order}, {features}) or (seq_len, {features})"
        if packed:
            expected = f"(steps of all sequences, {features}) as its data"
        raise PlaygroundError(
            f"x has shape {tuple(data.shape)}, but this LSTM takes {expected}, with at least one sequence and one step."
        )
    _check_kind("x", data, lstm)


def check_states(lstm: nn.LSTM, x: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None) -> None:
    if hx is None:
        return
    if not (isinstance(hx, tuple | list) and len(hx) == 2 and all(isinstance(s, Tensor) for s in hx)):
        raise PlaygroundError("hx must be a pair of tensors, (h_0, c_0), or None for zeros.")
    if isinstance(x, PackedSequence):
        batch = (int(x.batch_sizes[0]),)
    else:
        batch = () if x.dim() == 2 else (x.shape[0 if lstm.batch_first else 1],)
    for name, state, expected in zip(("h_0", "c_0"), hx, state_shapes(lstm, *batch), strict=True):
        if tuple(state.shape) != expected:
            raise PlaygroundError(f"{name} has shape {tuple(state.shape)}, but this x and LSTM need {expected}.")
        _check_kind(name, state, lstm)


def _check_kind(name: str, tensor: Tensor, lstm: nn.LSTM) -> None:
    weight = lstm.weight_ih_l0
    if tensor.dtype != weight.dtype:
        raise PlaygroundError(f"{name} is {tensor.dtype}, but the LSTM's weights are {weight.dtype}: convert one.")
    if tensor.device != weight.device:
        raise PlaygroundError(f"{name} is on {tensor.device}, but the LSTM is on {weight.device}: move one of them.")


def time_major(lstm: nn.LSTM, sequence: Tensor | PackedSequence) -> tuple[Tensor, Tensor | None]:
    """The module's input or output as (seq_len, batch, features), and the lengths if it was
    packed."""
    if isinstance(sequence, PackedSequence):
        return pad_packed_sequence(sequence)
    if sequence.dim() == 2:
        return sequence.unsqueeze(1), None
    return sequence.transpose(0, 1) if lstm.batch_first else sequence, None


def state_shapes(lstm: nn.LSTM, *batch: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    rows = lstm.num_layers * (2 if lstm.bidirectional else 1)
    return (rows, *batch, lstm.proj_size or lstm.hidden_size), (rows, *batch, lstm.hidden_size)


def initial_states(lstm: nn.LSTM, batch: int, hx: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
    """h_0 and c_0, each (num_layers*num_directions, batch, -1): those given, or zeros."""
    if hx is None:
        weight = lstm.weight_ih_l0
        h_0, c_0 = (weight.new_zeros(shape) for shape in state_shapes(lstm, batch))
        return h_0, c_0
    h_0, c_0 = (state if state.dim() == 3 else state.unsqueeze(1) for state in hx)
    return h_0, c_0
