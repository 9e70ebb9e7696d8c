"""Baselines on one series, for the same forecast origins: what a user would pick instead of an LSTM.

Each is a function (y, origins, horizon, season, train_end) → (len(origins), horizon): forecasts of y[t+1], y[t+2] … for
each origin t, in y's own units, from rows up to t and what was fitted on rows before train_end; NaN where the method
does not apply. y: (rows,) without a gap; origins: (windows,) row numbers; season: rows of a season, 0 for none.
ets and arima need statsforecast, an optional package (requirements-extras.txt).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from lstm_core.data.start import Start
from lstm_core.settings import PlaygroundError

RIDGE_PENALTIES = np.logspace(-6, 2, 9)
MAX_RIDGE_WINDOWS = 100_000  # the last training windows
RIDGE_VALID_SHARE = 0.2  # of the training windows, the last: they choose the penalty
MIN_FIT_ROWS = 10
MAX_FIT_ROWS = 2_000  # the last training rows, to which ETS and ARIMA without a season are fitted
MAX_SEASONAL_ROWS = {12: 1_000, 48: 500}  # of ARIMA, up to such a season: some 20 s at most; longer ones take more
FITS_KEPT = 64  # models; each has some 100 KB
MAX_ETS_SEASON = 24  # rows: AutoETS models no longer one
INSTALL = "python -m pip install -r requirements-extras.txt"


def persistence(y: np.ndarray, origins: np.ndarray, horizon: int, season: int, train_end: int) -> np.ndarray:
    """The last value."""
    return _start(Start("last", 0), y, origins, horizon)


def seasonal_naive(y: np.ndarray, origins: np.ndarray, horizon: int, season: int, train_end: int) -> np.ndarray:
    """The last known value of the same time of the season; NaN without a season."""
    if not season:
        return np.full((len(origins), horizon), np.nan)
    return _start(Start("season", season), y, origins, horizon)


def drift(y: np.ndarray, origins: np.ndarray, horizon: int, season: int, train_end: int) -> np.ndarray:
    """The straight line through the first value and the last (Hyndman & Athanasopoulos, 2021, section 5.2)."""
    origins, steps = np.asarray(origins), np.arange(1, horizon + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(origins > 0, (y[origins] - y[0]) / origins, np.nan)
    return y[origins][:, None] + slope[:, None] * steps


def mean(y: np.ndarray, origins: np.ndarray, horizon: int, season: int, train_end: int) -> np.ndarray:
    """The mean of the training rows."""
    return np.full((len(origins), horizon), np.mean(y[:train_end]) if train_end else np.nan)


def ridge(
    y: np.ndarray, origins: np.ndarray, horizon: int, season: int, train_end: int, seq_len: int | None = None
) -> np.ndarray:
    """Ridge regression of all steps at once on the last seq_len values (without it a tenth of the rows, 4 to 24).

    The penalty, 10⁻⁶ to 10² on standardised values, is the best one on the last fifth of the training windows; then all
    of them are fitted. NaN where fewer than seq_len rows are known, or training has fewer than 5 windows.
    """
    seq_len = int(np.clip(len(y) // 10, 4, 24)) if seq_len is None else seq_len
    origins = np.asarray(origins)
    result = np.full((len(origins), horizon), np.nan)
    ends = np.arange(seq_len - 1, train_end - horizon)[-MAX_RIDGE_WINDOWS:]
    if len(ends) < 5:
        return result
    center, scale = np.mean(y[:train_end]), np.std(y[:train_end]) or 1.0
    z = (y - center) / scale
    back, steps = np.arange(1 - seq_len, 1), np.arange(1, horizon + 1)
    inputs, targets = z[ends[:, None] + back], z[ends[:, None] + steps]
    # Targets of the windows that fit a penalty must be known where those that judge it begin.
    judged = max(1, round(len(ends) * RIDGE_VALID_SHARE))
    fitted = max(len(ends) - judged - horizon + 1, 2)
    errors = [
        np.square(predict(inputs[-judged:]) - targets[-judged:]).mean()
        for predict in _ridge_fits(inputs[:fitted], targets[:fitted], RIDGE_PENALTIES)
    ]
    (predict,) = _ridge_fits(inputs, targets, RIDGE_PENALTIES[[int(np.argmin(errors))]])
    enough = origins >= seq_len - 1
    result[enough] = predict(z[origins[enough, None] + back]) * scale + center
    return result


def ets(y: np.ndarray, origins: np.ndarray, horizon: int, season: int, train_end: int) -> np.ndarray:
    """Exponential smoothing, its form chosen by AICc (statsforecast's AutoETS); fitted once, then rolled forward.

    A season of more than 24 rows is left out, as in AutoETS. NaN if training is too short.

    Raises:
        PlaygroundError: statsforecast is not installed.
    """
    first, fitted = _fitted("AutoETS", y, season if season <= MAX_ETS_SEASON else 0, train_end, MAX_FIT_ROWS)
    origins, result = np.asarray(origins), np.full((len(origins), horizon), np.nan)
    if fitted is None:
        return result
    from statsforecast.ets import forward_ets

    states = forward_ets(fitted, np.asarray(y[first:], np.float64))["states"]  # (rows + 1, states): from before a row
    _, trend, seasonal, damped = fitted["components"]
    usable = origins >= first
    state = states[origins[usable] - first + 1]
    steps = np.arange(1, horizon + 1)
    level, position = np.broadcast_to(state[:, :1], (len(state), horizon)), 1
    if trend != "N":
        growth = np.cumsum((fitted["par"][3] if damped == "D" else 1.0) ** np.maximum(steps - (damped != "D"), 0))
        slope = state[:, 1:2]
        level, position = (level + slope * growth if trend == "A" else level * slope**growth), 2
    if seasonal != "N":
        length = fitted["m"]
        same_time = state[:, position + length - 1 - (steps - 1) % length]
        level = level + same_time if seasonal == "A" else level * same_time
    result[usable] = level
    return result


def arima(y: np.ndarray, origins: np.ndarray, horizon: int, season: int, train_end: int) -> np.ndarray:
    """Seasonal ARIMA, its orders chosen by AICc (statsforecast's AutoARIMA); fitted once, then rolled forward.

    The search is that of R's auto.arima, on the last 500 to 2,000 training rows; one pass of the Kalman filter gives
    the state at each origin. A season of more than 48 rows is left out. NaN if training is too short.

    Raises:
        PlaygroundError: statsforecast is not installed.
    """
    limits = [limit for longest, limit in MAX_SEASONAL_ROWS.items() if 0 < season <= longest]
    rows = limits[0] if limits else MAX_FIT_ROWS
    # R's auto.arima ranks models by an approximate likelihood in the same cases, and fits the best one exactly.
    approximate = {"approximation": min(train_end, rows) > 150 or season > 12}
    first, fitted = _fitted("AutoARIMA", y, season if limits else 0, train_end, rows, **approximate)
    origins, result = np.asarray(origins), np.full((len(origins), horizon), np.nan)
    if fitted is None:
        return result
    from statsforecast.arima import arima_like, forward_arima

    usable = origins >= first + MIN_FIT_ROWS - 1
    if not usable.any():
        return result
    ends = origins[usable] - first
    values, begin = np.asarray(y[first : origins.max() + 1], np.float64), int(ends.min())
    coefficients = fitted["coef"]
    line = np.arange(1, len(values) + horizon + 1) * coefficients.get("drift", 0.0) + coefficients.get("intercept", 0.0)
    parts = {name: np.array(part) for name, part in forward_arima(fitted, values[: begin + 1])["model"].items()}
    states = np.empty((len(values) - begin, len(parts["a"])))  # of the Kalman filter, after each row
    states[0] = parts["a"]
    arrays = [parts[name] for name in ("phi", "theta", "delta", "a", "P", "Pn")]
    for row in range(begin + 1, len(values)):
        parts["Pn"][:] = parts["T"] @ parts["P"] @ parts["T"].T + parts["V"]
        arima_like(values[row : row + 1] - line[row], *arrays, 0, False)  # takes a and P one row on, in place
        states[row - begin] = parts["a"]
    state = states[ends - begin]
    forecasts = np.empty((len(ends), horizon))
    for step in range(horizon):
        state = state @ parts["T"].T
        forecasts[:, step] = state @ parts["Z"] + line[ends + step + 1]
    result[usable] = forecasts
    return result


BASELINES: dict[str, Callable[..., np.ndarray]] = {
    "persistence": persistence,
    "seasonal_naive": seasonal_naive,
    "drift": drift,
    "mean": mean,
    "ridge": ridge,
    "ets": ets,
    "arima": arima,
}


def _start(start: Start, y: np.ndarray, origins: np.ndarray, horizon: int) -> np.ndarray:
    return start.values(y, np.array([0, len(y)]), np.arange(1, horizon + 1))[np.asarray(origins)]


def _ridge_fits(
    inputs: np.ndarray, targets: np.ndarray, penalties: np.ndarray
) -> list[Callable[[np.ndarray], np.ndarray]]:
    """One predictor a penalty, with an intercept that is not penalised, from one singular value decomposition."""
    center_x, center_y = inputs.mean(0), targets.mean(0)
    u, s, vt = np.linalg.svd(inputs - center_x, full_matrices=False)
    projected = u.T @ (targets - center_y)

    def predictor(penalty: float) -> Callable[[np.ndarray], np.ndarray]:
        weights = vt.T @ ((s / (s**2 + penalty))[:, None] * projected)
        return lambda x: (x - center_x) @ weights + center_y

    return [predictor(penalty) for penalty in penalties]


def _fitted(
    model: str, y: np.ndarray, season: int, train_end: int, max_rows: int, **options: bool
) -> tuple[int, dict[str, Any] | None]:
    """(first row, statsforecast's fitted model) of the training rows; None where they are too few or all equal."""
    if find_spec("statsforecast") is None:
        raise PlaygroundError(f"The baselines ETS and ARIMA need the package statsforecast: run {INSTALL}.")
    first = max(0, train_end - max_rows)
    train = np.asarray(y[first:train_end], np.float64)
    if len(train) < MIN_FIT_ROWS or np.ptp(train) == 0:
        return first, None
    length = season if 2 * season < len(train) else 0
    return first, _fit(model, train.tobytes(), max(length, 1), **options)


@lru_cache(FITS_KEPT)
def _fit(model: str, train: bytes, season: int, **options: bool) -> dict[str, Any] | None:
    """statsforecast's model of these float64 values: seconds of work, the same for every run on one table."""
    from statsforecast import models

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of a search that tries models that do not fit
        try:
            return getattr(models, model)(season_length=season, **options).fit(np.frombuffer(train)).model_
        except (ValueError, ZeroDivisionError, np.linalg.LinAlgError):
            return None  # no model of the family fits
