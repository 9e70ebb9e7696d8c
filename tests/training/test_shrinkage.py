"""Shrinkage: a correction counts as much as its validation windows support, exactly, and only once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.forecasting.predict import predict
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint
from lstm_core.training.shrinkage import shrinkage
from lstm_core.training.trainer import Trainer
from tests.factories import table_of


def trainer_of(seed: int = 1, **train) -> Trainer:
    """On a series whose changes hold for a while, so that a correction of the last value is worth something."""
    rng = np.random.default_rng(seed)
    changes = np.zeros(160)
    for row in range(1, 160):
        changes[row] = 0.5 * changes[row - 1] + rng.normal()
    data = DataSpec(targets=("y",), features=("y",), seq_len=6, horizon=3, start="last")
    windows = make_windows(table_of(y=changes.cumsum()), data)
    model = ModelSpec(hidden_size=6, zero_head=True)
    spec = TrainSpec(**({"epochs": 12, "patience": 4, "batch_size": 16, "lr": 0.01, "device": "cpu"} | train))
    return Trainer(windows, Experiment(data, model, spec))


def trained(trainer: Trainer) -> Trainer:
    for _ in trainer:
        pass
    return trainer


def batches(predictions, targets):
    return [(torch.tensor(predictions, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32))]


def test_the_share_is_a_third_of_the_t_statistic_of_the_lower_error():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(90, 3))
    predictions = 0.1 * targets + 0.25 * rng.normal(size=(90, 3))
    gain = (targets**2 - (targets - predictions) ** 2).mean(1)
    t = gain.mean() / (gain.std() / np.sqrt(90 / 3))
    assert 0 < t < 3  # else nothing is told
    assert shrinkage(batches(predictions, targets), 3) == pytest.approx(t / 3, rel=1e-5)
    assert shrinkage(batches(predictions, targets), 1) == pytest.approx(min(1, t / 3 * np.sqrt(3)), rel=1e-5)
    assert shrinkage(batches(targets, targets), 3) == 1
    assert shrinkage(batches(-targets, targets), 3) == 0
    assert shrinkage(batches(0 * targets, targets), 3) == 0


def test_what_is_not_scored_does_not_count():
    rng = np.random.default_rng(1)
    targets = rng.normal(size=(40, 2))
    predictions = 0.3 * targets + 0.4 * rng.normal(size=(40, 2))
    more = np.concatenate([targets, np.full((5, 2), np.nan)])
    wrong = np.concatenate([predictions, np.full((5, 2), 9.0)])
    assert shrinkage(batches(wrong, more), 1) == shrinkage(batches(predictions, targets), 1)


def test_the_correction_of_the_best_epoch_is_scaled_exactly():
    full, shrunk = trained(trainer_of()), trained(trainer_of(shrink=True))
    factor = shrunk.early_stopping.shrunk
    assert 0 < factor < 1 and full.early_stopping.shrunk == 1
    assert shrunk.early_stopping.best_epoch == full.early_stopping.best_epoch > 0
    windows = full.windows
    starts = windows.starts["test"]
    start = windows.target.inverse(np.zeros((len(starts), 3, 1)), windows.last_rows(starts))
    corrections = [predict(one.model, windows, starts) - start for one in (full, shrunk)]
    np.testing.assert_allclose(corrections[1], factor * corrections[0], rtol=1e-4, atol=1e-6)
    assert shrunk.early_stopping.is_restored
    assert full.model.lstm.weight_ih_l0.equal(shrunk.model.lstm.weight_ih_l0)  # the gates stay as they are


def test_more_epochs_do_not_scale_the_same_weights_again():
    trainer = trained(trainer_of(shrink=True, epochs=40))
    assert trainer.early_stopping.stopped_early
    factor, best = trainer.early_stopping.shrunk, trainer.early_stopping.best_epoch
    head = trainer.model.head.weight.detach().clone()
    trainer.early_stopping.best_loss = 0.0  # so that no later epoch is better
    trainer.change(patience=trainer.epoch - best + 2)
    trained(trainer)
    assert trainer.early_stopping.best_epoch == best
    assert trainer.early_stopping.shrunk == factor
    assert trainer.model.head.weight.equal(head)


def test_it_is_saved_with_the_model():
    trainer = trained(trainer_of(shrink=True))
    again = resume_trainer(load_checkpoint(save_checkpoint(trainer, {})), trainer.windows)
    assert again.early_stopping.shrunk == trainer.early_stopping.shrunk
    assert again.finished and again.early_stopping.is_restored


def test_a_refit_is_scaled_by_what_the_validation_windows_supported():
    refitted, both = trained(trainer_of(refit=True)), trained(trainer_of(refit=True, shrink=True))
    factor = both.early_stopping.shrunk
    assert 0 < factor < 1
    np.testing.assert_allclose(both.model.head.weight.detach(), factor * refitted.model.head.weight.detach(), rtol=1e-6)


def test_nothing_is_scaled_without_validation_windows_or_patience():
    for fields in ({"patience": 0}, {"patience": 4}):
        trainer = trainer_of(shrink=True, **fields)
        if fields["patience"]:
            spec = dataclasses.replace(trainer.windows.spec, train_share=0.8, valid_share=0.0)
            trainer = Trainer(make_windows(trainer.windows.table, spec), trainer.experiment)
        assert trained(trainer).early_stopping.shrunk == 1
