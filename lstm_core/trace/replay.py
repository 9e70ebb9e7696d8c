"""The replay: the gates and c of one direction of a layer at every step, from its x and h of every step.

`replay` goes block by block: one matrix product and one σ give the gates, `accumulate` the recurrence of c.
The equations are in trace.py. Modules, packed sequences and the native kernel are its business, not this file's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

# Pre-activations at a time. On the CPU a block should fit the shared cache: blocks of a quarter made traces of
# 6 million pre-activations a tenth slower, for a product has a fixed cost, and blocks four times as large were
# no faster.
CPU_BLOCK = 1 << 20
GPU_BLOCK = 1 << 26
CPU_LANES = 1 << 14  # elements that one operation handles at little more than its fixed cost
MINUS_ONE = torch.tensor(-1.0)


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

    weights: weight_ih, weight_hh and, with bias, bias_ih and bias_hh. x and h: (seq_len, batch, -1);
    start: h and c before the first step, each (batch, -1); into: gates (seq_len, batch, 4, hidden_size)
    and c (seq_len, batch, hidden_size); past_end: (seq_len, batch, 1), True where a step is not there.
    It goes by blocks of steps, so that what is needed besides the trace stays small however long it is.
    """
    dtype = working_dtype(x.dtype)
    if dtype != x.dtype:  # half precisions: in float32, and rounded at the end
        exact = tuple(torch.empty_like(tensor, dtype=dtype) for tensor in into)
        states = tuple(state.to(dtype) for state in start)
        replay(weights, bias, x.to(dtype), h.to(dtype), states, exact, past_end, reverse)
        for target, result in zip(into, exact, strict=True):
            target.copy_(result)
        return
    gates, c = into
    seq_len, batch = gates.shape[:2]
    weight, offset = joined_weights(weights, bias, dtype)
    features, (h_before, c_before) = x.shape[2], start
    first, last = (-1, 0) if reverse else (0, -1)
    limit = CPU_BLOCK if x.device.type == "cpu" else GPU_BLOCK
    size = math.ceil(seq_len / math.ceil(gates.numel() / limit))
    blocks = [slice(at, at + size) for at in range(0, seq_len, size)]
    for block in reversed(blocks) if reverse else blocks:
        h_block, c_block, gates_block = h[block], c[block], gates[block]
        inputs = weight.new_empty(len(h_block), batch, weight.shape[1])
        inputs[:, :, :features] = x[block]
        h_before_view = inputs[:, :, features:]  # h of the step before, in the direction of reading
        h_before_view[first] = h_before
        if reverse:
            h_before_view[:-1] = h_block[1:]
        else:
            h_before_view[1:] = h_block[:-1]
        gathered = linear(inputs.flatten(0, 1), weight, offset)  # (steps*batch, 4*hidden_size)
        torch.sigmoid(gathered.view(gates_block.shape), out=gates_block)
        i, f, g, _ = gates_block.unbind(2)
        torch.add(MINUS_ONE, g, alpha=2, out=g)
        torch.mul(i, g, out=c_block)
        if past_end is not None:  # keep c unchanged past a sequence's end
            f.masked_fill_(past_end[block], 1.0)
            c_block.masked_fill_(past_end[block], 0.0)
        accumulate(f, c_block, c_before, reverse)
        h_before, c_before = h_block[last], c_block[last]


def joined_weights(weights: list[Tensor], bias: bool, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """weight_ih beside weight_hh, (4*hidden_size, x's features + h's), and the sum of their biases.

    The rows of g are doubled: tanh(a) = 2σ(2a) − 1, so one σ serves all four gates.
    """
    weight = torch.cat(weights[:2], 1).to(dtype)
    offset = weights[2].to(dtype) + weights[3] if bias else weight.new_zeros(len(weight))
    of_g = slice(len(weight) // 2, 3 * len(weight) // 4)
    weight[of_g].mul_(2)  # not *=, which would copy the rows onto themselves once more
    offset[of_g].mul_(2)
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


def accumulate(f: Tensor, c: Tensor, c_0: Tensor, reverse: bool) -> None:
    """c_t ← f_t c_{t-1} + c_t in place, from `before`, the first c_{t-1}.

    f and c: (steps, batch, hidden_size). With few elements a step costs only the call. The steps then go in
    about √steps chunks side by side, as if each started at zero; the running product of f carries every
    chunk's true start into it afterwards. That is three times the arithmetic: with fewer than five chunks
    the plain loop is quicker.
    """
    steps = len(c)
    chunks = math.isqrt(steps)
    if c.device.type == "cpu":
        chunks = min(chunks, CPU_LANES // c_0.numel())
    order = slice(None, None, -1 if reverse else 1)
    rest = steps % chunks if chunks >= 5 else steps
    if rest < steps:
        body = slice(rest, None) if reverse else slice(0, steps - rest)
        c_0 = _accumulate_chunks(f[body].unflatten(0, (chunks, -1)), c[body].unflatten(0, (chunks, -1)), c_0, order)
    if rest:
        tail = slice(0, rest) if reverse else slice(steps - rest, None)
        for c_t, f_t in zip(c[tail].unbind()[order], f[tail].unbind()[order], strict=True):
            c_0 = c_t.addcmul_(f_t, c_0)


def _accumulate_chunks(f: Tensor, c: Tensor, c_0: Tensor, order: slice) -> Tensor:
    """The same for f and c (chunks, steps of a chunk, batch, hidden_size); the last c. `order` reverses both."""
    product = torch.empty_like(f)
    f_steps, c_steps, products = (tensor.unbind(1)[order] for tensor in (f, c, product))
    c_end, f_product = c_steps[0], products[0].copy_(f_steps[0])
    for f_t, c_t, product_t in zip(f_steps[1:], c_steps[1:], products[1:], strict=True):
        c_end = c_t.addcmul_(f_t, c_end)
        f_product = torch.mul(f_t, f_product, out=product_t)
    starts = []
    for end, factor in zip(c_end.unbind()[order], f_product.unbind()[order], strict=True):
        starts.append(c_0)
        c_0 = torch.addcmul(end, factor, c_0)
    c.addcmul_(product, torch.stack(starts[order])[:, None])
    return c_0


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype
