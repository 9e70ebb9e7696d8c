"""How far back a prediction looks: its derivative with respect to every x_t, h_t and c_t of a window.

The derivatives are total, over all paths, and exact: backpropagation through time written out over the
replayed gates, one pass back for all steps. With δ for ∂ŷ/∂, a for a gate's pre-activation and "above" for
what the head or the next layer reads of h_t, an LSTM's adjoint equations (Hochreiter & Schmidhuber 1997;
Gers, Schmidhuber & Cummins 2000) are

    δh_t = above_t + Uᵀ δa_{t+1}        δc_t = f_{t+1} ⊙ δc_{t+1} + o_t ⊙ (1 − tanh² c_t) ⊙ δm_t
    δa_t = [g i(1−i) δc, c_{t−1} f(1−f) δc, i (1−g²) δc, tanh(c) o(1−o) δm]_t        δx_t = Wᵀ δa_t

where U is weight_hh, W weight_ih, and δm is δh, or weight_hrᵀ δh if proj_size is set. nn.RNN and nn.GRU have h
alone. All of it is computed on the CPU in float64, from a copy: what vanishes in float32 can still be drawn
here. No plotting and no training here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstm_core.experiment import GATES, PlaygroundError
from lstm_core.model.recurrent import SequenceModel
from lstm_core.trace.gate_trace import GateTrace, trace_lstm

_NATIVE = {"RNN_TANH": torch.rnn_tanh, "RNN_RELU": torch.rnn_relu, "GRU": torch.gru}


@dataclass(frozen=True, eq=False)
class GradientHorizon:
    """Gradient norms of one output at the end of a window with respect to its steps; float64, indexed by input time.

    d_x is |∂ŷ/∂x_t| over the features, d_h and d_c are |∂ŷ/∂h_t| and |∂ŷ/∂c_t| over the units (Euclidean
    norms). unit_forget_product is f_{t+1} ⊙ … ⊙ f_end, the share of c_t that the forget gates alone leave at
    the end of what the direction reads (1 at its last step; direction 1 ends at the window's first step).
    time_constants is −1 / ln(mean of f over the window), in steps: after so many, a unit that keeps that mean
    share at each step keeps 1/e; inf where f is 1 throughout, 0 where it is 0. What belongs to c is None for
    nn.RNN and nn.GRU.
    """

    d_x: np.ndarray  # (batch, seq_len)
    d_h: np.ndarray  # (num_layers, num_directions, batch, seq_len)
    d_c: np.ndarray | None = None  # (num_layers, num_directions, batch, seq_len)
    unit_forget_product: np.ndarray | None = None  # (num_layers, num_directions, batch, seq_len, hidden_size)
    time_constants: np.ndarray | None = None  # (num_layers, num_directions, batch, hidden_size)

    @property
    def forget_product(self) -> np.ndarray | None:
        """(num_layers, num_directions, batch, seq_len): the mean of unit_forget_product over the units."""
        return None if self.unit_forget_product is None else self.unit_forget_product.mean(-1)


def memory_horizon(model: SequenceModel, x: Tensor, output_index: int = 0) -> GradientHorizon:
    """How far back `model` looks for one of its outputs, in eval mode, whatever mode it is in.

    x: (batch, seq_len, input_size), whatever batch_first says. output_index: which number of a regression, or
    which class, whose logit is then meant; for head "per_step" it is the last step's. The model is left as it was.

    Raises:
        PlaygroundError: x does not fit the model, or there is no such output.
    """
    direct = None
    if model.spec.linear_skip and output_index in range(model.head.out_features):
        direct = model.skip.weight[output_index].view(-1, model.recurrent.input_size)
    per_step = model.spec.head == "per_step"
    return horizon_of_module(model.recurrent, model.head, x, output_index, per_step, direct)


@torch.no_grad()
def horizon_of_module(
    module: nn.LSTM | nn.GRU | nn.RNN,
    head: nn.Linear,
    x: Tensor,
    output_index: int = 0,
    per_step: bool = False,
    direct: Tensor | None = None,
) -> GradientHorizon:
    """The same for any nn.LSTM, nn.GRU or nn.RNN under a linear head, so that cells can be compared.

    x: (batch, seq_len, input_size), whatever batch_first says; the states start at zero. The head reads the
    top layer's h_n, all directions side by side, or with head "per_step" the last step of its output, of which the
    reverse direction has seen one step only. direct: (steps, input_size), the output's derivative by what else adds to
    it, aligned at the end: a linear skip's weights. Neither module is touched.

    Raises:
        PlaygroundError: another kind of module, or a head, x or output_index that does not fit it.
    """
    _check(module, head, x, output_index)
    module = copy.deepcopy(module).cpu().double().eval()
    module.batch_first = False
    steps = x.detach().cpu().double().transpose(0, 1)  # (seq_len, batch, input_size)
    trace = trace_lstm(module, steps) if isinstance(module, nn.LSTM) else None
    signals = _hidden_signals(module, steps) if trace is None else _lstm_signals(trace)
    directions = 2 if module.bidirectional else 1
    seed = head.weight[output_index].cpu().double().unflatten(0, (directions, -1))
    above = steps.new_zeros(*steps.shape[:2], *seed.shape)  # (seq_len, batch, num_directions, h_size)
    above[-1, :, 0] = seed[0]
    if module.bidirectional:
        above[-1 if per_step else 0, :, 1] = seed[1]
    norms = np.empty((2, module.num_layers, directions, *x.shape[:2]))  # of δh and, if there is one, δc
    for layer in reversed(range(module.num_layers)):
        below = 0.0
        for direction in range(directions):
            row = layer * directions + direction
            weights, read = module.all_weights[row], _turned(above[:, :, direction], direction)
            d_states, d_a = _BACK[module.mode](weights, signals[row], read)
            for k, d in enumerate(d_states):
                norms[k, layer, direction] = _norm(_turned(d, direction))
            below = below + _turned(d_a, direction) @ weights[0]
        above = below.unflatten(2, (directions, -1)) if layer else below
    if direct is not None:
        last = min(len(above), len(direct))
        above[len(above) - last :] += direct[len(direct) - last :].detach().cpu().double()[:, None]
    d_x = _norm(above).numpy()
    if trace is None:
        return GradientHorizon(d_x, norms[0])
    time_constants = trace.f.mean(3).log().abs().reciprocal()  # not −1 / ln: at f = 1 that is −1 / +0 = −inf
    return GradientHorizon(d_x, *norms, _forget_product(trace.f), time_constants.numpy())


def steps_until_faded(curve: np.ndarray, share: float = 0.5) -> int:
    """How many steps before the end a gradient has fallen below `share` of its largest, for good.

    curve: (seq_len,) norms by input time, such as `horizon.d_x[0]`; turn a reverse direction's round first.
    Every step so far back, or further, is below share · max(curve). seq_len means that not even the first step
    is: it looks back over the whole window, and perhaps further; 0 that the curve is zero throughout.

    Raises:
        PlaygroundError: the curve is not one of finite numbers.
    """
    if curve.ndim != 1 or not np.isfinite(curve).all():
        raise PlaygroundError(
            f"The gradient curve, of shape {curve.shape}, must be one line of finite numbers: choose one window, "
            "and if its gradient is NaN or infinite, go back to weights from before the training diverged."
        )
    strong = np.flatnonzero((curve >= share * curve.max(initial=0)) & (curve > 0))
    return len(curve) - int(strong[0]) if len(strong) else 0


def _check(module: nn.Module, head: nn.Module, x: Tensor, output_index: int) -> None:
    if not isinstance(module, nn.LSTM | nn.GRU | nn.RNN):
        raise PlaygroundError(
            f"The recurrent module is a {type(module).__name__}: pass a torch.nn.LSTM, nn.GRU or nn.RNN."
        )
    width = (module.proj_size or module.hidden_size) * (2 if module.bidirectional else 1)
    if not isinstance(head, nn.Linear) or head.in_features != width:
        raise PlaygroundError(f"The head is {head}: pass the nn.Linear that reads these {width} values of h.")
    shape = tuple(x.shape) if isinstance(x, Tensor) else ()
    if len(shape) != 3 or shape[2] != module.input_size or 0 in shape:
        raise PlaygroundError(
            f"x is a {type(x).__name__} of shape {shape}: pass a Tensor (batch, seq_len, {module.input_size}) with "
            "at least one window and one step."
        )
    if output_index not in range(head.out_features):
        raise PlaygroundError(f"There is no output {output_index}: choose one of 0 to {head.out_features - 1}.")


def _norm(d: Tensor) -> Tensor:
    """(batch, seq_len): the Euclidean norm of (seq_len, batch, -1), whose squares may not fit a float64."""
    largest = d.abs().amax(2).clamp_min(torch.finfo(d.dtype).tiny)
    return ((d / largest[:, :, None]).norm(dim=2) * largest).T


def _turned(sequence: Tensor, direction: int) -> Tensor:
    """(seq_len, ...) from the input's time to the order of reading, or back."""
    return sequence.flip(0) if direction else sequence


def _lstm_signals(trace: GateTrace) -> list[tuple[Tensor, ...]]:
    """By layer and direction: i, f, g, o and c as read, each (seq_len, batch, hidden_size)."""
    gates = [trace.gate(name).transpose(2, 3).flatten(0, 1) for name in (*GATES, "c")]
    rows = enumerate(zip(*gates, strict=True))
    return [tuple(_turned(sequence, row % trace.f.shape[1]) for sequence in of_row) for row, of_row in rows]


def _hidden_signals(module: nn.GRU | nn.RNN, x: Tensor) -> list[tuple[Tensor, ...]]:
    """By layer and direction: what it reads and its h, both as read, each (seq_len, batch, -1)."""
    directions = 2 if module.bidirectional else 1
    h_0 = x.new_zeros(directions, x.shape[1], module.hidden_size)
    settings = (module.bias, 1, 0.0, False, module.bidirectional, False)
    signals = []
    for layer in range(module.num_layers):
        rows = module.all_weights[layer * directions : (layer + 1) * directions]
        output, _ = _NATIVE[module.mode](x, h_0, [weight for row in rows for weight in row], *settings)
        for direction, h in enumerate(output.chunk(directions, 2)):
            signals.append((_turned(x, direction), _turned(h, direction)))
        x = output
    return signals


# What goes back through one layer and direction, as read: (δh,) or (δh, δc), and δa of what weight_ih makes.
_Back = tuple[tuple[Tensor, ...], Tensor]


def _back_lstm(weights: list[Tensor], signals: tuple[Tensor, ...], above: Tensor) -> _Back:
    i, f, g, o, c = signals
    weight_hh = weights[1]
    weight_hr = weights[-1] if above.shape[2] < c.shape[2] else None  # a projection is narrower than c
    c_before, tanh_c = F.pad(c[:-1], (0, 0, 0, 0, 1, 0)), c.tanh()
    h_to_c = o * (1 - tanh_c * tanh_c)
    slopes = g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)
    slopes = torch.stack(slopes, 2)  # (seq_len, batch, 4, hidden_size)
    d_h, d_c, d_a = torch.empty_like(above), torch.empty_like(h_to_c), torch.empty_like(slopes)
    to_h, to_c = torch.zeros_like(above[0]), torch.zeros_like(c[0])  # what the step after sends back
    for t in reversed(range(len(c))):
        d_m = torch.add(above[t], to_h, out=d_h[t])
        if weight_hr is not None:
            d_m = d_m @ weight_hr
        torch.addcmul(to_c, d_m, h_to_c[t], out=d_c[t])
        torch.mul(slopes[t], d_c[t][:, None], out=d_a[t])
        torch.mul(slopes[t, :, 3], d_m, out=d_a[t, :, 3])
        to_h, to_c = d_a[t].flatten(1) @ weight_hh, f[t] * d_c[t]
    return (d_h, d_c), d_a.flatten(2)


def _back_gru(weights: list[Tensor], signals: tuple[Tensor, ...], above: Tensor) -> _Back:
    """h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}, n = tanh(W x + r ⊙ (U h_{t−1} + b)): PyTorch's GRU, rows r, z, n."""
    x, h = signals
    h_before = F.pad(h[:-1], (0, 0, 0, 0, 1, 0))
    r_x, z_x, n_x = F.linear(x, weights[0], *weights[2:3]).chunk(3, 2)
    r_h, z_h, n_h = F.linear(h_before, weights[1], *weights[3:4]).chunk(3, 2)
    r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
    n = (n_x + r * n_h).tanh()
    slope_n = (1 - z) * (1 - n * n)
    slope_r, slope_z = slope_n * n_h * r * (1 - r), (h_before - n) * z * (1 - z)
    d_h = _back_h(torch.stack([slope_r, slope_z, slope_n * r], 2), z, weights[1], above)
    return (d_h,), torch.cat([slope_r * d_h, slope_z * d_h, slope_n * d_h], 2)


def _back_rnn(
    slope_of: Callable[[Tensor], Tensor], weights: list[Tensor], signals: tuple[Tensor, ...], above: Tensor
) -> _Back:
    slope = slope_of(signals[1])
    d_h = _back_h(slope[:, :, None], torch.zeros_like(slope), weights[1], above)
    return (d_h,), slope * d_h


def _back_h(slopes: Tensor, keep: Tensor, weight_hh: Tensor, above: Tensor) -> Tensor:
    """δh, (seq_len, batch, hidden_size), where h reaches the next step through gates and by `keep` alone.

    slopes: (seq_len, batch, gates, hidden_size), of what a gate of step t sends back to weight_hh h_{t−1}.
    """
    d_h = torch.empty_like(above)
    to_h = torch.zeros_like(above[0])  # what the step after sends back
    for t in reversed(range(len(above))):
        d_t = torch.add(above[t], to_h, out=d_h[t])
        to_h = torch.addmm(keep[t] * d_t, (slopes[t] * d_t[:, None]).flatten(1), weight_hh)
    return d_h


_BACK = {
    "LSTM": _back_lstm,
    "GRU": _back_gru,
    "RNN_TANH": partial(_back_rnn, lambda h: 1 - h * h),
    "RNN_RELU": partial(_back_rnn, lambda h: (h > 0).to(h.dtype)),
}


def _forget_product(f: Tensor) -> np.ndarray:
    """Horizon.unit_forget_product from f (num_layers, num_directions, batch, seq_len, hidden_size)."""
    product = torch.ones_like(f)
    product[:, 0, :, :-1] = f[:, 0, :, 1:].flip(2).cumprod(2).flip(2)
    product[:, 1:, :, 1:] = f[:, 1:, :, :-1].cumprod(3)
    return product.numpy()
