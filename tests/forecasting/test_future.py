"""A forecast past the end is what the model would have said there; simple starts go on as they should; bands hold."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lstm_core.data.table import Column, ColumnRoles, Table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, ModelSpec, PlaygroundError
from lstm_core.forecasting.future import LEVELS, forecast, measure_bands
from lstm_core.forecasting.predict import predict
from lstm_core.model.recurrent import build_model

SEASON = np.tile([3.0, 5.0, 9.0, 4.0], 40)
KINDS = ("none", "mean", "last", "season", "season_change", "smooth")


def table_of(rows: int, **columns: np.ndarray) -> Table:
    rng = np.random.default_rng(3)
    y = 20 + SEASON[:rows] + rng.normal(size=160)[:rows].cumsum()
    return Table.from_columns(
        "sales", {"y": y} | {name: values[:rows] for name, values in columns.items()}, ColumnRoles()
    )


def spec_of(start: str = "last", **fields) -> DataSpec:
    season = 4 if start.startswith("season") or start == "smooth" else 0
    first = {"targets": ("y",), "features": ("y",), "seq_len": 6, "horizon": 3}
    return DataSpec(**({"start": start, "season": season} | first | fields))


def model_for(windows, **fields):
    spec = ModelSpec(**({"hidden_size": 6, "seed": 5} | fields))
    return build_model(spec, windows.input_size, windows.output_size).eval()


@pytest.mark.parametrize(("start", "log"), [*((kind, False) for kind in KINDS), *((kind, True) for kind in KINDS[1:])])
def test_the_rows_past_the_end_are_predicted_as_any_others(start, log):
    longer, shorter = (make_windows(table_of(rows), spec_of(start, log=log)) for rows in (143, 140))
    longer = longer.with_scaler(shorter.scaler)
    model = model_for(shorter)
    want = predict(model, longer, np.array([134]))[0]  # whose targets are the rows 140 … 142
    (got,) = forecast(model, shorter, 3, measure_bands(model, shorter)).series
    np.testing.assert_allclose(got.values, want, rtol=1e-6)
    assert got.last_row == 139 and got.series == ""


def test_several_series_are_each_continued_from_their_own_end():
    names = np.repeat(["north", "south"], [90, 70])
    y = np.concatenate([100 + np.arange(90.0), 5 - 0.1 * np.arange(70.0)]) + np.tile([0.0, 1.0], 80)
    table = Table.from_columns("shops", {"y": y, "shop": names}, ColumnRoles())
    windows = make_windows(table, spec_of("season_change", season=2, group="shop", scale_per_series=True))
    model = model_for(windows, zero_head=True)
    series = forecast(model, windows, 4, measure_bands(model, windows)).series
    assert [one.series for one in series] == ["north", "south"]
    np.testing.assert_allclose(series[0].values[:, 0], 100 + np.arange(90, 94) + [0, 1, 0, 1])
    np.testing.assert_allclose(series[1].values[:, 0], 5 - 0.1 * np.arange(70, 74) + [0, 1, 0, 1])


@pytest.mark.parametrize("start", KINDS[1:4])
def test_an_untrained_model_goes_on_with_its_start_past_the_horizon(start):
    windows = make_windows(table_of(140), spec_of(start))
    model = model_for(windows, zero_head=True)
    result = forecast(model, windows, 10, measure_bands(model, windows))
    (one,), y = result.series, windows.y[:, 0]
    want = {"mean": np.full(10, y[windows.split_of_row == 0].mean()), "last": np.full(10, y[-1])}
    want["season"] = np.tile(y[-4:], 3)[:10]
    np.testing.assert_allclose(one.values[:, 0], want[start])
    np.testing.assert_allclose(one.start, one.values)
    assert result.held == ()


def test_values_known_ahead_move_the_forecast_and_the_others_stay():
    price, rain = np.random.default_rng(0).normal(size=(2, 160))
    spec = spec_of("last", features=("y", "price", "rain"), known_future=("price",))
    windows = make_windows(table_of(140, price=price, rain=rain), spec)
    assert "price, 2 rows ahead" in windows.input_names
    model, bands = model_for(windows), measure_bands(model_for(windows), windows)
    held = forecast(model, windows, 3, bands)
    given = forecast(model, windows, 3, bands, {"price": price[None, 140:143]})
    assert held.held == ("price",) and given.held == ()
    assert not np.allclose(held.series[0].values, given.series[0].values)
    longer = make_windows(table_of(143, price=price, rain=rain), spec).with_scaler(windows.scaler)
    np.testing.assert_allclose(given.series[0].values, predict(model, longer, np.array([134]))[0], rtol=1e-6)
    past = forecast(model, windows, 5, bands, {"price": price[None, 140:145]})
    assert past.held == ("rain",)


def test_bands_widen_with_the_step_and_with_the_level():
    windows = make_windows(table_of(160), spec_of("smooth", log=True))
    model = model_for(windows, zero_head=True)
    bands = measure_bands(model, windows)
    (one,) = forecast(model, windows, 12, bands).series
    for level in LEVELS:
        width = np.log(one.upper[level]) - np.log(one.lower[level])
        assert (np.diff(width[:, 0]) >= -1e-12).all() and (one.lower[level] < one.values).all()
        share, count = bands.coverage[level]
        assert 0.5 < share <= 1 and count == len(windows.starts["test"])
        assert f"{level * 100:.0f} % band held {share * 100:.0f} %" in bands.sentence(level)
    assert (one.upper[0.95] >= one.upper[0.8]).all()


@pytest.mark.parametrize(
    ("first", "step", "want"),
    [
        ("2020-01-31", "month end", ["2033-05-31", "2033-06-30", "2033-07-31"]),
        ("2020-01-01T00:00", "h", ["2020-01-07T16", "2020-01-07T17", "2020-01-07T18"]),
    ],
)
def test_the_times_to_come_are_on_the_grid_of_the_past(first, step, want):
    if step == "month end":
        times = (np.datetime64("2020-02", "M") + np.arange(160)).astype("M8[D]") - 1
    else:
        times = np.datetime64(first) + np.arange(160) * np.timedelta64(1, step)
    plain = table_of(160)
    column = Column("when", "time", times.astype("M8[ns]"))
    windows = make_windows(dataclasses.replace(plain, columns=(*plain.columns, column)), spec_of(time="when"))
    model = model_for(windows)
    (one,) = forecast(model, windows, 3, measure_bands(model, windows)).series
    np.testing.assert_array_equal(one.times, np.array(want, "M8[ns]"))


def test_what_cannot_be_forecast_is_refused_in_a_sentence():
    windows = make_windows(table_of(160), spec_of())
    model = model_for(windows)
    bands = measure_bands(model, windows)
    with pytest.raises(PlaygroundError, match=r"^0 rows ahead: choose 1 to 2,000\.$"):
        forecast(model, windows, 0, bands)
    y = table_of(160).column("y").values
    same_row = make_windows(table_of(160, x=y), spec_of("none", features=("x",), horizon=0))
    with pytest.raises(PlaygroundError, match="set horizon to 1 or more"):
        measure_bands(model_for(same_row), same_row)
    labels = Table.from_columns("labels", {"y": y, "label": np.tile(["a", "b"], 80)}, ColumnRoles())
    classes = make_windows(labels, spec_of("none", targets=("label",), horizon=0))
    with pytest.raises(PlaygroundError, match="predicts classes"):
        forecast(model_for(classes), classes, 3, bands)
    gap = y.copy()
    gap[-2] = np.nan
    table = Table.from_columns("gap", {"y": gap}, ColumnRoles())
    gappy = make_windows(table, spec_of(missing="skip"))
    with pytest.raises(PlaygroundError, match="have missing values"):
        forecast(model, gappy, 3, bands)
