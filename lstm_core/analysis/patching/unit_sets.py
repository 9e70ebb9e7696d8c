"""How many units carry the answer? Several units, or all of c and h, patched at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_core.analysis.patching.effects import exact_effects, taking
from lstm_core.analysis.patching.run_pair import RunPair
from lstm_core.experiment import STATES, PlaygroundError


@dataclass(frozen=True)
class BestUnits:
    """units: the best one first; effects[k]: what the first k+1 of them carry together, patched at once."""

    units: tuple[int, ...]
    effects: tuple[float, ...]
    step: int  # of the input, at which they were patched
    tensor: str

    def needed(self, share: float = 0.9) -> int | None:
        """How many of them carry so much of the answer; None if these do not."""
        return next((k + 1 for k, effect in enumerate(self.effects) if effect >= share), None)


@torch.no_grad()
def set_effect(
    pair: RunPair, steps: Collection[int], units: Sequence[int] | None = None, tensors: Sequence[str] = STATES
) -> float:
    """The effect of A's values of these units of all these tensors at all these steps of the input; None: all units."""
    mask = None
    if units is not None:
        size = min(pair.b[name].shape[1] for name in tensors)
        if not set(units) <= set(range(size)):
            raise PlaygroundError(f"There is no unit {max(units)}: choose from 0 to {size - 1}.")
        mask = torch.zeros(1, size, dtype=torch.bool)
        mask[0, list(units)] = True
    return float(_set_effects(pair, steps, tensors, mask)[0])


def _set_effects(pair: RunPair, steps: Collection[int], tensors: Sequence[str], masks: Tensor | None) -> Tensor:
    """(rows,); masks: (rows, units) bool, None for all units in a single row."""
    positions = {int(at) for at in pair.positions(torch.tensor(list(steps), dtype=torch.long)) if at <= pair.read}
    masks = torch.ones(1, 1, dtype=torch.bool) if masks is None else masks
    if not positions:
        return torch.zeros(len(masks))
    first = min(positions)
    h, c = (before[first].expand(len(masks), -1) for before in pair.before)
    for t in range(first, pair.read + 1):
        h, c = pair.advance(t, h, c, taking(pair, t, tensors, masks) if t in positions else None)
    return pair.effects(h)


def last_difference(x_a: Tensor, x_b: Tensor) -> int:
    """The last step at which the two inputs differ, 0 if none: from it on c and h alone carry the difference."""
    differs = (x_a != x_b).any(1).nonzero()
    return int(differs[-1]) if len(differs) else 0


@torch.no_grad()
def best_units(pair: RunPair, step: int, tensor: str = "c", count: int = 8, method: str = "greedy") -> BestUnits:
    """The units that carry most of the difference at one step of the input.

    method: "greedy" adds the unit that brings the prediction nearest to A's, given those before; "rank" takes them in
    the order of their effects one by one.

    Raises:
        PlaygroundError: there is no such step, tensor or method.
    """
    if step not in range(pair.seq_len):
        raise PlaygroundError(f"There is no step {step}: choose one of 0 to {pair.seq_len - 1}.")
    single = exact_effects(pair, tensor, (step,))[0]  # (units,)
    count = min(count, len(single))
    if method == "rank":
        order = np.argsort(-single, kind="stable")[:count]
        masks = torch.zeros(count, len(single), dtype=torch.bool)
        for k in range(count):
            masks[k, order[: k + 1]] = True
        effects = _set_effects(pair, (step,), (tensor,), masks)
        return BestUnits(tuple(order.tolist()), tuple(effects.tolist()), step, tensor)
    if method != "greedy":
        raise PlaygroundError(f"There is no method {method!r}: choose greedy or rank.")
    chosen, carried = [], []
    for _ in range(count):
        left = [unit for unit in range(len(single)) if unit not in chosen]
        masks = torch.zeros(len(left), len(single), dtype=torch.bool)
        masks[:, chosen] = True
        masks[range(len(left)), left] = True
        effects = _set_effects(pair, (step,), (tensor,), masks)
        best = int((effects - 1).abs().argmin())
        chosen.append(left[best])
        carried.append(float(effects[best]))
    return BestUnits(tuple(chosen), tuple(carried), step, tensor)
