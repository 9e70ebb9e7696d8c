"""What is said under the picture: how often the bands hold, what a longer forecast rests on, what a change does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.data.series_rows import listed
from lstm_core.data.windows import Windows
from lstm_core.forecasting.future import LEVELS, Forecast, SeriesForecast


def band_sentences(forecast: Forecast) -> str:
    return " ".join(forecast.bands.sentence(level) for level in LEVELS)


def recursion_sentence(forecast: Forecast, model: str) -> str:
    """Empty where the model predicts all steps directly."""
    horizon = forecast.horizon
    if forecast.steps <= horizon:
        return ""
    rows = "one row" if horizon == 1 else f"{horizon:,} rows"
    return (
        f"The {model} predicts {rows} at once: from step {horizon + 1:,} on it reads its own forecasts as if they had "
        "happened, and its bands are extrapolated rather than measured."
    )


def held_sentence(forecast: Forecast, known: Mapping[str, np.ndarray], series: int) -> str:
    """Which inputs keep their last value, as nobody has said what becomes of them in this series; empty if none."""
    told = {name for name, values in known.items() if np.isfinite(values[series]).any()}
    held = [name for name in forecast.held if name not in told]
    if not held:
        return ""
    keeps = "keeps its last value" if len(held) == 1 else "keep their last values"
    return (
        f"{listed(held, 6)} {keeps}: their values to come are not known."
        if len(held) > 1
        else (f"{listed(held)} {keeps}: its values to come are not known.")
    )


def change_sentence(before: SeriesForecast, after: SeriesForecast, target: int, windows: Windows) -> str:
    """What the values that were given do to the forecast of one series."""
    difference = after.values[:, target] - before.values[:, target]
    if not np.isfinite(difference).all():
        return ""
    mean = float(difference.mean())
    at = int(np.abs(difference).argmax())
    if difference[at] == 0:
        return "The values that you give do not move this forecast."
    largest = f"{_amount(difference[at])} at step {at + 1:,}"
    if len(difference) == 1:
        return f"With the values that you give, the forecast of {windows.spec.targets[target]!r} is {largest}."
    return (
        f"With the values that you give, the forecast of {windows.spec.targets[target]!r} is {_amount(mean)} on "
        f"average over {len(difference):,} rows, and at most {largest}."
    )


def _amount(difference: float) -> str:
    if difference == 0:
        return "unchanged"
    return f"{format_significant(abs(difference), 3)} {'higher' if difference > 0 else 'lower'}"
