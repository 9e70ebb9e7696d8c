"""Which saddles lie between which stable points: each is pushed off both ways, and followed to where it rests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.analysis.fixed_points.search import FixedPoint
from lstm_core.analysis.fixed_points.step_map import StepMap

PUSH = 1e-3  # length of the first step away from a saddle
ARRIVED = 1e-2  # in every entry: so near a stable point, a state is there
MAX_STEPS = 20_000  # of one push; slow saddles take thousands
CHUNK = 200  # steps between two looks at who has arrived


@dataclass(frozen=True)
class Connection:
    """Where the state goes when it is pushed off a saddle, both ways along one of its unstable directions."""

    saddle: int  # into the points
    ends: tuple[int | None, int | None]  # into the points; None: it comes to no stable point of them


def saddle_connections(
    lstm: nn.LSTM, points: Sequence[FixedPoint], x: np.ndarray | Tensor | None = None
) -> list[Connection]:
    """One Connection for each saddle and each of its unstable directions, a complex pair counted once.

    points: as find_fixed_points gives them for the same module and input.

    Raises:
        PlaygroundError: as StepMap.
    """
    step_map = StepMap(lstm, x)
    saddles, starts = [], []
    for index, point in enumerate(points):
        if point.kind != "saddle":
            continue
        state = torch.from_numpy(np.concatenate([point.h, point.c]))
        values, vectors = torch.linalg.eig(step_map.jacobian(state[None])[0])
        for mode in ((values.abs() >= 1) & (values.imag >= 0)).nonzero().flatten().tolist():
            direction = vectors[:, mode].real
            push = PUSH * direction / direction.norm()
            saddles.append(index)
            starts += [state + push, state - push]
    if not saddles:
        return []
    stable = [index for index, point in enumerate(points) if point.kind == "stable"]
    ends = [None if end is None else stable[end] for end in _ends(step_map, starts, [points[k] for k in stable])]
    return [Connection(saddle, (ends[2 * k], ends[2 * k + 1])) for k, saddle in enumerate(saddles)]


def _ends(step_map: StepMap, starts: list[Tensor], stable: list[FixedPoint]) -> list[int | None]:
    """The stable point that each start comes to by itself."""
    ends: list[int | None] = [None] * len(starts)
    if not stable:
        return ends
    goals = torch.from_numpy(np.stack([np.concatenate([point.h, point.c]) for point in stable]))
    states, on_the_way = torch.stack(starts), torch.arange(len(starts))
    for _ in range(MAX_STEPS // CHUNK):
        for _ in range(CHUNK):
            states = step_map(states)
        distance, nearest = (states[:, None] - goals).abs().amax(dim=2).min(dim=1)
        arrived = distance < ARRIVED
        for start, goal in zip(on_the_way[arrived].tolist(), nearest[arrived].tolist(), strict=True):
            ends[start] = goal
        states, on_the_way = states[~arrived], on_the_way[~arrived]
        if not len(states):
            break
    return ends
