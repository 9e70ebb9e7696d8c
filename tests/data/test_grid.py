"""A regular grid: absent rows are inserted and counted, nothing else changes, and no series touches another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lstm_core.data.grid import combine_repeated, find_spacing, regular_grid
from lstm_core.data.series_rows import in_order
from lstm_core.data.table import Table
from lstm_core.experiment import PlaygroundError
from tests.factories import table_of, timed


def hours(rows: int, start: str = "2012-03-01") -> np.ndarray:
    return np.datetime64(start, "ns") + np.arange(rows) * np.timedelta64(3600, "s")


def texts(notes) -> str:
    return " ".join(note.text for note in notes)


def hourly(absent: list[int], rows: int = 48, **columns) -> Table:
    kept = np.delete(np.arange(rows), absent)
    return timed(hours(rows)[kept], y=kept.astype(float), **columns)


def test_absent_rows_are_inserted_empty_and_counted():
    table = hourly([3, 4, 30])
    grid, notes = regular_grid(table, "time", None)
    assert (grid.column("time").values == hours(48)).all()
    y = grid.column("y").values
    assert np.flatnonzero(np.isnan(y)).tolist() == [3, 4, 30]
    assert (np.delete(y, [3, 4, 30]) == table.column("y").values).all()
    assert texts(notes) == "3 absent rows were inserted between 2012-03-01 03:00 and 2012-03-02 06:00."


def test_one_absent_row_is_told_as_one():
    assert texts(regular_grid(hourly([7]), "time", None)[1]) == "1 absent row was inserted at 2012-03-01 07:00."


def test_numbers_stay_one_array_that_the_columns_are_views_of():
    grid, _ = regular_grid(hourly([3], z=np.arange(47), kind=np.array(["a", "b", "c"] * 16)[:47]), "time", None)
    for name in ("y", "z"):
        assert np.shares_memory(grid.column(name).values, grid.numbers)
    assert grid.column("kind").values[3] == -1 and grid.column("kind").missing.sum() == 1
    assert grid.numbers.dtype == hourly([]).numbers.dtype


@pytest.mark.parametrize("group", [None, "site"])
def test_a_regular_table_is_returned_as_it_is(group):
    table = timed(np.tile(hours(24), 2) if group else hours(48), y=np.arange(48), site=np.repeat(["a", "b"], 24))
    assert in_order(table, "time", group) == (table, [])
    assert combine_repeated(table, "time", group, "mean") == (table, [])
    assert regular_grid(table, "time", group) == (table, [])


@st.composite
def tables(draw) -> tuple[Table, int]:
    """Up to four series of hours, days, business days or months, shuffled, rows left out; and how many series."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    times, sites = [], []
    for site in "abcd"[: draw(st.integers(1, 4))]:
        freq, rows = draw(st.sampled_from(["h", "D", "B", "MS", "ME", "W"])), draw(st.integers(22, 40))
        begin = draw(st.sampled_from(["2011-12-27", "2012-02-28", "2012-03-24", "2020-10-24 23:00"]))
        made = pd.date_range(begin, periods=rows, freq=freq).as_unit("ns").to_numpy()
        kept = made[(rng.random(rows) > draw(st.sampled_from([0, 0.1]))) | np.isin(np.arange(rows), [0, rows - 1])]
        times.append(kept)
        sites += [site] * len(kept)
    times = np.concatenate(times)
    order = rng.permutation(len(times))
    return timed(times[order], y=rng.normal(size=len(times)), site=np.array(sites)[order]), len(set(sites))


def values_of(table: Table) -> dict:
    """(series, time) → y, of the rows that have one."""
    site, y = table.column("site"), table.column("y").values
    keys = zip([site.classes[code] for code in site.values], table.column("time").values.tolist(), strict=True)
    return {key: value for key, value in zip(keys, y.tolist(), strict=True) if not np.isnan(value)}


@given(tables())
def test_values_keep_their_times_and_series_and_rows_come_in_order(drawn):
    table, series = drawn
    ordered, _ = in_order(table, "time", "site")
    assert values_of(ordered) == values_of(table)
    grid, notes = regular_grid(ordered, "time", "site")
    assert values_of(grid) == values_of(table)
    spacing = find_spacing(grid, "time", "site")
    assert spacing.absent == 0 and not spacing.off_grid.any() and not spacing.repeated.any()
    site, time = grid.column("site").values, grid.column("time").values
    assert (np.diff(site) >= 0).all() and len(np.unique(site)) == series
    assert (np.diff(time)[np.diff(site) == 0] > 0).all()
    inserted = grid.rows - table.rows
    assert texts(notes).startswith(f"{inserted:,} absent row") if inserted else not notes
    assert regular_grid(grid, "time", "site") == (grid, [])


@given(tables())
def test_each_series_gets_what_it_would_get_alone(drawn):
    table, _ = drawn
    grid, _ = regular_grid(in_order(table, "time", "site")[0], "time", "site")
    for code, name in enumerate(table.column("site").classes):
        rows = table.column("site").values == code
        alone = timed(table.column("time").values[rows], y=table.column("y").values[rows])
        alone, _ = regular_grid(in_order(alone, "time", None)[0], "time", None)
        mine = grid.column("site").values == code
        assert (grid.column("time").values[mine] == alone.column("time").values).all(), name
        assert np.array_equal(grid.column("y").values[mine], alone.column("y").values, equal_nan=True)


def test_the_hour_that_clocks_skip_is_inserted_and_the_one_that_they_repeat_combined():
    local = pd.date_range("2021-03-01", "2021-11-30", freq="h", tz="Europe/Berlin").tz_localize(None)
    table = timed(local.as_unit("ns").to_numpy(), y=np.arange(len(local)))
    with pytest.raises(PlaygroundError, match=r"1 repeated times \(the first 2021-10-31 02:00\)"):
        regular_grid(table, "time", None)
    once, notes = combine_repeated(table, "time", None, "mean")
    assert texts(notes).startswith("1 row at the time of another, in an hour that clocks repeat in autumn, became one")
    grid, notes = regular_grid(once, "time", None)
    assert texts(notes).endswith("at 2021-03-28 02:00, in an hour that clocks skip in spring.")
    counts = np.unique(grid.column("time").values.astype("M8[D]"), return_counts=True)[1]
    assert set(counts[:-1]) == {24}


@pytest.mark.parametrize(("how", "y"), [("mean", 2.0), ("sum", 4.0), ("first", 1.0), ("last", 3.0)])
def test_repeated_times_become_one_row(how, y):
    time = hours(4)[[0, 1, 1, 1, 2, 3]]
    table = timed(time, y=np.array([9, 1, np.nan, 3, np.nan, 8]), kind=np.array(list("abcdef")))
    once, notes = combine_repeated(table, "time", None, how)
    assert np.array_equal(once.column("y").values, [9, y, np.nan, 8], equal_nan=True)
    kind = once.column("kind")
    assert [kind.classes[code] for code in kind.values] == ["a", "b" if how == "first" else "d", "e", "f"]
    assert texts(notes).startswith("2 rows at the time of another became one with it")


def test_rows_out_of_order_are_sorted_and_rows_without_a_time_left_out_by_name():
    time = hours(5)[[0, 2, 1, 4, 3]]
    time[3] = np.datetime64("NaT")
    table, notes = in_order(timed(time, y=np.arange(5)), "time", None)
    assert table.column("y").values.tolist() == [0, 2, 1, 4]
    assert "1 row has no 'time', so no place among the others: left out (row 4 of the table)." in texts(notes)
    assert "The rows were put in order of 'time'." in texts(notes)


def test_events_are_refused_with_what_to_do():
    seconds = np.sort(np.random.default_rng(0).uniform(0, 1e6, 300)).astype("m8[s]")
    table = timed(np.datetime64("2020-01-01", "ns") + seconds, y=np.arange(300))
    with pytest.raises(PlaygroundError, match="no regular step.*resample"):
        regular_grid(table, "time", None)


def test_a_grid_that_would_be_mostly_empty_is_refused():
    time = hours(100)
    time[-1] += np.timedelta64(365, "D")
    with pytest.raises(PlaygroundError, match="8,860 rows of 100: resample"):
        regular_grid(timed(time, y=np.arange(100)), "time", None)


def test_a_row_beside_the_grid_stays_where_it_is_and_is_named():
    time = hours(100)
    time[50] += np.timedelta64(25, "m")
    table = timed(time, y=np.arange(100))
    grid, notes = regular_grid(table, "time", None)
    assert grid is table
    assert "2 rows are not a whole number of steps after the row before (the first at 2012-03-03 02:25)" in texts(notes)


def test_series_without_a_step_stay_as_they_are_and_are_named():
    rng = np.random.default_rng(0)
    events = np.datetime64("2012-03-01", "ns") + np.sort(rng.uniform(0, 1e6, 30)).astype("m8[s]")
    time = np.concatenate([np.delete(hours(60), 9), events])
    table = timed(time, y=np.arange(89), site=np.repeat(["a", "b"], [59, 30]))
    grid, notes = regular_grid(table, "time", "site")
    assert grid.rows == 90
    assert (grid.column("time").values[60:] == events).all()
    assert "1 absent row was inserted in 1 of 2 series at 2012-03-01 09:00." in texts(notes)
    assert "Series without a regular step stay as they are: 'b'." in texts(notes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_time_of_numbers_is_a_grid_too(dtype):
    cycle = np.delete(np.arange(1, 31), [4, 5]).astype(dtype)
    table = table_of(cycle=cycle, y=cycle * 2)
    grid, notes = regular_grid(table, "cycle", None)
    assert grid.column("cycle").values.tolist() == list(range(1, 31))
    assert np.isnan(grid.column("y").values[4:6]).all()
    assert texts(notes) == "2 absent rows were inserted between 5 and 6."


@given(st.integers(1, 5), st.integers(3, 40))
def test_a_long_gap_is_filled_evenly(before, gap):
    time = np.delete(hours(before + gap + 30), np.arange(before, before + gap))
    assume(len(time) * 10 > before + gap + 30)
    grid, _ = regular_grid(timed(time, y=np.arange(len(time))), "time", None)
    assert (grid.column("time").values == hours(before + gap + 30)).all()
