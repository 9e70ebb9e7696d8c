"""The view "Learning": every row of its pictures is the trace of the weights that the run had then."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from lstm_core.forecasting.predict import predict
from lstm_core.trace.gate_trace import trace_lstm
from tests.pages.conftest import Visitor, labelled_csv, trained


def learning(tab: Visitor) -> Visitor:
    return tab.set("view", "Learning")


def picture(tab: Visitor) -> tuple[dict, dict[str, np.ndarray]]:
    """(the message's header, name → (moments, steps))."""
    header, data = tab.component("learning_map")
    numbers, size = np.frombuffer(data, "<f4"), header["steps"] * len(header["rows"])
    assert header["stride"] == 1
    maps = {
        about["name"]: numbers[about["array"] * size :][:size].reshape(len(header["rows"]), header["steps"])
        for about in header["maps"]
    }
    return header, maps


def window(tab: Visitor) -> torch.Tensor:
    windows = tab.training.windows
    return torch.from_numpy(windows.inputs(windows.starts["test"][-1:]))


@pytest.mark.parametrize("model", [{}, {"num_layers": 2, "bidirectional": True}])
def test_the_rows_are_the_traces_of_every_moment(visit, model):
    tab = learning(visit("gates", run=trained(2, hidden_size=4, **model)))
    if model:
        tab.set("layer", 1).set("direction", 1)
    tab.set("learning_unit", 3)
    assert not tab.errors()
    header, maps = picture(tab)
    run, index = tab.training, (1, 1) if model else (0, 0)
    steps = [*run.snapshots.steps, run.step]
    steps = list(dict.fromkeys(steps))
    assert len(header["rows"]) == len(steps) > 10
    assert list(maps) == ["i", "f", "g", "o", "c", "h"]
    for row, step in enumerate(steps):
        trace = trace_lstm(run.snapshot_at(step).model.lstm, window(tab))
        for name, values in maps.items():
            assert np.array_equal(values[row], trace.gate(name)[(*index, 0)][:, 3].numpy()), (name, step)


def test_the_mean_of_all_units(visit):
    tab = learning(visit("gates")).set("learning_mean", True)
    _, maps = picture(tab)
    trace = trace_lstm(tab.training.current_model().lstm, window(tab))
    np.testing.assert_allclose(maps["f"][-1], trace.f[0, 0, 0].mean(1).numpy(), atol=1e-6)


def test_the_answers_along_the_training_end_with_the_answer_of_now(visit):
    tab = learning(visit("gates"))
    run = tab.training
    start = run.windows.starts["test"][-1:]
    _, predictions = tab.curve("learning_predictions", 1)
    assert predictions[-1] == pytest.approx(predict(run.current_model(), run.windows, start)[0, 0, 0], rel=1e-6)
    assert predictions[0] == pytest.approx(predict(run.snapshot_at(0).model, run.windows, start)[0, 0, 0], rel=1e-6)
    _, targets = tab.curve("learning_predictions", 0)
    assert targets[0] == pytest.approx(run.windows.targets(start)[0, 0, 0])


def test_it_says_when_it_was_learned(visit):
    words = learning(visit("gates")).words().replace("**", "")
    result = re.search(r"input gate by epoch ([\d.]+), the forget gate by epoch ([\d.]+)", words)
    assert result
    assert all(0 < float(epoch) <= 100 for epoch in result.groups())


def test_the_slider_s_moment_is_the_marked_row(visit):
    tab = visit("start")
    run = tab.training
    step = run.snapshots.steps[7]
    tab.at.session_state[f"snapshot_{run.id}"] = step
    header, _ = picture(learning(tab.go("gates")))
    assert header["start"] == 7
    assert header["rows"][7].startswith("epoch ")


def test_an_untrained_model_has_one_moment(visit):
    tab = learning(visit("train").press("reset").go("gates"))
    assert not tab.errors()
    assert len(picture(tab)[0]["rows"]) == 1
    assert "only one snapshot" in tab.words()


def test_a_classifier_s_answer_is_the_probability_of_the_truth(visit):
    tab = visit("data").upload(labelled_csv()).set("seq_len", 6).train(epochs=2)
    tab = learning(tab.go("gates"))
    run = tab.training
    start = run.windows.starts["test"][-1:]
    _, predictions = tab.curve("learning_predictions", 1)
    targets = run.windows.targets(start)[0]
    assert predictions[-1] == pytest.approx(predict(run.current_model(), run.windows, start)[0, targets], rel=1e-5)


def test_a_unit_that_the_next_model_has_not_is_brought_back(visit):
    tab = learning(visit("gates", run=trained(hidden_size=6))).set("learning_unit", 5)
    tab.go("model").set("hidden_size", 2).train(epochs=1)
    tab = learning(tab.go("gates"))
    assert not tab.errors()
    assert tab.widget("learning_unit").value == 1


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_a_unit_without_h_shows_the_other_five(visit):
    tab = learning(visit("gates", run=trained(hidden_size=5, proj_size=2)))
    assert list(picture(tab.set("learning_unit", 4))[1]) == ["i", "f", "g", "o", "c"]
    assert not tab.set("gate", "h").errors()


def test_it_follows_a_run_that_trains(visit):
    tab = visit("train").set("patience", 0).set("epochs", 1_000_000).press("train")
    tab = learning(tab.go("gates"))
    before = picture(tab)[0]["rows"]
    tab.run()
    assert not tab.errors()
    assert picture(tab)[0]["rows"] != before
