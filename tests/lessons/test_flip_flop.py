"""The flip-flop's resting states are those that its pictures and its outcome tell of, however many bits there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory import flip_flop
from lstm_core.lessons.runs import new_runs, pretrained_runs

LESSON = get_lesson("flip_flop")
TASK, CUBE, HELD = (picture.draw for picture in LESSON.figures)


@pytest.fixture(scope="module")
def shipped():
    return pretrained_runs(LESSON)


def test_each_combination_of_bits_has_one_stable_state(shipped):
    found = flip_flop._resting(shipped["lstm"])
    assert sorted(found.corners) == sorted(itertools.product((-1, 1), repeat=3))
    model = shipped["lstm"].current_model()
    for point in (point for point in found.points if point.stable):
        h, c = (torch.from_numpy(part).float()[None, None] for part in (point.h, point.c))
        with torch.no_grad():
            _, (later, _) = model.lstm(torch.zeros(1, 50, 3), (h, c))
        np.testing.assert_allclose(later.numpy(), h.numpy(), atol=1e-3)


def test_the_cube_shows_its_corners_and_one_sequence(shipped):
    drawn = {trace.name: trace for trace in CUBE(shipped).data}
    assert len(drawn["stable (8)"].x) == 8 and len(drawn["this window"].x) == 25
    assert len(drawn["from a saddle to both sides"].x) == 3 * 2 * 12, "an edge and a gap to each side of 12 saddles"
    assert all("bits: " in text for text in drawn["stable (8)"].text)


def test_the_task_is_drawn_as_the_table_has_it(shipped):
    windows = shipped["lstm"].windows
    start = windows.starts["test"][0]
    by_name = {}
    for trace in TASK(shipped).data:
        by_name.setdefault(trace.name, []).append(np.asarray(trace.y))
    rows = slice(start, start + 25)
    np.testing.assert_array_equal(np.stack(by_name["input pulse"], axis=1), windows.x[rows])
    np.testing.assert_array_equal(np.stack(by_name["target"], axis=1), windows.y[rows])
    assert (np.sign(by_name["prediction"]) == np.sign(by_name["target"])).all()


def test_what_is_held_is_held_from_the_last_step_on(shipped):
    lines = HELD(shipped).lines
    now = lines[-1]
    assert now.name.startswith("now") and len(lines) > 1 and (now.y == 1).all()
    assert all(len(line.y) == flip_flop.SILENT_STEPS + 1 and line.y.min() >= 0 for line in lines)
    assert lines[0].y[-1] < 1, "early in training, not every corner is stable yet"


def test_before_training_nothing_is_reached_and_two_bits_are_drawn_as_well():
    runs = new_runs(LESSON, 3, {"data": {"n_features": 2, "length": 300}})
    outcome = LESSON.outcome(runs)
    assert not outcome.reached and outcome.metrics["combinations"] < 4
    assert "of the 4 combinations" in outcome.summary
    assert LESSON.question.ask(runs) is None or LESSON.question.measure(runs).value != 8
    assert len(TASK(runs).data) == 6 and len(HELD(runs).lines) == 1


def test_the_stage_opens_where_a_pulse_turns_the_first_bit_over(shipped):
    run = shipped["lstm"]
    moment = LESSON.stage_moment(run)
    start = run.windows.starts["test"][moment.window]
    bit = run.windows.y[start : start + 25, 0]
    assert bit[moment.step] == -bit[moment.step - 1] == run.windows.x[start + moment.step, 0]
