"""Comparing runs: what differs, what may be compared, losses by steps and by seconds, and the windows they share."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.runs import compare
from lstm_core.runs.compare import (
    best_baseline,
    differing_settings,
    loss_curves,
    shared_windows,
    training_seconds,
    why_not_comparable,
)
from lstm_core.runs.run import Run
from lstm_core.runs.shelf import Shelf
from tests.factories import TABLE, spec_of, trainer_of
from tests.runs.shelves import shelve

DATA = DataSpec(targets=("y",), features=("a",))


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))


def summaries(*experiments: Experiment, tables: tuple[str, ...] = ()):
    folders = [
        shelve(experiment=one, table=tables[k] if tables else "t1", created=float(k))
        for k, one in enumerate(experiments)
    ]
    return [Shelf().run(folder.id) for folder in folders]


def test_only_what_differs_is_told():
    runs = summaries(
        Experiment(DATA, ModelSpec(hidden_size=8), TrainSpec(lr=0.01)),
        Experiment(DATA, ModelSpec(hidden_size=8, frozen=("head",)), TrainSpec(lr=0.001, epochs=12345)),
    )
    told = {one.name: one.texts for one in differing_settings(runs)}
    assert told == {
        "model.frozen": ("–", "head"),
        "train.lr": ("0.01", "0.001"),
        "train.epochs": (f"{TrainSpec().epochs:,}", "12,345"),
    }
    assert differing_settings([runs[0], runs[0]]) == []


def test_another_table_of_the_same_name_differs():
    runs = summaries(Experiment(DATA), Experiment(DATA), tables=("a" * 64, "b" * 64))
    (one,) = differing_settings(runs)
    assert (one.name, one.texts) == ("data", ("Sunspots (aaaaaaaa)", "Sunspots (bbbbbbbb)"))


def test_scores_are_comparable_on_the_same_data_target_and_split_only():
    same = summaries(Experiment(DATA, ModelSpec(hidden_size=3)), Experiment(DATA, train=TrainSpec(lr=0.5)))
    assert why_not_comparable(same) == ""
    for change, word in (
        ({"targets": ("a",)}, "targets"),
        ({"horizon": 2}, "targets"),
        ({"train_share": 0.5}, "splits"),
        ({"time": "t"}, "splits"),
    ):
        runs = summaries(Experiment(DATA), Experiment(dataclasses.replace(DATA, **change)))
        sentence = why_not_comparable(runs)
        assert f"different {word}:" in sentence and sentence.count(".") == 1
    assert why_not_comparable(summaries(Experiment(DATA), Experiment(DATA, ModelSpec()))) == ""
    longer = Experiment(dataclasses.replace(DATA, seq_len=9))
    assert why_not_comparable(summaries(Experiment(DATA), longer)) == ""
    both = Experiment(dataclasses.replace(DATA, horizon=2))
    assert "different data and targets:" in why_not_comparable(summaries(Experiment(DATA), both, tables=("a", "b")))


def test_the_best_baseline_is_the_lowest_error_or_the_highest_accuracy():
    errors = {"persistence": {"rmse": 2.0}, "mean": {"rmse": 1.5}, "none": {"rmse": None}, "odd": []}
    assert best_baseline({"test": {"rmse": 1.0}, "baselines": errors}) == ("mean", 1.5)
    shares = {"majority_class": {"accuracy": 0.6}}
    assert best_baseline({"test": {"accuracy": 0.9}, "baselines": shares}) == ("majority_class", 0.6)
    for score in ({}, {"test": []}, {"test": {}, "baselines": []}, {"test": None, "baselines": {}}):
        assert best_baseline(score) is None and compare.test_score(score) is None


def test_losses_by_steps_and_by_seconds_without_the_pauses():
    times = [100.0, 100.5, 101.0, 101.5, 900.0, 900.5, 901.0, 901.5]
    folder = shelve(steps=8, times=times)
    records = folder.file("records.bin")
    by_step = loss_curves(records, "steps")
    assert by_step["train_loss"][0].tolist() == list(range(1, 9))
    assert by_step["valid_loss"][0].tolist() == [4, 8] and by_step["valid_loss"][1].tolist() == [0.5, 0.25]
    assert loss_curves(records, "seconds")["valid_loss"][0].tolist() == [2.0, 4.0]
    base = {"valid_loss": ([1.0, 2.0], [3.0, 2.0])}
    assert loss_curves(records, "steps", base, 10)["valid_loss"][0].tolist() == [10, 20, 4, 8]
    assert loss_curves(folder.file("none"), "steps")["train_loss"][0].tolist() == []


def test_a_slow_step_is_no_pause():
    assert training_seconds(np.array([0.0, 5.0, 10.0, 16.0])).tolist() == [5.0, 10.0, 15.0, 21.0]
    assert training_seconds(np.array([7.0])).tolist() == [0.0]


def test_windows_of_different_lengths_are_shared_by_the_rows_they_predict():
    runs = []
    for seq_len in (4, 9):
        windows = make_windows(TABLE, spec_of(features=("a",), seq_len=seq_len))
        runs.append(Run(trainer_of(windows), TABLE))
    shared = shared_windows(runs)
    assert shared.split == "test" and len(shared.rows) > 5
    for run, starts in zip(runs, shared.starts, strict=True):
        assert (run.windows.target_rows(starts)[:, 0] == shared.rows).all()
        assert set(starts) <= set(run.windows.starts["test"].tolist())


def test_a_window_that_one_of_them_was_trained_on_is_not_shared():
    runs = []
    for train_share in (0.3, 0.6):
        windows = make_windows(TABLE, spec_of(features=("a",), train_share=train_share, valid_share=0.1))
        runs.append(Run(trainer_of(windows), TABLE))
    shared = shared_windows(runs)
    assert (runs[1].windows.split_of_row[shared.rows] == 2).all()
    assert shared_windows([runs[0]]).rows[0] < shared.rows[0]


def test_a_trial_of_a_sweep_is_compared_on_no_test_window():
    windows = make_windows(TABLE, spec_of(features=("a",)))
    runs = [Run(trainer_of(windows), TABLE, **about) for about in ({}, {"unscored": True})]
    assert shared_windows(runs).split == "valid" and shared_windows(runs[:1]).split == "test"
