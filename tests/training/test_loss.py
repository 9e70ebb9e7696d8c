"""Losses against PyTorch's own, and what is masked counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.training.loss import sequence_loss

ORACLES = {"mse": lambda e: e**2, "mae": np.abs, "huber": lambda e: np.where(abs(e) < 1, e**2 / 2, abs(e) - 0.5)}


@pytest.mark.parametrize("name", ORACLES)
@given(seed=st.integers(0, 999), share=st.floats(0, 0.9))
def test_the_mean_is_over_what_is_scored_and_only_it_gets_a_gradient(name, seed, share):
    rng = np.random.default_rng(seed)
    predictions, expected = 2 * rng.normal(size=(2, 3, 4, 2))
    hidden = rng.random(expected.shape) < share
    hidden[0, 0, 0] = False
    expected[hidden] = np.nan
    guess = torch.tensor(predictions, requires_grad=True)
    loss = sequence_loss(name, guess, torch.tensor(expected), masked=True)
    assert loss.item() == pytest.approx(np.nanmean(ORACLES[name](predictions - expected)))
    loss.backward()
    assert (guess.grad.numpy()[hidden] == 0).all()
    assert np.isfinite(guess.grad.numpy()).all()


@pytest.mark.parametrize("name", ORACLES)
def test_unmasked_is_the_same_where_all_is_scored(name):
    predictions, expected = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    assert sequence_loss(name, predictions, expected, False) == sequence_loss(name, predictions, expected, True)


@given(st.integers(0, 999))
def test_classes_at_every_step_are_scored_where_they_are_known(seed):
    rng = np.random.default_rng(seed)
    predictions, expected = rng.normal(size=(3, 4, 5)), rng.integers(-1, 5, (3, 4))
    expected[0, 0] = 2
    log_share = predictions - np.log(np.exp(predictions).sum(-1, keepdims=True))
    is_known = expected >= 0
    want = -np.take_along_axis(log_share, np.maximum(expected, 0)[..., None], -1)[..., 0][is_known].mean()
    loss = sequence_loss("cross_entropy", torch.tensor(predictions), torch.tensor(expected), masked=True)
    assert loss.item() == pytest.approx(want)


def test_one_class_a_window_is_pytorchs_cross_entropy():
    predictions, expected = (
        torch.randn(6, 3, generator=torch.Generator().manual_seed(0)),
        torch.tensor([0, 1, 2, 2, 1, 0]),
    )
    assert sequence_loss("cross_entropy", predictions, expected, False) == nn.CrossEntropyLoss()(predictions, expected)
