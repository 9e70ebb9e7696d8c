"""Parity: both runs differ in where the target stands alone, and what is drawn is measured on new sequences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory import parity
from lstm_core.lessons.runs import new_runs, pretrained_runs

LESSON = get_lesson("parity")
UNIT, FRONT, LOSSES, LENGTHS = (picture.draw for picture in LESSON.figures)


@pytest.fixture(scope="module")
def shipped():
    return pretrained_runs(LESSON)


def test_the_runs_differ_in_where_the_target_stands_alone():
    every, end = LESSON.experiments.values()
    assert (every.model.head, end.model.head) == ("per_step", "last")
    assert every.data == end.data and every.train == end.train and every.model.hidden_size == end.model.hidden_size
    weights = [run.current_model().state_dict() for run in new_runs(LESSON, 2).values()]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_one_learns_it_for_good_and_the_other_guesses(shipped):
    outcome = LESSON.outcome(shipped)
    assert outcome.reached and outcome.metrics["every_step right at 1000"] == 1
    assert 0.35 < outcome.metrics["at_end right"] <= parity.MAX_ACCURACY
    lines = {trace.name: np.asarray(trace.y) for trace in LENGTHS(shipped).data}
    assert (lines["target at every step"] == 1).all() and lines["target at the end only"][-1] < 0.65


def test_the_accuracy_of_the_last_step_is_that_of_the_model_itself(shipped):
    run = shipped["at_end"]
    windows = run.windows
    starts = windows.starts["test"]
    with torch.no_grad():
        classes = run.current_model()(torch.from_numpy(windows.inputs(starts))).argmax(dim=1).numpy()
    assert parity._test_accuracy(run)[-1] == pytest.approx((classes == windows.targets(starts)).mean())


def test_the_first_bits_are_right_first(shipped):
    lines = {line.name: line for line in FRONT(shipped).lines}
    first = {name: line.x[np.argmax(line.y > 0.99)] for name, line in lines.items() if name.startswith("bit")}
    assert list(first) == ["bit 1", "bit 2", "bit 4", "bit 8", "bit 20"]
    assert first["bit 1"] < first["bit 20"] and list(first.values()) == sorted(first.values())


def test_the_unit_found_tells_even_from_odd(shipped):
    assert parity._best_unit(shipped["every_step"]).score > 0.8
    drawn = {trace.name: trace for trace in UNIT(shipped).data}
    assert set(np.unique(drawn["input bit"].y)) == {0, 1}
    even, odd = (np.asarray(drawn[f"{name} so far"].y) for name in ("even", "odd"))
    assert (np.isnan(even) != np.isnan(odd)).all()


def test_nothing_is_reached_before_training_and_short_sequences_can_be_asked_for():
    runs = new_runs(LESSON, 3, {"data": {"seq_len": 5, "length": 400}})
    assert not LESSON.outcome(runs).reached
    assert "5 bits" in LESSON.question.measure(runs).text
    assert [line.name for line in FRONT(runs).lines] == ["bit 1", "bit 2", "bit 4", "guessing"]
