"""Refit: after the best epoch, a new model as many passes on training and validation rows; whatever interrupts it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, new_id
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint
from lstm_core.training.refit import refit_steps
from lstm_core.training.trainer import Trainer
from tests.factories import TABLE, flat_weights, trainer_of, wave
from tests.runs.sessions import TRAIN, train


def refitting(**fields) -> Trainer:
    return trainer_of(wave(), **({"refit": True, "patience": 2, "epochs": 12, "lr": 0.05} | fields))


def by_hand(trainer: Trainer) -> torch.Tensor:
    """The weights that the refit is to end with: a plain training on both splits, for so many steps."""
    windows, best = trainer.windows, trainer.early_stopping.best_epoch * trainer.steps_per_epoch
    both = np.sort(np.concatenate([windows.starts["train"], windows.starts["valid"]]))
    starts = {"train": both, "valid": both[:0], "test": windows.starts["test"]}
    spec = dataclasses.replace(trainer.spec, refit=False, patience=0, epochs=1000)
    plain = Trainer(dataclasses.replace(windows, starts=starts), dataclasses.replace(trainer.experiment, train=spec))
    for _ in range(refit_steps(best, windows)):
        next(plain)
    return flat_weights(plain)


def test_the_refit_is_a_plain_training_on_both_splits_from_the_same_first_weights():
    trainer = refitting()
    records = list(trainer)
    assert trainer.finished and trainer.refitted and trainer.early_stopping.best_epoch > 0
    assert torch.equal(flat_weights(trainer), by_hand(trainer))
    steps = [record["refit_step"] for record in records if "refit_step" in record]
    total = refit_steps(trainer.early_stopping.best_epoch * trainer.steps_per_epoch, trainer.windows)
    assert steps == list(range(1, total + 1))
    assert [record["step"] for record in records if "step" in record] == list(range(1, trainer.step + 1))


def test_until_it_is_done_the_best_weights_are_in_place():
    trainer, plain = refitting(), refitting(refit=False)
    list(plain)
    for record in trainer:
        if "refit_step" in record and not trainer.refitted:
            assert torch.equal(flat_weights(trainer), flat_weights(plain))
            assert trainer.refit_progress == (record["refit_step"], record["refit_steps"])
    models = trainer.scored_models()
    best = torch.cat([p.flatten() for p in models["valid"].parameters()])
    assert torch.equal(best, flat_weights(plain)) and not torch.equal(best, flat_weights(trainer))
    assert torch.equal(torch.cat([p.flatten() for p in models["test"].parameters()]), flat_weights(trainer))


@pytest.mark.parametrize("refit_steps_done", [0, 3])
def test_a_training_saved_in_mid_refit_goes_on_to_the_same_weights(refit_steps_done):
    whole, trainer = refitting(), refitting()
    list(whole)
    while not trainer._best_is_known:
        next(trainer)
    for _ in range(refit_steps_done):
        next(trainer)
    data = save_checkpoint(trainer, {})
    again = resume_trainer(load_checkpoint(data), trainer.windows)
    assert not again.finished
    list(again)
    assert torch.equal(flat_weights(again), flat_weights(whole)) and again.refitted
    resaved = resume_trainer(load_checkpoint(save_checkpoint(again, {})), trainer.windows)
    assert resaved.finished and resaved.refitted


def test_more_epochs_go_on_from_weights_that_have_not_seen_the_validation_rows():
    trainer, plain = refitting(patience=50, epochs=4), refitting(patience=50, epochs=4, refit=False)
    list(trainer), list(plain)
    trainer.change(epochs=6)
    plain.change(epochs=6)
    assert not trainer.finished
    record, other = next(trainer), next(plain)
    assert record["train_loss"] == other["train_loss"] and not trainer.refitted


def test_where_the_untrained_model_is_best_nothing_is_refitted():
    trainer = refitting(lr=1e-9, patience=1)
    trainer.early_stopping.end_epoch = lambda epoch, loss, patience: setattr(
        trainer.early_stopping, "stopped_early", True
    )
    first = flat_weights(trainer)
    records = list(trainer)
    assert trainer.finished and trainer.early_stopping.best_epoch == 0
    assert records[-1] == {"refit_step": 0, "refit_steps": 0}
    assert torch.equal(flat_weights(trainer), first)


def test_a_worker_refits_too_and_says_so():
    want = trainer_of(wave(), refit=True, patience=2, epochs=12, lr=0.05)
    folder = RunFolder(home() / "runs" / new_id())
    folder.create(want.experiment, TABLE, {})
    assert train(folder, TRAIN) == "finished"
    list(want)
    saved = load_checkpoint(folder.file("state.safetensors").read_bytes())
    assert saved.progress["refitted"]
    for name, value in want.model.state_dict().items():
        np.testing.assert_array_equal(saved.weights[name], value.numpy())
    assert folder.status()["message"].endswith("on the training and validation rows together.")
    assert len(folder.file("records.bin").read_bytes()) == 16 + 40 * want.step  # the refit has no curve
