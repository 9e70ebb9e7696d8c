"""Fixed points of an LSTM at a constant input: the states in which it rests, and those from which it hardly moves.

Sussillo & Barak (2013), "Opening the Black Box", minimise q = ½‖F(s) − s‖² from many starts; Golub & Sussillo (2018)
give the rules of what is kept. Here batched Levenberg–Marquardt steps solve the reduced equations of step_map instead,
and q is then checked in the whole state. What is found is never known to be all there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.analysis.fixed_points.step_map import StepMap
from lstm_core.experiment import PlaygroundError

MAX_Q = 1e-12  # of a fixed point
MAX_SLOW_Q = 1e-4
SAME = 1e-3  # states closer than this in every entry are one
NOISE = 0.5  # added to the states that the search starts from
FAR = 3.0  # times the largest |c| among the states that it starts from: what lies further out is dropped
N_STARTS = 1024
RANDOM_SEQUENCES, RANDOM_STEPS = 64, 64  # of normal inputs, whose states are starts where none are given
MAX_STEPS = 200  # of Levenberg–Marquardt
CHUNK = 1 << 24  # numbers of the Jacobians at once


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """A state in which one step at the constant input changes nothing, or hardly anything; float64.

    q is ½‖F(s) − s‖² of the state s = (h, c). eigenvalues: of F's Jacobian there, (h_size + hidden_size,) complex, the
    largest |λ| first. stable: it is a fixed point and all |λ| < 1, so that every small push away from it dies out.
    """

    h: np.ndarray  # (proj_size or hidden_size,)
    c: np.ndarray  # (hidden_size,)
    q: float
    eigenvalues: np.ndarray
    stable: bool

    @property
    def is_slow(self) -> bool:
        """Whether it still moves: no fixed point, but the state stays near it for long."""
        return self.q >= MAX_Q

    @property
    def n_unstable(self) -> int:
        """Directions in which a small push grows: 0 of a stable point, 1 or more of a saddle."""
        return int((np.abs(self.eigenvalues) >= 1).sum())

    @property
    def kind(self) -> str:
        """ "stable", "saddle" or "slow"."""
        if self.is_slow:
            return "slow"
        return "stable" if self.stable else "saddle"

    @property
    def time_constants(self) -> np.ndarray:
        """−1 / ln|λ| of the eigenvalues below 1 in steps, the longest first: after so many a push has fallen to 1/e."""
        sizes = np.abs(self.eigenvalues)
        with np.errstate(divide="ignore"):
            return -1 / np.log(np.sort(sizes[sizes < 1])[::-1])


def find_fixed_points(
    lstm: nn.LSTM,
    x: np.ndarray | Tensor | None = None,
    starts: np.ndarray | Tensor | None = None,
    n_starts: int = N_STARTS,
    seed: int = 0,
    slow: bool = False,
) -> list[FixedPoint]:
    """The fixed points that a search from many states finds, stable ones first, then by the number of unstable
    directions.

    lstm: one layer, one direction, with or without bias and proj_size. x: (input_size,), the constant input in the
    units that the module reads; None: zeros. starts: (n, h_size) hidden states, or (n, h_size + hidden_size) with c
    beside them, such as those of real windows; None: states along random inputs. n_starts of them are drawn, with
    normal noise of 0.5. slow: also points with q from 1e-12 to 1e-4, last. The module is left as it was.

    Raises:
        PlaygroundError: the module, x or starts do not fit.
    """
    step_map = StepMap(lstm, x)
    if n_starts < 1:
        raise PlaygroundError(f"n_starts is {n_starts}: choose a whole number from 1.")
    generator = torch.Generator().manual_seed(seed)
    states = random_states(lstm, seed) if starts is None else _given(step_map, starts)
    drawn = states[torch.randint(len(states), (n_starts,), generator=generator)]
    drawn = drawn + NOISE * torch.randn(drawn.shape, generator=generator, dtype=torch.float64)
    drawn[:, : step_map.h_size].clamp_(-1, 1)
    h = minimise(step_map.residual, step_map.residual_jacobian, drawn[:, : step_map.h_size])
    resting = step_map.resting_states(h)
    limit = FAR * max(1.0, float(step_map.split(states)[1].abs().max()))
    points = _kept(step_map, resting, limit, 0.0, MAX_Q)
    if slow:
        moving = drawn[~(step_map.speed(resting) < MAX_Q)]

        def residual(s: Tensor) -> Tensor:
            return step_map(s) - s

        def jacobian(s: Tensor) -> Tensor:
            return step_map.jacobian(s) - torch.eye(s.shape[1], dtype=torch.float64)

        points += _kept(step_map, minimise(residual, jacobian, moving), limit, MAX_Q, MAX_SLOW_Q)
    return points


@torch.no_grad()
def random_states(lstm: nn.LSTM, seed: int = 0) -> Tensor:
    """(n, h_size + hidden_size) float64: states of a one-layer LSTM along sequences of standard normal inputs."""
    generator = torch.Generator().manual_seed(seed)
    weight = lstm.weight_ih_l0
    h_size = lstm.proj_size or lstm.hidden_size
    h = torch.zeros(1, RANDOM_SEQUENCES, h_size, dtype=weight.dtype, device=weight.device)
    c = torch.zeros(1, RANDOM_SEQUENCES, lstm.hidden_size, dtype=weight.dtype, device=weight.device)
    states = []
    for _ in range(RANDOM_STEPS):
        inputs = torch.randn(RANDOM_SEQUENCES, 1, lstm.input_size, generator=generator).to(weight)
        _, (h, c) = lstm(inputs if lstm.batch_first else inputs.transpose(0, 1), (h, c))
        states.append(torch.cat([h[0], c[0]], dim=1))
    return torch.cat(states).double().cpu()


def minimise(residual: Callable[[Tensor], Tensor], jacobian: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """Levenberg–Marquardt on ½‖residual‖² from every row of start (n, size) at once: where each of them ended.

    residual: (n, size) → (n, size); jacobian: (n, size) → (n, size, size). A row is left alone once its residual is at
    the precision of float64, or once no step makes it smaller.
    """
    size = start.shape[1]
    rows = max(1, CHUNK // size**2)
    return torch.cat([_minimise(residual, jacobian, chunk) for chunk in start.split(rows)]) if len(start) else start


def _minimise(residual: Callable[[Tensor], Tensor], jacobian: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    x = start.clone()
    value = residual(x)
    loss = value.square().sum(dim=1)
    damping = torch.full_like(loss, 1e-2)
    identity = torch.eye(x.shape[1], dtype=x.dtype)
    for _ in range(MAX_STEPS):
        rows = ((loss > 1e-28) & (damping < 1e10) & loss.isfinite()).nonzero().flatten()
        if not len(rows):
            break
        at, of_at = x[rows], value[rows]
        slopes = jacobian(at)
        normal = slopes.mT @ slopes + damping[rows, None, None] * identity
        step, failed = torch.linalg.solve_ex(normal, (slopes.mT @ of_at[:, :, None])[:, :, 0])
        moved = at - step
        after = residual(moved)
        loss_after = after.square().sum(dim=1)
        is_better = (failed == 0) & (loss_after < loss[rows])  # False for NaN
        better = rows[is_better]
        x[better], value[better], loss[better] = moved[is_better], after[is_better], loss_after[is_better]
        damping[rows] = torch.where(is_better, (damping[rows] * 0.1).clamp_min(1e-14), damping[rows] * 4)
    return x


def _given(step_map: StepMap, starts: np.ndarray | Tensor) -> Tensor:
    """Starts with their c; where none is given, the c at which they would rest, or 0 if there is no such."""
    states = torch.as_tensor(starts).detach().cpu().double()
    whole = step_map.h_size + step_map.hidden_size
    if states.dim() != 2 or not len(states) or states.shape[1] not in (step_map.h_size, whole):
        raise PlaygroundError(
            f"starts has shape {tuple(states.shape)}: give at least one row of {step_map.h_size} numbers, h, or of "
            f"{whole}, h and c."
        )
    if not states.isfinite().all():
        raise PlaygroundError("starts has values that are not finite: leave those rows out.")
    return states if states.shape[1] == whole else step_map.resting_states(states).nan_to_num(0.0, 0.0, 0.0)


def _kept(step_map: StepMap, states: Tensor, limit: float, min_q: float, max_q: float) -> list[FixedPoint]:
    """Those of the states with a q in [min_q, max_q) and no |c| beyond the limit, each once."""
    near = states[(states[:, step_map.h_size :].abs() <= limit).all(dim=1)]  # NaN is not near
    q = step_map.speed(near)
    inside = (q >= min_q) & (q < max_q)
    near, q = near[inside], q[inside]
    near = near[q.argsort()]
    unique: list[Tensor] = []
    while len(near):
        unique.append(near[0])
        near = near[(near - near[0]).abs().amax(dim=1) >= SAME]
    if not unique:
        return []
    found = torch.stack(unique)
    points = []
    values = torch.linalg.eigvals(step_map.jacobian(found))
    for state, speed, eigenvalues in zip(found, step_map.speed(found).tolist(), values.numpy(), strict=True):
        h, c = (part[0].numpy().copy() for part in step_map.split(state[None]))
        eigenvalues = eigenvalues[np.argsort(-np.abs(eigenvalues), kind="stable")]
        points.append(FixedPoint(h, c, speed, eigenvalues, speed < MAX_Q and bool(np.abs(eigenvalues[0]) < 1)))
    return sorted(points, key=lambda point: (point.n_unstable, *np.round(point.h, 3).tolist()))
