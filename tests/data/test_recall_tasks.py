"""The answer of a sequence to be recalled stands in it, once, and nothing else in it tells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.generators.sequences import recall_first, recall_marked
from lstm_core.experiment import PlaygroundError
from tests.conftest import examples


def grid(table, column: str, seq_len: int) -> np.ndarray:
    """(sequences, seq_len)"""
    return table.column(column).values.reshape(-1, seq_len)


@examples(25)
@given(st.integers(2, 60), st.integers(1, 40), st.floats(0, 2), st.integers(0, 2**31 - 1))
def test_the_marked_value_before_noise_is_the_answer(length, seq_len, noise, seed):
    table = recall_marked(length, seq_len, 1, noise, seed)
    marker = grid(table, "marker", seq_len)
    value = grid(recall_marked(length, seq_len, 1, 0.0, seed), "value", seq_len)
    assert set(np.unique(marker)) <= {0.0, 1.0} and (marker.sum(1) == 1).all()
    assert np.abs(value).max() <= 1
    np.testing.assert_array_equal(grid(table, "target", seq_len)[:, -1], (value * marker).sum(1))
    assert table.roles.features == ("value", "marker") and table.roles.targets == ("target",)


def test_marks_are_everywhere_alike_and_the_baseline_is_a_third():
    table = recall_marked(20_000, 10, 1, 0.0, 3)
    np.testing.assert_allclose(grid(table, "marker", 10).mean(0), 0.1, atol=0.015)
    assert np.square(grid(table, "target", 10)[:, -1]).mean() == pytest.approx(1 / 3, rel=0.03)


@examples(25)
@given(st.integers(2, 60), st.integers(2, 40), st.integers(0, 2**31 - 1))
def test_the_first_row_is_up_or_down_and_is_the_answer(length, seq_len, seed):
    table = recall_first(length, seq_len, 1, 0.0, seed)
    value = grid(table, "value", seq_len)
    assert set(value[:, 0]) <= {-1.0, 1.0}
    np.testing.assert_array_equal(grid(table, "target", seq_len)[:, -1], value[:, 0])


def test_no_later_row_tells_the_first():
    table = recall_first(20_000, 6, 1, 0.0, 1)
    value = grid(table, "value", 6)
    assert abs(value[:, 0].mean()) < 0.03
    together = np.corrcoef(value, rowvar=False)[0, 1:]
    assert np.abs(together).max() < 0.03
    np.testing.assert_allclose(np.square(value[:, 1:]).mean(0), 1 / 3, rtol=0.05)


def test_a_sequence_of_one_row_has_nothing_to_remember():
    with pytest.raises(PlaygroundError, match="seq_len is 1, .* choose 2 or more"):
        recall_first(5, 1, 1, 0.0, 0)
