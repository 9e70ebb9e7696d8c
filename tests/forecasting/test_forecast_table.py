"""A forecast as a table: every series, target and step once, times in ISO, texts that are no formulas."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.forecasting.forecast_table import forecast_columns, forecast_csv, time_texts
from lstm_core.forecasting.future import LEVELS, Bands, Forecast, SeriesForecast


def one_series(name: str, times, base: float, targets: int = 1) -> SeriesForecast:
    values = base + np.arange(2.0)[:, None] + 10 * np.arange(targets)
    lower = {level: values - level for level in LEVELS}
    return SeriesForecast(
        name, 9, times, values, values * np.nan, values * np.nan, lower, {level: values + level for level in LEVELS}
    )


def forecast_of(*series: SeriesForecast, targets: tuple[str, ...] = ("y",)) -> Forecast:
    return Forecast(series, targets, 2, 1, (), Bands(np.zeros((0, 1, 1)), {}))


def test_the_columns_are_those_of_the_contract():
    times = np.array(["2024-01-01", "2024-01-02"], "M8[ns]")
    data = forecast_csv(forecast_columns(forecast_of(one_series("", times, 1.5)))).decode()
    assert data == (
        "time,step,forecast,lower_80,upper_80,lower_95,upper_95\n"
        "2024-01-01,1,1.5,0.7,2.3,0.55,2.45\n2024-01-02,2,2.5,1.7,3.3,1.55,3.45\n"
    )


def test_series_and_targets_are_columns_and_no_formulas():
    forecast = forecast_of(one_series("=1+1", None, 0, 2), one_series("b", None, 100, 2), targets=("y", "-z"))
    columns = forecast_columns(forecast, "time")
    assert list(columns)[-2:] == ["target", "time_2"]
    assert columns["time_2"].tolist() == ["=1+1"] * 4 + ["b"] * 4
    assert columns["target"].tolist() == ["y", "y", "-z", "-z"] * 2
    assert columns["forecast"].tolist() == [0, 1, 10, 11, 100, 101, 110, 111]
    assert columns["step"].tolist() == [1, 2] * 4
    lines = forecast_csv(columns).decode().splitlines()
    assert lines[1].startswith(",1,0,") and lines[1].endswith(",y,'=1+1")
    assert lines[3].endswith(",'-z,'=1+1")


def test_what_is_not_known_is_empty():
    series = one_series("", None, 1)
    series.lower[0.8][1] = np.nan
    assert forecast_csv(forecast_columns(forecast_of(series))).decode().splitlines()[2].startswith(",2,2,,")


@pytest.mark.parametrize(
    ("times", "texts"),
    [
        (np.array(["2024-02-28", "2024-02-29"], "M8[ns]"), ["2024-02-28", "2024-02-29"]),
        (np.array(["2024-02-28T23", "2024-02-29T00"], "M8[ns]"), ["2024-02-28T23:00:00", "2024-02-29T00:00:00"]),
        (np.array([2009.0, -5.5]), ["2009", "-5.5"]),
    ],
)
def test_times_are_as_short_as_all_of_them_allow(times, texts):
    assert time_texts(times).tolist() == texts
