"""Starts: what each kind says, that none looks ahead or across sequences, and which one is chosen."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.start import STARTS, Start, fit_start
from lstm_core.settings import PlaygroundError

STEPS = np.arange(1, 8)


def one(rows: int) -> np.ndarray:
    return np.array([0, rows])


def walk(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=rows).cumsum()


def by_hand(start: Start, z: np.ndarray, row: int, step: int) -> float:
    """The start of z[row + step], from z up to row, as Start.values defines it; one sequence."""
    m = start.season
    if start.kind == "mean":
        return start.mean
    if start.kind == "last":
        return z[row]
    if start.kind == "smooth":
        first = max(m, 1)
        if row < first - 1:
            return np.nan
        level, slope = z[:first].mean(), 0.0
        seasons = [value - level for value in z[:m]]
        for t in range(first, row + 1):
            slope *= 0.9
            error = z[t] - level - slope - (seasons[t - m] if m else 0)
            level += slope + start.level_weight * error
            slope += start.slope_weight * error
            if m:
                least = (1 - start.level_weight) / 2 if t < 2 * m else 0
                seasons.append(seasons[t - m] + max(start.season_weight, least) * error)
        level += slope * sum(0.9**k for k in range(1, step + 1))
        return level + (seasons[row + step - m * -(-step // m)] if m else 0)
    back = m * -(-step // m)
    if start.kind == "season":
        return z[row + step - back] if row + step >= back else np.nan
    return z[row] + z[row + step - back] - z[row - back] if row >= back else np.nan


@st.composite
def starts(draw: st.DrawFn) -> Start:
    kind = draw(st.sampled_from(STARTS))
    season = draw(st.integers(1 if kind.startswith("season") else 0, 20))
    weight = st.floats(0, 1)
    return Start(kind, season, draw(st.floats(-9, 9)), *(draw(weight) for _ in range(3)))


@given(starts(), st.integers(1, 60), st.integers(0, 9))
def test_each_kind_says_what_its_definition_says(start, rows, seed):
    z = walk(rows, seed)
    values = start.values(z, one(rows), STEPS)
    assert values.shape == (rows, len(STEPS)) and values.dtype == np.float64
    expected = [[by_hand(start, z, row, step) for step in STEPS] for row in range(rows)]
    np.testing.assert_allclose(values, expected, atol=1e-9)


@given(starts(), st.integers(1, 80), st.integers(0, 80), st.sampled_from([0.0, 1e6, np.nan]))
def test_a_later_row_never_changes_a_start(start, rows, cut, value):
    z = walk(rows)
    changed = z.copy()
    changed[cut:] = value
    before, after = (start.values(each, one(rows), STEPS)[:cut] for each in (z, changed))
    np.testing.assert_array_equal(before, after)


@given(starts(), st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_sequences_know_nothing_of_one_another(start, lengths):
    groups = np.concatenate([[0], np.cumsum(lengths)])
    z = walk(int(groups[-1]))
    together = start.values(z, groups, STEPS)
    apart = [start.values(z[a:b], one(b - a), STEPS) for a, b in pairwise(groups)]
    np.testing.assert_array_equal(together, np.concatenate(apart))


@given(starts(), st.integers(0, 30), st.integers(1, 12), st.integers(0, 3), st.booleans())
def test_continued_states_are_those_of_the_whole(start, more, new, seed, hole):
    lengths = np.array([2 * start.season + 2 + more, start.season + 3 + new]) + new
    groups = np.append(0, lengths.cumsum())
    z = walk(groups[-1], seed)
    z[groups[1] : groups[1] + 2] = np.nan  # the second sequence begins later
    if hole:
        z[groups[1] - new - 1] = z[groups[2] - 1] = np.nan
    known = groups[1:] - new
    before = z.copy()
    for first, end in zip(known, groups[1:], strict=True):
        before[first:end] = 99.0
    states = start.states(before, groups)
    continued = start.continued_states(states, z, groups, known)
    for one_of, other in zip(continued, start.states(z, groups), strict=True):
        np.testing.assert_allclose(one_of, other, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(start.states(before, groups)[0], states[0])  # they are left as they were


def test_a_missing_value_is_passed_on_but_smoothed_over():
    z = walk(40)
    z[20] = np.nan
    gap = {kind: np.isnan(Start(kind, 4, 0, 0.3, 0.2).values(z, one(40), [1, 4])) for kind in STARTS}
    assert not gap["mean"].any()
    assert np.flatnonzero(gap["last"][:, 0]).tolist() == [20]
    assert np.flatnonzero(gap["season"].any(1)).tolist() == [0, 1, 2, 20, 23]  # rows 0 to 2 have no season before
    assert np.flatnonzero(gap["season_change"][:, 0]).tolist() == [0, 1, 2, 3, 20, 23, 24]
    assert np.flatnonzero(gap["smooth"].any(1)).tolist() == [0, 1, 2]
    filled = np.where(np.isnan(z), z[19], z)
    smooth = Start("smooth", 4, 0, 0.3, 0.2)
    np.testing.assert_array_equal(smooth.values(z, one(40), [1]), smooth.values(filled, one(40), [1]))


def test_smoothing_waits_for_the_first_known_value():
    z = walk(30)
    smooth = Start("smooth", 5, 0, 0.3, 0.2)
    late = smooth.values(np.r_[np.full(7, np.nan), z], one(37), STEPS)
    assert np.isnan(late[:7]).all()
    np.testing.assert_array_equal(late[7:], smooth.values(z, one(30), STEPS))


def seasonal(rows: int, level: np.ndarray, noise: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=6)[np.arange(rows) % 6] * 3 + level + noise * rng.normal(size=rows)


@pytest.mark.parametrize(
    ("z", "season", "kinds"),
    [
        (np.random.default_rng(0).normal(size=400), 0, {"mean"}),
        (walk(400), 0, {"last", "smooth"}),  # with the weight 1 they are the same
        (seasonal(400, np.zeros(400), 0.0), 6, {"season"}),
        (seasonal(400, walk(400), 0.0), 6, {"season_change", "smooth"}),
        (seasonal(400, 0.3 * walk(400), 1.0), 6, {"smooth"}),
    ],
    ids=["noise", "walk", "season", "season and walk", "noisy season and walk"],
)
def test_the_start_that_fits_a_drawn_series_is_chosen(z, season, kinds):
    start, rmse = fit_start(z, one(len(z)), np.arange(len(z)) < 300, STEPS, season)
    assert start.kind in kinds
    assert rmse[start.kind] == min(rmse.values())
    assert set(rmse) == (set(STARTS) if season else {"mean", "last", "smooth"})


def test_the_rmse_is_that_of_the_training_targets_averaged_over_the_steps():
    z = walk(60)
    train = np.arange(60) < 40
    _, rmse = fit_start(z, one(60), train, np.array([1, 3]), 0, ("mean", "last"))
    steps = [np.sqrt(np.square(z[k:40] - z[: 40 - k]).mean()) for k in (1, 3)]
    assert rmse["last"] == pytest.approx(np.mean(steps))
    steps = [np.sqrt(np.square(z[k:40] - z[:40].mean()).mean()) for k in (1, 3)]
    assert rmse["mean"] == pytest.approx(np.mean(steps))


@given(st.integers(30, 90), st.integers(0, 9))
def test_what_is_not_training_changes_nothing_of_the_choice(rows, season):
    z, changed = walk(100), walk(100)
    changed[rows:] = 1e5
    groups, train = np.array([0, 17, 100]), np.arange(100) < rows
    assert fit_start(z, groups, train, STEPS, season) == fit_start(changed, groups, train, STEPS, season)


def test_a_kind_that_training_is_too_short_for_is_left_out():
    start, rmse = fit_start(walk(30), one(30), np.arange(30) < 12, np.array([1, 2]), 20)
    assert set(rmse) == {"mean", "last"}
    assert start.kind in rmse
    assert fit_start(walk(3), one(3), np.zeros(3, bool), np.array([1]), 0) == (Start("mean", 0), {})


def test_a_start_is_numbers_that_json_holds_and_half_a_sentence():
    start, _ = fit_start(seasonal(400, 0.3 * walk(400), 1.0), one(400), np.arange(400) < 300, STEPS, 6)
    assert Start(**json.loads(json.dumps(dataclasses.asdict(start)))) == start
    says = {kind: Start(kind, 12).describe() for kind in STARTS}
    assert says["season_change"] == "the last value plus the change 12 rows ago"
    assert len(set(says.values())) == len(STARTS)
    assert Start("smooth", 0).describe() == "a smoothed level"
    assert Start("smooth", 0, slope_weight=0.1).describe() == "a smoothed level and slope"


def test_a_damped_slope_is_fitted_to_a_line_and_not_to_a_walk():
    train = np.arange(300) < 210
    line = 0.5 * np.arange(300) + np.random.default_rng(0).normal(size=300)
    assert fit_start(line, one(300), train, STEPS, 0, ("smooth",))[0].slope_weight > 0
    assert fit_start(walk(300), one(300), train, STEPS, 0, ("smooth",))[0].slope_weight <= 0.03


def test_an_unknown_kind_and_a_season_of_none_are_refused():
    with pytest.raises(PlaygroundError, match="'none' is unknown: choose one of mean, last"):
        Start("none", 0)
    with pytest.raises(PlaygroundError, match="needs a season"):
        Start("season", 0)
