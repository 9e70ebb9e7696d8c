"""prepare: nothing where nothing is asked, else steps in their order, each told; and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.prepare import is_prepared, known_inputs, prepare
from lstm_core.data.series_choice import MAX_ID_INPUTS
from lstm_core.data.table import Table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, PlaygroundError
from lstm_core.settings import settings
from tests.factories import spec_of, table_of, timed

OPTIONS = {
    "grid": "regular",
    "resample": "day",
    "duplicates": "mean",
    "series": ("b",),
    "series_sum": True,
    "calendar": ("weekday",),
    "series_id_input": True,
}


def spec(**fields) -> DataSpec:
    return DataSpec(**({"targets": ("y",), "features": ("y",), "time": "time", "group": "site", "seq_len": 4} | fields))


def sites(rows: int = 60, names: str = "abc", **columns) -> Table:
    """Hourly rows of each site: y counts on in a, from 1000 in b, from 2000 in c."""
    time = np.datetime64("2020-02-28", "ns") + np.arange(rows) * np.timedelta64(3600, "s")
    y = np.concatenate([1000 * k + np.arange(rows) for k in range(len(names))])
    columns = {"y": y, "site": np.repeat(list(names), rows)} | columns
    return timed(np.tile(time, len(names)), **columns)


def told(table: Table) -> str:
    return " ".join(note.text for note in table.report)


def test_all_is_off_at_first_and_the_table_stays_the_same():
    table = sites()
    assert not is_prepared(spec())
    assert prepare(table, spec()) is table
    assert prepare(table, DataSpec()) is table


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_one(name):
    assert name in settings(DataSpec)
    assert is_prepared(spec(**{name: OPTIONS[name]}))


@pytest.mark.parametrize("options", [{"grid": "regular"}, {"duplicates": "mean"}, {"resample": "hour"}])
def test_a_regular_table_is_returned_as_it_is(options):
    table = sites()
    assert prepare(table, spec(**options)) is table


@given(st.sets(st.sampled_from(sorted(OPTIONS))))
def test_any_options_together_give_a_table_that_windows_are_cut_from(chosen):
    table = sites(24 * 30)
    wanted = spec(**{name: OPTIONS[name] for name in chosen})
    prepared = prepare(table, wanted)
    assert prepared.sha256 == prepare(table, wanted).sha256
    assert make_windows(table, wanted).rows == prepared.rows
    assert np.shares_memory(prepared.column("y").values, prepared.numbers)
    assert told(table) == ""
    assert [column.name for column in prepared.columns if column.known_ahead] == list(known_inputs(prepared))


def test_series_are_chosen_by_name():
    chosen = prepare(sites(), spec(series=("a", "c")))
    y = chosen.column("y").values
    assert y.tolist() == [*range(60), *range(2000, 2060)]
    assert told(chosen) == "2 of 3 series are used: 'a' and 'c'."
    with pytest.raises(PlaygroundError, match="has no series 'd': choose among its 3 series"):
        prepare(sites(), spec(series=("a", "d")))


def test_series_numbered_in_the_file_are_chosen_by_their_number():
    table = timed(sites().column("time").values, y=sites().column("y").values, site=np.repeat([3, 1, 2], 60))
    assert prepare(table, spec(series=("1",))).column("y").values.tolist() == list(range(1000, 1060))
    summed = prepare(table, spec(series=("1", "2"), series_sum=True))
    assert summed.column("site").classes == ("sum of 2 series",)
    assert summed.column("y").values.tolist() == [3000 + 2 * k for k in range(60)]
    assert summed.column_names("number") == ["y"]


def test_the_sum_adds_all_series_up_and_is_missing_where_one_is():
    table = sites(kind=np.tile(["x", "z"], 90), flag=np.repeat(["p", "q", "p"], 60))
    kept = np.delete(np.arange(180), [3, 70, 179])
    shorter = timed(
        table.column("time").values[kept],
        y=table.column("y").values[kept],
        **{
            name: np.array(table.column(name).classes)[table.column(name).values[kept]]
            for name in ("site", "kind", "flag")
        },
    )
    summed = prepare(shorter, spec(series_sum=True))
    expected = 3000.0 + 3 * np.arange(59)
    expected[[3, 10]] = np.nan
    assert np.array_equal(summed.column("y").values, expected, equal_nan=True)
    assert (summed.column("kind").values == np.arange(59) % 2).all()  # the same in all of them
    assert np.flatnonzero(~summed.column("flag").missing).tolist() == [10]  # where b, the other one, has no row
    assert "The sum of 3 series has 59 rows, from 2020-02-28 to 2020-03-01 10:00." in told(summed)
    assert "2 of them are missing in the sum" in told(summed)


def test_a_sum_of_series_that_never_meet_or_repeat_is_refused():
    early = np.datetime64("2020-01-01", "ns") + np.arange(20) * np.timedelta64(1, "D")
    table = timed(
        np.concatenate([early, early + np.timedelta64(90, "D")]), y=np.arange(40), site=np.repeat(["a", "b"], 20)
    )
    with pytest.raises(PlaygroundError, match="have no time in common"):
        prepare(table, spec(series_sum=True))
    table = timed(np.repeat(early, 2), y=np.arange(40), site=np.repeat(["a"], 40))
    with pytest.raises(PlaygroundError, match="20 repeated times within a series"):
        prepare(table, spec(series_sum=True))
    assert prepare(table, spec(series_sum=True, duplicates="sum")).column("y").values[0] == 1


def test_calendar_inputs_are_of_the_rows_that_there_are_at_the_end():
    prepared = prepare(sites(24 * 10), spec(resample="day", calendar=("weekday", "weekend")))
    assert known_inputs(prepared) == ("weekday sin", "weekday cos", "weekend")
    assert prepared.rows == 30
    weekend = prepared.column("weekend").values[:10]
    assert weekend.tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 1, 1]  # from Friday, 28 February of a leap year


def test_a_column_of_that_name_is_not_replaced():
    table = sites(weekend=np.full(180, 7.0))
    prepared = prepare(table, spec(calendar=("weekend",)))
    assert known_inputs(prepared) == ("weekend (added)",)
    assert (prepared.column("weekend").values == 7).all()


def test_holidays_are_counted_in_the_report():
    pytest.importorskip("holidays")
    days = np.datetime64("2021-12-20", "ns") + np.arange(20) * np.timedelta64(1, "D")
    prepared = prepare(timed(days, y=np.arange(20)), spec(group=None, holidays="DE"))
    assert told(prepared) == "3 of 20 rows are on a public holiday of DE."
    assert np.flatnonzero(prepared.column("holiday").values).tolist() == [5, 6, 12]


def test_each_series_has_an_input_of_its_own():
    prepared = prepare(sites(names="ab"), spec(series_id_input=True))
    assert known_inputs(prepared) == ("site = a", "site = b")
    assert prepared.column("site = a").values.tolist() == [1] * 60 + [0] * 60
    assert known_inputs(prepare(sites(), spec(series=("b",), series_id_input=True))) == ()
    many = table_of(y=np.arange(400), site=np.repeat(np.arange(200), 2))
    with pytest.raises(PlaygroundError, match=f"200 series, too many for an input each .at most {MAX_ID_INPUTS}."):
        prepare(many, spec(time=None, series_id_input=True))


def test_short_series_are_named():
    table = timed(
        np.concatenate([sites(30, "a").column("time").values, sites(5, "a").column("time").values]),
        y=np.arange(35),
        site=np.repeat(["long", "short"], [30, 5]),
    )
    said = told(prepare(table, spec(seq_len=6, calendar=("hour",))))
    assert said == "1 of 2 series is shorter than a window and its target (7 rows): 'short'."


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"time": None, "grid": "regular"}, "A regular time grid needs a time column"),
        ({"time": None, "resample": "day"}, "Resampling needs a time column"),
        ({"time": None, "duplicates": "sum"}, "Combining repeated times needs a time column"),
        ({"time": None, "calendar": ("hour",)}, "A calendar input needs a time column"),
        ({"group": None, "series": ("a",)}, "A choice of series needs a sequence id"),
        ({"group": None, "series_sum": True}, "A sum of series needs a sequence id"),
        ({"group": None, "series_id_input": True}, "The series as input needs a sequence id"),
        ({"time": "y", "calendar": ("hour",)}, "Column 'y' has no dates or times, so there is no calendar of it"),
    ],
)
def test_what_lacks_its_column_is_one_sentence(options, sentence):
    with pytest.raises(PlaygroundError, match=sentence):
        prepare(sites(), spec(**options))


@pytest.mark.parametrize("country", ["de", "Germany", "D", "DE-"])
def test_a_country_is_a_code(country):
    with pytest.raises(PlaygroundError, match="choose DE, US or US-CA"):
        spec_of(holidays=country)
