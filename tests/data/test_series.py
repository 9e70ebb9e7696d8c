"""Each series solves its own equation; the echo is x1 three rows before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.generators.series import LAG, echo
from lstm_core.experiment import PlaygroundError
from tests.data.generated import make


def clean(name, length, seed=0) -> np.ndarray:
    return make(name, length, seed=seed).column("y").values.astype(np.float64)


# Series
@pytest.mark.parametrize("name", ["sine", "square", "sawtooth"])
def test_waves_repeat_after_one_period_exactly_and_no_sooner(name):
    y = clean(name, 400, seed=5)
    np.testing.assert_array_equal(y[20:], y[:-20])
    assert all(np.abs(y[lag:] - y[:-lag]).max() > 0.05 for lag in range(1, 20))


def test_sine_solves_its_difference_equation():
    y = clean("sine", 300)
    np.testing.assert_allclose(y[2:], 2 * np.cos(2 * np.pi / 20) * y[1:-1] - y[:-2], atol=1e-6)
    assert 0.99 < np.abs(y).max() <= 1


def test_square_is_half_up_half_down_and_flips_twice_a_period():
    y = clean("square", 320)
    assert set(np.unique(y)) == {-1.0, 1.0}
    assert np.abs(np.convolve(y, np.ones(20), "valid")).max() == 0
    flips = np.flatnonzero(np.diff(y))
    assert (np.diff(flips) == 10).all() and len(flips) in (31, 32)


def test_sawtooth_climbs_evenly_and_drops_once_a_period():
    steps = np.diff(clean("sawtooth", 320))
    drops = np.flatnonzero(steps < 0)
    assert (np.diff(drops) == 20).all()
    np.testing.assert_allclose(steps[steps > 0], 2 / 20, atol=1e-6)
    np.testing.assert_allclose(steps[drops], 2 / 20 - 2, atol=1e-6)


def test_sum_of_sines_has_three_lines_in_its_spectrum():
    y = clean("sum_of_sines", 37 * 17 * 7)
    amplitude = np.abs(np.fft.rfft(y)) / (len(y) / 2)
    lines = np.flatnonzero(amplitude > 1e-3)
    np.testing.assert_array_equal(lines, sorted(len(y) // period for period in (37, 17, 7)))
    np.testing.assert_allclose(amplitude[lines], [1, 0.5, 0.25], atol=1e-5)


@pytest.mark.parametrize("length", [150, 600])
def test_damped_oscillation_solves_its_difference_equation(length):
    y = clean("damped_oscillation", length)
    decay = np.exp(-3 / length)
    expected = 2 * decay * np.cos(2 * np.pi / 20) * y[1:-1] - decay**2 * y[:-2]
    np.testing.assert_allclose(y[2:], expected, atol=1e-6)
    np.testing.assert_allclose(y[20:], y[:-20] * np.exp(-3 * 20 / length), atol=1e-6)


def unit_residual(x: np.ndarray, delay: int = 17) -> np.ndarray:
    """How far x(t + 1) is from e^(−0.1) x(t) + ∫₀¹ e^(−0.1 (1 − s)) F(x(t + s − delay)) ds.

    F is interpolated by the polynomial through its eight values around [t, t + 1]: nothing of the
    generator's own grid or rule is used.
    """
    nodes = np.arange(-3, 5)
    s, weight = np.polynomial.legendre.leggauss(8)
    s, weight = (s + 1) / 2, weight / 2 * np.exp(-0.1 * (1 - (s + 1) / 2))
    lagrange = [np.prod([(s - other) / (node - other) for other in nodes if other != node], axis=0) for node in nodes]
    quadrature = np.array(lagrange) @ weight  # (8,)
    inflow = 0.2 * x / (1 + x**10)
    t = np.arange(delay + 3, len(x) - 1)
    gained = inflow[t[:, None] - delay + nodes] @ quadrature
    return x[t + 1] - np.exp(-0.1) * x[t] - gained


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_mackey_glass_solves_its_equation_and_is_bounded(seed):
    x = clean("mackey_glass", 1500, seed)
    assert 0.2 < x.min() < 0.6 and 1.2 < x.max() < 1.4
    assert np.abs(unit_residual(x)).max() < 1e-5
    assert np.abs(unit_residual(x, delay=16)).max() > 1e-2  # the oracle tells delays apart


def test_mackey_glass_has_forgotten_its_start_and_does_not_repeat():
    x = clean("mackey_glass", 3000)
    halves = x[:1500], x[1500:]
    assert halves[0].std() == pytest.approx(halves[1].std(), rel=0.1)
    x = (x - x.mean()) / x.std()
    assert all(np.square(x[lag:] - x[:-lag]).mean() > 0.1 for lag in range(20, 1000))


def test_a_shorter_mackey_glass_is_the_beginning_of_a_longer_one():
    np.testing.assert_array_equal(clean("mackey_glass", 50), clean("mackey_glass", 500)[:50])


def test_random_walk_steps_are_independent_and_standard_normal():
    y = clean("random_walk", 20_000, seed=1)
    steps = np.diff(y)
    assert abs(steps.mean()) < 0.04 and steps.std() == pytest.approx(1, abs=0.03)
    assert np.mean(np.abs(steps) < 1) == pytest.approx(0.6827, abs=0.02)
    assert all(abs(np.corrcoef(steps[lag:], steps[:-lag])[0, 1]) < 0.04 for lag in (1, 2, 5))
    expected = np.random.default_rng(1).standard_normal(20_000)
    np.testing.assert_allclose(y, np.cumsum(expected), atol=1e-4)


@given(st.integers(LAG + 1, 200), st.integers(1, 6), st.integers(0, 2**31 - 1))
def test_the_echo_is_x1_three_rows_ago(length, n_features, seed):
    table = echo(length, 5, n_features, 0.0, seed)
    assert table.roles.features == tuple(f"x{k + 1}" for k in range(n_features))
    np.testing.assert_array_equal(table.column("echo").values[LAG:], table.column("x1").values[:-LAG])


def test_echo_inputs_are_standardised_and_independent():
    values = echo(20_000, 5, 4, 0.0, 0).numbers.T  # (x1 … x4, echo) × rows
    np.testing.assert_allclose(values.mean(1), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(values), np.eye(5), atol=0.03)  # at one row, x1 is not its own echo
    x1 = values[0]
    for back in range(1, 10):
        assert abs(np.mean(x1[back:] * x1[:-back])) < 0.03


def test_the_echo_of_the_first_rows_was_never_an_input():
    table = echo(50, 5, 2, 0.0, 0)
    assert not np.isin(table.column("echo").values[:LAG], table.column("x1").values).any()


def test_noise_is_added_to_the_inputs_and_not_to_the_echo():
    still, noisy = (echo(1000, 5, 2, noise, 0) for noise in (0.0, 0.5))
    np.testing.assert_array_equal(still.column("echo").values, noisy.column("echo").values)
    assert np.std(noisy.column("x1").values - still.column("x1").values) == pytest.approx(0.5, rel=0.1)


def test_an_echo_too_large_is_refused():
    with pytest.raises(PlaygroundError, match="lower length or n_features"):
        echo(1_000_000, 5, 1000, 0.0, 0)
