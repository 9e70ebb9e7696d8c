"""backtest: origins, their forecasts and what came, as JSON or as tables."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def file(tmp_path) -> str:
    rng, path = np.random.default_rng(0), tmp_path / "sales.csv"
    y = 20 + np.tile([3.0, 5.0, 9.0, 4.0], 30) + rng.normal(size=120)
    days = np.datetime64("2024-01-01") + np.arange(120)
    path.write_text("day,y\n" + "".join(f"{day},{value:.3f}\n" for day, value in zip(days, y, strict=True)))
    return str(path)


def test_each_origin_keeps_its_forecast_and_the_truth(call, file):
    got = call("backtest", file, "--origins", "3", "--spacing", "2", "--horizon", "4", "--json")
    assert (got["target"], got["horizon"], got["spacing"], got["refitted"]) == ("y", 4, 2, False)
    rows = [one["row"] for one in got["origins"]]
    assert rows == [111, 113, 115] and got["origins"][0]["origin"] == "2024-04-21"
    errors = np.array([np.subtract(one["forecast"], one["truth"]) for one in got["origins"]])
    np.testing.assert_allclose(got["by_step"], np.sqrt(np.square(errors).mean(0)))
    assert set(got["by_period"]) == {"block", "weekday"}
    assert sum(one["values"] for one in got["by_period"]["weekday"].values()) == 12


def test_the_tables_tell_the_errors_of_refitted_models(call, file):
    text = call("backtest", file, "--refit", "--origins", "2", "--horizon", "2")
    assert "a model refitted at each" in text and "weekday" in text and "Monday" in text


def test_bad_numbers_are_refused_in_a_sentence(refuse, file):
    assert "--origins is 0" in refuse("backtest", file, "--origins", "0")
    assert "--spacing is -1" in refuse("backtest", file, "--spacing", "-1")
