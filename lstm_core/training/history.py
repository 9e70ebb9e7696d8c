"""Curves of any length in bounded memory, downsampled so that no spike is lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CAPACITY = 8_000  # points a curve holds before it is thinned to half of that


class MetricCurve:
    """A growing curve of at most CAPACITY points. One thread appends; others may read at any time."""

    def __init__(self, x: Sequence[float] = (), y: Sequence[float] = ()) -> None:
        self._points = (np.empty((2, CAPACITY)), 0)  # rows x and y, and how many: replaced together
        for at, value in zip(x, y, strict=True):
            self.append(at, value)

    def append(self, x: float, y: float) -> None:
        points, count = self._points
        if count == CAPACITY:
            thinned = np.stack(downsample_min_max(*points, CAPACITY // 2))
            points, count = np.empty_like(points), thinned.shape[1]
            points[:, :count] = thinned
        points[0, count], points[1, count] = x, y
        self._points = (points, count + 1)

    def points(self, max_points: int = CAPACITY) -> tuple[np.ndarray, np.ndarray]:
        """(x, y), at most max_points of each, float64."""
        points, count = self._points
        return downsample_min_max(points[0, :count].copy(), points[1, :count].copy(), max_points)


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
