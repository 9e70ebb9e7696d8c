"""The rows past the end of the table: forecasts, their times, measured bands, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from lstm_core.data.calendar import calendar_values
from lstm_core.data.forecast_target import ForecastTarget, continued_target
from lstm_core.data.model_inputs import model_inputs
from lstm_core.data.prepare import known_inputs
from lstm_core.data.series_rows import series_names
from lstm_core.data.time_step import find_step
from lstm_core.data.windows import Windows, known_ahead
from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting.intervals import coverage, future_widths, rolling_bands
from lstm_core.forecasting.predict import predict
from lstm_core.model.recurrent import SequenceModel

LEVELS = (0.8, 0.95)
MAX_STEPS = 2_000
FEW_WINDOWS = 20  # with fewer, a measured coverage says little
MAX_HISTORY = 20_000  # rows of each series that a forecast is computed from


@dataclass(frozen=True, eq=False)
class Bands:
    """How far off the model was on rows that it had not learned, and how often its bands held.

    residuals: (windows, output_steps, targets) in z, of the validation and test windows, by the model before a refit;
    coverage: level → (share of the test windows' numbers inside, windows).
    """

    residuals: np.ndarray
    coverage: dict[float, tuple[float, int]]

    def sentence(self, level: float = 0.8) -> str:
        """On the test rows the 80 % band held 87 % of the values (31 windows)."""
        share, windows = self.coverage[level]
        if not windows:
            return f"No test window tells how often the {level * 100:.0f} % band holds."
        few = ": too few to tell much" if windows < FEW_WINDOWS else ""
        return (
            f"On the test rows the {level * 100:.0f} % band held {share * 100:.0f} % of the values "
            f"({windows:,} window{'s' * (windows != 1)}{few})."
        )


@dataclass(frozen=True, eq=False)
class SeriesForecast:
    """Of one series, in the targets' units.

    times: (steps,) on the series' grid, None where the table has no time column with a step; values, start: (steps,
    targets), the forecast and what it started from, NaN without a start; skip: what the linear skip alone makes of
    that, NaN without one; lower, upper: level → (steps, targets).
    """

    series: str  # "" where the table is one series
    last_row: int  # of the windows' rows: the last one that is known
    times: np.ndarray | None
    values: np.ndarray
    start: np.ndarray
    skip: np.ndarray
    lower: dict[float, np.ndarray]
    upper: dict[float, np.ndarray]


@dataclass(frozen=True, eq=False)
class Forecast:
    """steps: rows past the end; held: features whose last value was taken to stay, since nobody knows the next."""

    series: tuple[SeriesForecast, ...]
    targets: tuple[str, ...]
    steps: int
    horizon: int
    held: tuple[str, ...]
    bands: Bands


def measure_bands(model: SequenceModel, windows: Windows) -> Bands:
    """model: one that was trained on the training windows alone (TrainedModel.scored_models)."""
    _refuse(windows)
    residuals = {split: _residuals(model, windows, windows.starts[split]) for split in ("valid", "test")}
    sequence = np.searchsorted(windows.groups, windows.starts["test"], side="right")
    found = {}
    for level in LEVELS:
        widths = np.full(residuals["test"].shape, np.nan)
        for target in range(widths.shape[2]):
            valid = residuals["valid"][..., target]
            for one in np.unique(sequence):
                of = sequence == one
                widths[of, :, target] = rolling_bands(valid, residuals["test"][of, :, target], level)
        flat = (residuals["test"].reshape(len(widths), -1), widths.reshape(len(widths), -1))
        found[level] = coverage(*flat)
    return Bands(np.concatenate([residuals["valid"], residuals["test"]]), found)


def _residuals(model: SequenceModel, windows: Windows, starts: np.ndarray) -> np.ndarray:
    """(windows, output_steps, targets) truth − prediction, in z."""
    if not len(starts):
        return np.empty((0, windows.output_steps, windows.y.shape[1]))
    predictions, truth = predict(model, windows, starts), windows.targets(starts)
    if windows.target is None:
        return truth - predictions
    rows = windows.last_rows(starts)
    return windows.target.to_z(truth, rows) - windows.target.to_z(predictions, rows)


def forecast(
    model: SequenceModel, windows: Windows, steps: int, bands: Bands, known: Mapping[str, np.ndarray] | None = None
) -> Forecast:
    """The next `steps` rows of every series.

    Up to the horizon the model predicts directly; past it, its own forecasts are read as if they had happened, and
    features that are neither targets nor known ahead keep their last value.

    known: feature → (series, steps) values to come, of features known ahead; NaN or absent: the last value stays.

    Raises:
        PlaygroundError: the model predicts classes or the same row, or too many steps.
    """
    _refuse(windows)
    if not 1 <= steps <= MAX_STEPS:
        raise PlaygroundError(f"{steps:,} rows ahead: choose 1 to {MAX_STEPS:,}.")
    tail = _Tail(windows, steps, known or {})
    values = np.empty((len(tail.last), steps, windows.y.shape[1]))
    starts, skips = np.full_like(values, np.nan), np.full_like(values, np.nan)
    for first in range(0, steps, windows.output_steps):
        inputs, target, rows = tail.inputs(first)
        outputs, skip = _outputs(model, inputs)
        part = slice(first, first + windows.output_steps)
        values[:, part] = _in_own_units(windows, target, outputs, rows)[:, : steps - first]
        if target is not None:
            starts[:, part] = _in_own_units(windows, target, np.zeros_like(outputs), rows)[:, : steps - first]
        if skip is not None:
            skips[:, part] = _in_own_units(windows, target, skip, rows)[:, : steps - first]
        tail.extend(values[:, part], first)
    widths = _widths(bands, steps)
    series = tuple(tail.series_forecast(k, values[k], starts[k], skips[k], widths) for k in range(len(values)))
    return Forecast(series, windows.spec.targets, steps, windows.output_steps, tail.held, bands)


def _widths(bands: Bands, steps: int) -> dict[float, np.ndarray]:
    """Level → (steps, targets) half widths in z, the same for every series; those of a level at least a lower one's."""
    result, least = {}, np.zeros((steps, bands.residuals.shape[2]))
    for level in LEVELS:
        columns = [future_widths(one, level, steps) for one in np.moveaxis(bands.residuals, 2, 0)]
        result[level] = least = np.fmax(least, np.stack(columns, axis=1))
    return result


@torch.no_grad()
def _outputs(model: SequenceModel, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(series, output_size) of the model, and of its linear skip alone, if it has one."""
    was_training, x = model.training, torch.from_numpy(inputs).to(model.head.weight.device)
    model.eval()
    outputs = model(x).cpu()
    model.train(was_training)
    outputs = (outputs[:, -1] if model.spec.head == "per_step" else outputs).numpy().astype(np.float64)
    return outputs, model.skip_outputs(x).cpu().numpy().astype(np.float64) if model.uses_skip else None


def _in_own_units(windows: Windows, target: ForecastTarget | None, outputs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(series, output_size) predicted after these rows → (series, output_steps, targets)."""
    outputs = outputs.reshape(len(rows), windows.output_steps, windows.y.shape[1])
    return outputs * windows.y_scale + windows.y_center if target is None else target.inverse(outputs, rows)


class _Tail:
    """The last rows of every series, with room for those to come."""

    def __init__(self, windows: Windows, steps: int, known: Mapping[str, np.ndarray]) -> None:
        self._windows, self._steps = windows, steps
        # Whole forecasts: the last one, too, reads all that is known ahead of it.
        room = -(-steps // windows.output_steps) * windows.output_steps
        lengths = np.minimum(np.diff(windows.groups), MAX_HISTORY)
        rows = [np.arange(end - length, end + room) for end, length in zip(windows.groups[1:], lengths, strict=True)]
        past = [row < end for row, end in zip(rows, windows.groups[1:], strict=True)]
        self._source = np.concatenate([np.minimum(r, e - 1) for r, e in zip(rows, windows.groups[1:], strict=True)])
        is_past = np.concatenate(past)
        self._names = [""]
        if len(lengths) > 1:
            self._names = series_names(windows.table, windows.spec.group)
        self.groups = np.concatenate([[0], np.cumsum(lengths + room)])
        self.last = self.groups[1:] - room - 1  # the last known row of each series
        self._y = np.where(is_past[:, None], windows.y[self._source], np.nan)
        self._features = windows.features[self._source].copy()  # the last value stays
        self._past: tuple[ForecastTarget, np.ndarray] | None = None
        self._times = self._future_times(room)
        self._ahead = known_ahead(windows.table, windows.spec)
        self._set_calendar()
        for name, values in known.items():
            column = windows.feature_names.index(name)
            for k, last in enumerate(self.last):
                given = np.where(np.isnan(values[k]), self._features[last, column], values[k])
                self._features[last + 1 : last + 1 + room, column] = np.pad(given, (0, room - steps), "edge")
        told = set(known_inputs(windows.table)) | {name for name, values in known.items() if np.isfinite(values).all()}
        untold = [name for name in windows.feature_names if name not in told and name not in windows.spec.targets]
        is_direct = steps <= windows.output_steps  # then only what is read at the targets' time is needed
        self.held = tuple(name for name in untold if name in self._ahead or not is_direct)

    def _future_times(self, room: int) -> list[np.ndarray | None]:
        time, groups = self._windows.time, self._windows.groups
        if time is None:
            return [None] * len(self.last)
        times = []
        for first, end in pairwise(groups):
            own = time[first:end]
            missing = np.isnat(own) if own.dtype.kind == "M" else np.isnan(own)
            step = find_step(own[~missing]) if (~missing).sum() > 1 and not missing[-1] else None
            index = np.arange(1, room + 1)
            times.append(None if step is None else step.follow(own[-1:].repeat(room), index))
        return times

    def _set_calendar(self) -> None:
        """What the calendar says of the rows to come."""
        windows, spec = self._windows, self._windows.spec
        added = [n for n in known_inputs(windows.table) if n in windows.feature_names]
        if not (spec.calendar or spec.holidays) or not added:
            return
        for k, last in enumerate(self.last):
            if self._times[k] is None:
                raise PlaygroundError("The times to come are not known, so neither is their calendar: its steps vary.")
            for name, values in calendar_values(self._times[k], spec.calendar, spec.holidays).items():
                name = name if name in added else f"{name} (added)"
                self._features[last + 1 : last + 1 + len(values), windows.feature_names.index(name)] = values

    def inputs(self, first: int) -> tuple[np.ndarray, ForecastTarget | None, np.ndarray]:
        """(series, seq_len, input_size) float32 of the windows that end `first` rows past the end; the target's start
        on these rows, and the rows that the windows end with."""
        windows, target = self._windows, None
        if windows.target is not None:
            about = (windows.target, self._y, self._source, self.groups, windows.spec, windows.offsets)
            target = continued_target(*about, past=self._past)
            self._past = target, self.last + 1 + first  # rows from here on will be forecasts
        about = (windows.feature_names, self._ahead, windows.spec, target, self.groups, windows.offsets)
        x = model_inputs(self._features, *about).x
        rows = self.last + first
        taken = x[rows[:, None] + np.arange(1 - windows.spec.seq_len, 1)]
        inputs = ((taken - windows.x_center) * (1 / windows.x_scale)).astype(np.float32)
        self._refuse_unknown(inputs, target, rows)
        return inputs, target, rows

    def _refuse_unknown(self, inputs: np.ndarray, target: ForecastTarget | None, rows: np.ndarray) -> None:
        unknown = np.isnan(inputs).any((1, 2))
        if target is not None:
            unknown |= np.isnan(target.base[rows]).any((1, 2))
        if unknown.any():
            name = self._names[unknown.argmax()]
            of = f" of {name!r}" if name else ""
            raise PlaygroundError(
                f"The last {self._windows.spec.seq_len} rows{of} have missing values, so nothing past the end can be "
                "forecast: set missing to forward-fill, or leave the features with gaps out."
            )

    def extend(self, values: np.ndarray, first: int) -> None:
        """Take these forecasts (series, steps, targets) for what has happened."""
        names = self._windows.feature_names
        for k, last in enumerate(self.last):
            rows = slice(last + 1 + first, last + 1 + first + values.shape[1])
            self._y[rows] = values[k]
            for column, name in enumerate(self._windows.spec.targets):
                if name in names:
                    self._features[rows, names.index(name)] = values[k, :, column]

    def series_forecast(
        self, k: int, values: np.ndarray, start: np.ndarray, skip: np.ndarray, widths: dict[float, np.ndarray]
    ) -> SeriesForecast:
        windows = self._windows
        last = int(windows.groups[k + 1] - 1)
        rows = np.full(1, last)
        lower, upper = {}, {}
        for level, width in widths.items():
            if windows.target is None:
                lower[level], upper[level] = values - width, values + width
                continue
            z = windows.target.to_z(values[None], rows)[0]
            lower[level], upper[level] = (windows.target.from_z(edge[None], rows)[0] for edge in (z - width, z + width))
        times = None if self._times[k] is None else self._times[k][: self._steps]
        return SeriesForecast(self._names[k], last, times, values, start, skip, lower, upper)


def why_none(windows: Windows) -> str:
    """Why a model of these windows forecasts nothing, in one sentence; "" where it does."""
    if windows.classes:
        return "This model predicts classes, and a forecast is of numbers: choose a number as its target on Data."
    if not windows.spec.horizon:
        return "This model predicts the window's own last row: set horizon to 1 or more on Data, and train again."
    return ""


def _refuse(windows: Windows) -> None:
    if why := why_none(windows):
        raise PlaygroundError(why)
