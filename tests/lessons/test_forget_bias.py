"""The gates start where the lesson says, and the shipped runs show what becomes of it."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory.forget_bias.lengths import LENGTHS, STEPS, at_length, trials_at
from lstm_core.lessons.catalog.memory.forget_bias.lesson import MAX_ERROR
from lstm_core.lessons.runs import new_runs
from lstm_core.lessons.seeds import settings_digest, shipped_trials
from tests.lessons.shipped import shipped_runs

LESSON = get_lesson("forget_bias")
STARTING, LOSSES, KEPT, BY_LENGTH = (picture.draw for picture in LESSON.figures)


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


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_ships_the_same_seeds_of_the_settings_that_the_lesson_has(length):
    trials, lesson = trials_at(length), at_length(LESSON, length)
    assert {one.settings for one in trials} == {settings_digest(lesson)}, "train them again: lengths.py tells how"
    assert [one.seed for one in trials] == [one.seed for one in shipped_trials("forget_bias")]
    models = {label: experiment.model for label, experiment in lesson.experiments.items()}
    assert {label: model.chrono_t_max for label, model in models.items() if model.chrono_t_max} == {"chrono": length}
    assert {experiment.data.seq_len for experiment in lesson.experiments.values()} == {length}


def test_the_counts_in_the_text_are_those_of_what_ships():
    learned = {
        label: [sum(one.figures[f"{label} error"] < MAX_ERROR for one in trials_at(length)) for length in LENGTHS]
        for label in LESSON.experiments
    }
    assert (learned["chrono"], learned["bias_1"]) == ([30, 30, 30, 30], [30, 30, 16, 2])
    told = "all 30 with ten or\ntwenty steps, on 16 with fifty and on 2 with a hundred; chrono on all 30 at each length"
    assert told in LESSON.common_mistakes


def test_the_picture_counts_the_seeds_that_learned_and_marks_these_runs():
    figure = BY_LENGTH(shipped_runs("forget_bias"))
    diamonds = [one for one in figure.data if one.marker.symbol == "diamond"]
    dots = [one for one in figure.data if one not in diamonds]
    counts = np.reshape([int(one.text) for one in figure.layout.annotations], (len(dots), len(LENGTHS)))
    assert len(dots) == len(diamonds) == 3
    for errors, learned in zip(dots, counts, strict=True):
        by_length = np.reshape(errors.y, (len(LENGTHS), -1))
        assert list(learned) == list((by_length < MAX_ERROR).sum(axis=1))
    outcome = LESSON.outcome(shipped_runs("forget_bias"))
    assert [one.y[0] for one in diamonds] == pytest.approx(list(outcome.metrics.values()))
    assert {round(one.x[0]) for one in diamonds} == {LENGTHS.index(STEPS)}


def test_runs_of_another_length_stand_there_and_untrained_ones_nowhere(runs):
    assert not [one for one in BY_LENGTH(runs).data if one.marker.symbol == "diamond"]
    shorter = new_runs(LESSON, 3, {"data": {"length": 300, "seq_len": 20}})
    for run in shorter.values():
        run.train_here(1)
    diamonds = [one for one in BY_LENGTH(shorter).data if one.marker.symbol == "diamond"]
    assert [round(one.x[0]) for one in diamonds] == [LENGTHS.index(20)] * 3
