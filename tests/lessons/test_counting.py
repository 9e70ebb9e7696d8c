"""Counting: a string is right if it is right at every b, and the unit drawn is one that counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.data.generators.symbols import count_string
from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.papers import counting
from lstm_core.lessons.runs import new_runs, pretrained_runs

LESSON = get_lesson("counting")
RAMP, ENDS = (picture.draw for picture in LESSON.figures)


@pytest.fixture(scope="module")
def shipped():
    return pretrained_runs(LESSON)


@pytest.mark.parametrize("label", LESSON.experiments)
def test_a_string_is_right_as_the_model_reads_it_alone(shipped, label):
    run = shipped[label]
    for n in (1, 2, 17, 30, 31, 60):
        symbols = count_string(n)
        x = torch.eye(3)[torch.from_numpy(symbols).long()][None]
        with torch.no_grad():
            likeliest = run.current_model()(x)[0].argmax(dim=1).numpy()[n + 1 :]
        is_right = (likeliest[:-1] == counting.B).all() and likeliest[-1] == counting.S
        assert counting._right(run)[n - 1] == is_right


def test_the_lstm_counts_beyond_its_training(shipped):
    outcome = LESSON.outcome(shipped)
    assert outcome.reached and outcome.metrics["lstm up to"] > 30 == counting._trained(shipped["lstm"])
    assert outcome.metrics["lstm of the trained"] == 1
    assert str(int(outcome.metrics["lstm up to"])) in outcome.summary


def test_the_count_left_goes_up_at_each_a_and_down_at_each_b():
    symbols = np.concatenate([count_string(2), count_string(3), [0, 1]])
    np.testing.assert_array_equal(counting._open_count(symbols), [0, 1, 2, 1, 0, 0, 1, 2, 3, 2, 1, 0, 0, 1])


def test_the_unit_drawn_follows_the_count(shipped):
    match = counting._counting_unit(shipped["lstm"])
    assert match.gate == "c" and abs(match.score) > 0.9
    c = np.asarray(RAMP(shipped).data[0].y)
    assert len(c) == sum(2 * n + 1 for n in (10, 30, 37)), "three strings, the last longer than any in training"
    up, down = np.diff(c[32:51]) * np.sign(match.score), np.diff(c[53:80]) * np.sign(match.score)
    assert np.mean(up > 0) > 0.9 and np.mean(down < 0) > 0.9


def test_every_n_that_is_tested_is_drawn(shipped):
    lines = [trace for trace in ENDS(shipped).data if trace.mode != "markers"]
    assert [len(line.x) for line in lines] == [counting.MAX_TESTED] * 2
    assert lines[0].name.startswith("LSTM gets every string right up to n = ")


def test_what_has_learned_nothing_gets_the_first_string_wrong():
    runs = new_runs(LESSON, 4, {"data": {"length": 60}})
    outcome = LESSON.outcome(runs)
    assert not outcome.reached and "is wrong at n = 1 already" in outcome.summary
    assert LESSON.question.ask(runs).right == 0
