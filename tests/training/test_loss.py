"""Losses against PyTorch's own, and what is masked counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.training.loss import sequence_loss

ORACLES = {
    "mse": lambda e: e**2,
    "mae": np.abs,
    "huber": lambda e: np.where(abs(e) < 1, e**2 / 2, abs(e) - 0.5),
}


@pytest.mark.parametrize("name", ORACLES)
@given(seed=st.integers(0, 999), share=st.floats(0, 0.9))
def test_the_mean_is_over_what_is_scored_and_only_it_gets_a_gradient(name, seed, share):
    rng = np.random.default_rng(seed)
    said, wanted = 2 * rng.normal(size=(2, 3, 4, 2))
    hidden = rng.random(wanted.shape) < share
    hidden[0, 0, 0] = False
    wanted[hidden] = np.nan
    guess = torch.tensor(said, requires_grad=True)
    loss = sequence_loss(name, guess, torch.tensor(wanted), masked=True)
    assert loss.item() == pytest.approx(np.nanmean(ORACLES[name](said - wanted)))
    loss.backward()
    assert (guess.grad.numpy()[hidden] == 0).all()
    assert np.isfinite(guess.grad.numpy()).all()


@pytest.mark.parametrize("name", ORACLES)
def test_unmasked_is_the_same_where_all_is_scored(name):
    said, wanted = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    assert sequence_loss(name, said, wanted, False) == sequence_loss(name, said, wanted, True)


@given(st.integers(0, 999))
def test_classes_at_every_step_are_scored_where_they_are_known(seed):
    rng = np.random.default_rng(seed)
    said, wanted = rng.normal(size=(3, 4, 5)), rng.integers(-1, 5, (3, 4))
    wanted[0, 0] = 2
    log_share = said - np.log(np.exp(said).sum(-1, keepdims=True))
    known = wanted >= 0
    want = -np.take_along_axis(log_share, np.maximum(wanted, 0)[..., None], -1)[..., 0][known].mean()
    loss = sequence_loss("cross_entropy", torch.tensor(said), torch.tensor(wanted), masked=True)
    assert loss.item() == pytest.approx(want)


def test_one_class_a_window_is_pytorchs_cross_entropy():
    said, wanted = (
        torch.randn(6, 3, generator=torch.Generator().manual_seed(0)),
        torch.tensor([0, 1, 2, 2, 1, 0]),
    )
    assert sequence_loss("cross_entropy", said, wanted, False) == nn.CrossEntropyLoss()(said, wanted)
