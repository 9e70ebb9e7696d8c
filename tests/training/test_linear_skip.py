"""The linear skip: ridge regression of the training windows alone, which the LSTM then corrects."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from lstm_core.architecture.skip_limits import PENALTIES
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.training.batches import WindowTensors
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint
from lstm_core.training.linear_skip import LEFT_OUT, SkipChoice, choose_skip, fit_skip
from lstm_core.training.trainer import Trainer
from tests.factories import labelled, table_of, wave

SKIP = ModelSpec(hidden_size=6, zero_head=True, linear_skip=True)


def series(rows: int = 200, bend: float = 0.0) -> np.ndarray:
    """Each value is linear in the two before it; bend: how much of it is not."""
    rng, y = np.random.default_rng(3), np.zeros(rows)
    for row in range(2, rows):
        y[row] = 0.6 * y[row - 1] - 0.5 * y[row - 2] + bend * np.cos(y[row - 1]) + rng.normal() / (1 + bend)
    return y


def windows_of(y: np.ndarray, **data) -> Windows:
    fields = {"targets": ("y",), "features": ("y",), "seq_len": 6, "horizon": 2, "start": "last"}
    return make_windows(table_of(y=y), DataSpec(**fields | data))


def trainer_of(windows: Windows, model: ModelSpec = SKIP, **train) -> Trainer:
    spec = {"epochs": 6, "patience": 3, "batch_size": 16, "lr": 0.01, "device": "cpu"}
    return Trainer(windows, Experiment(windows.spec, model, TrainSpec(**spec | train)))


def trained(trainer: Trainer) -> Trainer:
    for _ in trainer:
        pass
    return trainer


def pairs(windows: Windows, split: str) -> tuple[np.ndarray, np.ndarray]:
    starts = windows.starts[split]
    inputs = windows.inputs(starts).reshape(len(starts), -1).astype(np.float64)
    targets = WindowTensors(windows, torch.device("cpu"), per_step=False).targets(torch.from_numpy(starts))
    return inputs, targets.double().numpy()


def by_hand(windows: Windows, split: str, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Ridge as least squares with a row of sqrt(penalty) for each input below the centred data."""
    inputs, targets = pairs(windows, split)
    x_mean, y_mean = inputs.mean(0), targets.mean(0)
    size = inputs.shape[1]
    rows = np.concatenate([inputs - x_mean, np.sqrt(penalty) * np.eye(size)])
    right = np.concatenate([targets - y_mean, np.zeros((size, targets.shape[1]))])
    weight = np.linalg.lstsq(rows, right, rcond=None)[0]
    return weight, y_mean - x_mean @ weight


def skip_of(trainer: Trainer) -> tuple[np.ndarray, np.ndarray]:
    """(inputs, outputs) and (outputs,)."""
    return tuple(
        parameter.detach().numpy().T.copy() for parameter in (trainer.model.skip.weight, trainer.model.skip.bias)
    )


@pytest.mark.parametrize("data", [{}, {"start": "none"}, {"features": ("y", "k"), "start": "season", "season": 4}])
def test_it_is_the_ridge_regression_that_the_validation_windows_choose(data):
    y = series()
    table = table_of(y=y, k=np.random.default_rng(1).normal(size=len(y)))
    fields = {"targets": ("y",), "features": ("y",), "seq_len": 6, "horizon": 2, "start": "last"}
    windows = make_windows(table, DataSpec(**fields | data))
    inputs, targets = pairs(windows, "valid")
    errors = []
    for penalty in PENALTIES:
        weight, bias = by_hand(windows, "train", penalty)
        errors.append(np.square(inputs @ weight + bias - targets).mean())
    best = PENALTIES[int(np.argmin(errors))]
    assert min(errors) < np.square(targets).mean()  # else it would be left out
    trainer = trainer_of(windows)
    assert trainer.skip_choice == (best, 1.0)
    for ours, theirs in zip(skip_of(trainer), by_hand(windows, "train", best), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    predicted = trainer.model(torch.from_numpy(windows.inputs(windows.starts["test"]))).detach().numpy()
    weight, bias = by_hand(windows, "train", best)
    np.testing.assert_allclose(predicted, pairs(windows, "test")[0] @ weight + bias, rtol=1e-4, atol=1e-5)


def test_where_it_is_no_better_than_the_start_it_is_left_out():
    steps = np.random.default_rng(0).normal(size=300)
    windows = windows_of(np.cumsum(steps), seq_len=24, horizon=1)  # a random walk: the last value is all there is
    trainer = trainer_of(windows)
    assert trainer.skip_choice == LEFT_OUT
    assert not trainer.model.uses_skip
    plain = trainer_of(windows, dataclasses.replace(SKIP, linear_skip=False))
    x = torch.from_numpy(windows.inputs(windows.starts["test"]))
    assert torch.equal(trained(trainer).model(x), trained(plain).model(x))


@pytest.mark.parametrize("split", ["valid", "test"])
def test_it_does_not_know_later_rows(split):
    y = series()
    windows = windows_of(y)
    experiment, changed = trainer_of(windows).experiment, y.copy()
    changed[windows.target_rows(windows.starts[split])[0, 0] :] *= -3
    later = windows_of(changed).with_scaler(windows.scaler)
    fits = []
    for one in (windows, later):
        trainer = trainer_of(windows)
        fit_skip(trainer.model, experiment, one, SkipChoice(1.0, 0.5))
        fits.append(skip_of(trainer))
    for before, after in zip(*fits, strict=True):
        np.testing.assert_array_equal(before, after)
    if split == "test":
        assert choose_skip(experiment, windows) == choose_skip(experiment, later)
        assert torch.equal(trainer_of(windows).model.skip.weight, trainer_of(windows_of(changed)).model.skip.weight)


def test_the_lstm_learns_what_it_leaves_and_it_never_trains_itself():
    windows = windows_of(series(400, bend=3.0))
    trainer = trainer_of(windows, epochs=40, patience=10, lr=0.02, optimizer="AdamW", weight_decay=0.1)
    first, alone = skip_of(trainer), trainer.evaluate("test")
    trained(trainer)
    for before, after in zip(first, skip_of(trainer), strict=True):
        np.testing.assert_array_equal(before, after)
    assert trainer.early_stopping.best_epoch > 0
    assert trainer.evaluate("test") < 0.9 * alone
    assert trainer.model.head.weight.any()


def support(targets: np.ndarray, answer: np.ndarray) -> float:
    """A third of the t statistic of the lower error, of windows two of which share a target; 1 at most."""
    gain = (targets**2 - (targets - answer) ** 2).mean(1)
    return min(1.0, gain.mean() / (gain.std() / np.sqrt(len(gain) / 2)) / 3)


def test_with_shrink_it_counts_as_much_as_the_validation_windows_support():
    windows = windows_of(0.3 * series() + np.cumsum(np.random.default_rng(5).normal(size=200)))
    full, shrunk = trainer_of(windows), trainer_of(windows, shrink=True, refit=True)
    inputs, targets = pairs(windows, "valid")
    (weight, bias), share = skip_of(full), shrunk.skip_choice.share
    assert 0 < share < 1 and full.skip_choice.share == 1
    assert share == pytest.approx(support(targets, inputs @ weight + bias), rel=1e-4)
    for whole, scaled in zip((weight, bias), skip_of(shrunk), strict=True):
        np.testing.assert_allclose(scaled, share * whole, rtol=1e-5)
    both = np.sort(np.concatenate([windows.starts["train"], windows.starts["valid"]]))
    joined = dataclasses.replace(windows, starts=windows.starts | {"both": both})
    weight, _ = by_hand(joined, "both", shrunk.skip_choice.penalty)
    np.testing.assert_allclose(skip_of(trained(shrunk))[0], share * weight, rtol=1e-4, atol=1e-6)  # as of the refit


def test_what_is_left_is_shrunk_and_the_skip_stays():
    windows = windows_of(series(bend=2.0))
    trainer = trainer_of(windows, shrink=True)
    before, _ = skip_of(trainer), trained(trainer)
    share = trainer.early_stopping.shrunk
    assert 0 < share < 1
    np.testing.assert_array_equal(skip_of(trainer)[0], before[0])
    x = torch.from_numpy(windows.inputs(windows.starts["valid"]))
    with torch.no_grad():
        skip = trainer.model.skip_outputs(x).numpy()
        correction = (trainer.model(x).numpy() - skip) / share
    assert share == pytest.approx(support(pairs(windows, "valid")[1] - skip, correction), rel=1e-3)


@pytest.mark.parametrize("epochs", [6, 1])
def test_the_refit_fits_it_again_to_both_splits(epochs):
    windows = windows_of(series(bend=2.0))
    lr = 0.01 if epochs > 1 else 1e3  # so that the untrained model is the best
    trainer = trained(trainer_of(windows, refit=True, epochs=epochs, lr=lr))
    assert (trainer.early_stopping.best_epoch > 0) == (epochs > 1)
    starts = windows.starts
    both = np.sort(np.concatenate([starts["train"], starts["valid"]]))
    joined = dataclasses.replace(windows, starts=starts | {"both": both})
    for ours, theirs in zip(skip_of(trainer), by_hand(joined, "both", trainer.skip_choice.penalty), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    before = trainer.scored_models()["valid"].skip.weight
    assert not torch.equal(before, trainer.model.skip.weight)
    again = trainer_of(windows).model.skip.weight
    assert torch.equal(before, again)


def test_it_is_saved_and_goes_on_to_the_same_bits():
    windows = windows_of(series(bend=2.0))
    straight = trained(trainer_of(windows, refit=True))
    trainer = trainer_of(windows, refit=True)
    for _ in range(13):
        next(trainer)
    checkpoint = load_checkpoint(save_checkpoint(trainer, {"train_loss": ([], [])}))
    assert torch.equal(checkpoint.model().skip.weight, trainer.model.skip.weight)
    resumed = trained(resume_trainer(checkpoint, windows))
    assert resumed.skip_choice == straight.skip_choice
    for name, weight in straight.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name


def test_a_saved_one_is_not_fitted_to_other_rows():
    trainer = trained(trainer_of(windows_of(series(bend=2.0))))
    checkpoint = load_checkpoint(save_checkpoint(trainer, {"train_loss": ([], [])}))
    other = resume_trainer(checkpoint, windows_of(-series(80)[::-1], valid_share=0.0, train_share=0.3))
    assert torch.equal(other.model.skip.weight, trainer.model.skip.weight)


def test_of_many_windows_some_are_taken(monkeypatch):
    monkeypatch.setattr("lstm_core.architecture.skip_limits.MAX_NUMBERS", 8 * 40)
    windows = windows_of(series())
    starts = windows.starts | {"train": windows.starts["train"][:: -(-len(windows.starts["train"]) // 40)]}
    assert len(starts["train"]) < len(windows.starts["train"])
    some = dataclasses.replace(windows, starts=starts)
    trainer = trainer_of(windows)
    for ours, theirs in zip(skip_of(trainer), by_hand(some, "train", trainer.skip_choice.penalty), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_what_it_cannot_do_is_said():
    for fields, word in (({"head": "per_step"}, "last step"), ({"frozen": ("head",)}, "identity head")):
        with pytest.raises(PlaygroundError, match=word):
            ModelSpec(linear_skip=True, **fields)
    for windows, word in (
        (labelled(), "classes"),
        (wave(valid_share=0.0), "valid_share"),
        (windows_of(series(4000), seq_len=2100, train_share=0.9, valid_share=0.05), "may read 2,048"),
    ):
        with pytest.raises(PlaygroundError, match=word):
            trainer_of(windows, ModelSpec(linear_skip=True))


def test_a_shorter_window_has_zeros_before_it():
    windows = windows_of(series())
    model = trainer_of(windows).model
    x = torch.from_numpy(windows.inputs(windows.starts["test"][:3]))
    padded = torch.cat([torch.zeros_like(x[:, :4]), x[:, :2]], 1)
    torch.testing.assert_close(model.skip_outputs(x[:, :2]), model.skip_outputs(padded))
    torch.testing.assert_close(model.skip_outputs(torch.cat([x, x], 1)), model.skip_outputs(x))
