"""A season is found where published series have one, and the logarithm where changes grow with the level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.load import load_table
from lstm_core.data.season import autocorrelation, find_season, wants_log
from lstm_core.experiment import DataSpec

# Monthly airline passengers in thousands, 1949-1960: Box & Jenkins (1976), series G.
AIRLINE_TEXT = """
    112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114 140 145 150 178 163
    172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191 172 194 196 196 236 235 229 243 264 272
    237 211 180 201 204 188 235 227 234 264 302 293 259 229 203 229 242 233 267 269 270 315 364 347 312 274 237 278
    284 277 317 313 318 374 413 405 355 306 271 306 315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348
    363 435 491 505 404 359 310 337 360 342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535 622 606
    508 461 390 432
"""
AIRLINE = np.array([float(number) for number in AIRLINE_TEXT.split()])


def sample(name: str, column: str) -> np.ndarray:
    table = load_table(DataSpec(source="sample", name=name))
    return table.numbers[:, table.column_names("number").index(column)].astype(float)


@pytest.mark.parametrize("rows", [100, 144])
def test_airline_passengers_have_a_season_of_12_and_want_the_logarithm(rows):
    assert find_season(AIRLINE[:rows]) == 12
    assert wants_log(AIRLINE[:rows], 12)
    assert not wants_log(np.log(AIRLINE[:rows]), 12)


def test_the_samples_have_the_seasons_they_are_known_for():
    assert find_season(sample("elnino", "temperature")) == 12
    assert find_season(sample("sunspots", "SUNACTIVITY")) in (10, 11)
    assert find_season(sample("nile", "volume")) == 0


@pytest.mark.parametrize("season", [2, 3, 7, 12, 24, 52, 168, 365])
def test_a_drawn_season_is_found_under_noise_and_a_trend(season):
    rng = np.random.default_rng(season)
    shape = rng.normal(size=season)
    rows = np.arange(max(5 * season, 120))
    values = shape[rows % season] + 0.1 * rng.normal(size=len(rows)) + 0.02 * rows
    assert find_season(values) == season


@pytest.mark.parametrize("season", [52, 169])
def test_a_smooth_season_is_found_under_noise_that_hides_it_from_row_to_row(season):
    rows = np.arange(7 * season)
    noise = np.random.default_rng(season).normal(size=len(rows))
    values = 4 * np.sin(2 * np.pi * rows / season) + noise
    assert autocorrelation(np.diff(values), season)[season] < 0.3
    assert abs(find_season(values) - season) <= season // 20


@pytest.mark.parametrize("seed", range(10))
def test_noise_and_a_random_walk_have_no_season(seed):
    noise = np.random.default_rng(seed).normal(size=300)
    assert find_season(noise) == 0
    assert find_season(noise.cumsum()) == 0


@pytest.mark.parametrize(
    "values", [np.zeros(0), np.zeros(5), np.full(200, 7.1), 0.1 * np.arange(200.0), np.full(50, np.nan)]
)
def test_a_constant_a_line_and_nearly_nothing_have_no_season_and_need_no_logarithm(values):
    assert find_season(values) == 0
    assert not wants_log(values, 0)


@given(st.floats(1e-6, 1e6), st.floats(-1e6, 1e6), st.sampled_from([-1.0, 1.0]))
def test_a_season_depends_on_neither_unit_nor_zero(scale, shift, sign):
    assert find_season(sign * scale * (AIRLINE + shift)) == 12


def test_missing_values_are_left_out():
    values = AIRLINE.copy()
    values[np.random.default_rng(0).choice(144, 14, replace=False)] = np.nan
    values[60] = np.inf
    assert find_season(values) == 12
    assert wants_log(values, 12)


def test_a_season_is_not_longer_than_a_third_of_the_rows_nor_than_400():
    assert find_season(np.tile(np.random.default_rng(1).normal(size=40), 3)[:119]) == 0
    assert find_season(np.tile(np.random.default_rng(1).normal(size=40), 3)) == 40
    assert find_season(np.tile(np.random.default_rng(1).normal(size=401), 9)) == 0


def test_no_logarithm_of_zero_or_below():
    assert not wants_log(AIRLINE - 104, 12)
    assert not wants_log(-AIRLINE, 12)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_the_logarithm_is_wanted_where_changes_grow_with_the_level(power):
    rng = np.random.default_rng(3)
    level = np.exp(np.linspace(0, 3, 400))
    values = 20 * level + level**power * rng.normal(size=400)
    assert wants_log(values, 0) is bool(power)


@given(st.integers(2, 60), st.integers(0, 99))
def test_the_autocorrelation_is_the_sum_that_its_docstring_gives(rows, seed):
    values = np.random.default_rng(seed).normal(size=rows)
    values[::7] = np.nan
    known = ~np.isnan(values)
    if known.sum() < 2:
        return
    centred = np.where(known, values - values[known].mean(), 0.0)
    expected = [(centred[: rows - lag] * centred[lag:]).sum() / (centred**2).sum() for lag in range(rows)]
    np.testing.assert_allclose(autocorrelation(values, rows - 1), expected, atol=1e-12)
