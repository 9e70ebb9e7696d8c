"""rng_scope runs a block from a given state and leaves the global generator as it was."""

from __future__ import annotations

import pytest
import torch

from lstm_core.experiment import ModelSpec
from lstm_core.model.recurrent import build_model, model_from_weights
from lstm_core.model.rng import rng_scope, rng_state


def test_nothing_here_moves_torchs_own_generator():
    before = torch.get_rng_state()
    model = build_model(ModelSpec(num_layers=2, dropout=0.5), 3, 1)
    model_from_weights(model.spec, model.sizes, model.state_dict())

    def draw_and_fail() -> None:
        with rng_scope(rng_state(1)):
            torch.rand(3)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        draw_and_fail()
    assert torch.equal(torch.get_rng_state(), before)


def test_random_state_goes_on_from_the_state_that_it_yields():
    generator = torch.Generator().manual_seed(3)
    want = torch.rand(6, generator=generator)
    with rng_scope(rng_state(3)) as after:
        first = torch.rand(4)
    with rng_scope(after[0]):
        second = torch.rand(2)
    assert torch.equal(torch.cat([first, second]), want)
