"""Data, Time and series: what is found is told, only what applies can be set, and what was done is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lstm_core.experiment import DataSpec
from lstm_core.settings import settings

FIELDS = ("grid", "duplicates", "resample", "aggregate", "calendar", "holidays", "known_future")
OF_SERIES = ("series", "series_sum", "scale_per_series", "series_id_input")


def hourly_csv(absent: tuple[int, ...] = (), rows: int = 480, repeats: int = 0) -> bytes:
    """A series by the hour with two numbers, without the rows `absent`; the first rows twice."""
    kept = np.r_[np.zeros(repeats, int), np.delete(np.arange(rows), absent)]
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(kept, "h")
    lines = [f"{time:%Y-%m-%d %H:%M},{20 + np.sin(k / 4):.3f},{k % 7}" for time, k in zip(times, kept, strict=True)]
    return "\n".join(["when,price,load", *lines]).encode()


def shops_csv(days: int = 90) -> bytes:
    """Three shops by the day, the last one new."""
    lines = ["day,shop,sales"]
    for shop, rows in (("north", days), ("south", days), ("east", 12)):
        for k in range(rows):
            day = np.datetime64("2024-01-01") + (days - rows) + k
            lines.append(f"{day},{shop},{100 + 10 * np.sin(k / 7 * 6.28) + len(shop):.2f}")
    return "\n".join(lines).encode()


def keys(tab) -> set[str]:
    """The settings of this panel that are on the page."""
    kinds = ("selectbox", "multiselect", "toggle", "text_input")
    return {widget.key for kind in kinds for widget in tab.at.get(kind)} & {*FIELDS, *OF_SERIES}


def data(tab) -> DataSpec:
    return tab.workspace.experiment.data


@pytest.fixture
def hourly(visit):
    return visit("data").upload(hourly_csv(absent=(5, 6, 100)))


@pytest.fixture
def shops(visit):
    return visit("data").upload(shops_csv()).set("target", ["sales"]).set("features", ["sales"])


def test_the_step_and_what_is_absent_is_one_sentence(hourly):
    assert "Step: 1 hour; 3 of 480 rows are absent." in hourly.words()
    hourly.set("sample", "weather")
    assert "Step: 1 day; no row is absent." in hourly.words()


def test_absent_rows_are_inserted_when_asked_for_and_said(hourly):
    said = "3 absent rows were inserted between 2024-01-01 05:00 and 2024-01-05 04:00."
    assert said not in hourly.words()
    before = data(hourly)
    hourly.set("grid", "regular")
    assert data(hourly).grid == "regular"
    assert said in hourly.words()
    hourly.set("grid", "as_is")
    assert said not in hourly.words()
    assert data(hourly) == before


def test_only_what_applies_is_there(visit):
    tab = visit("data").upload(hourly_csv())
    assert keys(tab) == {"grid", "resample", "calendar", "holidays", "known_future"}
    tab.set("resample", "day")
    assert keys(tab) == {"grid", "resample", "aggregate", "calendar", "holidays", "known_future"}
    tab.set("resample", "month")
    assert keys(tab) == {"grid", "resample", "aggregate", "calendar", "known_future"}
    tab.set("time", None)
    assert keys(tab) >= {"resample"}  # else it could not be taken back
    (error,) = tab.errors()
    assert "Resampling needs a time column" in error
    tab.set("resample", "none")
    assert not keys(tab) & {"grid", "resample", "calendar"}
    tab.upload(hourly_csv(repeats=3), "twice.csv")
    assert "3 rows repeat the time of another" in tab.words()
    assert "duplicates" in keys(tab)


def test_sequences_without_a_time_have_no_grid(visit):
    tab = visit("data").set("generator", "sine")
    assert not keys(tab)


def test_calendar_inputs_are_those_that_change_with_the_rows(hourly):
    widget = hourly.widget("calendar")
    assert widget.options == ["hour", "weekday", "week", "month", "day of year", "weekend"]
    hourly.set("resample", "week")
    assert hourly.widget("calendar").options == ["week", "month", "day of year"]
    hourly.set("calendar", ["month"]).set("resample", "none")
    assert data(hourly).calendar == ("month",)
    hourly.set("calendar", ["month", "hour"])
    assert data(hourly).calendar == ("month", "hour")


def test_a_country_is_written_in_any_case_and_counted(hourly):
    pytest.importorskip("holidays")
    hourly.set("holidays", " us ")
    assert data(hourly).holidays == "US"
    assert hourly.widget("holidays").value == "US"
    assert "46 of 477 rows are on a public holiday of US." in hourly.words()
    hourly.set("holidays", "")
    assert data(hourly).holidays is None
    hourly.set("holidays", "Utopia")
    assert "choose DE, US or US-CA" in hourly.errors()[0]
    assert data(hourly).holidays is None
    hourly.set("holidays", "XX")
    assert "no holidays of that country or region are known" in hourly.errors()[0]


def test_known_ahead_are_inputs_that_are_no_targets(hourly):
    hourly.set("target", ["load"]).set("features", ["price", "load"])
    assert hourly.widget("known_future").options == ["price"]
    hourly.set("known_future", ["price"])
    assert data(hourly).known_future == ("price",)
    hourly.set("features", ["load"])
    assert hourly.widget("known_future").options == ["price"]  # still to be taken out


def test_series_are_chosen_summed_and_short_ones_named(shops):
    assert data(shops).group == "shop"
    assert keys(shops) >= set(OF_SERIES)
    assert shops.widget("series").options == ["east", "north", "south"]
    shops.set("seq_len", 20)
    assert "1 of 3 series is shorter than a window and its target (21 rows): 'east'." in shops.words()
    shops.set("series", ["north", "south"]).set("series_sum", True)
    assert "2 of 3 series are used: 'north' and 'south'." in shops.words()
    assert "The sum of 2 series has 90 rows" in shops.words()
    assert "is shorter" not in shops.words()


def test_a_series_that_another_column_lacks_can_be_taken_back(shops):
    shops.set("series", ["east"]).set("group", None)
    assert "A choice of series needs a sequence id" in shops.errors()[0]
    shops.set("series", [])
    assert not shops.errors()


def test_what_cannot_be_done_is_one_sentence_and_the_page_stays(visit):
    tab = visit("data").upload(hourly_csv(repeats=2)).set("grid", "regular")
    (error,) = tab.errors()
    assert "2 repeated times" in error and "choose how to combine them" in error
    tab.set("duplicates", "mean")
    assert not tab.errors()
    assert "2 rows at the time of another became one with it: their mean." in tab.words()


def test_a_new_table_begins_with_all_of_it_off(hourly):
    hourly.set("grid", "regular").set("calendar", ["hour"])
    hourly.upload(hourly_csv(rows=300), "other.csv")
    assert (data(hourly).grid, data(hourly).calendar) == ("as_is", ())


def test_the_fields_have_the_label_and_help_of_their_settings(visit):
    tab = visit("data").upload(hourly_csv(repeats=1)).set("resample", "day")
    for name in FIELDS:
        widget, setting = tab.widget(name), settings(DataSpec)[name]
        assert (widget.label, widget.proto.help) == (setting.label, setting.help), name
    tab.upload(shops_csv(), "shops.csv")
    for name in OF_SERIES:
        widget, setting = tab.widget(name), settings(DataSpec)[name]
        assert (widget.label, widget.proto.help) == (setting.label, setting.help), name
