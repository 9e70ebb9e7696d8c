"""One step of an nn.LSTM's only layer at a constant input, as a map of its state, with its Jacobian; float64.

With a = W x + U h + b, the gates i, f, o = σ(a), g = tanh(a), and P = weight_hr (the identity without proj_size):

    F(h, c) = (P (o ⊙ tanh c'), c')        c' = f ⊙ c + i ⊙ g

At a fixed point c = c', so c = i ⊙ g / (1 − f) follows from h, and only as many equations are left as h has entries:

    G(h) = P (o ⊙ tanh(i ⊙ g / (1 − f))) − h = 0

States are rows (h, c) side by side. Nothing here searches.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.experiment import PlaygroundError


class StepMap:
    """F and G of one LSTM at one input. h_size: entries of h, which are proj_size or hidden_size."""

    def __init__(self, lstm: nn.LSTM, x: np.ndarray | Tensor | None = None) -> None:
        """x: (input_size,), in the units that the module reads; None: zeros.

        Raises:
            PlaygroundError: no nn.LSTM, more than one layer, two directions, weights that are not finite, or an x of
                another shape.
        """
        if not isinstance(lstm, nn.LSTM):
            raise PlaygroundError(f"Fixed points need a torch.nn.LSTM, but this is a {type(lstm).__name__}.")
        if lstm.bidirectional:
            raise PlaygroundError(
                "A bidirectional LSTM reads the window from both ends and has no state that runs on: find fixed points "
                "of a model with one direction."
            )
        if lstm.num_layers > 1:
            raise PlaygroundError(
                f"This LSTM has {lstm.num_layers} layers: fixed points are found for one. Choose a model with one "
                "layer."
            )
        weight_ih, weight_hh, *others = [parameter.detach().cpu().double() for parameter in lstm.all_weights[0]]
        bias = others[0] + others[1] if lstm.bias else torch.zeros(len(weight_ih), dtype=torch.float64)
        self.hidden_size, self.h_size = lstm.hidden_size, lstm.proj_size or lstm.hidden_size
        self.weight_hr = others[-1] if lstm.proj_size else None  # (proj_size, hidden_size)
        self._recurrent = weight_hh
        self._offset = bias + weight_ih @ _constant_input(x, lstm.input_size)  # (4·hidden_size,)
        if not all(tensor.isfinite().all() for tensor in (weight_hh, self._offset)):
            raise PlaygroundError("The LSTM's weights or the input are not finite: its training failed.")

    def __call__(self, states: Tensor) -> Tensor:
        """F: (n, h_size + hidden_size) → the states one step later."""
        h, c = self.split(states)
        i, f, g, o = self._gates(h)
        c = f * c + i * g
        return torch.cat([self._projected(o * c.tanh()), c], dim=1)

    def split(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """h and c of states side by side."""
        return states[:, : self.h_size], states[:, self.h_size :]

    def resting_states(self, h: Tensor) -> Tensor:
        """(n, h_size) → the states with the c at which it would stay if h did; not finite where f is 1."""
        return torch.cat([h, self._resting_c(h)], dim=1)

    def residual(self, h: Tensor) -> Tensor:
        """G: (n, h_size) → (n, h_size)."""
        o = self._gates(h)[3]
        return self._projected(o * self._resting_c(h).tanh()) - h

    def residual_jacobian(self, h: Tensor) -> Tensor:
        """∂G/∂h: (n, h_size, h_size)."""
        i, f, g, o = self._gates(h)
        c = self._resting_c(h)
        closing = self._closing(h)
        by_gate = (i * (1 - i) * g / closing, c * f, i * (1 - g**2) / closing)  # ∂c/∂a of i, f and g
        tanh_c = c.tanh()
        slope = o * (1 - tanh_c**2)
        scale = torch.stack([*(slope * part for part in by_gate), o * (1 - o) * tanh_c], dim=1)  # (n, 4, hidden_size)
        d_output = self._by_pre_activations(scale)
        if self.weight_hr is not None:
            d_output = self.weight_hr @ d_output
        return d_output - torch.eye(self.h_size, dtype=torch.float64)

    def jacobian(self, states: Tensor) -> Tensor:
        """∂F/∂(h, c): (n, h_size + hidden_size, h_size + hidden_size)."""
        h, c = self.split(states)
        i, f, g, o = self._gates(h)
        tanh_c = (f * c + i * g).tanh()
        slope = o * (1 - tanh_c**2)
        by_gate = torch.stack([i * (1 - i) * g, f * (1 - f) * c, i * (1 - g**2), torch.zeros_like(o)], dim=1)
        c_by_h, c_by_c = self._by_pre_activations(by_gate), torch.diag_embed(f)
        of_o = torch.zeros_like(by_gate)
        of_o[:, 3] = o * (1 - o) * tanh_c
        h_by_h = slope[:, :, None] * c_by_h + self._by_pre_activations(of_o)
        h_by_c = torch.diag_embed(slope * f)
        if self.weight_hr is not None:
            h_by_h, h_by_c = self.weight_hr @ h_by_h, self.weight_hr @ h_by_c
        return torch.cat([torch.cat([h_by_h, h_by_c], dim=2), torch.cat([c_by_h, c_by_c], dim=2)], dim=1)

    def speed(self, states: Tensor) -> Tensor:
        """q = ½‖F(s) − s‖² of each state (Sussillo & Barak 2013): (n,)."""
        return 0.5 * (self(states) - states).square().sum(dim=1)

    def _pre_activations(self, h: Tensor) -> Tensor:
        """(n, 4, hidden_size), in PyTorch's order i, f, g, o."""
        return (h @ self._recurrent.T + self._offset).unflatten(1, (4, -1))

    def _gates(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = self._pre_activations(h).unbind(1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()

    def _closing(self, h: Tensor) -> Tensor:
        """1 − f, with all its digits where f is nearly 1."""
        return (-self._pre_activations(h)[:, 1]).sigmoid()

    def _resting_c(self, h: Tensor) -> Tensor:
        i, _, g, _ = self._gates(h)
        return i * g / self._closing(h)

    def _projected(self, output: Tensor) -> Tensor:
        return output if self.weight_hr is None else output @ self.weight_hr.T

    def _by_pre_activations(self, scale: Tensor) -> Tensor:
        """Σ over the gates of diag(scale) U: (n, 4, hidden_size) → (n, hidden_size, h_size)."""
        return torch.einsum("nku,kuh->nuh", scale, self._recurrent.unflatten(0, (4, -1)))


def _constant_input(x: np.ndarray | Tensor | None, input_size: int) -> Tensor:
    if x is None:
        return torch.zeros(input_size, dtype=torch.float64)
    constant = torch.as_tensor(x).detach().cpu().double()
    if constant.shape != (input_size,):
        raise PlaygroundError(
            f"The constant input has shape {tuple(constant.shape)}, but this LSTM reads {input_size} numbers a step: "
            f"give ({input_size},)."
        )
    return constant
