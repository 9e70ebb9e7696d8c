"""What the page Forecast computes from a run, once for each weights and choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.forecasting.future import Bands, Forecast, forecast, measure_bands
from lstm_core.forecasting.predict import predict, predict_skip

if TYPE_CHECKING:
    from lstm_core.model.recurrent import SequenceModel
    from lstm_core.runs.run import Run

LIVE_SECONDS = 5.0  # while a run trains, what a click draws is computed from weights that are no older
MAX_TESTED = 4_000  # windows of the test part that are predicted for a picture: twice what one line shows


@dataclass(frozen=True, eq=False)
class FrozenModel:
    """A run's weights as they were at one moment, for all that is drawn then."""

    key: tuple[int, int]
    epoch: int
    scored: dict[str, SequenceModel]  # Run.scored_models


def frozen_model(run: Run) -> FrozenModel:
    """The run's weights as they are now; while it trains, those of a few seconds ago at most."""
    key, epoch = run.weights_key, run.epoch
    every = LIVE_SECONDS if run.is_active else None
    return run.cached("forecast weights", key, lambda: FrozenModel(key, epoch, run.scored_models()), every=every)


def run_forecast(run: Run, model: FrozenModel, steps: int, known: Mapping[str, np.ndarray] | None = None) -> Forecast:
    """The forecast of all series; known: as of lstm_core.forecasting.future.forecast.

    Raises:
        PlaygroundError: the model or the last rows allow none.
    """
    values = tuple((name, array.tobytes()) for name, array in sorted((known or {}).items()))
    key = (model.key, steps, hash(values))
    bands = run_bands(run, model)
    return run.cached(
        "scenario" if known else "future", key, lambda: forecast(model.scored["test"], run.windows, steps, bands, known)
    )


def run_bands(run: Run, model: FrozenModel) -> Bands:
    return run.cached("bands", model.key, lambda: measure_bands(model.scored["valid"], run.windows))


@dataclass(frozen=True, eq=False)
class TestedPart:
    """Predictions of rows that are known: rows (points,), values, start and skip (points,), NaN without such a part."""

    rows: np.ndarray
    values: np.ndarray
    start: np.ndarray
    skip: np.ndarray


def tested_part(run: Run, model: FrozenModel, series: int, horizon_step: int, target: int) -> TestedPart:
    """The last windows of the last split that has any, of one series; horizon_step: which step of each, from 0."""
    windows = run.windows
    starts = windows.starts[windows.last_split]
    of_series = np.searchsorted(windows.groups, starts, side="right") - 1 == series
    starts = starts[of_series][-MAX_TESTED:]
    parts = run.cached("tested", (model.key, series), lambda: _predictions(run, model, starts))
    picked = (slice(None), horizon_step, target)
    return TestedPart(windows.target_rows(starts)[:, horizon_step], *(part[picked] for part in parts))


def _predictions(run: Run, model: FrozenModel, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(windows, output_steps, targets) each: the predictions, what they start from, and what the skip makes of it."""
    windows, scored = run.windows, model.scored[run.windows.last_split]
    shape = (len(starts), windows.output_steps, windows.y.shape[1])
    start, skip = np.full(shape, np.nan), np.full(shape, np.nan)
    if not len(starts):
        return np.empty(shape), start, skip
    if windows.target is not None:
        start = windows.target.inverse(np.zeros(shape), windows.last_rows(starts))
    if scored.uses_skip:
        skip = predict_skip(scored, windows, starts)
    return predict(scored, windows, starts), start, skip
