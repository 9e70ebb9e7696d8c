"""With a start the model learns what that leaves, reads how wrong it was, and what it predicts is turned back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.windows import make_windows
from lstm_core.experiment import STARTS, PlaygroundError
from tests.conftest import examples
from tests.factories import spec_of, table_of

Y = 50 + np.tile([3.0, 5.0, 9.0, 4.0], 40) + np.random.default_rng(3).normal(size=160).cumsum()


def windows_of(y: np.ndarray = Y, **fields):
    fields = {"start": "season_change", "season": 4, "features": ("y",), "seq_len": 6, "horizon": 3} | fields
    return make_windows(table_of(y=y), spec_of(**fields))


@examples(60)
@given(st.sampled_from(STARTS[1:]), st.booleans(), st.integers(1, 6), st.integers(0, 2**31))
def test_what_is_learned_turned_back_is_the_truth(start, log, horizon, seed):
    y = np.exp(np.random.default_rng(seed).normal(size=120).cumsum() / 10)
    windows = windows_of(y, start=start, log=log, horizon=horizon)
    for starts in windows.starts.values():
        rows = windows.last_rows(starts)
        back = windows.inverse_transform(windows.scaled_y[rows], rows)
        np.testing.assert_allclose(back, windows.targets(starts), rtol=1e-5)


def test_what_the_model_reads_is_the_formula():
    windows, y = windows_of(), Y
    assert windows.input_names == ("start error", "change")
    rows = np.arange(20, 160)
    before = y[rows - 1] + y[rows - 4] - y[rows - 5]  # the start of row t as known one row before
    np.testing.assert_allclose(windows.x[rows, 0], y[rows] - before)
    np.testing.assert_allclose(windows.x[rows, 1], y[rows] - y[rows - 1])
    train = windows.x[windows.split_of_row == 0]
    np.testing.assert_allclose(windows.x_scale, np.nanstd(train, axis=0))
    assert windows.x_center.tolist() == [0, 0]


def test_a_season_longer_than_the_window_is_read_as_the_error_of_then():
    windows = windows_of(start="season", season=8)
    assert windows.input_names == ("start error", "change", "start error, 8 rows ago")
    np.testing.assert_array_equal(windows.x[30:, 2], windows.x[22:-8, 0])
    assert windows_of(start="last", season=0).input_names == ("start error",)


def test_columns_of_the_same_names_stay_apart():
    table = table_of(y=Y, change=Y[::-1].copy())
    spec = spec_of(start="mean", features=("y", "change"), seq_len=6)
    assert make_windows(table, spec).input_names == ("y: start error", "y: change", "change")


def test_large_numbers_keep_their_digits():
    """A meter that reads 85,560,123.45 and more: float32 knows no quarter there."""
    y = 85_560_123.45 + 0.25 * np.arange(160) + np.tile([0.0, 0.5], 80)
    windows = windows_of(y, start="season", season=2, horizon=1)
    rows = windows.last_rows(windows.starts["test"])
    np.testing.assert_allclose(
        windows.inverse_transform(windows.scaled_y[rows], rows), windows.targets(rows - 5), atol=1e-6
    )
    plain = windows_of(y, start="none", season=0, horizon=1)
    assert len(np.unique(plain.scaled_x)) > 150


def test_each_series_is_scaled_by_its_own_training_rows():
    y = np.concatenate([1000 + 100 * np.sin(np.arange(80) / 3), 5 + np.sin(np.arange(80) / 3)])
    table = table_of(y=y, id=np.repeat(["large", "small"], 80))
    spec = spec_of(start="last", features=("y",), group="id", scale_per_series=True, horizon=2)
    windows = make_windows(table, spec)
    large, small = windows.scaled_y[10:60], windows.scaled_y[90:140]
    np.testing.assert_allclose(large, small, rtol=1e-4, atol=1e-4)
    starts = windows.starts["test"]
    rows = windows.last_rows(starts)
    np.testing.assert_allclose(
        windows.inverse_transform(windows.scaled_y[rows], rows), windows.targets(starts), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"season": 0}, "start is 'season_change', but season is 0"),
        ({"log": True, "start": "none"}, "log needs a start"),
        ({"horizon": 0, "features": ("a",)}, "horizon is 0, so there is nothing to start from"),
        ({"scale_per_series": True, "start": "none"}, "needs a start: choose start mean"),
    ],
)
def test_what_a_start_needs(fields, sentence):
    fields = {"start": "season_change", "season": 4, "features": ("y",), "seq_len": 6} | fields
    with pytest.raises(PlaygroundError, match=sentence):
        make_windows(table_of(y=Y, a=Y), spec_of(**fields))


def test_a_value_without_a_logarithm_is_named():
    y = Y.copy()
    y[17] = -2.5
    with pytest.raises(PlaygroundError, match=r"Target 'y' is -2\.5 in data row 18, which has no logarithm"):
        windows_of(y, log=True)
