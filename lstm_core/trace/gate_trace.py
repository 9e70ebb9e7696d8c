"""The trace: every gate and state of any torch.nn.LSTM at every step, by replay.

`trace_lstm(lstm, x, hx)` runs the native kernel once, layer by layer. That gives h of every step,
so the gates of all steps follow from one matrix product, and only the elementwise recurrence of c
is left:

    i, f, o = σ(W x_t + U h_{t-1} + b)    g = tanh(W x_t + U h_{t-1} + b)
    c_t = f ⊙ c_{t-1} + i ⊙ g             h_t = o ⊙ tanh(c_t), times weight_hrᵀ if proj_size is set

(Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000 and the
projection of Sak et al. 2014; rows of the weights in PyTorch's order i, f, g, o.) No plotting and
no training here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.trace.inputs import check_input, check_module, check_states, initial_states, time_major
from lstm_core.trace.replay import replay, working_dtype


@dataclass(frozen=True, eq=False)
class GateTrace:
    """What every unit of an LSTM did at every step of a batch of sequences.

    i, f, g, o, c: (num_layers, num_directions, batch, seq_len, hidden_size); h: the same with
    proj_size, if set, as its last size. Direction 1 reads the input backwards; every tensor is
    indexed by the time of the input, so entry t is what the unit did when it read x_t. An unbatched
    x gives batch 1. Steps past the end of a packed sequence are NaN. output, h_n, c_n are what
    `lstm(x, hx)` returns; h may share its memory.
    """

    i: Tensor
    f: Tensor
    g: Tensor
    o: Tensor
    c: Tensor
    h: Tensor
    output: Tensor | PackedSequence
    h_n: Tensor
    c_n: Tensor
    lengths: Tensor | None = None  # (batch,) int64, on the CPU; None unless x was a PackedSequence
    weight_hr: Tensor | None = None  # (num_layers, num_directions, proj_size, hidden_size)

    def gate(self, name: str) -> Tensor:
        """The tensor called `name`: one of i, f, g, o, c, h. Raises PlaygroundError for any other
        name."""
        if name not in GATES + STATES:
            names = ", ".join(GATES + STATES)
            raise PlaygroundError(f"There is no gate {name!r}: choose one of {names}.")
        return getattr(self, name)

    @cached_property
    def max_difference(self) -> float:
        """The largest |o ⊙ tanh(c) − h| at any step and |c − c_n| at any sequence's last step.

        o and c are the replay's, h and c_n the native kernel's: this is the trace's distance from
        nn.LSTM. NaN if the model itself produced NaN.
        """
        layers, directions, batch, seq_len, hidden_size = self.c.shape
        exact, device = working_dtype(self.c.dtype), self.c.device
        lengths = torch.full((batch,), seq_len) if self.lengths is None else self.lengths
        inside = (torch.arange(seq_len) < lengths[:, None]).to(device)  # (batch, seq_len)
        rows, last = torch.arange(batch, device=device), (lengths - 1).to(device)
        c_n = self.c_n.reshape(layers, directions, batch, hidden_size)
        differences = []
        for layer in range(layers):
            for direction in range(directions):
                o, c, h = (t[layer, direction][inside].to(exact) for t in (self.o, self.c, self.h))
                replayed = o * c.tanh()  # (all steps, hidden_size)
                if self.weight_hr is not None:
                    replayed = replayed @ self.weight_hr[layer, direction].to(exact).T
                final_c = self.c[layer, direction, rows, 0 if direction else last]
                differences += [(replayed - h).abs().max(), (final_c - c_n[layer, direction]).to(exact).abs().max()]
        return torch.stack(differences).max().item()


@torch.no_grad()
def trace_lstm(lstm: nn.LSTM, x: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None) -> GateTrace:
    """Run `lstm(x, hx)` and return every gate and state of every layer, direction and step.

    x and hx are exactly what the module takes: batched or not, batch_first or not, packed or not.
    The module is left as it was. Someone with only a state_dict builds nn.LSTM with its sizes and calls
    load_state_dict first. All tensors have the module's dtype; half precisions are replayed in float32
    and rounded at the end.

    On the CPU output, h_n and c_n equal bit for bit what the module returns under torch.no_grad(). With
    gradients on, PyTorch may run another float32 kernel for it, whose results differ by about 1e-7.

    On a card the gates are within 1e-5 of cuDNN's own once `torch.backends.cudnn.allow_tf32` is False; with TF32, its
    default, cuDNN rounds every factor to 10 bits, and they are within 1e-3. `max_difference` says how near.

    Raises:
        PlaygroundError: x or hx does not fit the module; or the module is in train mode with dropout
            between its layers, for then no second run repeats the first.
    """
    check_module(lstm)
    check_input(lstm, x)
    check_states(lstm, x, hx)
    steps, lengths = time_major(lstm, x)  # (seq_len, batch, input_size)
    seq_len, batch, directions = *steps.shape[:2], 2 if lstm.bidirectional else 1
    past_end = None  # (seq_len, batch, 1)
    if lengths is not None:
        past_end = (torch.arange(seq_len)[:, None] >= lengths).unsqueeze(2).to(steps.device)
    h_0, c_0 = initial_states(lstm, batch, hx)
    weights = lstm.all_weights
    layers, output, h_n, c_n = _run_native(lstm, weights, x, hx, steps, h_0, c_0)
    gates = steps.new_empty(lstm.num_layers, directions, seq_len, batch, 4, lstm.hidden_size)
    c = steps.new_empty(lstm.num_layers, directions, seq_len, batch, lstm.hidden_size)
    for layer, h in enumerate(layers):  # (seq_len, batch, num_directions, proj_size or hidden_size)
        for direction in range(directions):
            row = layer * directions + direction
            if direction and lengths is not None:  # read backwards, short sequences start later
                short = (lengths < seq_len).nonzero().flatten()
                h[lengths[short], short, 1] = h_0[row, short]
            into = gates[layer, direction], c[layer, direction]
            start, reverse = (h_0[row], c_0[row]), direction == 1
            replay(weights[row], lstm.bias, steps, h[:, :, direction], start, into, past_end, reverse)
        steps = h.flatten(2)
    if past_end is not None:
        for tensor in (gates.flatten(4), c, *(h.movedim(2, 0) for h in layers)):
            tensor.masked_fill_(past_end, math.nan)
    return assemble(lstm, gates, c, layers, (output, h_n, c_n), lengths)


def assemble(
    lstm: nn.LSTM,
    gates: Tensor,
    c: Tensor,
    layers: list[Tensor],
    returned: tuple[Tensor | PackedSequence, Tensor, Tensor],
    lengths: Tensor | None = None,
) -> GateTrace:
    """A trace of time-major parts, without a copy but of h where there are several layers.

    gates: (num_layers, num_directions, seq_len, batch, 4, hidden_size); c: the same without the 4; layers: h of
    each, (seq_len, batch, num_directions, -1); returned: output, h_n and c_n as the module gives them.
    """
    h = torch.stack(layers) if len(layers) > 1 else layers[0][None]
    h = h.permute(0, 3, 1, 2, 4)  # (num_layers, num_directions, seq_len, batch, -1)
    weight_hr = None
    if lstm.proj_size:
        weight_hr = torch.stack([weights[-1] for weights in lstm.all_weights])
        weight_hr = weight_hr.unflatten(0, c.shape[:2])
    gates, c, h = (tensor.transpose(2, 3) for tensor in (gates, c, h))
    return GateTrace(*gates.unbind(4), c, h, *returned, lengths, weight_hr)


def _run_native(
    lstm: nn.LSTM,
    weights: list[list[Tensor]],
    x: Tensor | PackedSequence,
    hx: tuple[Tensor, Tensor] | None,
    steps: Tensor,
    h_0: Tensor,
    c_0: Tensor,
) -> tuple[list[Tensor], Tensor | PackedSequence, Tensor, Tensor]:
    """h of every layer, each (seq_len, batch, num_directions, -1), and what `lstm(x, hx)` returns.

    On the CPU the kernel itself goes layer by layer, so running its layers one by one costs nothing
    and changes no bit. cuDNN and MPS overlap or fuse the layers of a stack: there the module runs
    whole, and only its inner layers run once more.
    """
    native = None if steps.device.type == "cpu" else lstm(x, hx)
    current = x if isinstance(x, PackedSequence) else steps
    sequences, final_states = [], []
    # Sorted before a layer's rows are taken, as the module does: MKL's last bit depends on alignment.
    if isinstance(x, PackedSequence) and x.sorted_indices is not None:
        h_0, c_0 = (state.index_select(1, x.sorted_indices) for state in (h_0, c_0))
    directions = 2 if lstm.bidirectional else 1
    for layer in range(lstm.num_layers if native is None else lstm.num_layers - 1):
        rows = slice(layer * directions, (layer + 1) * directions)
        current, *final_state = run_layer(lstm, weights[rows], current, (h_0[rows], c_0[rows]))
        sequences.append(current if isinstance(current, Tensor) else pad_packed_sequence(current)[0])
        final_states.append(final_state)
    if native is None:
        h_n, c_n = (torch.cat(states) for states in zip(*final_states, strict=True))
        if isinstance(x, PackedSequence) and x.unsorted_indices is not None:
            h_n, c_n = (state.index_select(1, x.unsorted_indices) for state in (h_n, c_n))
        output, h_n, c_n = as_returned(lstm, x, current, h_n, c_n)
    else:
        output, (h_n, c_n) = native
        sequences.append(time_major(lstm, output)[0])
    return [h.unflatten(2, (directions, -1)) for h in sequences], output, h_n, c_n


def as_returned(
    lstm: nn.LSTM, x: Tensor | PackedSequence, output: Tensor | PackedSequence, h_n: Tensor, c_n: Tensor
) -> tuple[Tensor | PackedSequence, Tensor, Tensor]:
    """Time-major, batched results in the form that the module gives for an x of this form."""
    if isinstance(x, PackedSequence):
        return output, h_n, c_n
    if x.dim() == 2:
        return output.squeeze(1), h_n.squeeze(1), c_n.squeeze(1)
    return output.transpose(0, 1) if lstm.batch_first else output, h_n, c_n


def run_layer(
    lstm: nn.LSTM, weights: list[list[Tensor]], x: Tensor | PackedSequence, states: tuple[Tensor, Tensor]
) -> tuple[Tensor | PackedSequence, Tensor, Tensor]:
    """One layer by the native kernel: x time-major or packed, the output likewise, h_n and c_n.

    weights and states: the layer's own, a row a direction; states of packed sequences in the order of the
    packing.
    """
    flat = [weight for row in weights for weight in row]
    if flat[0].device.type == "cuda":
        flat = _in_one_piece(lstm, flat)
    settings = (flat, lstm.bias, 1, 0.0, lstm.training, lstm.bidirectional)
    if isinstance(x, Tensor):
        return torch.lstm(x, states, *settings, False)
    data, h_n, c_n = torch.lstm(x.data, x.batch_sizes, states, *settings)
    return PackedSequence(data, x.batch_sizes, x.sorted_indices, x.unsorted_indices), h_n, c_n


def _in_one_piece(lstm: nn.LSTM, flat: list[Tensor]) -> list[Tensor]:
    """A layer's weights in one piece of memory, as cuDNN wants them: it warns of others at every call."""
    sizes = flat[0].shape[1], lstm.hidden_size
    options = {"bias": lstm.bias, "bidirectional": lstm.bidirectional, "proj_size": lstm.proj_size}
    layer = nn.LSTM(*sizes, **options, device="meta", dtype=flat[0].dtype)
    layer = layer.requires_grad_(False).to_empty(device=flat[0].device)
    for parameter, weight in zip(layer.parameters(), flat, strict=True):
        parameter.copy_(weight)
    return list(layer.parameters())
