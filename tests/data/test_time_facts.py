"""The one sentence about a time column."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lstm_core.data.grid import regular_grid
from lstm_core.data.time_facts import time_facts
from tests.factories import table_of, timed


def sentence(times, site=None, **columns) -> str:
    if site is not None:
        columns["site"] = np.array(site)
    table = timed(np.asarray(times, "M8[ns]"), y=np.arange(len(times)), **columns)
    return time_facts(table, "time", None if site is None else "site").sentence


HOURS = pd.date_range("2024-01-01", "2024-12-31 23:00", freq="h").to_numpy()


def test_what_is_absent_is_counted_among_all():
    absent = [5, *range(900, 911)]
    assert sentence(np.delete(HOURS, absent)) == "Step: 1 hour; 12 of 8,784 rows are absent."
    assert sentence(np.delete(HOURS, 7)) == "Step: 1 hour; 1 of 8,784 rows is absent."
    assert sentence(HOURS) == "Step: 1 hour; no row is absent."


def test_rows_that_repeat_or_lack_a_time_are_counted_in_any_order():
    times = np.concatenate([HOURS[:50][::-1], HOURS[3:5], [np.datetime64("NaT")]])
    text = "Step: 1 hour; no row is absent; 2 rows repeat the time of another; 1 row has no time."
    assert sentence(times) == text
    assert sentence(np.delete(times, 20)).startswith("Step: 1 hour; 1 of 50 rows is absent;")


def test_a_row_beside_the_grid_is_counted():
    late = HOURS[:100].copy()
    late[-1] += np.timedelta64(25, "m")
    assert sentence(late) == "Step: 1 hour; no row is absent; 1 row is off the grid."


def test_series_of_other_steps_are_counted():
    days = pd.bdate_range("2024-01-01", periods=40).to_numpy()
    text = sentence(np.concatenate([HOURS[:60], HOURS[:50], days]), ["a"] * 60 + ["b"] * 50 + ["c"] * 40)
    assert text == "Step: 1 hour in 2 of 3 series; no row is absent."


def test_events_have_a_range_and_too_few_rows_nothing():
    seconds = np.array([0, 3, 40, 41, 5000, 90_000, 90_100, 200_000])
    text = sentence(np.datetime64("2024-01-01", "ns") + seconds.astype("m8[s]"))
    assert text == "No regular step: neighbours are 1 second to 1.27 days apart."
    assert sentence(HOURS[:2]) == "Too few times for a step."
    assert sentence(HOURS[:3], ["a", "b", "c"]) == "Too few times for a step."
    assert sentence(HOURS[[0, 0, 0]]) == "Too few times for a step; 2 rows repeat the time of another."


def test_it_tells_what_the_grid_then_does():
    table = timed(np.delete(HOURS, [4, 5, 6, 100]), y=np.arange(len(HOURS) - 4))
    assert regular_grid(table, "time", None)[0].rows == table.rows + time_facts(table, "time", None).absent


def test_numbers_have_a_step_too():
    table = table_of(cycle=np.delete(np.arange(40), 7), y=np.arange(39))
    assert time_facts(table, "cycle", None).sentence == "Step: 1; 1 of 40 rows is absent."
