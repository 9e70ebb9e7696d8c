"""Resampling gives what pandas gives, each series for itself, and says what is incomplete."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.resampling import STEPS, resample
from lstm_core.data.series_rows import in_order
from lstm_core.experiment import PlaygroundError
from tests.factories import table_of, timed

RULES = {"hour": "h", "day": "D", "week": "W-MON", "month": "MS"}


def texts(notes) -> str:
    return " ".join(note.text for note in notes)


@st.composite
def readings(draw):
    """(times, values, sites): readings of up to three sites every quarter of an hour, some absent or missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    begin = draw(st.sampled_from(["2020-02-28 22:15", "2019-12-31 23:45", "2020-03-28 20:00", "2020-10-31"]))
    times, values, sites = [], [], []
    for site in "abc"[: draw(st.integers(1, 3))]:
        made = pd.date_range(begin, periods=draw(st.integers(30, 300)), freq="15min").as_unit("ns").to_numpy()
        kept = made[rng.random(len(made)) > draw(st.sampled_from([0, 0.2]))]
        times.append(kept)
        values.append(np.where(rng.random(len(kept)) < 0.1, np.nan, rng.integers(-50, 50, len(kept))))
        sites += [site] * len(kept)
    return np.concatenate(times), np.concatenate(values), np.array(sites)


@given(readings(), st.sampled_from(["hour", "day", "week", "month"]), st.sampled_from(["mean", "sum", "last"]))
def test_it_is_what_pandas_makes_of_each_series(drawn, period, how):
    times, values, sites = drawn
    table, _ = resample(timed(times, y=values, site=sites), "time", "site", period, how)
    codes = table.column("site")
    for code, site in enumerate(codes.classes):
        mine = pd.Series(values[sites == site], times[sites == site])
        resampler = mine.resample(RULES[period], label="left", closed="left")
        expected = resampler.sum(min_count=1) if how == "sum" else getattr(resampler, how)()
        rows = codes.values == code
        assert (table.column("time").values[rows] == expected.index.to_numpy()).all()
        np.testing.assert_allclose(table.column("y").values[rows], expected.to_numpy(), rtol=1e-6)


@given(readings(), st.sampled_from(sorted(STEPS)))
def test_sums_add_up_to_the_total_of_each_series(drawn, period):
    times, values, sites = drawn
    table, _ = resample(timed(times, y=values, site=sites), "time", "site", period, "sum")
    for code, site in enumerate(table.column("site").classes):
        total = np.nansum(table.column("y").values[table.column("site").values == code])
        assert total == np.nansum(values[sites == site])  # whole numbers: exact


@given(st.sampled_from(["mean", "sum", "last"]), st.sampled_from(["hour", "day", "week", "month"]))
def test_what_has_that_step_already_is_returned_as_it_is(how, period):
    times = pd.date_range("2019-12-30" if period == "week" else "2019-12-01", periods=40, freq=RULES[period])
    table = timed(times.as_unit("ns").to_numpy(), y=np.arange(40))
    assert resample(table, "time", None, period, how) == (table, [])


def test_leap_days_and_month_ends_are_in_their_month():
    times = pd.date_range("2020-01-01", "2020-04-30", freq="D").as_unit("ns").to_numpy()
    table, notes = resample(timed(times, y=np.ones(len(times))), "time", None, "month", "sum")
    assert table.column("y").values.tolist() == [31, 29, 31, 30]
    assert texts(notes) == "Resampled to months: the sum of 121 rows makes 4."


def test_local_days_written_in_utc_are_in_the_month_where_they_begin():
    times = pd.date_range("2021-01-01", "2021-12-31", freq="D", tz="Europe/Berlin").tz_convert("UTC").tz_localize(None)
    table, _ = resample(timed(times.as_unit("ns").to_numpy(), y=np.ones(365)), "time", None, "month", "sum")
    assert table.column("y").values.tolist() == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


@pytest.mark.parametrize(
    ("how", "level", "end"),
    [("sum", "warning", "so the sum is too small there."), ("mean", "info", "2020-03-10 13:00).")],
)
def test_an_incomplete_day_at_the_end_is_said(how, level, end):
    times = pd.date_range("2020-03-01", "2020-03-10 13:00", freq="h").as_unit("ns").to_numpy()
    _, notes = resample(timed(times, y=np.ones(len(times))), "time", None, "day", how)
    assert notes[1].level == level
    assert notes[1].text.startswith("The last day is incomplete") and notes[1].text.endswith(end)


@pytest.mark.parametrize(
    ("begin", "end", "said"), [("2020-03-02", "2020-05-29", False), ("2020-03-04", "2020-05-27", True)]
)
def test_a_week_of_business_days_is_whole(begin, end, said):
    times = pd.bdate_range(begin, end).as_unit("ns").to_numpy()
    _, notes = resample(timed(times, y=np.ones(len(times))), "time", None, "week", "mean")
    assert ("incomplete" in texts(notes)) == said


def test_a_day_without_events_has_a_sum_of_0_but_no_mean():
    rng = np.random.default_rng(0)
    days = rng.choice([0, 1, 3, 4], 60)  # none on the third
    times = np.datetime64("2020-01-01", "ns") + np.sort(days * 86_400 + rng.integers(0, 86_400, 60)).astype("m8[s]")
    table = timed(times, y=np.ones(60))
    sums, notes = resample(table, "time", None, "day", "sum")
    assert sums.column("y").values[2] == 0 and sums.column("y").values.sum() == 60
    assert "1 day without a row counts as 0" in texts(notes)
    means, notes = resample(table, "time", None, "day", "mean")
    assert np.isnan(means.column("y").values).tolist() == [False, False, True, False, False]
    assert "1 absent row was inserted at 2020-01-03." in texts(notes)


def test_classes_are_the_last_one_of_their_period():
    times = pd.date_range("2020-01-01", periods=48, freq="h").as_unit("ns").to_numpy()
    table, _ = resample(timed(times, y=np.arange(48), kind=np.array(list("abcdef") * 8)), "time", None, "day", "mean")
    assert table.column("kind").values.tolist() == [5, 5]


def test_longer_steps_and_numbers_are_refused():
    months = pd.date_range("2020-01-01", periods=30, freq="MS").as_unit("ns").to_numpy()
    with pytest.raises(PlaygroundError, match="are 1 month apart already, so resampling to days"):
        resample(timed(months, y=np.arange(30)), "time", None, "day", "mean")
    with pytest.raises(PlaygroundError, match="has no dates or times"):
        resample(table_of(t=np.arange(30), y=np.arange(30)), "t", None, "day", "mean")


def test_rows_in_order_are_what_it_takes():
    times = pd.date_range("2020-01-01", periods=48, freq="h").as_unit("ns").to_numpy()
    order = np.random.default_rng(0).permutation(48)
    table, _ = in_order(timed(times[order], y=order), "time", None)
    assert resample(table, "time", None, "day", "mean")[0].column("y").values.tolist() == [11.5, 35.5]
