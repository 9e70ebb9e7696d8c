"""The echo is what x1 was three rows ago, and nothing else tells it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.generators.series import LAG, echo
from lstm_core.experiment import PlaygroundError


@given(st.integers(LAG + 1, 200), st.integers(1, 6), st.integers(0, 2**31 - 1))
def test_the_echo_is_x1_three_rows_ago(length, n_features, seed):
    table = echo(length, 5, n_features, 0.0, seed)
    assert table.roles.features == tuple(f"x{k + 1}" for k in range(n_features))
    np.testing.assert_array_equal(table.column("echo").values[LAG:], table.column("x1").values[:-LAG])


def test_numbers_have_mean_0_and_variance_1_and_tell_nothing_of_each_other():
    values = echo(20_000, 5, 4, 0.0, 0).numbers.T  # (x1 … x4, echo) × rows
    np.testing.assert_allclose(values.mean(1), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(values), np.eye(5), atol=0.03)  # at one row, x1 is not its own echo
    x1 = values[0]
    for back in range(1, 10):
        assert abs(np.mean(x1[back:] * x1[:-back])) < 0.03


def test_what_the_series_echoes_at_its_start_was_never_shown():
    table = echo(50, 5, 2, 0.0, 0)
    assert not np.isin(table.column("echo").values[:LAG], table.column("x1").values).any()


def test_noise_is_on_what_is_seen_and_not_on_the_echo():
    still, noisy = (echo(1000, 5, 2, noise, 0) for noise in (0.0, 0.5))
    np.testing.assert_array_equal(still.column("echo").values, noisy.column("echo").values)
    assert np.std(noisy.column("x1").values - still.column("x1").values) == pytest.approx(0.5, rel=0.1)


def test_a_table_too_large_is_refused():
    with pytest.raises(PlaygroundError, match="lower length or n_features"):
        echo(1_000_000, 5, 1000, 0.0, 0)
