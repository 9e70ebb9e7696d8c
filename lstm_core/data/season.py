"""The length of a series' season, and whether its changes grow with its level: both from the training part alone."""

from __future__ import annotations

import numpy as np

MAX_SEASON = 400  # rows
MIN_PEAK = 0.3  # autocorrelation of the changes below which there is no season
MEANS = 4, 8  # rows, over which noise is averaged where the changes from row to row show no season
MIN_PEAK_OF_MEANS = 0.5  # of their changes: means are correlated by themselves
SHORTEST_BLOCK = 8  # rows over which a level and the size of its changes are measured
MIN_BLOCKS = 4
MIN_LEVEL_SPREAD = 0.1  # standard deviation of the blocks' log means: less says nothing about growth with the level
MIN_SLOPE = 0.5  # of log size of change on log level: 0 is additive, 1 is proportional


def find_season(values: np.ndarray) -> int:
    """The rows of one season of a series (rows,), at least 2; 0 if it has none.

    Lags from 2 to a third of the rows are looked at, 400 at most: of the peaks of the autocorrelation of the changes
    from row to row that exceed 0.3 and 2/√rows, the first within a tenth of the highest. Without such a peak, which
    noise from row to row hides, the same for the changes between neighbouring means over 4 rows, then 8: lags of two
    means or more, peaks above 0.5. A missing value (NaN or infinite) leaves out its changes, which count as the mean
    change.
    """
    values = _finite(values)
    season = _first_peak(np.diff(values), 2, len(values), MIN_PEAK)
    for width in MEANS:
        if not season:
            means = np.convolve(values, np.full(width, 1 / width), "valid") if len(values) >= width else values
            season = _first_peak(means[width:] - means[:-width], 2 * width, len(values), MIN_PEAK_OF_MEANS)
    return season


def _first_peak(changes: np.ndarray, shortest: int, rows: int, least: float) -> int:
    """The first lag of those whose autocorrelation is within a tenth of the highest peak, 0 without a peak."""
    longest = min(rows // 3, MAX_SEASON)
    if longest < shortest:
        return 0
    r = autocorrelation(changes, longest + 1)
    lags = np.arange(shortest, longest + 1)
    is_peak = (r[lags] > r[lags - 1]) & (r[lags] >= r[lags + 1]) & (r[lags] > max(least, 2 / np.sqrt(rows)))
    peaks = lags[is_peak]
    return int(peaks[r[peaks] >= 0.9 * r[peaks].max()][0]) if len(peaks) else 0


def autocorrelation(values: np.ndarray, longest: int) -> np.ndarray:
    """(longest + 1,): the biased sample autocorrelation of (rows,) at lags 0, 1, …; zeros for a constant.

    r_k = Σ (x_t − x̄)(x_{t+k} − x̄) / Σ (x_t − x̄)², over the pairs of which both are known (Box & Jenkins, 1976).
    """
    known = np.isfinite(values)
    result = np.zeros(longest + 1)
    if not known.any():
        return result
    size = np.abs(values[known]).max()
    centred = np.zeros(len(values))
    if size > 0:
        scaled = values[known] / size
        centred[known] = scaled - scaled.mean()
    if np.abs(centred).max(initial=0.0) <= 1e-9:  # what is left of a straight line is rounding
        return result
    length = 1 << int(len(values) + longest).bit_length()
    spectrum = np.fft.rfft(centred, length)
    sums = np.fft.irfft(spectrum * spectrum.conj(), length)[: min(longest + 1, len(values))]
    result[: len(sums)] = sums / sums[0]
    return result


def wants_log(values: np.ndarray, season: int) -> bool:
    """Whether the logarithm of a series (rows,) has changes of more even size than the series itself.

    All known values must be above 0. Over blocks of a season, 8 rows at least, the slope of the log standard deviation
    of the changes on the log mean must exceed 0.5 (0: additive; 1: proportional to the level), from 4 blocks whose
    log means spread by 0.1 at least. Missing values are left out.
    """
    values = _finite(values)
    known = np.isfinite(values)
    if not known.any() or (values[known] <= 0).any():
        return False
    block = max(season, SHORTEST_BLOCK)
    count = len(values) // block
    blocks = values[len(values) - count * block :].reshape(count, block)
    changes = np.diff(blocks, axis=1)
    enough = (np.isfinite(changes).sum(1) >= 3) if count else np.zeros(0, bool)
    level, size = np.log(np.nanmean(blocks[enough], axis=1)), np.nanstd(changes[enough], axis=1)
    level, size = level[size > 0], np.log(size[size > 0])
    if len(level) < MIN_BLOCKS or level.std() < MIN_LEVEL_SPREAD:
        return False
    return float(np.polyfit(level, size, 1)[0]) > MIN_SLOPE


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    return np.where(np.isfinite(values), values, np.nan)
