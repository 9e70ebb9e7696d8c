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
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.trace_inputs import check_input, check_module, check_states, initial_states, time_major

CPU_BLOCK = 1 << 20  # pre-activations at a time: they should fit the shared cache
GPU_BLOCK = 1 << 26
MINUS_ONE = torch.tensor(-1.0)
CPU_LANES = 1 << 14  # elements that one operation handles at little more than its fixed cost


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
        worst = []
        for layer in range(layers):
            for direction in range(directions):
                o, c, h = (t[layer, direction][inside].to(exact) for t in (self.o, self.c, self.h))
                replayed = o * c.tanh()  # (all steps, hidden_size)
                if self.weight_hr is not None:
                    replayed = replayed @ self.weight_hr[layer, direction].to(exact).T
                end = self.c[layer, direction, rows, 0 if direction else last]
                worst += [
                    (replayed - h).abs().max(),
                    (end - c_n[layer, direction]).to(exact).abs().max(),
                ]
        return torch.stack(worst).max().item()


@torch.no_grad()
def trace_lstm(
    lstm: nn.LSTM, x: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
) -> GateTrace:
    """Run `lstm(x, hx)` and return every gate and state of every layer, direction and step.

    x and hx are exactly what the module takes: batched or not, batch_first or not, packed or not.
    Raises PlaygroundError where they do not fit the module, and where the module is in train mode
    with dropout between its layers, for then no second run repeats the first. The module is left as
    it was. On the CPU output, h_n and c_n equal the module's bit for bit. All tensors have the
    module's dtype; half precisions are replayed in float32 and rounded at the end.
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
    layers, output, h_n, c_n = _run_native(lstm, x, hx, steps, h_0, c_0)
    gates = steps.new_empty(lstm.num_layers, directions, seq_len, batch, 4, lstm.hidden_size)
    c = steps.new_empty(lstm.num_layers, directions, seq_len, batch, lstm.hidden_size)
    for layer, h in enumerate(layers):  # (seq_len, batch, num_directions, proj_size or hidden_size)
        for direction in range(directions):
            row = layer * directions + direction
            if direction and lengths is not None:  # read backwards, short sequences start later
                short = (lengths < seq_len).nonzero().flatten()
                h[lengths[short], short, 1] = h_0[row, short]
            into = gates[layer, direction], c[layer, direction]
            weights, start = lstm.all_weights[row], (h_0[row], c_0[row])
            replay(weights, lstm.bias, steps, h[:, :, direction], start, into, past_end, direction == 1)
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
    i, f, g, o, c, h = (tensor.transpose(2, 3) for tensor in (*gates.unbind(4), c, h))
    return GateTrace(i, f, g, o, c, h, *returned, lengths, weight_hr)


def _run_native(
    lstm: nn.LSTM,
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
    whole = None if steps.device.type == "cpu" else lstm(x, hx)
    current = x if isinstance(x, PackedSequence) else steps
    sequences, ends = [], []
    # Sorted before a layer's rows are taken, as the module does: MKL's last bit depends on alignment.
    if isinstance(x, PackedSequence) and x.sorted_indices is not None:
        h_0, c_0 = (state.index_select(1, x.sorted_indices) for state in (h_0, c_0))
    for layer in range(lstm.num_layers if whole is None else lstm.num_layers - 1):
        current, *end = run_layer(lstm, layer, current, h_0, c_0)
        sequences.append(current if isinstance(current, Tensor) else pad_packed_sequence(current)[0])
        ends.append(end)
    if whole is None:
        h_n, c_n = (torch.cat(states) for states in zip(*ends, strict=True))
        if isinstance(x, PackedSequence) and x.unsorted_indices is not None:
            h_n, c_n = (state.index_select(1, x.unsorted_indices) for state in (h_n, c_n))
        output, h_n, c_n = as_returned(lstm, x, current, h_n, c_n)
    else:
        output, (h_n, c_n) = whole
        sequences.append(time_major(lstm, output)[0])
    directions = 2 if lstm.bidirectional else 1
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
    lstm: nn.LSTM, layer: int, x: Tensor | PackedSequence, h_0: Tensor, c_0: Tensor
) -> tuple[Tensor | PackedSequence, Tensor, Tensor]:
    """One layer by the native kernel: x time-major or packed, the output likewise, h_n and c_n.

    States of packed sequences stand in the order of the packing.
    """
    directions = 2 if lstm.bidirectional else 1
    rows = slice(layer * directions, (layer + 1) * directions)
    weights = [weight for row in lstm.all_weights[rows] for weight in row]
    states = (h_0[rows], c_0[rows])
    settings = (weights, lstm.bias, 1, 0.0, lstm.training, lstm.bidirectional)
    if isinstance(x, Tensor):
        return torch.lstm(x, states, *settings, False)
    data, h_n, c_n = torch.lstm(x.data, x.batch_sizes, states, *settings)
    return PackedSequence(data, x.batch_sizes, x.sorted_indices, x.unsorted_indices), h_n, c_n


def replay(
    weights: list[Tensor],
    bias: bool,
    x: Tensor,
    h: Tensor,
    start: tuple[Tensor, Tensor],
    into: tuple[Tensor, Tensor],
    past_end: Tensor | None,
    reverse: bool,
) -> None:
    """Fill `into`, one direction of a layer's gates and c, from its x and h of every step.

    x and h: (seq_len, batch, -1); gates: (seq_len, batch, 4, hidden_size). It goes by blocks of steps,
    so that what is needed besides the trace stays small however long it is.
    """
    dtype = working_dtype(x.dtype)
    gates, c = (tensor.to(dtype) for tensor in into)  # the same memory, but for half precisions
    seq_len, batch, _, hidden_size = gates.shape
    weight, offset = joined_weights(weights, bias, dtype)
    first, last = (-1, 0) if reverse else (0, -1)
    h_before, c_before = start
    c_before = c_before.to(dtype)
    limit = CPU_BLOCK if x.device.type == "cpu" else GPU_BLOCK
    size = math.ceil(seq_len / math.ceil(seq_len * 4 * hidden_size * batch / limit))
    blocks = [slice(at, min(at + size, seq_len)) for at in range(0, seq_len, size)]
    for block in reversed(blocks) if reverse else blocks:
        h_block, c_block, (i, f, g, _) = h[block], c[block], gates[block].unbind(2)
        inputs = weight.new_empty(len(h_block), batch, weight.shape[1])
        inputs[:, :, : x.shape[2]] = x[block]
        before = inputs[:, :, x.shape[2] :]  # h of the step before, in the direction of reading
        before[first] = h_before
        if reverse:
            before[:-1] = h_block[1:]
        else:
            before[1:] = h_block[:-1]
        gathered = linear(inputs.flatten(0, 1), weight, offset)  # (steps*batch, 4*hidden_size)
        torch.sigmoid(gathered.view(-1, batch, 4, hidden_size), out=gates[block])
        torch.add(MINUS_ONE, g, alpha=2, out=g)
        torch.mul(i, g, out=c_block)
        if past_end is not None:  # hold c through the steps that are not there
            f.masked_fill_(past_end[block], 1.0)
            c_block.masked_fill_(past_end[block], 0.0)
        _accumulate(f, c_block, c_before, reverse)
        h_before, c_before = h_block[last], c_block[last]
    for result, target in zip((gates, c), into, strict=True):
        if result.dtype != target.dtype:
            target.copy_(result)


def joined_weights(weights: list[Tensor], bias: bool, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """weight_ih beside weight_hh, (4*hidden_size, x's features + h's), and the sum of their biases.

    The rows of g are doubled: tanh(a) = 2σ(2a) − 1, so one σ serves all four gates.
    """
    weight = torch.cat(weights[:2], 1).to(dtype)
    offset = weights[2].to(dtype) + weights[3] if bias else weight.new_zeros(len(weight))
    hidden_size = len(weight) // 4
    for rows in (weight, offset):
        rows[2 * hidden_size : 3 * hidden_size] *= 2
    return weight, offset


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x weightᵀ + bias for x (rows, features).

    In float32 on the CPU F.linear goes to MKL, which on some processors runs at half of oneDNN's
    speed. A 1×1 convolution over channels-last rows is the same product by oneDNN; the dilation,
    which does nothing to a single tap, keeps PyTorch from choosing MKL on one thread. Small
    products are quicker without.
    """
    if x.device.type != "cpu" or x.dtype != torch.float32 or x.numel() < 20_000:
        return F.linear(x, weight, bias)
    image = x[None, :, None].permute(0, 3, 1, 2)  # (1, features, rows, 1)
    return F.conv2d(image, weight[:, :, None, None], bias, dilation=2).permute(0, 2, 3, 1).flatten(0, 2)


def _accumulate(f: Tensor, c: Tensor, before: Tensor, reverse: bool) -> None:
    """c_t ← f_t c_{t-1} + c_t in place, from `before`, the first c_{t-1}.

    f and c: (steps, batch, hidden_size). With few elements a step costs only the call. The steps then go in
    √steps chunks side by side, as if each started at zero; the running product of f carries every chunk's
    true start into it afterwards.
    """
    steps = len(c)
    order = slice(None, None, -1 if reverse else 1)
    chunks = math.isqrt(steps)
    if c.device.type == "cpu":
        chunks = min(chunks, CPU_LANES // before.numel())
    if chunks < 4:
        for c_t, f_t in zip(c.unbind()[order], f.unbind()[order], strict=True):
            before = c_t.addcmul_(f_t, before)
        return
    rest = steps % chunks
    body, tail = slice(0, steps - rest), slice(steps - rest, steps)
    if reverse:
        body, tail = slice(rest, steps), slice(0, rest)
    f_body, c_body = (tensor[body].unflatten(0, (chunks, -1)) for tensor in (f, c))
    product = torch.empty_like(f_body)  # (chunks, steps of a chunk, batch, hidden_size)
    f_steps, c_steps, products = (t.unbind(1)[order] for t in (f_body, c_body, product))
    products[0].copy_(f_steps[0])
    for t in range(1, len(c_steps)):
        c_steps[t].addcmul_(f_steps[t], c_steps[t - 1])
        torch.mul(f_steps[t], products[t - 1], out=products[t])
    starts = []
    for c_end, f_product in zip(c_steps[-1].unbind()[order], products[-1].unbind()[order], strict=True):
        starts.append(before)
        before = torch.addcmul(c_end, f_product, before)
    c_body.addcmul_(product, torch.stack(starts[order])[:, None])
    _accumulate(f[tail], c[tail], before, reverse)


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype
