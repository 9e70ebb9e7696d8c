"""Several processes train as one: the same losses and weights, to rounding, and the same bits in each of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lstm_core.experiment import PlaygroundError
from lstm_core.training.shared_trainer import SharedTrainer
from tests.training.shared import parts, train_alone, train_together, trainer_for

ECHO = {"name": "echo", "targets": ["echo"], "features": ["x1", "x2", "x3", "x4"]}
WAVES = {
    "name": "which_wave",
    "targets": ["wave"],
    "features": ["x"],
    "group": "sequence",
    "length": 40,
    "seq_len": 8,
    "horizon": 0,
}
# Name → (an experiment, processes): what one process computes, in float64 to 1e-12.
EXACT = {
    "a short last batch": (parts(batch_size=19), 2),
    "a last batch of one window": (parts(batch_size=91), 2),
    "three processes": (parts(batch_size=17, optimizer="SGD", max_grad_norm=0.01), 3),
    "GRU at every step": (parts(ECHO | {"horizon": 0}, {"cell": "gru", "head": "per_step"}, batch_size=33), 2),
    "bidirectional": (parts(ECHO, {"bidirectional": True, "num_layers": 2}, weight_decay=0.01, optimizer="AdamW"), 2),
    "classes": (parts(WAVES, batch_size=13, epochs=1), 2),
    "stateful": (parts(initial_state="stateful", batch_size=3), 2),
    "early stopping": (parts(epochs=40, patience=1, lr=0.3, shrink=True), 2),
    "partly frozen": (parts(ECHO, {"frozen": ["bias_hh"]}, batch_size=20), 2),
}


def assert_alike(mine: dict[str, np.ndarray], theirs: dict[str, np.ndarray], tolerance: float) -> None:
    assert mine.keys() == theirs.keys()
    for name, values in mine.items():
        assert values.shape == theirs[name].shape, name
        assert np.allclose(values, theirs[name], rtol=0, atol=tolerance), name


def check(described: dict, world: int, folder: Path, double: bool, tolerance: float) -> None:
    together, alone = train_together(described, world, folder, double), train_alone(described, double)
    start = trainer_for(described, double=False).model.named_parameters()
    assert any(np.abs(alone[name] - values.detach().numpy()).max() > 1e-3 for name, values in start)
    for one in together:
        assert_alike(one, alone, tolerance)
        assert all(np.array_equal(values, together[0][name]) for name, values in one.items())


@pytest.mark.slow
def test_two_processes_have_the_weights_of_one(tmp_path):
    check(*EXACT["a short last batch"], tmp_path, double=True, tolerance=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXACT.keys() - {"a short last batch"}))
def test_whatever_is_trained_in_float64(name: str, tmp_path):
    check(*EXACT[name], tmp_path, double=True, tolerance=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("hidden_size", [16, 128])
@pytest.mark.parametrize("model", [{}, {"cell": "gru"}, {"bidirectional": True}], ids=["LSTM", "GRU", "bidirectional"])
def test_float32_rounds_otherwise_and_no_more(model: dict, hidden_size: int, tmp_path):
    described = parts(ECHO, model | {"hidden_size": hidden_size}, batch_size=19, lr=0.003)
    check(described, 2, tmp_path, double=False, tolerance=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("train", [{"initial_state": "random"}, {"refit": True, "patience": 2, "epochs": 6}])
def test_random_states_and_a_refit_are_those_of_one_process(train: dict, tmp_path):
    check(parts(batch_size=19, **train), 2, tmp_path, double=False, tolerance=1e-4)


@pytest.mark.slow
def test_each_process_has_a_dropout_of_its_own_and_the_same_in_every_run(tmp_path):
    described = parts(ECHO, {"num_layers": 2, "dropout": 0.5})
    first, again = train_together(described, 2, tmp_path), train_together(described, 2, tmp_path)
    for one in (*first, *again):
        assert_alike(one, first[0], 0)
    assert not np.allclose(first[0]["head.weight"], train_alone(described)["head.weight"], rtol=0, atol=1e-6)


def among(world: int, on_this_machine: int = 1) -> SimpleNamespace:
    """Processes that are only counted."""
    return SimpleNamespace(world=world, rank=0, local_rank=0, on_this_machine=on_this_machine)


@pytest.mark.parametrize(
    ("train", "sentence"),
    [
        ({"batch_size": 3}, "4 processes cannot share a batch of 3: raise train.batch_size to 4 or more"),
        ({"batch_size": 3, "initial_state": "stateful"}, "4 processes cannot share a batch of 3"),
    ],
)
def test_a_batch_smaller_than_the_processes_is_refused(train: dict, sentence: str):
    with pytest.raises(PlaygroundError, match=sentence):
        trainer_for(parts(**train), False, lambda *its: SharedTrainer(among(4), *its))


def test_fewer_windows_than_processes_are_refused():
    with pytest.raises(PlaygroundError, match="1000 processes cannot share 92 training windows"):
        trainer_for(parts(batch_size=2000), False, lambda *its: SharedTrainer(among(1000), *its))


def test_fewer_cards_than_processes_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "a card")
    with pytest.raises(PlaygroundError, match="2 processes on this machine need a CUDA card each, but it has 1"):
        trainer_for(parts(device="cuda"), False, lambda *its: SharedTrainer(among(2, on_this_machine=2), *its))
