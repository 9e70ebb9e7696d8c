"""Prediction intervals by split conformal prediction: half widths around a forecast, and how often they held.

A residual is truth − forecast, of a model that has not seen the row in training; columns are the steps 1 … H. A missing
residual (NaN) does not count.
"""

from __future__ import annotations

import math
from bisect import insort

import numpy as np


def conformal_width(residuals: np.ndarray, level: float) -> float:
    """Half the width of an interval that holds the next residual with probability `level`; NaN without a residual.

    residuals: (n,), exchangeable with the next. The ⌈(n+1)·level⌉-th smallest of their absolute values (Lei et al.,
    2018, "Distribution-free predictive inference for regression"); where that exceeds n, t·rms·√(1 + 1/n) with the
    quantile of Student's t of n−1 degrees of freedom (1 at least), as for a normal distribution around 0.
    """
    sizes = np.abs(np.asarray(residuals, np.float64))
    sizes = np.sort(sizes[np.isfinite(sizes)]).tolist()
    return _width(sizes, sum(size**2 for size in sizes), level)


def rolling_bands(valid_residuals: np.ndarray, test_residuals: np.ndarray, level: float) -> np.ndarray:
    """(m, H) half widths for m test windows, one row after the other, each as it could be told at its window's end.

    valid_residuals: (n, H), all known before the first test window's targets; test_residuals: (m, H). The residual of
    step k of window i joins step k's others once its truth is known, from window i+k on. Where windows are left out
    in between, more rows have passed than that, so that none joins too early.
    """
    valid, test = np.asarray(valid_residuals, np.float64), np.asarray(test_residuals, np.float64)
    widths = np.empty(test.shape)
    for column in range(test.shape[1]):
        sizes = np.abs(valid[:, column])
        sizes = np.sort(sizes[np.isfinite(sizes)]).tolist()
        squares = sum(size**2 for size in sizes)
        news = np.abs(test[:, column]).tolist()
        for window in range(len(test)):
            joins = window - column - 1
            if joins >= 0 and math.isfinite(news[joins]):
                insort(sizes, news[joins])
                squares += news[joins] ** 2
            widths[window, column] = _width(sizes, squares, level)
    return widths


def future_widths(residuals: np.ndarray, level: float, steps: int | None = None) -> np.ndarray:
    """(steps,) half widths of a forecast past the end; they never narrow from step to step. steps: H unless given.

    residuals: (n, H) of validation and test. Each step's conformal width, or that of a step before if larger. Past step
    H the last width w_H goes on as w_H·(k/H)^p, with the growth p of the residuals' root mean square from step 1 to H,
    between 0 and 1, the same for every level; with one step p is 0.5, as for a random walk.
    """
    residuals = np.asarray(residuals, np.float64)
    count = residuals.shape[1]
    widths = np.fmax.accumulate([conformal_width(residuals[:, column], level) for column in range(count)])
    if steps is None or steps <= count:
        return widths[:steps]
    power = 0.5
    if count > 1:
        known = np.isfinite(residuals)
        squares = np.square(residuals, where=known, out=np.zeros_like(residuals)).sum(0) / np.maximum(known.sum(0), 1)
        grew = math.sqrt(squares[-1] / squares[0]) if squares[0] > 0 else 1.0
        power = min(max(math.log(grew) / math.log(count), 0.0), 1.0) if grew > 0 else 0.0
    return np.concatenate([widths, widths[-1] * (np.arange(count + 1, steps + 1) / count) ** power])


def coverage(residuals: np.ndarray, widths: np.ndarray) -> tuple[float, int]:
    """(share, windows): of all known residuals (m, H) the share within ± widths (m, H), and of how many windows.

    The share is NaN if no residual is known.
    """
    residuals, widths = np.broadcast_arrays(np.asarray(residuals, np.float64), np.asarray(widths, np.float64))
    known = np.isfinite(residuals) & ~np.isnan(widths)
    held = np.abs(residuals) <= widths
    share = float(held[known].mean()) if known.any() else math.nan
    return share, int(known.any(1).sum())


def t_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t for a probability of 0.5 to 1 (1 excluded) and a whole number of degrees."""
    low, high = 0.0, 1.0
    while _t_cdf(high, degrees) < probability:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_cdf(middle, degrees) < probability else (low, middle)
    return (low + high) / 2


def _t_cdf(t: float, degrees: int) -> float:
    """P(T ≤ t) for t ≥ 0: the finite sums of Abramowitz & Stegun (1964), 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine, term, total = math.cos(angle), 1.0, 0.0
    odd = degrees % 2
    if odd:
        term = cosine
    for power in range(odd, degrees - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    within = (angle + math.sin(angle) * total) * 2 / math.pi if odd else math.sin(angle) * total
    return (1 + within) / 2


def _width(sizes: list[float], squares: float, level: float) -> float:
    """conformal_width of sorted absolute residuals, with the sum of their squares."""
    count = len(sizes)
    if not count:
        return math.nan
    rank = math.ceil((count + 1) * level - 1e-9)  # 0.8 · 10 is 8, whatever its last bit
    if rank <= count:
        return sizes[max(rank, 1) - 1]
    t = t_quantile((1 + level) / 2, max(count - 1, 1))
    return t * math.sqrt(squares / count) * math.sqrt(1 + 1 / count)
