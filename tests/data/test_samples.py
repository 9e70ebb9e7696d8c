from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from lstm_core.data import samples
from lstm_core.data.samples import SAMPLES, load_sample
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, PlaygroundError

FILES = resources.files(samples)


@pytest.mark.parametrize(
    ("name", "column", "rows", "first", "last"),
    [
        ("sunspots", "SUNACTIVITY", 309, [5, 11, 16], [15.2, 7.5, 2.9]),
        ("nile", "volume", 100, [1120, 1160, 963], [718, 714, 740]),
        ("elnino", "temperature", 61 * 12, [23.11, 24.20, 25.37], [19.73, 20.44, 22.07]),
        ("weather", "seattle_max", 1461, [12.8, 10.6, 11.7], [7.2, 5.6, 5.6]),
    ],
)
def test_the_tables_hold_the_files_values_from_the_first_to_the_last(name, column, rows, first, last):
    table = load_sample(name)
    values = table.column(column).values
    assert (table.name, table.rows, values.shape) == (name, rows, (rows,))
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[:3], first, rtol=1e-6)
    np.testing.assert_allclose(values[-3:], last, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "time", "first", "last"), [("sunspots", "YEAR", 1700, 2008), ("nile", "year", 1871, 1970)]
)
def test_years_are_numbers_without_a_gap(name, time, first, last):
    years = load_sample(name).column(time)
    assert years.kind == "number"
    np.testing.assert_array_equal(years.values, np.arange(first, last + 1))


def test_el_nino_is_one_row_a_month_in_order():
    table = load_sample("elnino")
    month, temperature = table.column("month"), table.column("temperature")
    assert month.kind == "time" and month.values.dtype == "datetime64[ns]"
    expected = np.arange("1950-01", "2011-01", dtype="datetime64[M]")
    np.testing.assert_array_equal(month.values.astype("datetime64[M]"), expected)
    assert table.column_names("number") == ["temperature"]
    # the file's line for 1953: JAN 24.150, FEB 26.340, MAR 27.360
    at = int(np.flatnonzero(month.values == np.datetime64("1953-01"))[0])
    np.testing.assert_allclose(temperature.values[at : at + 3], [24.15, 26.34, 27.36], rtol=1e-6)


def test_the_weather_is_one_row_a_day_of_both_cities_with_the_season_on_a_circle():
    table = load_sample("weather")
    days = table.column("date").values.astype("datetime64[D]")
    np.testing.assert_array_equal(days, np.arange("2012-01-01", "2016-01-01", dtype="datetime64[D]"))
    assert len(table.roles.features) == 10 and len(table.roles.targets) == 5
    sin, cos = (table.column(name).values for name in ("season_sin", "season_cos"))
    np.testing.assert_allclose(sin**2 + cos**2, 1, atol=2e-4)
    assert cos[0] > 0.999 and cos[182] < -0.999  # the first of January, the first of July
    lows, highs = (table.column(f"new_york_{what}").values for what in ("min", "max"))
    assert (lows <= highs).all()


def test_number_columns_are_views_of_the_one_copy():
    for name in SAMPLES:
        table = load_sample(name)
        for column in table.column_names("number"):
            assert np.shares_memory(table.column(column).values, table.numbers)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_suggested_roles_make_windows_in_every_part(name):
    sample, table = SAMPLES[name], load_sample(name)
    roles = table.roles
    assert roles == sample.roles
    spec = DataSpec(
        name=name,
        targets=roles.targets,
        features=roles.features,
        time=roles.time,
        seq_len=roles.seq_len,
        horizon=roles.horizon,
    )
    windows = make_windows(table, spec)
    assert windows.task == "regression"
    assert all(len(windows.starts[split]) >= 10 for split in ("train", "valid", "test"))


@pytest.mark.parametrize("name", ["sunspots", "elnino"])
def test_the_period_is_the_seasonal_naive_forecast_with_the_smallest_mae(name):
    y = load_sample(name).column(SAMPLES[name].roles.targets[0]).values
    lags = range(4, 19)  # beyond the first rows, whose nearness is no season
    errors = {lag: np.abs(y[lag:] - y[:-lag]).mean() for lag in lags}
    assert min(errors, key=errors.get) == SAMPLES[name].period


def test_every_file_has_its_source_and_every_sample_its_file():
    files = {entry.name for entry in FILES.iterdir() if entry.name.endswith(".csv")}
    assert files == {f"{name}.csv" for name in SAMPLES}
    lines = FILES.joinpath("SOURCES.md").read_text("utf-8").splitlines()
    sourced = {line.split("|")[1].strip() for line in lines if line.startswith("| ")}
    assert files <= sourced
    for sample in SAMPLES.values():
        assert sample.title and sample.source
        assert len(sample.caption) <= 60


@pytest.mark.parametrize("name", ["", "unknown", "../sunspots", "sunspots.csv"])
def test_an_unknown_sample_is_refused_by_name(name):
    with pytest.raises(PlaygroundError, match="There is no sample .*sunspots, nile, elnino"):
        load_sample(name)
