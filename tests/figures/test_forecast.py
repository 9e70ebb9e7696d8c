"""The pictures of a forecast: bands around the line, joined to the last known row; areas that end at gaps."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.figures.forecast import Curve, ForecastCurves, Parts, forecast_figure, parts_figure
from lstm_core.figures.theme import MAX_POINTS, PREDICTION_COLOR

DAYS = np.datetime64("2024-01-01", "ns") + np.arange(12) * np.timedelta64(1, "D")


def curves(x=DAYS, last: float = 9.0, **more) -> ForecastCurves:
    """Ten known rows and two to come."""
    y = np.append(np.arange(9.0), last)
    future = np.array([10.0, 11.0])
    bands = {level: np.array([k, k]) for k, level in ((1.0, 0.8), (2.0, 0.95))}
    return ForecastCurves(
        Curve(x[:10], y),
        Curve(x[7:10], y[7:10] + 0.5),
        Curve(x[10:], future),
        {level: future - width for level, width in bands.items()},
        {level: future + width for level, width in bands.items()},
        **more,
    )


def named(figure) -> dict:
    """The lines that the legend names."""
    return {line.name: line for line in figure.data if line.showlegend is not False}


@pytest.mark.parametrize("x", [DAYS, np.arange(2000.0, 2012.0)])
def test_the_future_and_its_bands_begin_at_the_last_known_row(x):
    figure = forecast_figure(curves(x), "LSTM, test", "day", "load")
    lines = named(figure)
    assert list(lines) == ["95\u202f% band", "80\u202f% band", "actual", "LSTM, test", "forecast"]
    assert lines["forecast"].y.tolist() == [9, 10, 11]
    np.testing.assert_array_equal(np.asarray(lines["forecast"].x, x.dtype), x[9:])
    assert lines["95\u202f% band"].y.tolist() == [9, 12, 13] and lines["80\u202f% band"].y.tolist() == [9, 11, 12]
    assert all(line.fillcolor.startswith(PREDICTION_COLOR) for line in figure.data[:4])
    assert "80\u202f%: 9 to 11" in lines["forecast"].customdata[1]
    end = np.asarray(figure.layout.xaxis.range[1], x.dtype)
    assert end > x[-1]


def test_a_gap_at_the_end_is_not_joined_and_no_band_is_no_band():
    figure = forecast_figure(curves(last=np.nan), "tested", "day", "load")
    assert named(figure)["forecast"].y.tolist() == [10, 11]
    bare = curves()
    for values in (*bare.lower.values(), *bare.upper.values()):
        values[:] = np.nan
    assert list(named(forecast_figure(bare, "tested", "day", "load"))) == ["actual", "tested", "forecast"]


def test_the_forecast_before_a_change_is_pale_and_names_are_no_html():
    figure = forecast_figure(curves(before=np.array([5.0, 6.0])), "tested", "<b>day", "$x$")
    before = named(figure)["forecast before the change"]
    assert before.y.tolist() == [9, 5, 6] and before.opacity < 0.7
    assert figure.layout.xaxis.title.text == "&lt;b&gt;day" and "$" not in figure.layout.yaxis.title.text


def test_long_lines_are_thinned():
    x = np.arange(100_000.0)
    long = ForecastCurves(Curve(x, np.sin(x)), Curve(x, np.cos(x)), Curve(x[-1:] + 1, np.ones(1)))
    assert max(len(line.x) for line in forecast_figure(long, "tested", "x", "y").data) <= MAX_POINTS


def test_what_is_added_is_the_difference_and_ends_at_gaps():
    start = Curve(DAYS, np.array([*range(6), np.nan, *range(5)], float))
    result = Curve(DAYS, start.y + 2)
    none = Curve(DAYS, np.full(12, np.nan))
    figure = parts_figure(Parts(Curve(DAYS[:6], start.y[:6]), start, none, result, "LSTM"), "day", "load")
    areas = [line for line in figure.data if line.fill == "tozeroy"]
    assert [len(area.y) for area in areas] == [6, 5]
    assert all((area.y == 2).all() and area.yaxis == "y2" for area in areas)
    assert [line.name for line in figure.data[:3]] == ["actual", "start", "start + LSTM = forecast"]


def test_a_linear_skip_stands_between_the_start_and_the_forecast():
    start = Curve(DAYS, np.arange(12.0))
    skip, result = Curve(DAYS, start.y + 2), Curve(DAYS, start.y + 5)
    figure = parts_figure(Parts(start, start, skip, result, "GRU"), "day", "load")
    names = ["actual", "start", "start + linear skip", "start + linear skip + GRU = forecast"]
    assert [line.name for line in figure.data[:4]] == names
    areas = {line.name: line for line in figure.data if line.fill == "tozeroy"}
    assert {name: set(area.y.tolist()) for name, area in areas.items()} == {
        "what the linear skip adds": {2.0},
        "what the GRU adds": {3.0},
    }
    assert len({line.line.color for line in areas.values()}) == 2
