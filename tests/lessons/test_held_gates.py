"""Gates held open: the runs differ in that gate alone, and the errors drawn are those of new sequences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory import held_gates
from lstm_core.lessons.runs import new_runs, pretrained_runs
from lstm_core.trace.gate_trace import trace_lstm

LESSON = get_lesson("held_gates")
ERRORS, LONG, ADDING, FLIP_FLOP = (picture.draw for picture in LESSON.figures)


@pytest.fixture(scope="module")
def shipped():
    return pretrained_runs(LESSON)


def test_the_runs_of_a_task_differ_in_the_gate_that_is_held_alone():
    for task in held_gates.TASKS:
        made = [LESSON.experiments[held_gates._label(task, gate)] for gate in held_gates.HELD]
        assert [one.model.frozen for one in made] == [(), ("input_gate",), ("forget_gate",), ("output_gate",)]
        assert len({(one.data, one.train, one.model.hidden_size, one.model.seed) for one in made}) == 1


def test_what_is_held_open_is_open_after_training(shipped):
    for gate in ("i", "f", "o"):
        run = shipped[f"flip_{gate}"]
        x = torch.from_numpy(run.windows.inputs(run.windows.starts["test"][:4]))
        trace = trace_lstm(run.current_model().lstm, x)
        assert bool((trace.gate(gate) == 1).all())
        assert all(bool((trace.gate(other) < 1).any()) for other in {"i", "f", "o"} - {gate})


def test_the_errors_are_shares_of_a_constants(shipped):
    errors = held_gates._errors(shipped)
    windows = shipped["adding_i"].windows
    starts = windows.starts["test"]
    with torch.no_grad():
        sums = shipped["adding_i"].current_model()(torch.from_numpy(windows.inputs(starts))).numpy()[:, 0]
    squared = np.mean((sums - windows.targets(starts)[:, 0, 0]) ** 2)
    assert errors["adding", "i"] == pytest.approx(6 * squared, rel=1e-4)
    drawn = {trace.name: list(trace.y) for trace in ERRORS(shipped).data}
    assert drawn["f = 1"] == [errors["adding", "f"], errors["flip", "f"]]


def test_adding_misses_i_and_the_flip_flop_f(shipped):
    outcome, harm = LESSON.outcome(shipped), held_gates._harm(shipped)
    assert outcome.reached and max(harm["flip", "i"], harm["flip", "o"], harm["adding", "o"]) < 3
    assert harm["adding", "i"] > 3 and harm["flip", "f"] > 3
    late = {trace.name: trace.y[-1] for trace in LONG(shipped).data}
    assert late["all gates"] > 0.99 > late["f = 1"]


def test_before_training_no_gate_is_missed():
    runs = new_runs(LESSON, 3, {"data": {"length": 300}})
    assert not LESSON.outcome(runs).reached and LESSON.question.ask(runs) is None
    assert [line.name for line in ADDING(runs).lines] == ["a constant"] == [line.name for line in FLIP_FLOP(runs).lines]
