"""Calendar inputs: cycles that close, the days of other calendars, and what happens without the package holidays."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.calendar import calendar_values, changing_inputs, is_holiday
from lstm_core.data.time_step import DAY, Step
from lstm_core.experiment import PlaygroundError

CYCLES = {
    "hour": lambda t: (t - t.normalize()) / pd.Timedelta(1, "D"),
    "weekday": lambda t: t.day_of_week / 7,
    "month": lambda t: (t.month - 1) / 12,
    "day_of_year": lambda t: (t.day_of_year - 1) / np.where(t.is_leap_year, 366, 365),
    "week": lambda t: (
        (t.isocalendar().week.to_numpy(float) - 1) / np.array([weeks_of(y) for y in t.isocalendar().year])
    ),
}


def weeks_of(year: int) -> int:
    return pd.Timestamp(year, 12, 28).isocalendar().week  # always in the last one


@given(st.lists(st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-12-31")), min_size=1, max_size=30))
def test_cycles_are_those_of_pandas(moments):
    times = pd.DatetimeIndex(moments).as_unit("ns")
    columns = calendar_values(times.to_numpy(), (*CYCLES, "weekend"))
    assert len(columns) == 11
    for name, share in CYCLES.items():
        angle, label = 2 * np.pi * np.asarray(share(times), float), name.replace("_", " ")
        np.testing.assert_allclose(columns[f"{label} sin"], np.sin(angle), atol=1e-9)
        np.testing.assert_allclose(columns[f"{label} cos"], np.cos(angle), atol=1e-9)
    assert (columns["weekend"] == (times.day_of_week >= 5)).all()


def test_missing_times_have_missing_inputs():
    times = np.array(["2020-01-01", "NaT"], "M8[ns]")
    for values in calendar_values(times, ("month", "weekend")).values():
        assert np.isnan(values).tolist() == [False, True]


def test_holidays_are_those_of_the_country_and_region():
    pytest.importorskip("holidays")
    days = np.array(["2021-07-04", "2021-10-03", "2021-12-25", "2021-06-03T13:00"], "M8[ns]")
    assert is_holiday(days, "US").tolist() == [True, False, True, False]
    assert is_holiday(days, "DE").tolist() == [False, True, True, False]
    assert is_holiday(days, "DE-BY").tolist() == [False, True, True, True]
    assert calendar_values(days, (), "US")["holiday"].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("country", ["XX", "DE-XX"])
def test_an_unknown_country_is_one_sentence(country):
    pytest.importorskip("holidays")
    with pytest.raises(PlaygroundError, match=f"holidays is '{country}': no holidays of that country or region"):
        is_holiday(np.array(["2021-07-04"], "M8[ns]"), country)


def test_without_the_package_the_sentence_says_what_to_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(PlaygroundError, match="pip install holidays"):
        is_holiday(np.array(["2021-07-04"], "M8[ns]"), "US")


@pytest.mark.parametrize(
    ("step", "inputs"),
    [
        (Step("ns", DAY / 24), "hour weekday week month day_of_year weekend"),
        (Step("ns", DAY), "weekday week month day_of_year weekend"),
        (Step("ns", 7 * DAY), "week month day_of_year"),
        (Step("month"), "month"),
        (Step("month", 12), ""),
    ],
)
def test_only_what_changes_at_a_step_is_offered(step, inputs):
    assert changing_inputs(step) == inputs.split()
