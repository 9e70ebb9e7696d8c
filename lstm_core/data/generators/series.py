"""Synthetic series: waves, chaos, a random walk and an echo."""

from __future__ import annotations

import numpy as np

from lstm_core.data.generators.sequences import MAX_VALUES, WAVEFORMS, add_noise, validated_rng
from lstm_core.data.table import ColumnRoles, Table
from lstm_core.experiment import PlaygroundError

PERIOD = 20  # rows of one wave, so that the default window of 24 contains a full one
SUM_PERIODS = (37, 17, 7)  # primes: their sum repeats only after 37 · 17 · 7 = 4403 rows


def sine(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """A smooth wave that repeats every 20 rows."""
    rng = validated_rng(length, seq_len, n_features, noise, seed)
    return _series("sine", _wave("sine", length, PERIOD, rng), seq_len, noise, rng)


def sum_of_sines(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Three waves at once, of periods 37, 17 and 7 rows.

    Their amplitudes are 1, 1/2 and 1/4.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed)
    waves = [_wave("sine", length, period, rng) / 2**k for k, period in enumerate(SUM_PERIODS)]
    return _series("sum_of_sines", np.sum(waves, axis=0), seq_len, noise, rng)


def square(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Jumps between +1 and −1 every 10 rows: needs counting."""
    rng = validated_rng(length, seq_len, n_features, noise, seed)
    return _series("square", _wave("square", length, PERIOD, rng), seq_len, noise, rng)


def sawtooth(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Climbs for 20 rows, then drops at once."""
    rng = validated_rng(length, seq_len, n_features, noise, seed)
    return _series("sawtooth", _wave("sawtooth", length, PERIOD, rng), seq_len, noise, rng)


def damped_oscillation(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """A swing that dies down to a twentieth of its start.

    exp(−3 t / length) · sin(2π t / 20 + phase): e⁻³ ≈ 0.05 is left at the end, whatever the length.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed)
    swing = np.exp(-3 * np.arange(length) / length) * _wave("sine", length, PERIOD, rng)
    return _series("damped_oscillation", swing, seq_len, noise, rng)


def mackey_glass(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Chaos from a simple rule: it never quite repeats.

    dx/dt = 0.2 x(t − 17) / (1 + x(t − 17)¹⁰) − 0.1 x(t), one row per unit of time. Mackey & Glass
    (1977), "Oscillation and chaos in physiological control systems", Science 197, 287–289.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed)
    return _series("mackey_glass", _mackey_glass(length, rng), seq_len, noise, rng)


def random_walk(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Each row is the row before plus a random step.

    The steps are independent and normal, of standard deviation 1: without noise, no forecast of the
    next row beats the row before it.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed)
    return _series("random_walk", np.cumsum(rng.standard_normal(length)), seq_len, noise, rng)


def _series(name: str, clean: np.ndarray, seq_len: int, noise: float, rng) -> Table:
    roles = ColumnRoles(targets=("y",), features=("y",), seq_len=seq_len, horizon=1)
    return Table.from_columns(name, {"y": add_noise(clean, noise, rng)}, roles)


def _wave(shape: str, length: int, period: int, rng: np.random.Generator) -> np.ndarray:
    """(length,) values of a wave of random phase; rows one period apart are equal to the last bit."""
    return WAVEFORMS[shape]((np.arange(length) % period / period + rng.random()) % 1)


def _mackey_glass(length: int, rng: np.random.Generator) -> np.ndarray:
    """(length,) values of the solution, one per unit of time, after a discarded transient of 510.

    Method of steps: over the next 17 units the delayed term F is already computed, so the rest is
    linear, x(t) = e^(−0.1 t) (x(0) + ∫₀ᵗ e^(0.1 s) F(s) ds), and the trapezoid rule at 20 points a
    unit takes a whole delay at once. It starts from a constant near 1.2; 1 is a fixed point.
    """
    delay, per_unit, transient = 17, 20, 30  # transient: in delays
    growth = np.exp(0.1 * np.arange(delay * per_unit + 1) / per_unit)
    past = np.full(len(growth), rng.uniform(1.1, 1.3))  # x on one delay, both ends included
    blocks = []
    for _ in range(transient + -(-length // delay)):
        inflow = growth * 0.2 * past / (1 + past**10)
        areas = (inflow[1:] + inflow[:-1]) / (2 * per_unit)
        past = (past[-1] + np.concatenate([[0.0], np.cumsum(areas)])) / growth
        blocks.append(past[per_unit::per_unit])  # (delay,)
    return np.concatenate(blocks[transient:])[:length]


LAG = 3  # rows between a number and its echo


def echo(length: int, seq_len: int, n_features: int, noise: float, seed: int) -> Table:
    """Predict at each row what x1 was three rows ago.

    One long series of random numbers x1, x2 …, uniform with mean 0 and variance 1; only x1 matters. Three rows
    before the first are drawn too, and never shown. In a window of seq_len rows that starts from a zero state, the
    targets of the first three rows lie before the window: the lowest possible mean squared error over its rows is
    3 / seq_len, that of always predicting 0 is 1. The target is x1 before noise.
    """
    rng = validated_rng(length, seq_len, n_features, noise, seed)
    if length * (n_features + 1) > MAX_VALUES:
        raise PlaygroundError(
            f"These settings make a table of {length * (n_features + 1):,} values, more than {MAX_VALUES:,}: lower "
            "length or n_features."
        )
    side = np.sqrt(3)  # of U[−√3, √3] the variance is 1
    values = rng.uniform(-side, side, (LAG + length, n_features))
    inputs = add_noise(values[LAG:], noise, rng)
    columns = {f"x{k + 1}": inputs[:, k] for k in range(n_features)} | {"echo": values[:length, 0]}
    roles = ColumnRoles(("echo",), tuple(columns)[:-1], seq_len=seq_len, horizon=0)
    return Table.from_columns("echo", columns, roles)
