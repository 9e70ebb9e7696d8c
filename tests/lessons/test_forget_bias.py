"""The gates start where the lesson says, and the shipped runs show what becomes of it."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory.forget_bias import STEPS
from lstm_core.lessons.runs import new_runs
from tests.lessons.shipped import shipped_runs

LESSON = get_lesson("forget_bias")
STARTING, LOSSES, KEPT = (picture.draw for picture in LESSON.figures)


@pytest.fixture(scope="module")
def runs():
    return new_runs(LESSON, 3, {"data": {"length": 300}})


def test_the_runs_differ_in_how_their_forget_gates_start_alone():
    specs = {label: experiment.model for label, experiment in LESSON.experiments.items()}
    starts = {label: (spec.forget_bias, spec.chrono_t_max) for label, spec in specs.items()}
    assert starts == {"chrono": (None, STEPS), "bias_1": (1.0, None), "bias_0": (0.0, None)}
    assert len({(experiment.data, experiment.train) for experiment in LESSON.experiments.values()}) == 1


def test_a_bias_sets_the_time_constants_and_chrono_spreads_them(runs):
    constants = {trace.name: np.asarray(trace.y) for trace in STARTING(runs).data[:3]}
    assert all((np.diff(values) <= 0).all() for values in constants.values())
    assert np.median(constants["bias = 0"]) == pytest.approx(-1 / np.log(0.5), rel=0.15)
    assert np.median(constants["bias = 1"]) == pytest.approx(-1 / np.log(1 / (1 + np.exp(-1))), rel=0.15)
    assert constants["chrono"][0] > STEPS / 2 and constants["chrono"][-1] < STEPS / 4


def test_before_training_the_solid_and_the_dotted_line_are_one(runs):
    lines = {line.name: line for line in KEPT(runs).lines}
    for name in ("chrono", "bias = 1", "bias = 0"):
        now, start = lines[name], lines[f"{name}, before training"]
        np.testing.assert_array_equal(now.y, start.y)
        assert now.y[0] == 1 and len(now.y) == STEPS
    assert np.isnan(lines["bias = 0"].y[-1]) and lines["chrono"].y[-1] > 0.01


def test_the_shipped_runs_show_chrono_learn_and_bias_0_not():
    runs = shipped_runs("forget_bias")
    outcome = LESSON.outcome(runs)
    assert outcome.reached, outcome.summary
    assert outcome.metrics["bias_0 error"] > 0.9
    last = {line.name: line.y[-1] for line in LOSSES(runs).lines}
    assert last["chrono"] < 0.01 < 0.9 < last["bias = 0"]
