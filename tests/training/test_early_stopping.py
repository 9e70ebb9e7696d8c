"""The best epoch, epoch 0 included: when training stops for want of a better one, and which weights it leaves."""

from __future__ import annotations

import torch

from tests.factories import flat_weights, trainer_of, wave


def test_early_stopping_puts_the_best_weights_in_place():
    trainer = trainer_of(wave(), optimizer="SGD", momentum=0.0, lr=0.02, epochs=50, patience=3)
    after_epoch = {0: flat_weights(trainer)}
    for record in trainer:
        if "valid_loss" in record:
            after_epoch[record["epoch"]] = flat_weights(trainer)
        if record["step"] == 3 * trainer.steps_per_epoch:
            trainer.change(lr=20.0)  # from here on it can only get worse
    assert trainer.early_stopping.stopped_early
    assert trainer.finished
    best = trainer.early_stopping.best_epoch
    assert trainer.epoch == best + 3
    assert torch.equal(flat_weights(trainer), after_epoch[best])
    assert not torch.equal(after_epoch[best + 1], after_epoch[best])
    assert trainer.evaluate("valid") == trainer.early_stopping.best_loss
    trainer.change(patience=0, lr=0.001)
    assert next(trainer)["epoch"] == best + 4  # and it goes on from them


def test_best_weights_are_those_of_the_best_epoch_also_without_patience():
    trainer = trainer_of(wave(), epochs=6, lr=0.3, max_grad_norm=0.0)
    after_epoch = {}
    for record in trainer:
        if "valid_loss" in record:
            after_epoch[record["epoch"]] = flat_weights(trainer)
    best = torch.cat([value.flatten() for value in trainer.early_stopping.weights_by_name.values()])
    assert torch.equal(best, after_epoch[trainer.early_stopping.best_epoch])
    assert list(trainer.early_stopping.weights_by_name) == [name for name, _ in trainer.model.named_parameters()]


def test_the_untrained_model_counts_and_comes_back_when_nothing_beats_it():
    for epochs in (3, 50):  # the training ends by itself, and early
        trainer = trainer_of(wave(), optimizer="SGD", lr=3.0, max_grad_norm=0.0, patience=4, epochs=epochs)
        untrained, loss = flat_weights(trainer), trainer.evaluate("valid")
        list(trainer)
        assert trainer.early_stopping.stopped_early == (epochs == 50)
        assert (trainer.early_stopping.best_epoch, trainer.early_stopping.best_loss) == (0, loss)
        assert torch.equal(flat_weights(trainer), untrained)
        assert trainer.early_stopping.is_restored


def test_the_last_snapshot_is_the_model_that_early_stopping_leaves():
    trainer = trainer_of(wave(), optimizer="SGD", lr=3.0, max_grad_norm=0.0, patience=2, epochs=50)
    list(trainer)
    assert torch.equal(trainer.snapshots.nearest(trainer.step).weights, flat_weights(trainer))
