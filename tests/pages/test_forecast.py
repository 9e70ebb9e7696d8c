"""Forecast: what is past the end, what it rests on, what moves it; and what cannot be forecast."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import streamlit as st

from lstm_core.forecasting import future
from tests.pages.conftest import Visitor, labelled_csv, plotly_values, trained

SETTINGS = {"epochs": 2}


def monthly_csv(rows: int = 120) -> bytes:
    """A season of twelve months that a price moves."""
    t, rng = np.arange(rows), np.random.default_rng(1)
    price = 10 + rng.normal(size=rows)
    sales = 100 + 20 * np.sin(2 * np.pi * t / 12) - 3 * (price - 10)
    months = np.datetime64("2010-01", "M") + t
    cells = zip(months, price, sales, strict=True)
    return "\n".join(["month,price,sales", *(f"{m}-01,{p:.2f},{s:.2f}" for m, p, s in cells)]).encode()


def shops_csv(days: int = 90) -> bytes:
    lines = ["day,shop,sales"]
    for shop, base in (("north", 100), ("south", 10)):
        lines += [f"{np.datetime64('2024-01-01') + k},{shop},{base + k % 7}" for k in range(days)]
    return "\n".join(lines).encode()


@pytest.fixture
def forecast(visit) -> Callable[..., Visitor]:
    """A file, trained briefly, on Forecast; fields: of the DataSpec."""

    def open_forecast(data: bytes, **fields: object) -> Visitor:
        tab = visit("data").upload(data)
        tab.workspace.change("data", **fields)
        tab.workspace.change("train", **SETTINGS)
        run = tab.workspace.start_training()
        run.train_here()
        return tab.go("forecast")

    return open_forecast


@pytest.fixture
def sales(forecast) -> Visitor:
    known = {"features": ("sales", "price"), "known_future": ("price",)}
    return forecast(monthly_csv(), targets=("sales",), horizon=3, **known)


def line(tab: Visitor, name: str, key: str = "forecast_picture") -> np.ndarray:
    figure = tab.figure(key)
    names = [one.get("name") for one in figure["data"]]
    return plotly_values(figure, names.index(name))


def table(downloads) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(downloads["forecast.csv"]().decode())))


def test_the_rows_past_the_end_are_drawn_told_and_given(sales, downloads):
    tab = sales.run()
    assert tab.at.title[0].value == "Forecast"
    assert tab.widget("steps_ahead").value == 12  # a season is more than the horizon
    rows = table(downloads)
    assert [row["time"] for row in rows] == [f"2020-{month:02d}-01" for month in range(1, 13)]
    values = np.array([float(row["forecast"]) for row in rows])
    np.testing.assert_allclose(line(tab, "forecast")[1:], values, rtol=1e-4)
    assert len(line(tab, "start + LSTM = forecast", "forecast_parts")) == len(values) + 1 + 16
    words = tab.words()
    assert "On all 16 test windows: It starts from" in words.replace("**", "")
    assert "the 80 % band held" in words and "(16 windows: too few to tell much)" in words
    assert "The LSTM predicts 3 rows at once: from step 4 on it reads its own forecasts" in words
    assert "'price' keeps its last value: its values to come are not known." in words


def test_as_many_rows_as_one_likes(sales, downloads):
    sales.set("steps_ahead", 2)
    assert [row["step"] for row in table(downloads)] == ["1", "2"]
    assert "reads its own forecasts" not in sales.words()
    sales.go("train").go("forecast")
    assert sales.widget("steps_ahead").value == 2
    short = line(sales, "actual")
    sales.set("history", "all")
    assert len(line(sales, "actual")) == 120 > len(short)


def test_the_test_part_shows_the_chosen_horizon_step(sales):
    first = line(sales, "LSTM on the test part, 1 row ahead")
    sales.set("forecast_step", 3)
    third = line(sales, "LSTM on the test part, 3 rows ahead")
    assert len(first) == len(third) and not np.allclose(first, third)


@contextmanager
def edit(monkeypatch, value: float, row: int = 1) -> Iterator[None]:
    """Meanwhile somebody has typed this into the table of values to come."""

    def edited(frame, **arguments):
        frame = frame.copy()
        frame.loc[row, "feature 0"] = value
        return frame

    with monkeypatch.context() as patch:
        patch.setattr(st, "data_editor", edited)
        yield


def values_to_come(tab: Visitor) -> list[float]:
    return tab.at.dataframe[0].value["feature 0"].tolist()


def test_the_forecast_follows_an_edit_and_the_one_before_stays(sales, monkeypatch):
    before = line(sales, "forecast")
    with edit(monkeypatch, 20.0):
        sales.run()
    np.testing.assert_allclose(line(sales, "forecast before the change"), before)
    after = line(sales, "forecast")
    difference = after - before
    assert difference[0] == 0 and np.abs(difference).max() > 0
    at = int(np.abs(difference).argmax())
    words = sales.words()
    assert "With the values that you give, the forecast of 'sales' is" in words
    assert f"at step {at}." in words
    assert "'price' keeps its last value" not in words
    assert np.allclose(line(sales.press("forget_known"), "forecast"), before)
    assert "With the values that you give" not in sales.words()


def test_values_to_come_are_read_from_a_file_and_outlast_another_number_of_rows(sales):
    before = line(sales, "forecast")
    sales.upload(b"month,price\n2020-01-01,12\n2020-02-01,12\n2019-12-01,1\n", "plan.csv", "known_csv")
    assert "2 rows of 'plan.csv' give values of 'price'. 1 row is of other times, and not used." in sales.words()
    after = line(sales, "forecast")
    assert not np.allclose(before, after)
    sales.set("steps_ahead", 5)
    assert "'price' keeps" not in sales.words()
    np.testing.assert_allclose(line(sales, "forecast")[:4], after[:4], rtol=1e-5)
    sales.upload(b"month,cost\n2020-01-01,12\n", "other.csv", "known_csv")
    assert "'other.csv' has none of the features known ahead" in sales.words()
    np.testing.assert_allclose(line(sales, "forecast")[:4], after[:4], rtol=1e-5)


def test_each_series_has_its_own_forecast_and_the_file_has_all(forecast, downloads):
    tab = forecast(shops_csv(), targets=("sales",), features=("sales",), horizon=2)
    assert tab.workspace.run.experiment.data.group == "shop"
    assert (line(tab, "actual") > 50).all() and (line(tab, "forecast") > 50).all()
    tab.set("series", 1)
    assert (line(tab, "actual") < 50).all() and (line(tab, "forecast") < 50).all()
    rows = table(downloads)
    assert [row["shop"] for row in rows] == ["north"] * 7 + ["south"] * 7
    assert tab.go("data").widget("series").value == []
    assert tab.go("forecast").at.title[0].value == "Forecast"


def test_edits_of_one_series_are_not_of_another(forecast, monkeypatch):
    t = np.arange(60)
    rows = [f"{np.datetime64('2024-01-01') + k},{s},{k % 5 + 10 * (s == 'b')},{k % 3}" for s in "ab" for k in t]
    data = "\n".join(["day,shop,sales,price", *rows]).encode()
    known = {"features": ("sales", "price"), "known_future": ("price",), "group": "shop", "time": "day"}
    tab = forecast(data, targets=("sales",), horizon=2, **known)
    with edit(monkeypatch, 9.0):
        tab.run()
    values = values_to_come(tab.set("series", 1))
    assert values == [2.0] * len(values)
    assert "'price' keeps its last value" in tab.words()
    assert values_to_come(tab.set("series", 0)) == [2.0, 9.0, *values[2:]]


def test_several_targets_are_chosen_and_are_a_column_of_the_file(forecast, downloads):
    tab = forecast(monthly_csv(), targets=("sales", "price"), features=("sales", "price"), horizon=2)
    tab.set("steps_ahead", 3)
    assert [row["target"] for row in table(downloads)] == ["sales"] * 3 + ["price"] * 3
    assert line(tab, "forecast").min() > 30
    assert line(tab.set("forecast_target", 1), "forecast").max() < 30


def test_what_cannot_be_forecast_is_one_sentence(forecast, visit):
    tab = forecast(labelled_csv(), targets=("state",), features=("value",))
    assert "This model predicts classes, and a forecast is of numbers" in tab.words()
    tab.go("data").upload(monthly_csv())
    tab.workspace.change("data", targets=("sales",), features=("price",), start="none", horizon=0)
    tab.workspace.start_training().train_here(1)
    assert "predicts the window's own last row" in tab.go("forecast").words()
    tab.workspace.change("data", horizon=1, features=("sales",))
    tab.workspace.start_training()
    assert "not trained yet: press Train" in tab.run().words()
    assert [link.label for link in tab.at.get("page_link") if link.proto.page == "train"] == ["To Train"]
    assert not tab.at.get("plotly_chart")


def test_a_linear_skip_stands_between_the_start_and_the_forecast(sales):
    assert "what the linear skip" not in sales.words()
    tab = sales.go("model").set("linear_skip", True)
    tab.train()
    tab.go("forecast")
    assert "what the linear skip and the LSTM add" in tab.words()
    parts = {name: line(tab, name, "forecast_parts") for name in ("start", "start + linear skip")}
    assert np.isfinite(parts["start + linear skip"][-12:]).all()
    assert (parts["start"] != parts["start + linear skip"]).any()


def test_a_model_without_a_start_has_no_picture_of_it(visit):
    tab = visit("forecast", run=trained())
    drawn = {one.key for one in tab.at.get("plotly_chart")}
    assert "forecast_picture" in drawn and "forecast_parts" not in drawn
    assert "What the start says" not in tab.words()
    assert "On all 46 test windows" in tab.words()


def test_nothing_is_computed_again_that_did_not_change(sales, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "pages.shared.forecast.run_forecast.forecast", lambda *a: calls.append(a[2]) or future.forecast(*a)
    )
    monkeypatch.setattr("pages.shared.forecast.run_forecast.measure_bands", lambda *a: calls.append("bands"))
    sales.set("history", "all")
    sales.set("forecast_step", 2)
    assert calls == []
    sales.set("steps_ahead", 4)
    assert calls == [4]
