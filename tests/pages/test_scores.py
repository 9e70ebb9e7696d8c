"""What Train says of a run's score: over which windows, beside which baselines, and which epoch was best."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.data.number_format import format_significant
from tests.pages.conftest import labelled_csv, wait_until


def test_the_whole_test_split_is_scored_once_training_has_ended(visit):
    tab = visit().train(epochs=2)
    count = len(tab.training.windows.starts["test"])
    assert f"On all {count} test windows:" in tab.words()
    scores = tab.training.score("test", wait=60).evaluation
    table = tab.at.dataframe[0].value
    assert table["RMSE"].iloc[0] == format_significant(scores.model.rmse, 4)
    assert list(table.iloc[:, 0]) == ["this LSTM", "persistence (the last value)", "the training mean"]


def test_while_it_trains_a_sample_is_scored_and_called_one(visit):
    rows = "\n".join(f"{np.sin(k / 9):.3f}" for k in range(4000))
    tab = (
        visit("data")
        .upload(f"y\n{rows}".encode())
        .go("train")
        .set("patience", 0)
        .set("epochs", 1_000_000)
        .press("train")
    )
    wait_until(lambda: tab.training.step > 0, "the run made a step")
    assert "On a sample of 300 of the 600 test windows:" in tab.run().words()
    tab.training.stop()


def test_a_run_that_got_worse_offers_the_weights_of_its_best_epoch(visit):
    tab = visit().train(optimizer="SGD", lr=3.0, max_grad_norm=0.0, patience=0, epochs=3)
    run = tab.training
    assert run.best_epoch == 0
    assert "Epoch **0** had the best validation loss" in tab.words()
    tab.press("use_best")
    assert run.has_best_weights and run.evaluate("valid") == pytest.approx(run.best_loss)
    assert "had the best validation loss" not in tab.words()


def test_classes_get_a_confusion_matrix_with_their_names(visit):
    tab = visit("data").upload(labelled_csv()).set("seq_len", 5).train(epochs=1)
    evaluation = tab.training.score("test", wait=60).evaluation
    scores, recalls = (frame.value for frame in tab.at.dataframe[:2])
    assert list(scores.columns)[1:] == ["accuracy", "balanced accuracy"]
    assert list(recalls["class"]) == list(tab.training.windows.classes)
    assert list(recalls["windows"]) == evaluation.confusion.sum(1).tolist()
