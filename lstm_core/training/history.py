"""Curves of any length in bounded memory, thinned for a picture so that no spike is lost; and lines to be drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

KEEP = 8_000  # points a curve holds before it is thinned to half of that


class Curve:
    """A growing curve. One thread adds; others may read at any time."""

    def __init__(self, x: Sequence[float] = (), y: Sequence[float] = ()) -> None:
        self._points = (np.empty((2, KEEP)), 0)  # rows x and y, and how many: replaced together
        for at, value in zip(x, y, strict=True):
            self.add(at, value)

    def add(self, x: float, y: float) -> None:
        points, count = self._points
        if count == KEEP:
            kept = np.stack(thin(*points, KEEP // 2))
            points, count = np.empty_like(points), kept.shape[1]
            points[:, :count] = kept
        points[0, count], points[1, count] = x, y
        self._points = (points, count + 1)

    def points(self, most: int = KEEP) -> tuple[np.ndarray, np.ndarray]:
        """At most `most` points, (x, y), each float64."""
        points, count = self._points
        return thin(points[0, :count].copy(), points[1, :count].copy(), most)


def thin(x: np.ndarray, y: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` points (or 4): the first, the last, and the lowest and highest of equal stretches between.

    A stride would drop the spikes that a person looks for. A stretch of NaN stays as one NaN.
    """
    most = max(most, 4)
    if len(x) <= most:
        return x, y
    edges = np.linspace(0, len(x), most // 2).astype(int)[:-1]
    nan = np.isnan(y)
    low = _first_place_of(np.minimum.reduceat(np.where(nan, np.inf, y), edges), y, edges)
    high = _first_place_of(np.maximum.reduceat(np.where(nan, -np.inf, y), edges), y, edges)
    keep = np.unique(np.concatenate([[0], low, high, [len(x) - 1]]))
    return x[keep], y[keep]


def _first_place_of(extreme: np.ndarray, y: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Per stretch, the first index at which y takes that stretch's extreme value (or its start, if all NaN)."""
    stretch = np.repeat(np.arange(len(edges)), np.diff([*edges, len(y)]))
    hits = np.flatnonzero(y == extreme[stretch])
    first = edges.copy()
    where, at = np.unique(stretch[hits], return_index=True)
    first[where] = hits[at]
    return first




