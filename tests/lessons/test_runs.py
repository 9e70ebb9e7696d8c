"""A lesson's runs: one seed for all randomness, changes by a try, and the shipped files against a fresh training."""

from __future__ import annotations

import pytest
import torch

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import get_lesson
from lstm_core.lessons.figures import loss_plot
from lstm_core.lessons.runs import load_windows, new_runs, pretrained_runs, train_to_end, with_change, with_seed

FIRST = get_lesson("first_lstm")


def weights(run) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in run._mirror.current.model.parameters()])


def test_one_seed_sets_the_data_the_weights_and_the_order():
    made = with_seed(FIRST.experiments["lstm"], 7)
    assert (made.data.seed, made.model.seed, made.train.seed) == (7, 7, 7)
    real = with_seed(get_lesson("minibatches").experiments["lstm"], 7)
    assert (real.data.seed, real.model.seed, real.train.seed) == (0, 7, 7), "a real series has no seed"


def test_a_seed_makes_one_run_and_another_seed_another():
    change = {"train": {"epochs": 2}, "model": {"hidden_size": 4}}
    one, same, other = (new_runs(FIRST, seed, change)["lstm"] for seed in (3, 3, 4))
    for run in (one, same, other):
        train_to_end({"lstm": run})
        assert run.finished and run.status == "finished"
        assert len(run.curves["train_loss"].points()[0]) == run.step == 2
    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(other))


def test_a_change_that_the_experiment_refuses_is_said_in_a_sentence():
    with pytest.raises(PlaygroundError, match="hidden_size is 0"):
        with_change(FIRST.experiments["lstm"], {"model": {"hidden_size": 0}})


def test_a_model_that_does_not_fit_in_memory_is_refused_before_it_is_built(monkeypatch):
    monkeypatch.setattr("lstm_core.lessons.runs.free_memory", lambda: 1000)
    with pytest.raises(PlaygroundError, match="3.0 MB to train"):
        new_runs(FIRST, 0)


def test_windows_are_made_once_for_all_of_a_lessons_runs():
    runs = new_runs(get_lesson("minibatches"), 0)
    assert runs["lstm"].windows is runs["gru"].windows
    data = FIRST.experiments["lstm"].data
    assert load_windows(data)[1] is load_windows(data)[1]
    assert load_windows(data)[1].spec.group == "sequence", "an unset role is the table's own"


def test_the_shipped_file_is_what_training_from_the_shown_seed_gives():
    result = get_lesson("nn_lstm_1_1")
    fresh = new_runs(result, 0)
    train_to_end(fresh)
    for label, run in pretrained_runs(result).items():
        # of another processor the last bits may differ, and 300 steps carry them on
        torch.testing.assert_close(weights(run), weights(fresh[label]), rtol=1e-2, atol=1e-2)


def test_the_loss_picture_has_each_runs_curves():
    plot = loss_plot(pretrained_runs(get_lesson("minibatches")))
    names = [line.name for line in plot.lines]
    assert names == ["LSTM, training", "LSTM, validation", "GRU, training", "GRU, validation"]
    assert plot.log_y and "mse" in plot.y_title
    assert [line.name for line in loss_plot(pretrained_runs(FIRST)).lines] == ["training", "validation"]
