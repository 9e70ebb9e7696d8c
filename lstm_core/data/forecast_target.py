"""What a regression is trained on where it starts from a simple answer: what is left of the target over that start.

The model predicts a correction: u = (z_{t+k} − start_k(t)) / scale_k, where z is the target or its logarithm and
start_k(t) the simple answer for k rows ahead that is known at row t (start.py). It reads how wrong that answer was, and
the change, instead of the level, which would leave the range it was trained on as a series grows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lstm_core.data.start import Start, States, fit_start, rows_before
from lstm_core.data.transforms import CONSTANT, fit_scaler, forward_fill
from lstm_core.experiment import DataSpec, PlaygroundError

SEASONAL = ("season", "season_change", "smooth")
MAX_NUMBERS = 1 << 28  # starts of all rows and output steps: 2 GiB in float64


@dataclass(frozen=True, eq=False)
class SeriesScale:
    """The mean and deviation of each row's own sequence, over its training rows; (rows, targets) each."""

    center: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True, eq=False)
class ForecastTarget:
    """The starts of one table's targets; all that is fitted is in `starts` and `scale`.

    Before the first rows of a sequence have a start, base is NaN.
    """

    starts: tuple[Start, ...]  # one a target
    scale: np.ndarray  # (output_steps, targets) float64: deviation of what the start leaves, on the training rows
    base: np.ndarray  # (rows, output_steps, targets) float64: the start of each row's targets, in z
    z: np.ndarray  # (rows, targets) float64: the target or its logarithm, NaN where missing
    known: np.ndarray  # (rows, targets): the same, forward-filled where the spec says so
    log: bool
    states: tuple[States, ...]  # of the starts, one a target, after each row
    series: SeriesScale | None  # where each sequence is scaled by itself, before all else

    def errors(self, offsets: np.ndarray) -> np.ndarray:
        """(rows, output_steps·targets) float32: u of each row's targets, NaN where there is none."""
        errors = np.full(self.base.shape, np.nan, np.float32)
        for k, offset in enumerate(offsets):
            errors[:-offset, k] = (self.z[offset:] - self.base[:-offset, k]) / self.scale[k]
        return errors.reshape(len(errors), -1)

    def inverse(self, errors: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """u predicted after these rows (…,), (…, output_steps, targets) → predictions in the target's own units."""
        return self.from_z(errors * self.scale + self.base[rows], rows)

    def to_z(self, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The inverse of from_z; NaN where there is no logarithm."""
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.log(y) if self.log else y
        if self.series is not None:
            z = (z - self.series.center[rows][..., None, :]) / self.series.scale[rows][..., None, :]
        return np.where(np.isfinite(z), z, np.nan)

    def from_z(self, z: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """z of these rows (…,), (…, output_steps, targets), in the target's own units."""
        if self.series is not None:
            z = z * self.series.scale[rows][..., None, :] + self.series.center[rows][..., None, :]
        return np.exp(z) if self.log else z

    def inputs(self, target: int, groups: np.ndarray, seq_len: int) -> dict[str, np.ndarray]:
        """Name → (rows,) float64: what the model reads of its own target, NaN before the start is known.

        How wrong the start was one row ahead, the change where that is another number, and the error one season ago
        where the window does not reach so far back.
        """
        start, known = self.starts[target], self.known[:, target]
        before = start.values_after(self.states[target], groups, np.array([1]))[:, 0]
        error = known - rows_before(before, groups, 1)
        inputs = {"start error": error}
        if start.kind != "last":
            inputs["change"] = known - rows_before(known, groups, 1)
        if start.season > seq_len and start.kind in SEASONAL:
            inputs[f"start error, {start.season} rows ago"] = rows_before(error, groups, start.season)
        return inputs


def fit_target(
    y: np.ndarray, groups: np.ndarray, is_train: np.ndarray, spec: DataSpec, offsets: np.ndarray
) -> ForecastTarget:
    """Fit the start that the spec names, for each target, and the scales of what it leaves.

    y: (rows, targets) float64, NaN where missing; groups: (sequences + 1,) row bounds; is_train: (rows,) bool;
    offsets: (output_steps,), how many rows after a row its targets lie.

    Raises:
        PlaygroundError: a logarithm of a value that is not positive, or more rows and steps than memory has.
    """
    z, known, series = _z(y, groups, is_train, spec)
    fits = [fit_start(column, groups, is_train, offsets, spec.season, (spec.start,)) for column in known.T]
    starts = tuple(start for start, _ in fits)
    states = _states(known, starts, groups, offsets)
    base = _base(states, starts, groups, offsets)
    unscaled = ForecastTarget(starts, np.ones(base.shape[1:]), base, z, known, spec.log, states, series)
    errors = unscaled.errors(offsets).reshape(base.shape)
    sequence = np.repeat(np.arange(len(groups) - 1), np.diff(groups))
    size = np.abs(np.where(np.isnan(z), 0.0, z)[is_train]).max(0, initial=1e-30)
    scale = []
    for k, offset in enumerate(offsets):
        learned = np.flatnonzero(is_train[offset:] & (sequence[offset:] == sequence[:-offset]))
        scale.append(_deviation(errors[learned, k], CONSTANT * size))
    return replace(unscaled, scale=np.stack(scale))


def fitted_target(
    y: np.ndarray,
    groups: np.ndarray,
    is_train: np.ndarray,
    spec: DataSpec,
    offsets: np.ndarray,
    starts: tuple[Start, ...],
    scale: np.ndarray,
) -> ForecastTarget:
    """The same with starts and scales that were fitted before, perhaps on other rows.

    Raises:
        PlaygroundError: as fit_target does.
    """
    z, known, series = _z(y, groups, is_train, spec)
    states = _states(known, starts, groups, offsets)
    return ForecastTarget(starts, scale, _base(states, starts, groups, offsets), z, known, spec.log, states, series)


def continued_target(
    target: ForecastTarget,
    y: np.ndarray,
    source: np.ndarray,
    groups: np.ndarray,
    spec: DataSpec,
    offsets: np.ndarray,
    past: tuple[ForecastTarget, np.ndarray] | None = None,
) -> ForecastTarget:
    """The same on other rows of the same sequences, y (rows, targets), some of them forecasts.

    source: (rows,), for each of them a row of the target's table of the same sequence. past: what this gave before and,
    for each sequence, the first row that is another one since.
    """
    z, series = np.log(y) if target.log else y, None
    if target.series is not None:
        series = SeriesScale(target.series.center[source], target.series.scale[source])
        z = (z - series.center) / series.scale
    known = forward_fill(z, groups) if spec.missing == "forward_fill" else z
    if past is None:
        states = _states(known, target.starts, groups, offsets)
    else:
        columns = zip(target.starts, past[0].states, known.T, strict=True)
        states = tuple(start.continued_states(before, column, groups, past[1]) for start, before, column in columns)
    base = _base(states, target.starts, groups, offsets)
    return ForecastTarget(target.starts, target.scale, base, z, known, target.log, states, series)


def _z(
    y: np.ndarray, groups: np.ndarray, is_train: np.ndarray, spec: DataSpec
) -> tuple[np.ndarray, np.ndarray, SeriesScale | None]:
    """z, z as far as it is known at each row, and how each sequence was scaled."""
    z = np.asarray(y, np.float64)
    if spec.log:
        low = np.argwhere(z <= 0)
        if len(low):
            row, column = low[0]
            raise PlaygroundError(
                f"Target {spec.targets[column]!r} is {z[row, column]:g} in data row {row + 1:,}, which has no "
                "logarithm: switch log off, or choose another target."
            )
        z = np.log(z)
    series = _series_scale(z, groups, is_train) if spec.scale_per_series else None
    if series is not None:
        z = (z - series.center) / series.scale
    return z, forward_fill(z, groups) if spec.missing == "forward_fill" else z, series


def _series_scale(z: np.ndarray, groups: np.ndarray, is_train: np.ndarray) -> SeriesScale:
    center, scale = np.zeros(z.shape), np.ones(z.shape)
    for first, end in pairwise(groups):
        train = z[first:end][is_train[first:end]]
        if np.isfinite(train).any(0).all():
            center[first:end], scale[first:end] = fit_scaler(train, "standard")
    return SeriesScale(center, scale)


def _states(
    known: np.ndarray, starts: tuple[Start, ...], groups: np.ndarray, offsets: np.ndarray
) -> tuple[States, ...]:
    if known.size * len(offsets) > MAX_NUMBERS:
        raise PlaygroundError(
            f"{len(offsets):,} rows ahead of each of {len(known):,} rows do not fit in memory with a start: lower the "
            "horizon, or set start to none."
        )
    return tuple(start.states(column, groups) for start, column in zip(starts, known.T, strict=True))


def _base(states: tuple[States, ...], starts: tuple[Start, ...], groups: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    values = [start.values_after(of, groups, offsets) for start, of in zip(starts, states, strict=True)]
    return np.stack(values, axis=2)


def _deviation(errors: np.ndarray, least: np.ndarray) -> np.ndarray:
    """(targets,): the deviation of the known errors (rows, targets), 1 where it is no more than rounding."""
    known = [column[np.isfinite(column)] for column in errors.T]
    deviation = np.array([column.std(dtype=np.float64) if len(column) else 0.0 for column in known])
    return np.where(deviation > least, deviation, 1.0)
