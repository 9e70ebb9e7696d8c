"""Batches are what Windows says, scaled, and head "per_step" is scored on its own part only."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given

from lstm_core.data.windows import make_windows
from lstm_core.experiment import SPLITS
from lstm_core.training.batches import WindowTensors
from tests.conftest import examples
from tests.factories import cut_tables, series, spec_of

CPU = torch.device("cpu")


def scaled_truth(windows, rows: np.ndarray) -> np.ndarray:
    """(…, ahead) rows → (…, ahead·targets), scaled."""
    y = (windows.y[rows] - windows.y_center) / windows.y_scale
    return y.reshape(*rows.shape[:-1], windows.output_size)


@examples(80)
@given(cut_tables())
def test_inputs_and_last_targets_are_those_of_the_windows(case):
    _, _, windows = case
    batches = WindowTensors(windows, CPU, per_step=False)
    for starts in windows.starts.values():
        picked = torch.from_numpy(starts)
        inputs = batches.inputs(picked)
        assert inputs.shape == (len(starts), windows.spec.seq_len, windows.input_size)
        assert inputs.dtype == torch.float32
        np.testing.assert_allclose(inputs, windows.inputs(starts), rtol=1e-5, atol=1e-6)
        targets = batches.targets(picked)
        if windows.classes:
            np.testing.assert_array_equal(targets, windows.targets(starts))
        else:
            want = scaled_truth(windows, windows.target_rows(starts))
            np.testing.assert_allclose(targets, want, rtol=1e-5, atol=1e-6)


@examples(80)
@given(cut_tables())
def test_every_step_has_its_target_unless_it_lies_in_an_earlier_part(case):
    _, spec, windows = case
    batches = WindowTensors(windows, CPU, per_step=True)
    for k, split in enumerate(SPLITS):
        starts = windows.starts[split]
        steps = starts[:, None] + np.arange(spec.seq_len)  # (windows, seq_len)
        rows = steps[..., None] + windows.offsets  # (windows, seq_len, ahead)
        own = windows.split_of_row[rows] == k
        targets = batches.targets(torch.from_numpy(starts)).numpy()
        if windows.classes:
            want = np.where(own[..., 0], windows.y[rows[..., 0]], -1)
            np.testing.assert_array_equal(targets, want)
            continue
        want = np.where(np.repeat(own, windows.y.shape[1], -1), scaled_truth(windows, rows), np.nan)
        np.testing.assert_allclose(targets, want, rtol=1e-5, atol=1e-6)
        if len(starts):
            assert np.isfinite(targets[:, -1]).all()  # the last step is always scored


def test_a_validation_window_is_not_scored_on_training_rows():
    windows = make_windows(series(100), spec_of(seq_len=10, scaling="none"))  # 70 training rows
    first = torch.from_numpy(windows.starts["valid"][:1])
    predictions = WindowTensors(windows, CPU, per_step=True).targets(first)[0, :, 0]
    assert predictions.isnan().tolist() == [True] * 9 + [False]
    assert predictions[-1] == 2000 + 70


def test_gathering_changes_nothing_of_the_table():
    table = series(60)
    before = table.numbers.copy()
    windows = make_windows(table, spec_of())
    for every in (False, True):
        batches = WindowTensors(windows, CPU, every)
        starts = torch.from_numpy(windows.starts["valid"])
        batches.inputs(starts), batches.targets(starts)
    np.testing.assert_array_equal(table.numbers, before)


@pytest.mark.parametrize("every", [False, True])
def test_no_windows_make_an_empty_batch(every):
    windows = make_windows(series(60), spec_of())
    none = torch.empty(0, dtype=torch.int64)
    batches = WindowTensors(windows, CPU, every)
    assert batches.inputs(none).shape == (0, 4, 2)
    assert len(batches.targets(none)) == 0
