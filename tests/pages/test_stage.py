"""Stage: the page sends the chosen window's scene, and says so where there is no LSTM to draw."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.lessons import lessons
from lstm_core.lessons.lesson import run_name
from lstm_core.trace.gate_trace import trace_lstm
from tests.conftest import quick
from tests.pages.conftest import Visitor, open_lesson, wait_until


def sent(tab: Visitor) -> tuple[dict, np.ndarray]:
    """(the scene's header, its numbers), as the browser gets them."""
    header, data = tab.component("stage")
    return header, np.frombuffer(data, "<f4")


def test_it_sends_the_trace_of_the_chosen_window(visit):
    tab = visit("stage").set("part", "valid").set("window", 4)  # the fourth: the address counts from 0
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
    tab = visit("gates").set("part", "train").set("window", 8).go("stage")
    assert sent(tab)[0]["link"] == {"part": "train", "window": 7}


def test_an_address_opens_its_window(visit):
    tab = visit("stage", part="train", window="11")
    assert tab.widget("window").value == 12
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
    assert first.tobytes() in numbers.tobytes()
    tab.go("model").set("hidden_size", 9).train(epochs=1).go("stage")
    assert sent(tab)[0]["others"] == []


def test_a_gru_is_told_what_is_missing_and_becomes_an_lstm_with_one_click(visit):
    tab = visit("model").set("cell", "gru").train(epochs=1).go("stage")
    assert not tab.errors()
    assert "GRU" in tab.words()
    assert not tab.components()
    tab.press("train")
    assert not tab.errors()
    assert tab.training.experiment.model.cell == "lstm"
    assert sent(tab)[0]["steps"]


def test_a_lesson_that_begins_with_another_cell_shows_its_lstm(visit):
    tab = open_lesson(visit, "vanishing").go("stage")
    assert tab.training.experiment.model.cell == "rnn"
    header, _ = sent(tab)
    assert header["model"] == "LSTM"
    lstm = tab.workspace.lesson.runs["lstm"]
    assert header["now"] == lstm.step and header["hidden"] == lstm.experiment.model.hidden_size


def test_a_lesson_without_an_lstm_offers_one(visit):
    tab = open_lesson(visit, "exploding").go("stage")
    assert not tab.errors() and not tab.components()
    tab.press("train")
    assert sent(tab)[0]["hidden"] == 50


TELLING = sorted(name for name, lesson in lessons().items() if lesson.stage_moment)


def test_the_lessons_that_found_a_unit_have_a_telling_step():
    found = {"adding_problem", "characters", "continual_reber", "copy_memory", "embedded_reber", "temporal_order"}
    assert found | {"counting", "flip_flop", "parity"} <= set(TELLING)


@pytest.mark.parametrize("name", quick(TELLING, "adding_problem", "embedded_reber"))
def test_from_a_lesson_it_opens_at_the_unit_and_the_step_that_it_found(visit, name):
    tab = open_lesson(visit, name).go("stage")
    assert not tab.errors()
    header, _ = sent(tab)
    lesson = tab.workspace.lesson
    moment = lesson.stage_moment()
    assert header["link"] == {"part": moment.split, "window": moment.window}
    assert header["opening"] == {"unit": moment.unit, "step": moment.step, "layer": moment.layer, "direction": 0}
    assert moment.unit < header["hidden"] and moment.step < header["steps"]
    tab.set("window", moment.window + 2 if name != "continual_reber" else 1)
    assert ("step" in sent(tab)[0]["opening"]) == (name == "continual_reber")


@pytest.mark.parametrize(("name", "symbol"), [("embedded_reber", "TP"), ("temporal_order", "XY"), ("characters", "“")])
def test_the_telling_step_is_the_symbol_that_is_to_be_remembered(visit, name, symbol):
    header, _ = sent(open_lesson(visit, name).go("stage"))
    read = header["features"][header["symbols"][header["opening"]["step"]]]
    assert header["glyphs"].get(read, read) in symbol


def test_a_window_of_the_address_is_not_the_lessons(visit):
    tab = visit("lessons", lesson="embedded_reber").go("stage").set("window", 4)
    assert sent(tab.go("gates").go("stage"))[0]["link"] == {"part": "test", "window": 3}


def test_it_follows_a_run_that_trains(visit):
    tab = visit("train").set("patience", 0).set("epochs", 1_000_000).press("train").go("stage")
    before, run = sent(tab)[0]["now"], tab.training
    wait_until(lambda: run.weights_key[0] > before, "it trained on")
    tab.run()
    assert sent(tab)[0]["now"] > before


# ---- a lesson with several runs

SEVERAL = {"forget_bias": ["chrono", "bias_1", "bias_0"], "continual_reber": ["lstm", "no_forget"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERAL)
def test_each_lstm_of_a_lesson_can_be_shown(visit, name):
    tab = open_lesson(visit, name).go("stage")
    usual, *others = SEVERAL[name]
    runs = tab.workspace.lesson.runs
    assert tab.widget("lesson_run").value == usual and "lesson_run" not in tab.at.query_params
    window = sent(tab)[0]["link"]
    for label in (*others, usual):
        tab.set("lesson_run", label)
        header, numbers = sent(tab)
        weights = runs[label].snapshot_at().flat_weights.numpy()
        earlier = len(header["snapshots"]) * weights.size
        assert np.array_equal(numbers[len(numbers) - earlier - weights.size :][: weights.size], weights)
        assert header["link"] == window, "two runs are compared on one window"
        assert header["model"] == ("" if label == usual else run_name(label))
        assert tab.parameters.get("lesson_run") == (None if label == usual else label)


def test_the_choice_holds_on_gates_and_in_the_address(visit):
    tab = open_lesson(visit, "forget_bias").go("stage").set("lesson_run", "bias_0").go("gates")
    assert tab.widget("lesson_run").value == "bias_0"
    assert not tab.errors()
    run = tab.workspace.lesson.runs["bias_0"]
    start = run.windows.starts[tab.widget("part").value][tab.widget("window").value - 1 : tab.widget("window").value]
    gate = trace_lstm(run.current_model().lstm, torch.from_numpy(run.windows.inputs(start))).i[0, 0, 0].numpy().T
    drawn = np.frombuffer(tab.component("gate_view")[1], "<f4")[: gate.size].reshape(gate.shape)
    assert np.array_equal(drawn, gate)
    other = visit("stage", run=tab.id, lesson_run="bias_0")
    assert other.widget("lesson_run").value == "bias_0"
    assert sent(other)[0]["model"] == "bias = 0"
    assert visit("stage", run=tab.id, lesson_run="<b>").widget("lesson_run").value == "chrono"


def test_gates_shows_every_cell_of_a_lesson_and_the_stage_its_lstm_alone(visit):
    tab = open_lesson(visit, "vanishing").go("gates")
    assert tab.widget("lesson_run").value == "rnn" and "choose the LSTM above" in tab.words()
    tab.set("lesson_run", "lstm").set("view", "Gates")
    assert not tab.errors() and tab.component("gate_view")[0]["units"]
    tab.set("lesson_run", "gru").go("stage")
    assert sent(tab)[0]["model"] == "LSTM"
    assert not [box for box in tab.at.selectbox if box.key == "lesson_run"]


def test_there_is_nothing_to_choose_once_the_data_is_another(visit):
    tab = open_lesson(visit, "forget_bias").go("stage").set("lesson_run", "bias_0")
    tab.go("data").set("sample", "nile").train(epochs=1).go("stage")
    assert not [box for box in tab.at.selectbox if box.key == "lesson_run"]
    assert "lesson_run" not in tab.at.query_params and sent(tab)[0]["model"] == ""
