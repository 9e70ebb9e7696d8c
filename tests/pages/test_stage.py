"""Stage: the page sends the chosen window's scene, and says so where there is no LSTM to draw."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.trace.gate_trace import trace_lstm
from tests.pages.conftest import Visitor


def sent(tab: Visitor) -> tuple[dict, np.ndarray]:
    """(the scene's header, its numbers), as the browser gets them."""
    header, data = tab.component("stage")
    return header, np.frombuffer(data, "<f4")


def test_it_sends_the_trace_of_the_chosen_window(visit):
    tab = visit("stage").set("part", "valid").set("window", 3)
    assert not tab.errors()
    header, numbers = sent(tab)
    run = tab.training
    start = int(run.windows.starts["valid"][3])
    x = torch.from_numpy(run.windows.inputs(np.array([start])))
    trace = trace_lstm(run.current_model().lstm, x)
    assert header["link"] == {"part": "valid", "window": 3}
    at = header["steps"] * (len(header["features"]) + len(header["series"]))
    gate = trace.i[0, 0, 0].numpy().T
    assert np.array_equal(numbers[at : at + gate.size].reshape(gate.shape), gate)


def test_the_window_is_the_one_that_was_chosen_on_gates(visit):
    tab = visit("gates").set("part", "train").set("window", 7).go("stage")
    assert sent(tab)[0]["link"] == {"part": "train", "window": 7}


def test_an_address_opens_its_window(visit):
    tab = visit("stage", part="train", window="11")
    assert sent(tab)[0]["link"] == {"part": "train", "window": 11}


@pytest.mark.parametrize(("split", "window"), [("nowhere", "3"), ("train", "999999"), ("train", "x"), ("train", "-1")])
def test_an_address_that_means_nothing_does_no_harm(visit, split, window):
    tab = visit("stage", part=split, window=window)
    assert not tab.errors()
    assert sent(tab)


def test_the_run_before_comes_along_if_it_means_the_same(visit):
    tab = visit("train").train(epochs=1).go("stage")
    first = tab.training.snapshot_at().flat_weights.numpy()
    tab.go("train").set("lr", 0.02).train(epochs=2).go("stage")
    header, numbers = sent(tab)
    assert header["others"] == ["the run before"]
    assert np.array_equal(numbers[-first.size :], first)
    tab.go("model").set("hidden_size", 9).train(epochs=1).go("stage")
    assert sent(tab)[0]["others"] == []


def test_a_gru_is_told_what_is_missing(visit):
    tab = visit("model").set("cell", "gru").train(epochs=1).go("stage")
    assert not tab.errors()
    assert "GRU" in tab.words()
    assert not tab.at.get("bidi_component")


def test_it_follows_a_run_that_trains(visit):
    tab = visit("train").set("epochs", 1_000_000).press("train").go("stage")
    before = sent(tab)[0]["now"]
    tab.run()
    assert sent(tab)[0]["now"] > before
