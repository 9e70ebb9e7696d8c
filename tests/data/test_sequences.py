"""Sets of sequences: targets follow from the inputs as published, and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.generators.sequences import recall_first, recall_marked
from lstm_core.experiment import PlaygroundError
from tests.conftest import examples
from tests.data.generated import grid, make


# Sets of sequences
@examples(25)
@given(st.integers(2, 60), st.integers(2, 40), st.floats(0, 2), st.integers(0, 2**31 - 1))
def test_adding_problem_is_the_sum_of_one_marked_value_in_each_half(length, seq_len, noise, seed):
    table = make("adding_problem", length, seq_len, noise=noise, seed=seed)
    marker = grid(table, "marker", seq_len)
    value = grid(make("adding_problem", length, seq_len, seed=seed), "value", seq_len)
    assert set(np.unique(marker)) <= {0.0, 1.0}
    half = seq_len // 2
    np.testing.assert_array_equal(marker[:, :half].sum(1), 1)
    np.testing.assert_array_equal(marker[:, half:].sum(1), 1)
    assert value.min() >= 0 and value.max() < 1
    np.testing.assert_allclose(grid(table, "target", seq_len)[:, -1], (value * marker).sum(1), rtol=1e-6)
    assert table.roles.features == ("value", "marker") and table.roles.targets == ("target",)


def test_adding_problem_has_the_published_baseline_and_marks_everywhere():
    table = make("adding_problem", 20_000, 10)
    target = grid(table, "target", 10)[:, -1]
    assert np.square(target - 1).mean() == pytest.approx(1 / 6, rel=0.05)
    often = grid(table, "marker", 10).mean(0)
    np.testing.assert_allclose(often, 0.2, atol=0.02)


@pytest.mark.parametrize("n_features", [1, 4])
def test_random_regression_has_nothing_to_learn(n_features):
    table = make("random_regression", 2000, 5, n_features)
    features = tuple(f"x{k + 1}" for k in range(n_features))
    assert table.roles.features == features and table.roles.targets == ("target",)
    target = grid(table, "target", 5)[:, -1]
    assert abs(target.mean()) < 0.1 and target.std() == pytest.approx(1, abs=0.08)
    x = np.concatenate([grid(table, name, 5) for name in features], axis=1)  # (2000, 5 · features)
    assert np.abs(x.mean(0)).max() < 0.12 and np.abs(x.std(0) - 1).max() < 0.1
    correlation = np.corrcoef(x, target, rowvar=False) - np.eye(x.shape[1] + 1)
    assert np.abs(correlation).max() < 0.12


def test_which_wave_labels_every_row_and_every_class_alike():
    table = make("which_wave", 301, 24, seed=2)
    wave = table.column("wave")
    assert (wave.kind, wave.values.dtype) == ("category", np.int32)
    assert wave.classes == ("sine", "square", "sawtooth")
    label = wave.values.reshape(301, 24)
    assert (label == label[:, :1]).all()
    counts = np.bincount(label[:, 0])
    assert counts.max() - counts.min() <= 1
    assert len(np.unique(label[:10, 0])) > 1 and (np.diff(label[:, 0]) != 1).any()  # shuffled
    assert table.roles.targets == ("wave",) and table.roles.features == ("x",)


def test_which_wave_shapes_are_what_their_labels_say():
    seq_len = 240
    table = make("which_wave", 90, seq_len, seed=3)
    label = table.column("wave").values.reshape(90, seq_len)[:, 0]
    x = grid(table, "x", seq_len).astype(np.float64)
    assert np.abs(x).max() <= 1
    is_square = (np.abs(x) == 1).all(1)
    np.testing.assert_array_equal(is_square, label == 1)
    steps = np.diff(x, axis=1)
    climb = np.median(steps, axis=1, keepdims=True)
    is_saw = (np.isclose(steps, climb, atol=1e-5) | np.isclose(steps, climb - 2, atol=1e-5)).all(1)
    np.testing.assert_array_equal(is_saw & ~is_square, label == 2)
    period = 2 / climb[label == 2, 0]  # a sawtooth climbs 2 in one period
    assert (period >= seq_len / 3 - 0.01).all() and (period <= seq_len + 0.01).all()
    assert period.max() > 1.8 * period.min()
    for wave in x[label == 0]:  # x[t+1] + x[t−1] = 2 cos(ω) x[t] for one ω only
        cosine = (wave[2:] + wave[:-2]) @ wave[1:-1] / (2 * wave[1:-1] @ wave[1:-1])
        np.testing.assert_allclose(wave[2:] + wave[:-2], 2 * cosine * wave[1:-1], atol=1e-5)
        assert seq_len / 3 - 0.1 <= 2 * np.pi / np.arccos(cosine) <= seq_len + 0.1


@examples(25)
@given(st.integers(2, 60), st.integers(1, 40), st.floats(0, 2), st.integers(0, 2**31 - 1))
def test_the_target_of_recall_marked_is_the_marked_value_before_noise(length, seq_len, noise, seed):
    table = recall_marked(length, seq_len, 1, noise, seed)
    marker = grid(table, "marker", seq_len)
    value = grid(recall_marked(length, seq_len, 1, 0.0, seed), "value", seq_len)
    assert set(np.unique(marker)) <= {0.0, 1.0} and (marker.sum(1) == 1).all()
    assert np.abs(value).max() <= 1
    np.testing.assert_array_equal(grid(table, "target", seq_len)[:, -1], (value * marker).sum(1))
    assert table.roles.features == ("value", "marker") and table.roles.targets == ("target",)


def test_recall_marked_marks_all_rows_alike_and_its_baseline_is_a_third():
    table = recall_marked(20_000, 10, 1, 0.0, 3)
    np.testing.assert_allclose(grid(table, "marker", 10).mean(0), 0.1, atol=0.015)
    assert np.square(grid(table, "target", 10)[:, -1]).mean() == pytest.approx(1 / 3, rel=0.03)


@examples(25)
@given(st.integers(2, 60), st.integers(2, 40), st.integers(0, 2**31 - 1))
def test_the_target_of_recall_first_is_its_first_row_up_or_down(length, seq_len, seed):
    table = recall_first(length, seq_len, 1, 0.0, seed)
    value = grid(table, "value", seq_len)
    assert set(value[:, 0]) <= {-1.0, 1.0}
    np.testing.assert_array_equal(grid(table, "target", seq_len)[:, -1], value[:, 0])


def test_no_later_row_correlates_with_the_first():
    table = recall_first(20_000, 6, 1, 0.0, 1)
    value = grid(table, "value", 6)
    assert abs(value[:, 0].mean()) < 0.03
    together = np.corrcoef(value, rowvar=False)[0, 1:]
    assert np.abs(together).max() < 0.03
    np.testing.assert_allclose(np.square(value[:, 1:]).mean(0), 1 / 3, rtol=0.05)


def test_recall_first_needs_a_second_row():
    with pytest.raises(PlaygroundError, match="seq_len is 1, .* choose 2 or more"):
        recall_first(5, 1, 1, 0.0, 0)
