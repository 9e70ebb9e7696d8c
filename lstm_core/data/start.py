"""The start of a forecast: the simple answer that is known at a row, from which a target is counted.

A start for row t+k uses rows up to t of the same sequence, never a later one. Season.py finds the season.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lstm_core.settings import PlaygroundError

STARTS = ("mean", "last", "season", "season_change", "smooth")
LEVEL_WEIGHTS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
SEASON_WEIGHTS = (0.0, 0.03, 0.1, 0.2, 0.35, 0.55)
MAX_FIT_ROWS = 20_000  # the weights of "smooth" are chosen on so many of the last training rows
MAX_FIT_STEPS = 12  # and on so many of the forecast's steps
STRIDE = 16  # rows of the smoothing recursion that are computed at once


@dataclass(frozen=True)
class Start:
    """A kind of start and all that was fitted, numbers that JSON holds.

    season: rows of a season, 0 without one; mean: of the training rows, for "mean"; level_weight, season_weight: of
    the last error, for "smooth".
    """

    kind: str
    season: int
    mean: float = 0.0
    level_weight: float = 0.0
    season_weight: float = 0.0

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
        - smooth: l_t + s_{t+k−M}, with the error e_t = z_t − l_{t−1} − s_{t−m}, the level l_t = l_{t−1} + α·e_t and
          the season s_t = s_{t−m} + γ·e_t: Holt-Winters' additive method without a trend, from the mean of a
          sequence's first season on (Winters, 1960); without a season, only the level

        A missing z is passed on by "last" and the seasonal ones; "smooth" repeats the value before it.
        """
        z, groups, offsets = np.asarray(z, np.float64), np.asarray(groups), np.asarray(offsets)
        if self.kind == "smooth":
            weights = np.array([self.level_weight]), np.array([self.season_weight])
            level, season = smooth_states(z, groups, self.season, *weights)
            states = level[:, 0], season[:, 0]
        else:
            states = z, z
        result = np.empty((len(z), len(offsets)))
        for column, offset in enumerate(offsets):
            result[:, column] = self._step(*states, groups, int(offset))
        return result

    def _step(self, level: np.ndarray, season: np.ndarray, groups: np.ndarray, offset: int) -> np.ndarray:
        """(rows, …): one step of values; level and season: (rows, …), both z but for "smooth"."""
        if self.kind == "mean":
            return np.full_like(level, self.mean)
        if self.kind == "last" or not self.season:
            return level
        back = self.season * -(-offset // self.season)
        same_time = _rows_before(season, groups, back - offset)
        if self.kind == "season":
            return same_time
        if self.kind == "smooth":
            return level + same_time
        return level + same_time - _rows_before(season, groups, back)

    def describe(self) -> str:
        """Half a sentence: "the last value plus the change 12 rows ago"."""
        rows = f"{self.season:,} row{'' if self.season == 1 else 's'}"
        if self.kind == "smooth":
            return f"a smoothed level plus a smoothed season of {rows}" if self.season else "a smoothed level"
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
        weights = _smooth_weights(z, groups, is_train, offsets, season) if kind == "smooth" else (0.0, 0.0)
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
    return _rows_before(z, groups, -offset)


def _rows_before(z: np.ndarray, groups: np.ndarray, offset: int) -> np.ndarray:
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
) -> tuple[float, float]:
    """The level's and the season's weight with the smallest training RMSE, of a grid whose sums are 1 at most."""
    pairs = [(a, g) for a in LEVEL_WEIGHTS for g in (SEASON_WEIGHTS if season else (0.0,)) if a + g <= 1]
    level_weights, season_weights = np.array(pairs).T
    rows = np.flatnonzero(is_train)
    if not len(rows):
        return 1.0, 0.0
    first, end = max(rows[0], rows[-1] + 1 - MAX_FIT_ROWS), rows[-1] + 1
    groups = np.unique(np.clip(groups, first, end)) - first
    z = np.where(is_train, z, np.nan)[first:end]
    states = smooth_states(z, groups, season, level_weights, season_weights)
    start = Start("smooth", season)
    spread = np.linspace(0, len(offsets) - 1, min(len(offsets), MAX_FIT_STEPS)).round().astype(int)
    total = np.zeros(len(pairs))
    for offset in offsets[spread]:
        errors = start._step(*states, groups, int(offset)) - rows_ahead(z, groups, int(offset))[:, None]
        known = np.isfinite(errors)
        squares = np.square(errors, where=known, out=np.zeros_like(errors))
        total += np.sqrt(squares.sum(0) / np.maximum(known.sum(0), 1))
    return pairs[int(total.argmin())]


def smooth_states(
    z: np.ndarray, groups: np.ndarray, season: int, level_weights: np.ndarray, season_weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Levels and seasons (rows, weights) after each row, for several pairs of weights (weights,) at once."""
    level = np.full((len(z), len(level_weights)), np.nan)
    seasons = np.full_like(level, np.nan) if season else np.zeros_like(level)
    stride = min(season, STRIDE) if season else STRIDE
    lag = np.arange(stride)[:, None] - np.arange(stride)
    decay = (1 - level_weights)[:, None, None] ** np.maximum(lag, 0) * (lag >= 0)  # (weights, stride, stride)
    filters = decay * level_weights[:, None, None]
    fade = (1 - level_weights) ** np.arange(1, stride + 1)[:, None]  # (stride, weights)
    warm_up = max(season, 1)
    for first, end in pairwise(groups):
        known = np.flatnonzero(np.isfinite(z[first:end]))
        if not len(known) or end - first - known[0] < warm_up:
            continue
        first += known[0]
        filled = z[first + np.maximum.accumulate(np.where(np.isfinite(z[first:end]), np.arange(end - first), 0))]
        last = np.full(len(level_weights), filled[:warm_up].mean())
        row = first + warm_up
        level[row - 1] = last
        if season:
            seasons[first:row] = (filled[:season] - filled[:season].mean())[:, None]
        while row < end:
            count = min(stride, end - row)
            here = slice(row, row + count)
            before = seasons[row - season : row - season + count] if season else 0.0
            values = filled[row - first : row - first + count, None]
            pulled = np.broadcast_to(values - before, (count, len(last)))  # (count, weights): what the level follows
            level[here] = (filters[:, :count, :count] @ pulled.T[..., None])[..., 0].T + fade[:count] * last
            if season:
                old = np.concatenate([last[None], level[here][:-1]])
                seasons[here] = before + season_weights * (pulled - old)
            last = level[row + count - 1]
            row += count
    return level, seasons
