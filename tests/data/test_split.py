"""Splits are by time, or by sequence for labels; a table that leaves a split empty is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.split import split_groups
from lstm_core.data.windows import make_windows
from lstm_core.experiment import PlaygroundError
from tests.factories import series, spec_of, table_of


def test_unsorted_rows_are_put_in_order_of_time_and_the_note_says_so():
    rng = np.random.default_rng(0)
    mixed = rng.permutation(30)
    table = table_of(a=mixed, y=2000 + mixed, t=mixed)
    windows = make_windows(table, spec_of(features=("a",), time="t"))
    np.testing.assert_array_equal(windows.x[:, 0], np.arange(30))
    np.testing.assert_array_equal(windows.time, np.arange(30))
    assert windows.notes[0] == "Rows were put in order of t."
    assert table.column("a").values[0] == mixed[0]  # the table itself is left alone


def test_shares_are_by_time():
    windows = make_windows(series(100), spec_of(train_share=0.6, valid_share=0.3))
    np.testing.assert_array_equal(np.bincount(windows.split_of_row), [60, 30, 10])
    assert (np.diff(windows.split_of_row.astype(int)) >= 0).all()


def test_every_series_of_several_is_cut_by_its_own_time():
    s = np.repeat([0, 1, 2], [50, 20, 30])
    windows = make_windows(series(100, s=s), spec_of(group="s", train_share=0.6, valid_share=0.2))
    counts = [np.bincount(windows.split_of_row[s == k], minlength=3).tolist() for k in range(3)]
    assert counts == [[30, 10, 10], [12, 4, 4], [18, 6, 6]]


@given(st.integers(3, 12), st.integers(2, 6))
def test_labelled_sequences_stay_whole(groups, length):
    rows = groups * length
    s = np.repeat(np.arange(groups), length)
    label = np.array(["no", "yes"])[s % 2]
    table = series(rows, y=label, s=s)
    spec = spec_of(group="s", seq_len=length, horizon=0, train_share=0.6, valid_share=0.2)
    windows = make_windows(table, spec)
    parts = windows.split_of_row.reshape(groups, length)
    assert (parts == parts[:, :1]).all()
    assert windows.classes == ("no", "yes")
    np.testing.assert_array_equal(windows.targets(windows.starts["train"]), windows.starts["train"] // length % 2)


NAN = np.full(40, np.nan)


@pytest.mark.parametrize(
    ("table", "fields", "says"),
    [
        (series(40), {"targets": ()}, "No target column is chosen for 'test.csv'"),
        (series(40), {"features": ()}, "No feature column is chosen for 'test.csv'"),
        (series(40), {"features": ("z",)}, "There is no column 'z' in 'test.csv'"),
        (series(40), {"time": "z"}, "There is no column 'z'"),
        (series(40), {"group": "z"}, "There is no column 'z'"),
        (series(40, a=["x"] * 40), {}, "Feature 'a' is not a number column"),
        (series(40, b=["x"] * 40), {"targets": ("y", "b"), "features": ("a",)}, "Target 'b' is not a number column"),
        (series(40), {"seq_len": 50}, "needs 51 rows, but the series in 'test.csv' has 40: lower seq_len to 13"),
        (series(40, s=np.arange(40) // 4), {"seq_len": 9, "group": "s"}, "the longest sequence in 'test.csv' has 4"),
        (series(40), {"seq_len": 36}, "The training split of 'test.csv' has no complete window"),
        (series(40), {"valid_share": 0.01}, "The validation split of 'test.csv' has no complete window"),
        (series(40), {"targets": ("a",), "horizon": 0}, "'a' is a feature and the target of the same row"),
        (series(40, y=["x"] * 40), {}, r"'y' has only one class in the training split \('x'\)"),
        (series(40, y=["x"] * 30 + ["y"] * 10), {}, r"'y' has only one class in the training split \('x'\)"),
        (series(40, a=NAN), {}, "Column 'a' in 'test.csv' has no values at all"),
        (series(40, b=NAN), {}, "Column 'b' in 'test.csv' has no values at all"),
        (series(40, y=NAN), {}, "Column 'y' in 'test.csv' has no values at all"),
    ],
)
def test_what_cannot_be_cut_is_refused_in_one_sentence(table, fields, says):
    with pytest.raises(PlaygroundError, match=says) as caught:
        make_windows(table, spec_of(**fields))
    assert str(caught.value).endswith(".")
    assert str(caught.value).count(". ") == 0


def test_groups_in_order_train_validate_and_test_in_that_order():
    groups = np.arange(21) * 5  # 20 sequences
    split = split_groups(groups, np.zeros(100, int), 1, spec_of(train_share=0.7, valid_share=0.15), in_order=True)
    assert split.tolist() == [0] * 14 + [1] * 3 + [2] * 3
