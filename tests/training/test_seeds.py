"""One seed, one result: whatever else draws random numbers, and however many trainers there are."""

from __future__ import annotations

import threading

import pytest
import torch

from tests.factories import DROPS, flat_weights, trainer_of, wave


@pytest.mark.parametrize("model", [{}, DROPS])
def test_the_seed_alone_decides_the_weights(model):
    first, again = trainer_of(wave(), model), trainer_of(wave(), model)
    list(first)
    torch.rand(7)  # what else draws from torch's own generator is of no account
    list(again)
    assert torch.equal(flat_weights(first), flat_weights(again))
    for seeds in ({"model": model | {"seed": 2}}, {"model": model, "seed": 5}):
        other = trainer_of(wave(), **seeds)
        list(other)
        assert not torch.equal(flat_weights(first), flat_weights(other))


def test_dropout_draws_anew_at_every_step():
    trainer = trainer_of(wave(), DROPS)
    states = {bytes(trainer.state_dict(0)[0]["dropout"].numpy())}
    for _ in trainer:
        states.add(bytes(trainer.state_dict(0)[0]["dropout"].numpy()))
    assert len(states) == 1 + trainer.step


def test_training_leaves_torchs_own_generator_where_it_was():
    before = torch.get_rng_state()
    list(trainer_of(wave(), DROPS))
    assert torch.equal(torch.get_rng_state(), before)


def test_two_trainers_interleaved_do_not_disturb_each_other():
    alone = [trainer_of(wave(), DROPS, seed=seed) for seed in (0, 1)]
    for trainer in alone:
        list(trainer)
    mixed = [trainer_of(wave(), DROPS, seed=seed) for seed in (0, 1)]
    for records in zip(*mixed, strict=True):
        assert len(records) == 2
    for a, b in zip(alone, mixed, strict=True):
        assert torch.equal(flat_weights(a), flat_weights(b))


def test_trainers_in_threads_do_not_disturb_each_other():
    want = trainer_of(wave(), DROPS, epochs=8)
    list(want)
    mixed = [trainer_of(wave(), DROPS, epochs=8) for _ in range(3)]
    threads = [threading.Thread(target=list, args=(trainer,)) for trainer in mixed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for trainer in mixed:
        assert torch.equal(flat_weights(trainer), flat_weights(want))


def test_other_threads_may_draw_from_torchs_generator():
    want = trainer_of(wave(), epochs=8)
    list(want)
    over = threading.Event()

    def draw() -> None:
        while not over.is_set():
            torch.rand(100)

    thread = threading.Thread(target=draw)
    thread.start()
    trainer = trainer_of(wave(), epochs=8)
    list(trainer)
    over.set()
    thread.join()
    assert torch.equal(flat_weights(trainer), flat_weights(want))
