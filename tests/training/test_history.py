"""Thinned curves keep their ends and every spike; growing ones stay bounded."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.training import history
from lstm_core.training.history import MetricCurve, downsample_min_max
from tests.conftest import examples

values = st.lists(st.floats(-1e9, 1e9) | st.just(np.nan) | st.sampled_from([np.inf, -np.inf]), max_size=200)


@given(values, st.integers(0, 60))
def test_thin_keeps_both_ends_both_extremes_and_the_order(y, most):
    y = np.array(y, float)
    x = np.arange(len(y))
    kept, thinned = downsample_min_max(x, y, most)
    assert len(kept) == len(thinned) <= max(most, 4)
    np.testing.assert_array_equal(thinned, y[kept])  # points of the curve, nothing made up
    assert (np.diff(kept) > 0).all()
    if len(y):
        assert (kept[0], kept[-1]) == (0, len(y) - 1)
    if len(y) <= max(most, 4):
        assert len(kept) == len(y)
    if not np.isnan(y).all():
        assert np.nanmin(thinned) == np.nanmin(y)
        assert np.nanmax(thinned) == np.nanmax(y)


@given(st.integers(100, 1000), st.integers(4, 80), st.data())
def test_thin_keeps_a_spike_wherever_it_stands(length, most, data):
    y = np.zeros(length)
    at = data.draw(st.integers(0, length - 1))
    y[at] = data.draw(st.sampled_from([5.0, -5.0]))
    assert at in downsample_min_max(np.arange(length), y, most)[0]


def test_a_gap_stays_a_gap():
    y = np.sin(np.arange(1000.0))
    y[400:600] = np.nan
    x, thinned = downsample_min_max(np.arange(1000), y, 100)
    assert np.isnan(thinned[(x > 420) & (x < 580)]).all()
    assert ((x > 420) & (x < 580)).any()
    assert not np.isnan(thinned[(x < 380) | (x > 620)]).any()


def test_thin_takes_times_as_x():
    x = np.datetime64("2020-01-01", "s") + np.arange(500)
    kept, _ = downsample_min_max(x, np.arange(500.0), 20)
    assert (kept[0], kept[-1]) == (x[0], x[-1])


@examples(20)
@given(st.integers(1, 3000), st.integers(4, 60))
def test_a_curve_is_bounded_and_its_buckets_are_even_and_lose_nothing(count, most):
    y = np.random.default_rng(count).normal(size=count)
    before, history.CAPACITY = history.CAPACITY, 50
    try:
        curve = MetricCurve()
        for k in range(count):
            curve.append(k, y[k])
            assert len(curve.buckets().x) <= 51
    finally:
        history.CAPACITY = before
    for buckets in (curve.buckets(), curve.buckets(most), MetricCurve(*curve.lists(50)).buckets(most)):
        assert len(set(buckets.count[:-1])) <= 1  # else the curve would seem to change where their size does
        assert buckets.count.sum() == count
        edges = np.cumsum(np.append(0, buckets.count)).astype(int)
        for k, (a, b) in enumerate(itertools.pairwise(edges)):
            assert buckets.x[k] == b - 1
            assert (buckets.low[k], buckets.high[k]) == (y[a:b].min(), y[a:b].max())
            assert buckets.mean[k] == pytest.approx(y[a:b].mean(), abs=1e-12)
    x, thinned = curve.points(most)
    assert len(x) <= max(most, 4)
    assert (thinned.min(), thinned.max()) == (y.min(), y.max())


def test_steady_noise_of_any_length_is_drawn_as_steady():
    """The spread that is drawn of the older half is that of the newer: it was not, past 8,000 points."""
    noise = np.random.default_rng(0).normal(size=12_000)
    curve = MetricCurve()
    for k, value in enumerate(noise):
        curve.append(k, value)
    _, drawn = curve.points(1000)
    older, newer = np.array_split(drawn, 2)
    assert np.abs(older).mean() == pytest.approx(np.abs(newer).mean(), rel=0.05)


def test_points_are_as_few_as_asked_for():
    curve = MetricCurve([0.0, 1.0], [5.0, 6.0])
    for k in range(2, 500):
        curve.append(k, k % 7)
    x, y = curve.points(40)
    assert len(x) == len(y) <= 40
    assert (x[0], y[0], x[-1]) == (0, 5, 499)


def test_a_reader_never_sees_halves_of_two_states(monkeypatch):
    monkeypatch.setattr(history, "CAPACITY", 64)
    curve, over = MetricCurve(), threading.Event()

    def add() -> None:
        for k in range(20_000):
            curve.append(k, 3.0 * k)
        over.set()

    thread = threading.Thread(target=add)
    thread.start()
    looks = 0
    while not over.is_set() or not looks:
        buckets = curve.buckets()
        np.testing.assert_array_equal(buckets.high, 3 * buckets.x)
        np.testing.assert_array_equal(buckets.x, np.cumsum(buckets.count) - 1)
        looks += 1
    thread.join()
    assert len(curve.buckets().x) <= 65


def test_the_given_start_is_not_the_empty_default():
    first, second = MetricCurve(), MetricCurve()
    first.append(1, 2)
    assert len(second.points()[0]) == 0
    assert first.points()[1] == pytest.approx([2])
