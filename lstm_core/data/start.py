"""The start of a forecast: the simple answer that is known at a row, from which a target is counted.

A start for row t+k uses rows up to t of the same sequence, never a later one. Season.py finds the season.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from lstm_core.settings import PlaygroundError

STARTS = ("mean", "last", "season", "season_change", "smooth")
LEVEL_WEIGHTS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
SEASON_WEIGHTS = (0.0, 0.03, 0.1, 0.2, 0.35, 0.55)
SLOPE_WEIGHTS = (0.0, 0.03, 0.1, 0.2)
DAMPING = 0.9  # of the slope from step to step: without it a wrong slope ruins the later steps
MAX_FIT_ROWS = 10_000  # the weights of "smooth" are chosen on so many of the last training rows
MAX_FIT_STEPS = 12  # and on so many of the forecast's steps
States = tuple[np.ndarray, np.ndarray, np.ndarray]
STRIDE = 16  # rows of the smoothing recursion that are computed at once


@dataclass(frozen=True)
class Start:
    """A kind of start and all that was fitted, numbers that JSON holds.

    season: rows of a season, 0 without one; mean: of the training rows, for "mean"; level_weight, season_weight and
    slope_weight: of the last error, for "smooth".
    """

    kind: str
    season: int
    mean: float = 0.0
    level_weight: float = 0.0
    season_weight: float = 0.0
    slope_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in STARTS:
            raise PlaygroundError(f"The start {self.kind!r} is unknown: choose one of {', '.join(STARTS)}.")
        if self.kind.startswith("season") and self.season < 1:
            raise PlaygroundError(f"The start {self.kind!r} needs a season of 1 row or more, not {self.season}.")

    def values(self, z: np.ndarray, groups: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """(rows, output_steps) float64: the start of z[t+k] as known at row t, NaN without enough past.

        z: (rows,), its logarithm already taken; groups: (sequences + 1,) bounds of the sequences' rows; offsets:
        (output_steps,) of k ≥ 1. With m the season and M = m·⌈k/m⌉:

        - mean: the training mean
        - last: z_t
        - season: z_{t+k−M}
        - season_change: z_t + z_{t+k−M} − z_{t−M}
        - smooth: l_t + (φ + φ² + … + φ^k)·b_t + s_{t+k−M}, with φ = 0.9, the error e_t = z_t − l_{t−1} − φ·b_{t−1} −
          s_{t−m}, the level l_t = l_{t−1} + φ·b_{t−1} + α·e_t, its slope b_t = φ·b_{t−1} + β·e_t and the season
          s_t = s_{t−m} + γ·e_t: Holt-Winters' additive method with a damped trend (Gardner & McKenzie, 1989), from the
          mean of a sequence's first season on. In the second season γ is (1−α)/2 at least: half of what α leaves.
          Without a season, level and slope alone

        A missing z is passed on by "last" and the seasonal ones; "smooth" repeats the value before it.
        """
        return self.values_after(self.states(z, groups), groups, offsets)

    def states(self, z: np.ndarray, groups: np.ndarray) -> States:
        """Level, season and slope (rows,) after each row: all that values takes from the past; z, z and 0 but for
        "smooth"."""
        z = np.asarray(z, np.float64)
        if self.kind != "smooth":
            return z, z, np.zeros(len(z))
        weights = np.array([[self.level_weight], [self.season_weight], [self.slope_weight]])
        level, season, slope = smooth_states(z, np.asarray(groups), self.season, *weights)
        return level[:, 0], season[:, 0], slope[:, 0]

    def continued_states(self, states: States, z: np.ndarray, groups: np.ndarray, known: np.ndarray) -> States:
        """The states where z is another one from row known[k] of sequence k on: in time for these rows alone.

        known: (sequences,), after the first season of each.
        """
        if self.kind != "smooth":
            return self.states(z, groups)
        level, seasons, slope = (state.copy() for state in states)
        for (first, end), begin in zip(pairwise(groups), known, strict=True):
            first += int(np.isfinite(z[first:end]).argmax())  # where smooth_states begins
            value = z[begin - 1]
            for row in range(begin, end):
                value = z[row] if np.isfinite(z[row]) else value
                before = seasons[row - self.season] if self.season else 0.0
                expected = level[row - 1] + DAMPING * slope[row - 1]
                error = value - before - expected
                level[row] = expected + self.level_weight * error
                slope[row] = DAMPING * slope[row - 1] + self.slope_weight * error
                if self.season:
                    is_second = row < first + 2 * self.season
                    gain = max(self.season_weight, (1 - self.level_weight) / 2 * is_second)
                    seasons[row] = before + gain * error
        return level, seasons, slope

    def values_after(self, states: States, groups: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """The same as values, from the states after each row."""
        groups, offsets = np.asarray(groups), np.asarray(offsets)
        result = np.empty((len(states[0]), len(offsets)))
        for column, offset in enumerate(offsets):
            result[:, column] = self._step(*states, groups, int(offset))
        return result

    def _step(
        self, level: np.ndarray, season: np.ndarray, slope: np.ndarray, groups: np.ndarray, offset: int
    ) -> np.ndarray:
        """(rows, …): one step of values; level, season and slope: (rows, …), of states."""
        if self.kind == "mean":
            return np.full_like(level, self.mean)
        if self.kind == "smooth":
            level = level + slope * (DAMPING ** np.arange(1, offset + 1)).sum()
        if self.kind == "last" or not self.season:
            return level
        back = self.season * -(-offset // self.season)
        same_time = rows_before(season, groups, back - offset)
        if self.kind == "season":
            return same_time
        if self.kind == "smooth":
            return level + same_time
        return level + same_time - rows_before(season, groups, back)

    def describe(self) -> str:
        """Half a sentence: "the last value plus the change 12 rows ago"."""
        rows = f"{self.season:,} row{'' if self.season == 1 else 's'}"
        if self.kind == "smooth":
            level = "a smoothed level and slope" if self.slope_weight else "a smoothed level"
            return f"{level} plus a smoothed season of {rows}" if self.season else level
        return {
            "mean": "the mean of the training rows",
            "last": "the last value",
            "season": f"the value one season of {rows} before",
            "season_change": f"the last value plus the change {rows} ago",
        }[self.kind]


def fit_start(
    z: np.ndarray,
    groups: np.ndarray,
    is_train: np.ndarray,
    offsets: np.ndarray,
    season: int,
    kinds: tuple[str, ...] = STARTS,
) -> tuple[Start, dict[str, float]]:
    """The kind of start with the smallest RMSE, averaged over the steps, and the RMSE of each kind that applies.

    z, groups, offsets: as in Start.values; is_train: (rows,) bool. All kinds are compared on the same rows: those whose
    target lies in training and for which each of the kinds has a value; a kind that has none, such as a seasonal one
    where training is too short, is left out. If no row is left, the first kind is chosen.

    Raises:
        PlaygroundError: a kind is unknown.
    """
    z, groups, is_train = np.asarray(z, np.float64), np.asarray(groups), np.asarray(is_train, bool)
    offsets = np.asarray(offsets)
    train = z[is_train & np.isfinite(z)]
    mean = float(train.mean()) if len(train) else 0.0
    train_z = np.where(is_train, z, np.nan)
    starts = []
    for kind in kinds:
        if season < 1 and kind.startswith("season"):
            continue
        weights = _smooth_weights(z, groups, is_train, offsets, season) if kind == "smooth" else ()
        starts.append(Start(kind, season, mean if kind == "mean" else 0.0, *weights))
    errors = []
    for start in starts:
        errors.append(start.values(train_z if start.kind != "smooth" else z, groups, offsets))
    for column, offset in enumerate(offsets):
        truth = rows_ahead(train_z, groups, int(offset))
        for values in errors:
            values[:, column] -= truth
    applies = [np.isfinite(error).any(0).all() for error in errors]
    errors = [error for error, keep in zip(errors, applies, strict=True) if keep]
    starts_left = [start for start, keep in zip(starts, applies, strict=True) if keep]
    if not errors:
        return starts[0], {}
    common = np.logical_and.reduce([np.isfinite(error) for error in errors])
    if not common.any(0).all():
        return starts_left[0], {}
    scores = {}
    for start, error in zip(starts_left, errors, strict=True):
        squares = np.square(error, where=common, out=np.zeros_like(error))
        scores[start.kind] = float(np.sqrt(squares.sum(0) / common.sum(0)).mean())
    return min(starts_left, key=lambda start: scores[start.kind]), scores


def rows_ahead(z: np.ndarray, groups: np.ndarray, offset: int) -> np.ndarray:
    """(rows, …): z of so many rows later in the same sequence, NaN past its end."""
    return rows_before(z, groups, -offset)


def rows_before(z: np.ndarray, groups: np.ndarray, offset: int) -> np.ndarray:
    """(rows, …): z of so many rows before, of the same sequence, else NaN; a negative offset looks ahead."""
    if not offset:
        return z
    lengths = np.diff(groups)
    rows = np.arange(len(z)) - offset
    first, end = np.repeat(groups[:-1], lengths), np.repeat(groups[1:], lengths)
    inside = (rows >= first) & (rows < end)
    result = np.full(z.shape, np.nan)
    result[inside] = z[rows[inside]]
    return result


def _smooth_weights(
    z: np.ndarray, groups: np.ndarray, is_train: np.ndarray, offsets: np.ndarray, season: int
) -> tuple[float, ...]:
    """The weights of level, season and slope with the smallest training RMSE.

    Of a grid in which level and season sum to 1 at most, and a slope weighs no more than the level.
    """
    grid = product(LEVEL_WEIGHTS, SEASON_WEIGHTS if season else (0.0,), SLOPE_WEIGHTS)
    weights = [(level, seasonal, slope) for level, seasonal, slope in grid if level + seasonal <= 1 and slope <= level]
    rows = np.flatnonzero(is_train)
    if not len(rows):
        return 1.0, 0.0, 0.0
    first, end = max(rows[0], rows[-1] + 1 - MAX_FIT_ROWS), rows[-1] + 1
    groups = np.unique(np.clip(groups, first, end)) - first
    z = np.where(is_train, z, np.nan)[first:end]
    states = smooth_states(z, groups, season, *np.array(weights).T)
    start = Start("smooth", season)
    spread = np.linspace(0, len(offsets) - 1, min(len(offsets), MAX_FIT_STEPS)).round().astype(int)
    total = np.zeros(len(weights))
    for offset in offsets[spread]:
        errors = start._step(*states, groups, int(offset)) - rows_ahead(z, groups, int(offset))[:, None]
        known = np.isfinite(errors)
        squares = np.square(errors, where=known, out=np.zeros_like(errors))
        total += np.sqrt(squares.sum(0) / np.maximum(known.sum(0), 1))
    return weights[int(total.argmin())]


def smooth_states(
    z: np.ndarray,
    groups: np.ndarray,
    season: int,
    level_weights: np.ndarray,
    season_weights: np.ndarray,
    slope_weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level, season and slope (rows, weights) after each row, for several triples of weights (weights,) at once."""
    level = np.full((len(z), len(level_weights)), np.nan)
    slope, seasons = np.full_like(level, np.nan), np.full_like(level, np.nan if season else 0.0)
    stride = min(season, STRIDE) if season else STRIDE
    powers, filters = smooth_filters(level_weights, slope_weights, stride)
    warm_up, ahead = max(season, 1), np.array([1, DAMPING])
    for first, end in pairwise(groups):
        known = np.flatnonzero(np.isfinite(z[first:end]))
        if not len(known) or end - first - known[0] < warm_up:
            continue
        first += known[0]
        filled = z[first + np.maximum.accumulate(np.where(np.isfinite(z[first:end]), np.arange(end - first), 0))]
        last = np.zeros((len(level_weights), 2))  # level and slope
        last[:, 0] = filled[:warm_up].mean()
        row = first + warm_up
        level[row - 1], slope[row - 1] = last.T
        if season:
            seasons[first:row] = (filled[:season] - filled[:season].mean())[:, None]
        while row < end:
            count = min(stride, end - row)
            here = slice(row, row + count)
            before = seasons[row - season : row - season + count] if season else 0.0
            pulled = filled[row - first : row - first + count, None] - before  # (count, weights or 1): for the level
            state = (powers[:count] @ last[..., None])[..., 0]  # (count, weights, 2)
            state += (filters[:, :, :count, :count] @ pulled.T[:, None, :, None])[..., 0].transpose(2, 0, 1)
            level[here], slope[here] = state[..., 0], state[..., 1]
            if season:
                errors = pulled.copy()
                errors[0] -= last @ ahead
                errors[1:] -= state[:-1] @ ahead
                gain = season_weights
                if row < first + 2 * season:
                    second = np.arange(row, row + count)[:, None] < first + 2 * season
                    gain = np.where(second, np.maximum(gain, (1 - level_weights) / 2), gain)
                seasons[here] = before + gain * errors
            last = state[-1]
            row += count
    return level, seasons, slope


def smooth_filters(level_weights: np.ndarray, slope_weights: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """What level and slope after 1 … stride rows owe to those before, and to each row's value less its season.

    powers (stride, weights, 2, 2) and filters (weights, 2, stride, stride), for level and slope as a pair that each
    row multiplies by a matrix.
    """
    a, b = level_weights, slope_weights
    step = np.array([[1 - a, DAMPING * (1 - a)], [-b, DAMPING * (1 - b)]]).transpose(2, 0, 1)  # (weights, 2, 2)
    powers = [np.broadcast_to(np.eye(2), step.shape)]
    for _ in range(stride):
        powers.append(powers[-1] @ step)
    responses = np.stack([power @ np.stack([a, b], 1)[..., None] for power in powers[:-1]])[..., 0]  # (stride, w, 2)
    lag = np.arange(stride)[:, None] - np.arange(stride)
    filters = np.where(lag >= 0, responses.transpose(1, 2, 0)[..., np.maximum(lag, 0)], 0.0)
    return np.stack(powers[1:]), filters
