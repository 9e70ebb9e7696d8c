"""Baselines: what each says, from rows up to the origin alone; ETS and ARIMA beside their library's own forecasts."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.forecasting import baselines
from lstm_core.forecasting.baselines import BASELINES
from lstm_core.settings import PlaygroundError

QUICK = tuple(name for name in BASELINES if name not in ("ets", "arima"))


def series(rows: int, season: int = 0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(rows) * 2 * np.pi / season) if season else 0.0
    return 50 + 3 * wave + rng.normal(size=rows).cumsum() * 0.2 + 0.3 * rng.normal(size=rows)


def test_the_simple_ones_say_what_their_names_say():
    y = np.array([1.0, 4.0, 2.0, 8.0, 5.0, 7.0, 3.0])
    arguments = (y, np.array([3, 5]), 3, 2, 4)
    says = {name: BASELINES[name](*arguments).tolist() for name in QUICK if name != "ridge"}
    assert says["persistence"] == [[8, 8, 8], [7, 7, 7]]
    assert says["seasonal_naive"] == [[2, 8, 2], [5, 7, 5]]
    assert says["mean"] == [[3.75] * 3] * 2
    np.testing.assert_allclose(says["drift"], [8 + 7 / 3 * np.arange(1, 4), 7 + 6 / 5 * np.arange(1, 4)])


def test_where_a_method_does_not_apply_it_says_so():
    y = series(40)
    assert np.isnan(BASELINES["seasonal_naive"](y, [30], 2, 0, 28)).all()
    assert np.isnan(BASELINES["seasonal_naive"](y, [5], 2, 12, 28)).all()
    assert np.isnan(BASELINES["ridge"](y, [30], 2, 0, 8)).all()
    assert np.isnan(BASELINES["ridge"](y, [2, 30], 2, 0, 28)).any(1).tolist() == [True, False]
    assert np.isnan(BASELINES["drift"](y, [0], 2, 0, 28)).all()


@given(st.sampled_from(QUICK), st.integers(35, 59), st.integers(0, 12), st.integers(1, 5))
def test_no_later_row_changes_a_forecast(name, origin, season, horizon):
    y = series(60, 12)
    changed = y.copy()
    changed[origin + 1 :] = 1e6
    origins = np.array([origin - 5, origin])
    before, after = (BASELINES[name](each, origins, horizon, season, 36) for each in (y, changed))
    assert before.shape == (2, horizon)
    np.testing.assert_array_equal(before, after)


def test_ridge_continues_what_is_linear_in_its_window():
    y = np.sin(0.3 * np.arange(200)) * 5 + 2
    origins = np.arange(170, 190)
    forecasts = BASELINES["ridge"](y, origins, 6, 0, 140, seq_len=8)
    np.testing.assert_allclose(forecasts, y[origins[:, None] + np.arange(1, 7)], atol=1e-3)


def test_ridge_is_the_solution_of_its_normal_equations(monkeypatch):
    monkeypatch.setattr(baselines, "RIDGE_PENALTIES", np.array([3.0]))
    y = series(80, 6)
    forecast = BASELINES["ridge"](y, [70], 2, 0, 60, seq_len=5)[0]
    z = (y - y[:60].mean()) / y[:60].std()
    ends = np.arange(4, 58)
    x, target = z[ends[:, None] + np.arange(-4, 1)], z[ends[:, None] + [1, 2]]
    xc, tc = x - x.mean(0), target - target.mean(0)
    weights = np.linalg.solve(xc.T @ xc + 3 * np.eye(5), xc.T @ tc)
    expected = (z[66:71] - x.mean(0)) @ weights + target.mean(0)
    np.testing.assert_allclose(forecast, expected * y[:60].std() + y[:60].mean())


@given(st.floats(1e-3, 1e6), st.floats(-1e6, 1e6))
def test_a_forecast_moves_with_the_unit(scale, shift):
    y = series(60, 12)
    for name in QUICK:
        plain = BASELINES[name](y, [50], 3, 12, 40) * scale + shift
        moved = BASELINES[name](y * scale + shift, [50], 3, 12, 40)
        np.testing.assert_allclose(moved, plain, rtol=1e-4, atol=1e-4 * scale)


@pytest.mark.parametrize("name", ["ets", "arima"])
def test_without_statsforecast_one_sentence_names_the_command(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(PlaygroundError, match=r"need the package statsforecast: run python -m pip install -r req"):
        BASELINES[name](series(60), [50], 2, 0, 40)


@pytest.mark.extra
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "model"), [("ets", "AutoETS"), ("arima", "AutoARIMA")])
@pytest.mark.parametrize(
    "y",
    [
        series(90),
        series(90, 12),
        np.exp(0.1 * series(90, 4)),
        np.exp(series(90, 12) / 5) + np.arange(90.0),
        20 + np.arange(90.0) * 0.5 + np.random.default_rng(0).normal(size=90),
    ],
    ids=["walk", "season", "log", "growth", "line"],
)
def test_rolled_forward_they_forecast_what_the_library_does_at_each_origin(name, model, y):
    models = pytest.importorskip("statsforecast.models")
    season = 12
    origins = np.array([63, 70, 80])
    fitted = getattr(models, model)(season_length=season).fit(y[:64])
    expected = [fitted.forward(y=y[: origin + 1], h=14)["mean"] for origin in origins]
    np.testing.assert_allclose(BASELINES[name](y, origins, 14, season, 64), expected, rtol=1e-7)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["ets", "arima"])
def test_they_look_at_no_later_row_and_need_enough_of_training(name):
    pytest.importorskip("statsforecast")
    y, changed = series(90, 6), series(90, 6)
    changed[71:] = 1e3
    before, after = (BASELINES[name](each, [65, 70], 3, 6, 60) for each in (y, changed))
    np.testing.assert_array_equal(before, after)
    assert np.isfinite(before).all()
    assert np.isnan(BASELINES[name](y, [70], 3, 6, 8)).all()
    assert np.isnan(BASELINES[name](np.r_[np.ones(60), y], [70], 3, 6, 50)).all()
