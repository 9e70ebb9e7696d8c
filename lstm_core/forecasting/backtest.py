"""Backtest: forecasts from rolling origins over the test rows, beside what came; by one model, or refitted.

What is told is the first target, in its own units.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.data.series_rows import series_names
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.forecasting.predict import predict
from lstm_core.model.recurrent import SequenceModel
from lstm_core.training.linear_skip import choose_skip
from lstm_core.training.trainer import Trainer

MAX_ORIGINS = 2_000
DEFAULT_ORIGINS, REFITTED_ORIGINS = 200, 12  # at most, unless one says: each refit is a training
BLOCKS = 6  # into which the rows are cut where no calendar tells them apart
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
HOURS = [f"{hour:02}:00" for hour in range(24)]
Refit = Callable[[np.ndarray, Callable[[float], None]], SequenceModel]
DAY = 86_400 * 10**9  # nanoseconds: of rows further apart the weekday says nothing
PERIODS = ("block", "series", "month", "weekday", "hour")  # blocks of one series, else each series


@dataclass(frozen=True, eq=False)
class Backtest:
    """Forecasts of the rows after each origin, and the truth; both (origins, horizon) in units of the target.

    origins: (origins,) rows of the windows' table, the last that each forecast knows; rows: (origins, horizon), those
    of its targets; spacing: rows from one origin to the next of the same series.
    """

    target: str
    origins: np.ndarray
    rows: np.ndarray
    forecasts: np.ndarray
    truth: np.ndarray
    spacing: int
    refitted: bool

    @property
    def errors(self) -> np.ndarray:
        """(origins, horizon): forecast − truth."""
        return self.forecasts - self.truth

    @property
    def rmse(self) -> float:
        return _rmse(self.errors)

    def by_step(self) -> np.ndarray:
        """(horizon,) RMSE of each step ahead."""
        return np.sqrt(np.square(self.errors).mean(0))

    def by_origin(self) -> np.ndarray:
        """(origins,) RMSE of each origin's forecast."""
        return np.sqrt(np.square(self.errors).mean(1))

    def sentence(self) -> str:
        """ "Over 25 origins, 1 row apart, with the same model at each, the RMSE is 2.38." """
        count, horizon = self.truth.shape
        apart = f", {self.spacing:,} row{'s' * (self.spacing > 1)} apart," if count > 1 else ""
        model = "a model refitted at each" if self.refitted else "the same model at each"
        text = f"Over {count:,} origin{'s' * (count > 1)}{apart} with {model}, the RMSE is "
        steps = self.by_step()
        first, last = format_significant(steps[0], 3), format_significant(steps[-1], 3)
        parts = f": {first} one row ahead and {last} at {horizon:,} rows" if horizon > 1 else ""
        return f"{text}{format_significant(self.rmse, 3)}{parts}."

    def by_period(self, windows: Windows, period: str) -> dict[str, tuple[float, int]]:
        """Label → (RMSE, values) of the targets in it, in the calendar's order; period: one of periods_of(windows)."""
        names, place = _places(windows, period, self.rows)
        squares = np.square(self.errors)
        return {
            names[k]: (float(np.sqrt(squares[place == k].mean())), int((place == k).sum())) for k in np.unique(place)
        }


def backtest(
    model: SequenceModel,
    windows: Windows,
    count: int | None = None,
    spacing: int | None = None,
    refit: Refit | None = None,
    progress: Callable[[float, str], None] = lambda share, what: None,
) -> Backtest:
    """Forecast from origins among the test windows, the last ones if there are more than `count`.

    count: origins at most; spacing: rows between two of them, else such that they are spread over all test windows;
    refit: (first rows of the windows known at an origin) → the model for it (refit_from), None for the same model at
    all of them; progress: what it raises ends this.

    Raises:
        PlaygroundError: the model predicts classes or the same row, there is no test window, or a bad number.
    """
    _refuse(windows, count, spacing)
    starts, spacing = _choose(windows, count or (REFITTED_ORIGINS if refit else DEFAULT_ORIGINS), spacing)
    rows = windows.target_rows(starts)
    if refit is None:
        progress(0.0, "Forecasting from every origin")
        forecasts = predict(model, windows, starts)[..., 0]
    else:
        forecasts = _refitted(windows, starts, refit, progress)
    truth = windows.targets(starts)[..., 0]
    return Backtest(
        windows.spec.targets[0], windows.last_rows(starts), rows, forecasts, truth, spacing, refit is not None
    )


def refit_from(windows: Windows, experiment: Experiment, best_steps: int, shrunk: float = 1.0) -> Refit:
    """For backtest: a model trained from the experiment's first weights on given windows, scaled as before.

    best_steps: optimiser steps that were best on the training windows; more windows get as many passes. shrunk: what
    the output head was scaled by then.
    """
    train = dataclasses.replace(experiment.train, patience=0, refit=False, shrink=False)
    choice = choose_skip(experiment, windows) if experiment.model.linear_skip else None
    none = windows.starts["train"][:0]

    def refit(known: np.ndarray, progress: Callable[[float], None]) -> SequenceModel:
        steps = round(best_steps * len(known) / len(windows.starts["train"]))
        spec = dataclasses.replace(train, epochs=max(1, steps))
        of_known = dataclasses.replace(windows, starts={"train": known, "valid": none, "test": none})
        trainer = Trainer(of_known, dataclasses.replace(experiment, train=spec), choice)
        while trainer.step < steps:
            next(trainer)
            progress(trainer.step / steps)
        trainer.scale_head(shrunk)
        return trainer.model

    return refit


def refit_of(trainer: Trainer) -> Refit:
    """refit_from of a training that has ended."""
    best = trainer.early_stopping
    steps = best.best_epoch * trainer.steps_per_epoch if trainer.spec.patience else trainer.step
    return refit_from(trainer.windows, trainer.experiment, steps, best.shrunk)


def _refitted(windows: Windows, starts: np.ndarray, refit: Refit, progress: Callable[[float, str], None]) -> np.ndarray:
    """(origins, horizon): one refit for all origins of the same moment."""
    moments = _moments(windows)
    every = np.sort(np.concatenate([windows.starts[split] for split in ("train", "valid", "test")]))
    told = moments[windows.target_rows(every)[:, -1]]  # when the last of a window's targets is known
    at = moments[windows.last_rows(starts)]
    forecasts, different = np.empty((len(starts), windows.output_steps)), np.unique(at)
    for index, moment in enumerate(different):
        what = f"Refitting at origin {index + 1} of {len(different)}"

        def report(share: float, index: int = index, what: str = what) -> None:
            progress((index + share) / len(different), what)

        report(0.0)
        model = refit(every[told <= moment], report)
        of = at == moment
        forecasts[of] = predict(model, windows, starts[of])[..., 0]
    return forecasts


def _moments(windows: Windows) -> np.ndarray:
    """(rows,) when each row is known, comparable from series to series: its time, or its place in its series."""
    time = windows.time
    if time is not None and len(windows.groups) > 2 and np.isfinite(time).all():
        return time
    return np.arange(windows.rows) - np.repeat(windows.groups[:-1], np.diff(windows.groups))


def _choose(windows: Windows, count: int, spacing: int | None) -> tuple[np.ndarray, int]:
    """First rows of the windows of the chosen origins, in order, and their spacing; `count` of all series together."""
    starts = windows.starts["test"]
    sequences = np.searchsorted(windows.groups, starts, side="right")
    present, sizes = np.unique(sequences, return_counts=True)
    each = max(1, count // len(present))
    spacing = max(1, -(-int(sizes.max()) // each)) if spacing is None else spacing
    chosen = []
    for sequence in present[-count:]:
        own = starts[sequences == sequence]
        chosen.append(own[(own[-1] - own) % spacing == 0][-each:])  # the last window is always one
    return np.concatenate(chosen), spacing


def periods_of(windows: Windows) -> tuple[str, ...]:
    """Of PERIODS those that tell the test rows apart."""
    rows = windows.target_rows(windows.starts["test"])
    first = "block" if len(windows.groups) == 2 else "series"
    if windows.time is None or windows.time.dtype.kind != "M" or np.isnat(windows.time[rows]).any():
        return (first,)
    usual_step = np.median(np.diff(np.unique(windows.time[rows])).astype(np.int64)) if rows.size > 1 else 0
    telling = [one for one in PERIODS[2:] if one != "weekday" or usual_step <= DAY]
    return (first, *(one for one in telling if len(np.unique(_places(windows, one, rows)[1])) > 1))


def _places(windows: Windows, period: str, rows: np.ndarray) -> tuple[Sequence[str], np.ndarray]:
    """Names, and for each of the rows the index of its own."""
    if period == "series":
        names = series_names(windows.table, windows.spec.group)
        return names, np.searchsorted(windows.groups, rows, side="right") - 1
    if period == "block":
        known = np.unique(rows)
        edges = np.array_split(known, min(BLOCKS, len(known)))
        ends = [(windows.label(int(edge[0])), windows.label(int(edge[-1]))) for edge in edges]
        return [first if first == last else f"{first} to {last}" for first, last in ends], np.searchsorted(
            [edge[-1] for edge in edges], rows
        )
    time = windows.time[rows]
    if period == "month":
        return MONTHS, time.astype("datetime64[M]").astype(np.int64) % 12
    if period == "weekday":
        return WEEKDAYS, (time.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    return HOURS, time.astype("datetime64[h]").astype(np.int64) % 24


def _rmse(errors: np.ndarray) -> float:
    return float(np.sqrt(np.square(errors).mean()))


def _refuse(windows: Windows, count: int | None, spacing: int | None) -> None:
    if windows.classes or not windows.spec.horizon:
        raise PlaygroundError(
            "A backtest is one of forecasts: choose a number as the target, and a horizon of 1 row or more."
        )
    if not len(windows.starts["test"]):
        raise PlaygroundError("There is no test window to forecast from: lower the training share or the horizon.")
    if count is not None and not 1 <= count <= MAX_ORIGINS:
        raise PlaygroundError(f"{count:,} origins: choose 1 to {MAX_ORIGINS:,}.")
    if spacing is not None and spacing < 1:
        raise PlaygroundError(f"The origins are {spacing:,} rows apart: choose 1 or more.")
