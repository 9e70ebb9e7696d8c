"""Conformal widths: the ranks and formulas of their definition, no look ahead, and coverage near the nominal."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.forecasting.intervals import conformal_width, coverage, future_widths, rolling_bands, t_quantile

LEVELS = (0.8, 0.95)


@pytest.mark.parametrize(
    ("degrees", "probability", "expected"),
    [  # Abramowitz & Stegun (1964), table 26.10, and Student (1908) for the first
        (1, 0.975, 12.706),
        (2, 0.975, 4.303),
        (3, 0.90, 1.638),
        (4, 0.95, 2.132),
        (10, 0.975, 2.228),
        (30, 0.995, 2.750),
        (120, 0.975, 1.980),
    ],
)
def test_the_quantiles_of_t_are_the_tables(degrees, probability, expected):
    assert t_quantile(probability, degrees) == pytest.approx(expected, abs=6e-4)


@given(st.lists(st.floats(-1e6, 1e6), min_size=19, max_size=60), st.sampled_from(LEVELS))
def test_with_enough_residuals_the_width_is_the_rank_of_the_definition(residuals, level):
    rank = math.ceil(round((len(residuals) + 1) * level, 6))
    assert conformal_width(np.array(residuals), level) == sorted(map(abs, residuals))[rank - 1]


def test_a_rank_that_is_whole_is_not_rounded_up_by_its_last_bit():
    assert conformal_width(np.arange(1, 10.0), 0.8) == 8  # 0.8 · 10 = 8 of nine


def test_with_few_residuals_the_width_is_that_of_a_normal_distribution():
    residuals = np.array([1.0, -2.0, 2.0])
    expected = t_quantile(0.975, 2) * np.sqrt(3.0) * np.sqrt(4 / 3)
    assert conformal_width(residuals, 0.95) == pytest.approx(expected)
    assert conformal_width(np.array([2.0]), 0.8) == pytest.approx(t_quantile(0.9, 1) * 2 * np.sqrt(2))
    assert math.isnan(conformal_width(np.array([np.nan]), 0.8))


@given(st.lists(st.floats(-1e3, 1e3), max_size=40))
def test_a_wider_level_is_never_narrower(residuals):
    widths = [conformal_width(np.array(residuals), level) for level in (0.5, 0.8, 0.9)]
    assert not residuals or np.all(np.diff(widths) >= -1e-9) or len(residuals) < 9


@given(st.integers(0, 12), st.integers(1, 12), st.integers(1, 4), st.sampled_from(LEVELS), st.integers(0, 99))
def test_a_residual_joins_once_its_truth_is_known(known, windows, horizon, level, seed):
    rng = np.random.default_rng(seed)
    valid, test = rng.normal(size=(known, horizon)), rng.normal(size=(windows, horizon))
    test[rng.random(test.shape) < 0.1] = np.nan
    widths = rolling_bands(valid, test, level)
    for window in range(windows):
        for step in range(1, horizon + 1):
            pool = np.r_[valid[:, step - 1], test[: max(window - step + 1, 0), step - 1]]
            expected = conformal_width(pool, level)
            assert widths[window, step - 1] == pytest.approx(expected, nan_ok=True)


def growing_noise(rng: np.random.Generator, windows: int) -> np.ndarray:
    return rng.normal(size=(windows, 3)) * [1.0, 2.0, 3.0]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("known", [3, 10, 100])
def test_on_drawn_residuals_the_bands_hold_as_often_as_they_say(level, known):
    shares = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        test = growing_noise(rng, 40)
        shares.append(coverage(test, rolling_bands(growing_noise(rng, known), test, level))[0])
    assert np.mean(shares) == pytest.approx(level, abs=0.025)


@pytest.mark.parametrize("level", LEVELS)
def test_heavy_tails_are_covered_too(level):
    rng = np.random.default_rng(0)
    valid, test = rng.standard_t(3, size=(300, 1)), rng.standard_t(3, size=(3000, 1))
    assert coverage(test, rolling_bands(valid, test, level))[0] == pytest.approx(level, abs=0.02)


@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 20), st.sampled_from(LEVELS), st.integers(0, 99))
def test_the_bands_of_the_future_never_narrow(known, horizon, steps, level, seed):
    residuals = np.random.default_rng(seed).normal(size=(known, horizon))
    widths = future_widths(residuals, level, steps)
    assert widths.shape == (steps,)
    assert np.all(np.diff(widths) >= 0)
    np.testing.assert_array_equal(widths[:horizon], future_widths(residuals, level)[:steps])
    assert widths[0] == conformal_width(residuals[:, 0], level)


def test_past_the_last_step_a_random_walks_bands_grow_as_they_did():
    steps = np.random.default_rng(0).normal(size=(4000, 12)).cumsum(1)
    widths = future_widths(steps[:, :6], 0.8, 12)
    np.testing.assert_allclose(widths, future_widths(steps, 0.8), rtol=0.05)
    np.testing.assert_allclose(future_widths(steps[:, :1], 0.8, 12), future_widths(steps, 0.8), rtol=0.05)


def test_bands_that_did_not_grow_stay_as_they_are():
    residuals = np.random.default_rng(0).normal(size=(500, 1)).repeat(4, 1)
    assert len(set(future_widths(residuals, 0.8, 9))) == 1
    assert not future_widths(np.zeros((30, 3)), 0.8, 9).any()


def test_coverage_counts_what_is_known_and_of_how_many_windows():
    residuals = np.array([[1.0, -3.0], [np.nan, 2.0], [np.nan, np.nan]])
    assert coverage(residuals, np.full((3, 2), 2.0)) == (2 / 3, 2)
    share, windows = coverage(np.full((2, 2), np.nan), np.ones((2, 2)))
    assert math.isnan(share) and windows == 0
