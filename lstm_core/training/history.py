"""Curves of any length in bounded memory, of even buckets, in which no spike is lost.

Buckets of unequal size would draw an event that never happened: where they are small, the spread looks small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CAPACITY = 8_000  # buckets of a curve, before each two become one


class Buckets(NamedTuple):
    """(buckets,) float64 arrays; a bucket is so many consecutive values of a curve."""

    x: np.ndarray  # of its last value
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray

    @property
    def is_exact(self) -> bool:
        """Whether every value has a bucket of its own."""
        return bool((self.count == 1).all())

    def merged(self, max_buckets: int) -> Buckets:
        """At most max_buckets: as many of them become one everywhere, so that all but the last stay of one size."""
        group = -(-len(self.x) // max(1, max_buckets))
        if group <= 1:
            return self
        firsts = np.arange(0, len(self.x), group)
        count = np.add.reduceat(self.count, firsts)
        return Buckets(
            self.x[np.append(firsts[1:], len(self.x)) - 1],
            np.add.reduceat(self.mean * self.count, firsts) / count,
            np.minimum.reduceat(self.low, firsts),
            np.maximum.reduceat(self.high, firsts),
            count,
        )


class MetricCurve:
    """A growing curve of at most CAPACITY buckets. One thread appends; others may read at any time."""

    def __init__(self, *lists: Sequence[float]) -> None:
        """lists: nothing, or what `lists` gave."""
        if len(lists) == 2:
            x, y = lists
            lists = (x, y, y, y, [1] * len(x))
        closed = np.array(lists or [[]] * 5, float)
        size = int(closed[4].max(initial=1))
        last = tuple(closed[:, -1]) if closed.shape[1] and closed[4, -1] < size else None
        used = closed.shape[1] - (last is not None)
        rows = np.empty((5, max(CAPACITY, used)))
        rows[:, :used] = closed[:, :used]
        # Replaced together: full buckets as rows of Buckets, how many, their size, and the one that is being filled.
        self._state: tuple[np.ndarray, int, int, tuple | None] = (rows, used, size, last)

    def append(self, x: float, y: float) -> None:
        rows, used, size, last = self._state
        if last is None:
            last = (x, y, y, y, 1)
        else:
            _, mean, low, high, count = last
            last = (x, mean + (y - mean) / (count + 1), min(low, y), max(high, y), count + 1)
        if last[4] < size:
            self._state = (rows, used, size, last)
            return
        if used == rows.shape[1]:
            halved = Buckets(*rows[:, : used - used % 2]).merged(used // 2)
            rows = np.empty_like(rows)
            rows[:, : len(halved.x)] = halved
            self._state = (rows, len(halved.x), 2 * size, last)
            return
        rows[:, used] = last
        self._state = (rows, used + 1, size, None)

    def extend(self, x: np.ndarray, y: np.ndarray) -> None:
        """Append many at once: what takes a second one by one takes milliseconds."""
        at = 0
        while at < len(x):
            rows, used, size, last = self._state
            whole = 0 if last is not None else min((len(x) - at) // size, rows.shape[1] - used)
            if not whole:
                self.append(float(x[at]), float(y[at]))
                at += 1
                continue
            end = at + whole * size
            values = y[at:end].reshape(whole, size)
            rows[:, used : used + whole] = (
                x[at:end].reshape(whole, size)[:, -1],
                values.mean(1),
                values.min(1),
                values.max(1),
                np.full(whole, size),
            )
            self._state = (rows, used + whole, size, None)
            at = end

    def buckets(self, max_buckets: int = CAPACITY) -> Buckets:
        """At most max_buckets, all but the last of one size."""
        rows, used, _, last = self._state
        all_rows = rows[:, :used].copy() if last is None else np.c_[rows[:, :used], last]
        return Buckets(*all_rows).merged(max_buckets)

    def points(self, max_points: int = CAPACITY) -> tuple[np.ndarray, np.ndarray]:
        """(x, y), at most max_points of each (or 4), float64: the lowest and highest values of even stretches."""
        buckets = self.buckets()
        if buckets.is_exact:
            return downsample_min_max(buckets.x, buckets.mean, max_points)
        buckets = buckets.merged(max(max_points, 4) // 2)
        return np.repeat(buckets.x, 2), np.stack([buckets.low, buckets.high], 1).ravel()

    def lists(self, max_points: int) -> tuple[list[float], ...]:
        """For a file: x and y, where every value is in it, else the buckets."""
        buckets = self.buckets(max_points)
        return tuple(values.tolist() for values in (buckets[:2] if buckets.is_exact else buckets))


def downsample_min_max(x: np.ndarray, y: np.ndarray, max_points: int) -> tuple[np.ndarray, np.ndarray]:
    """At most max_points (or 4): the first, the last, and the lowest and highest of equal stretches between.

    A stride would drop spikes. A stretch of NaN stays as one NaN.
    """
    max_points = max(max_points, 4)
    if len(x) <= max_points:
        return x, y
    edges = np.linspace(0, len(x), max_points // 2).astype(int)[:-1]
    nan = np.isnan(y)
    minima = _first_index_of(np.minimum.reduceat(np.where(nan, np.inf, y), edges), y, edges)
    maxima = _first_index_of(np.maximum.reduceat(np.where(nan, -np.inf, y), edges), y, edges)
    keep = np.unique(np.concatenate([[0], minima, maxima, [len(x) - 1]]))
    return x[keep], y[keep]


def _first_index_of(extreme: np.ndarray, y: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Per stretch, the first index at which y takes that stretch's extreme value (or its start, if all NaN)."""
    stretch = np.repeat(np.arange(len(edges)), np.diff([*edges, len(y)]))
    hits = np.flatnonzero(y == extreme[stretch])
    first = edges.copy()
    where, at = np.unique(stretch[hits], return_index=True)
    first[where] = hits[at]
    return first
