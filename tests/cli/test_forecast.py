"""forecast: a file becomes dates past its end with bands; what cannot be forecast is refused in one sentence."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from lstm_core.cli import main

HEADER = ["time", "step", "forecast", "lower_80", "upper_80", "lower_95", "upper_95"]


@pytest.fixture
def monthly(tmp_path) -> str:
    """Ten years by the month: a season of twelve and a little noise."""
    t, rng = np.arange(120), np.random.default_rng(2)
    months = np.datetime64("2010-01", "M") + t
    values = 50 + 10 * np.sin(2 * np.pi * t / 12) + rng.normal(size=120)
    path = tmp_path / "monthly.csv"
    path.write_text("month,load\n" + "".join(f"{m}-01,{v:.3f}\n" for m, v in zip(months, values, strict=True)))
    return str(path)


def test_the_csv_has_the_dates_past_the_end_and_bands_around_the_forecast(monthly, capsys, tmp_path):
    out = tmp_path / "forecast.csv"
    assert main(["forecast", monthly, "--horizon", "12"]) == 0
    said = capsys.readouterr()
    rows = list(csv.reader(io.StringIO(said.out)))
    assert rows[0] == HEADER
    assert [row[0] for row in rows[1:]] == [f"2020-{month:02d}-01" for month in range(1, 13)]
    assert [row[1] for row in rows[1:]] == [str(step) for step in range(1, 13)]
    numbers = np.array([row[2:] for row in rows[1:]], float)
    forecast, lower_80, upper_80, lower_95, upper_95 = numbers.T
    assert (lower_95 <= lower_80).all() and (lower_80 < forecast).all()
    assert (forecast < upper_80).all() and (upper_80 <= upper_95).all()
    truth = 50 + 10 * np.sin(2 * np.pi * np.arange(12) / 12)
    assert np.abs(forecast - truth).max() < 5
    assert "a season of 12 rows, start" in said.err
    assert "test windows: RMSE" in said.err and "the 80 % band held" in said.err
    assert main(["forecast", monthly, "--horizon", "12", "--out", str(out)]) == 0
    again = capsys.readouterr()
    assert again.out == "" and again.err == said.err
    assert out.read_text() == said.out  # the same seed


def test_json_is_one_line_with_the_same_rows(call, monthly):
    result = call("forecast", monthly, "--horizon", "2", "--json")
    assert result["targets"] == ["load"] and result["season"] == 12 and result["horizon"] == 2
    assert list(result["forecast"][0]) == HEADER
    assert [row["time"] for row in result["forecast"]] == ["2020-01-01", "2020-02-01"]
    assert result["test"]["rmse"] > 0 and result["coverage"]["80"]["windows"] == result["test"]["windows"]


def test_a_table_too_short_for_all_steps_at_once_is_forecast_all_the_same(monthly, capsys):
    assert main(["forecast", monthly, "--horizon", "60"]) == 0
    said = capsys.readouterr()
    assert said.out.count("\n") == 61 and "nan" not in said.out and ",," not in said.out
    assert "too short for 60 rows at once: past step 15 the model reads its own forecasts." in said.err


def test_several_series_are_told_apart_by_their_id(call, tmp_path):
    days = np.datetime64("2024-01-01") + np.arange(100)
    path = tmp_path / "shops.csv"
    rows = [f"{day},{shop},{base + k % 7}" for shop, base in (("=a", 100), ("b", 5)) for k, day in enumerate(days)]
    path.write_text("\n".join(["day,shop,sales", *rows]))
    out = call("forecast", path, "--horizon", "2", "--target", "sales")
    lines = list(csv.reader(io.StringIO(out)))
    assert lines[0] == [*HEADER, "shop"]
    assert [(row[0], row[-1]) for row in lines[1:]] == [
        (day, shop) for shop in ("'=a", "b") for day in ("2024-04-10", "2024-04-11")
    ]


def test_what_cannot_be_forecast_is_refused(refuse, monthly, tmp_path):
    assert "--horizon is 0" in refuse("forecast", monthly, "--horizon", "0")
    assert "--horizon is 3,000" in refuse("forecast", monthly, "--horizon", "3000")
    assert "'none'" in refuse("forecast", monthly, "--horizon", "3", "--target", "none")
    assert "no number column 'month' in 'monthly.csv'" in refuse(
        "forecast", monthly, "--horizon", "3", "--target", "month"
    )
    assert "cannot be read" in refuse("forecast", tmp_path / "missing.csv", "--horizon", "3")
    (tmp_path / "short.csv").write_text("y\n1\n2\n4\n")
    assert "'short.csv'" in refuse("forecast", tmp_path / "short.csv", "--horizon", "3")
    words = tmp_path / "words.csv"
    words.write_text("y,label\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(50)))
    assert "no number column 'label' in 'words.csv': y." in refuse(
        "forecast", words, "--horizon", "3", "--target", "label"
    )
