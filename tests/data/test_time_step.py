"""The step of a time column: on the clock and on the calendar, whatever the clocks do in spring and autumn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.time_step import DAY, Step, find_step

STEPS = {
    "s": "1 second",
    "15min": "15 minutes",
    "h": "1 hour",
    "D": "1 day",
    "B": "1 business day",
    "W-MON": "1 week",
    "MS": "1 month",
    "ME": "1 month",
    "BME": "1 month",
    "BMS": "1 month",
    "2MS": "2 months",
    "QS": "1 quarter",
    "QE": "1 quarter",
    "YS": "1 year",
    "YE": "1 year",
    "2YS": "2 years",
}


def times_of(freq: str, rows: int = 60, start: str = "1996-02-29", zone: str | None = None) -> np.ndarray:
    """(rows,) of pandas; local ones of a zone as a file in UTC has them."""
    times = pd.date_range(start, periods=rows, freq=freq, tz=zone)
    return (times.tz_convert("UTC").tz_localize(None) if zone else times).as_unit("ns").to_numpy()


@pytest.mark.parametrize("freq", STEPS)
def test_pandas_frequencies_are_found(freq):
    times = times_of(freq)
    step = find_step(times)
    assert str(step) == STEPS[freq]
    gaps, fits = step.between(times)
    assert (gaps == 1).all() and fits.all()


@pytest.mark.parametrize("freq", [freq for freq in STEPS if not freq.startswith("BM")])
def test_the_times_to_come_are_those_of_pandas(freq):
    times = times_of(freq)
    known, ahead = times[:-8], np.arange(1, 9)
    assert (find_step(known).follow(known[-1:].repeat(8), ahead) == times[-8:]).all()


@pytest.mark.parametrize("freq", STEPS)
@given(absent=st.sets(st.integers(1, 58), min_size=1, max_size=11))
def test_absent_rows_leave_the_step_as_it_is_and_are_found(freq, absent):
    times = times_of(freq)
    kept = np.delete(times, sorted(absent))
    step = find_step(kept)
    assert str(step) == STEPS[freq]
    gaps, fits = step.between(kept)
    assert fits.all()
    assert (np.concatenate([[0], np.cumsum(gaps)]) == np.delete(np.arange(60), sorted(absent))).all()
    if not freq.startswith("BM"):
        before = np.flatnonzero(gaps > 1)
        filled = [
            step.fill(kept[[k]], kept[[k + 1]], np.array([j]), gaps[[k]]) for k in before for j in range(1, gaps[k])
        ]
        assert (np.sort(np.concatenate(filled)) == times[sorted(absent)]).all()


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Berlin", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("freq", ["D", "B", "MS", "ME", "QS"])
def test_local_days_and_months_written_in_utc_keep_their_step(freq, zone):
    times = times_of(freq, 400 if freq in "DB" else 60, zone=zone)
    step = find_step(times)
    assert str(step) == STEPS[freq]
    gaps, fits = step.between(times)
    assert (gaps == 1).all() and fits.all()


def test_local_hours_have_one_absent_in_spring_and_one_repeated_in_autumn():
    local = pd.date_range("2021-01-01", "2022-01-01", freq="h", tz="Europe/Berlin").tz_localize(None)
    times = np.sort(local.as_unit("ns").to_numpy())
    step = find_step(times)
    assert step == Step("ns", DAY // 24)
    gaps, _ = step.between(times)
    assert times[:-1][gaps == 2] == np.datetime64("2021-03-28T01")
    assert times[:-1][gaps == 0] == np.datetime64("2021-10-31T02")


def test_an_unsteady_clock_has_the_step_that_it_means():
    rng = np.random.default_rng(0)
    times = times_of("10min", 500) + rng.normal(0, 20e9, 500).astype(np.int64).astype("m8[ns]")
    step = find_step(np.delete(times, [7, 8, 200]))
    assert str(step) == "10 minutes"
    assert step.between(np.delete(times, [7, 8, 200]))[0].sum() == 499


@pytest.mark.parametrize("zone", [None, "Europe/London"])
def test_events_have_no_step(zone):
    seconds = np.sort(np.random.default_rng(1).uniform(0, 1e6, 400))
    assert find_step(np.datetime64("2020-01-01", "ns") + (seconds * 1e9).astype("m8[ns]")) is None


def test_a_trading_week_other_than_monday_to_friday_is_a_week_too():
    days = pd.bdate_range("2020-01-01", periods=60, freq="C", weekmask="Sun Mon Tue Wed Thu").as_unit("ns").to_numpy()
    step = find_step(days)
    assert (step.unit, step.weekdays) == ("weekday", "1111001")
    assert (step.follow(days[[-9]].repeat(8), np.arange(1, 9)) == days[-8:]).all()


def test_days_of_two_weeks_are_days():
    assert str(find_step(times_of("B", 8))) == "1 day"


def test_numbers_have_a_step_and_too_few_times_have_none():
    assert str(find_step(np.delete(np.arange(1700.0, 1800), 5))) == "1"
    assert str(find_step(np.arange(0, 5, 0.1, dtype=np.float32))) == "0.1"
    assert find_step(np.array([1.0, 2.0])) is None
    assert find_step(times_of("D")[:2]) is None
    assert find_step(times_of("D")[[0, 0, 0, 0]]) is None


def test_a_step_is_that_of_the_neighbours_within_series():
    times = np.concatenate([times_of("h", 20), times_of("h", 20, "1980-01-01")])
    same = np.arange(39) != 19
    assert str(find_step(times, same)) == "1 hour"
