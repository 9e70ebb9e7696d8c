"""Flip-flop and parity: what is held and what is counted, read back from the tables."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.generators.bits import PARITIES, PULSE_SHARE, flip_flop, parity
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec
from tests.conftest import examples


def columns(table, names, seq_len) -> np.ndarray:
    """(sequences, seq_len, names)"""
    return np.stack([table.column(name).values for name in names], axis=-1).reshape(-1, seq_len, len(names))


@examples(30)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 2**31 - 1))
def test_every_bit_is_its_own_last_pulse(seq_len, bits, seed):
    table = flip_flop(6, seq_len, bits, 0.0, seed)
    pulses, held = (columns(table, names, seq_len) for names in (table.roles.features, table.roles.targets))
    assert table.roles.features == tuple(f"pulse{k + 1}" for k in range(bits))
    assert table.roles.targets == tuple(f"bit{k + 1}" for k in range(bits))
    assert set(np.unique(pulses)) <= {-1, 0, 1} and (pulses[:, 0] != 0).all()
    state = np.zeros((6, bits))
    for step in range(seq_len):
        state = np.where(pulses[:, step] != 0, pulses[:, step], state)
        np.testing.assert_array_equal(held[:, step], state)


def test_a_pulse_comes_as_often_as_told_and_both_ways_alike():
    pulses = columns(flip_flop(400, 50, 3, 0.0, 0), ("pulse1", "pulse2", "pulse3"), 50)[:, 1:]
    assert abs((pulses != 0).mean() - PULSE_SHARE) < 0.01 and abs(pulses.mean()) < 0.01
    assert abs(np.corrcoef(pulses.reshape(-1, 3).T) - np.eye(3)).max() < 0.05


def test_the_flip_flops_bits_are_the_targets_of_every_step():
    table = flip_flop(60, 12, 2, 0.0, 1)
    roles = table.roles
    spec = DataSpec(
        "generator",
        "flip_flop",
        targets=roles.targets,
        features=roles.features,
        group=roles.group,
        seq_len=12,
        horizon=0,
        scaling="none",
    )
    windows = make_windows(table, spec)
    assert (windows.input_size, windows.output_size, windows.task) == (2, 2, "regression")
    assert np.isfinite(windows.y).all() and sum(map(len, windows.starts.values())) == 60


@examples(30)
@given(st.integers(1, 40), st.integers(0, 2**31 - 1))
def test_parity_is_that_of_the_ones_so_far(seq_len, seed):
    table = parity(8, seq_len, 1, 0.0, seed)
    bits, target = columns(table, ("bit",), seq_len)[..., 0], table.column("parity")
    assert set(np.unique(bits)) <= {0, 1} and target.classes == PARITIES
    for row, classes in zip(bits, target.values.reshape(-1, seq_len), strict=True):
        for step in range(seq_len):
            assert PARITIES[classes[step]] == ("odd" if row[: step + 1].sum() % 2 else "even")
