"""The pictures of the page Forecast: one series and one target of a run's forecast, as curves of a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from lstm_core.figures.forecast import Curve, ForecastCurves, Parts, forecast_figure, parts_figure
from lstm_core.figures.theme import SPLIT_NAMES

if TYPE_CHECKING:
    from lstm_core.data.windows import Windows
    from lstm_core.forecasting.future import Forecast, SeriesForecast
    from pages.shared.forecast.run_forecast import TestedPart

MIN_HISTORY = 60  # rows of the past that are drawn at least
PAST_SHARE = 6  # times the rows to come: more of the past would leave the future no room
FEW_SEASONS = 3  # of the past, likewise at least


@dataclass(frozen=True, eq=False)
class Shown:
    """What is chosen: a series by its number, a target, a step of the test part's windows (from 0), all of the past."""

    series: int
    target: int
    horizon_step: int
    whole: bool


def past_rows(windows: Windows, forecast: Forecast, shown: Shown) -> np.ndarray:
    """The known rows of the series that are drawn."""
    first, last = int(windows.groups[shown.series]), forecast.series[shown.series].last_row
    if shown.whole:
        return np.arange(first, last + 1)
    count = max(MIN_HISTORY, PAST_SHARE * forecast.steps, FEW_SEASONS * windows.spec.season)
    return np.arange(max(first, last + 1 - count), last + 1)


def forecast_picture(
    windows: Windows, forecast: Forecast, before: Forecast | None, tested: TestedPart, shown: Shown, cell: str
) -> None:
    """before: the forecast without the values that were given for the rows to come, if any were."""
    one, rows = forecast.series[shown.series], past_rows(windows, forecast, shown)
    x = _Axis(windows, one)
    is_seen = tested.rows >= rows[0]
    curves = ForecastCurves(
        Curve(x.of_rows(rows), windows.y[rows, shown.target]),
        Curve(x.of_rows(tested.rows[is_seen]), tested.values[is_seen]),
        Curve(x.to_come, one.values[:, shown.target]),
        {level: values[:, shown.target] for level, values in one.lower.items()},
        {level: values[:, shown.target] for level, values in one.upper.items()},
        None if before is None else before.series[shown.series].values[:, shown.target],
    )
    name = f"{cell} on the {SPLIT_NAMES[windows.last_split]} part"
    if windows.output_steps > 1:
        step = shown.horizon_step + 1
        name += f", {step:,} row{'s' * (step > 1)} ahead"
    figure = forecast_figure(curves, name, x.title, windows.spec.targets[shown.target])
    st.plotly_chart(figure, key="forecast_picture")


def parts_picture(windows: Windows, forecast: Forecast, tested: TestedPart, shown: Shown, cell: str) -> None:
    """The start, what a linear skip and the cells add to it, and their sum."""
    one, rows = forecast.series[shown.series], past_rows(windows, forecast, shown)
    x = _Axis(windows, one)
    is_seen = tested.rows >= rows[0]
    rows = rows[rows >= tested.rows[is_seen][0]] if is_seen.any() else rows[-1:]
    at = np.concatenate([x.of_rows(tested.rows[is_seen]), x.to_come[:1], x.to_come])

    def line(known: np.ndarray, to_come: np.ndarray) -> Curve:
        return Curve(at, np.concatenate([known[is_seen], [np.nan], to_come[:, shown.target]]))

    actual = Curve(x.of_rows(rows), windows.y[rows, shown.target])
    parts = Parts(
        actual, line(tested.start, one.start), line(tested.skip, one.skip), line(tested.values, one.values), cell
    )
    figure = parts_figure(parts, x.title, windows.spec.targets[shown.target])
    st.plotly_chart(figure, key="forecast_parts")


class _Axis:
    """The times of known rows and of those to come; row numbers where the latter are not known."""

    def __init__(self, windows: Windows, one: SeriesForecast) -> None:
        self._time = windows.time if one.times is not None else None
        self.title = "row" if self._time is None else windows.spec.time
        self._first = 1 - int(windows.groups[np.searchsorted(windows.groups, one.last_row, side="right") - 1])
        steps = np.arange(1, len(one.values) + 1)
        self.to_come = one.times if self._time is not None else one.last_row + self._first + steps

    def of_rows(self, rows: np.ndarray) -> np.ndarray:
        return rows + self._first if self._time is None else self._time[rows]
