"""Snapshots of a run's weights, at steps spaced evenly on a log scale, so that learning can be replayed.

A run learns most in its first steps and its length is not known in advance: snapshots are taken whenever the step
has grown by a twentieth, and thinned as they become too many. Knows no trainer, no model and no file.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lstm_core.experiment import MAX_SNAPSHOTS
from lstm_core.model.recurrent import SequenceModel

BUDGET = 64 << 20  # bytes of all of them: a large model has fewer, and a server keeps many runs
SPACING = 20  # a snapshot is taken whenever the step has grown by one part in so many


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All parameters after `step` optimiser steps, one after the other, and the gradients of that last step.

    weights and gradients: (all parameters,), float32, on the CPU; gradients None before the first step and in a
    snapshot read from a file.
    """

    step: int
    weights: Tensor
    gradients: Tensor | None = None


class SnapshotBuffer:
    """At most MAX_SNAPSHOTS: the first and the last one taken always, between them the most evenly spaced.

    One thread appends; any thread may read.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._kept: list[Snapshot] = []  # by step; replaced and never altered, for the sake of readers
        self._budget = budget
        self.listener: Callable[[Snapshot | int], None] | None = None  # is told what is appended, and drop_from's step
        self.next_step = 0  # the next step to take one at

    @property
    def steps(self) -> list[int]:
        return [snapshot.step for snapshot in self._kept]

    def append(self, snapshot: Snapshot) -> None:
        """Keep this one; any of this step or later gives way. The tensors are not copied."""
        kept = [*(earlier for earlier in self._kept if earlier.step < snapshot.step), snapshot]
        if self.listener is not None:
            self.listener(snapshot)
        size = snapshot.weights.nbytes * (1 if snapshot.gradients is None else 2)
        self._kept = thin_log_spaced(kept, max(2, min(MAX_SNAPSHOTS, self._budget // max(1, size))))
        self.next_step = snapshot.step + max(1, snapshot.step // SPACING)

    def up_to(self, step: int) -> SnapshotBuffer:
        """Another buffer of those of this step and before."""
        buffer = SnapshotBuffer(self._budget)
        for snapshot in self._kept:
            if snapshot.step <= step:
                buffer.append(snapshot)
        return buffer

    def nearest(self, step: int) -> Snapshot:
        """The one of this step or, if there is none any more, the nearest to it."""
        return min(self._kept, key=lambda snapshot: abs(snapshot.step - step))

    def drop_from(self, step: int) -> None:
        """Drop those of this step and later, but never the first."""
        if self.listener is not None:
            self.listener(step)
        kept = self._kept
        self._kept = kept[: max(1, bisect_left(kept, step, key=lambda snapshot: snapshot.step))]

    def to_tensors(self, max_bytes: int) -> tuple[Tensor, Tensor]:
        """For a file: steps (n,) int64 and weights (n, all parameters), as many as fit; gradients are left out."""
        kept = self._kept
        max_count = max_bytes // kept[0].weights.nbytes if kept else 0
        kept = thin_log_spaced(kept, max_count) if max_count >= 2 else []
        if not kept:
            return torch.empty(0, dtype=torch.int64), torch.empty(0, 0)
        return torch.tensor([s.step for s in kept]), torch.stack([s.weights for s in kept])

    @staticmethod
    def from_tensors(steps: Tensor, weights: Tensor) -> SnapshotBuffer:
        """The inverse of to_tensors."""
        buffer = SnapshotBuffer()
        for step, row in zip(steps.tolist(), weights, strict=True):
            buffer.append(Snapshot(step, row))
        return buffer


def thin_log_spaced(snapshots: list[Snapshot], max_count: int) -> list[Snapshot]:
    """At most max_count of them (two at least): the first, the last, and between them the most evenly spaced in log."""
    snapshots = list(snapshots)
    while len(snapshots) > max(2, max_count):
        logs = [math.log1p(snapshot.step) for snapshot in snapshots]
        gaps = [following - previous for (previous, following) in zip(logs, logs[2:], strict=False)]
        del snapshots[1 + gaps.index(min(gaps))]
    return snapshots


@dataclass(frozen=True, eq=False)
class ModelSnapshot:
    """A run's model as it was after one optimiser step: a copy on the CPU, in eval mode.

    gradients: of that step, after clipping, by the model's own names; None before the first step and where they
    are not known, as in a model that came from a file.
    """

    step: int
    model: SequenceModel
    gradients: dict[str, Tensor] | None

    @property
    def flat_weights(self) -> Tensor:
        """All weights one after the other, as a snapshot has them."""
        return torch.cat([p.detach().flatten() for p in self.model.parameters()])
