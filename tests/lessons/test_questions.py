"""The question of each lesson: one right answer on what ships, and another one where the run is another."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lstm_core.lessons import lessons
from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.question import Answer, AskedQuestion, Choice, Measured, Question, between
from lstm_core.lessons.runs import new_runs
from lstm_core.runs.run import Run
from tests.lessons.shipped import shipped_runs

ASKING = [name for name, lesson in lessons().items() if lesson.question]
RIGHT = {  # of the shipped runs, by hand: their figures, or arithmetic
    "first_lstm": "higher, by a third or more",
    "minibatches": "16",
    "by_hand": "less than 1",
    "nn_lstm_1_1": "0.2",
    "state_life": "at steps 1 to 3",
    "shapes": "it runs, with sequences and steps mixed up",
    "claims": "576",
    "vanishing": "less than 0.1\u202f%",
    "exploding": "more than a million",
    "forget_bias": "about 10⁻⁷",
    "parity": "about half",
    "flip_flop": "8",
    "held_gates": "the forget gate",
    "counting": "further, but not without end",
    "rollout": "more than 10",
    "adding_problem": "near 1/6",
    "temporal_order": "above 0.99",
    "embedded_reber": "half of the time",
    "continual_reber": "above 100",
    "copy_memory": "0.69",
    "characters": "4.4",
}


def runs_of(lesson: Lesson) -> dict[str, Run]:
    return shipped_runs(lesson.name)


def right_text(lesson: Lesson, runs: dict[str, Run]) -> str | None:
    asked = lesson.question.ask(runs)
    return asked.choices[asked.right].text if asked else None


def changed_runs(name: str, part: str, **fields: object) -> dict[str, Run]:
    """A lesson's runs with an exercise's change, untrained."""
    return new_runs(lessons()[name], 0, {part: fields})


@pytest.mark.parametrize("name", ASKING)
def test_exactly_one_choice_is_right_of_what_ships(name):
    lesson = lessons()[name]
    asked = lesson.question.ask(runs_of(lesson))
    assert asked is not None
    assert asked.choices[asked.right].text == RIGHT[name]
    assert len({choice.text for choice in asked.choices}) == 3
    assert all(len(choice.why.split()) >= 5 and choice.why.endswith(".") for choice in asked.choices)
    assert asked.text.endswith(("?", "…")) and any(letter.isdigit() for letter in asked.told)


@pytest.mark.parametrize("name", ASKING)
def test_markdown_of_a_question_is_closed(name):
    lesson = lessons()[name]
    measured = lesson.question.measure(runs_of(lesson))
    choices = [text for choice in lesson.question.choices for text in (choice.text, choice.why)]
    for text in (measured.text, measured.told, *choices):
        assert text.count("**") % 2 == 0 and text.count("`") % 2 == 0 and "$" not in text


def test_the_batch_size_at_hand_decides_how_many_steps_an_epoch_has():
    assert right_text(lessons()["minibatches"], changed_runs("minibatches", "train", batch_size=16)) == "64"
    assert right_text(lessons()["minibatches"], changed_runs("minibatches", "train", batch_size=1009)) is None


def test_adams_first_step_is_of_the_learning_rate_at_hand():
    lesson, runs = lessons()["nn_lstm_1_1"], changed_runs("nn_lstm_1_1", "train", lr=0.05)
    assert right_text(lesson, runs) is None, "not trained yet"
    for run in runs.values():
        run.train_here(2)
    assert right_text(lesson, runs) == "0.1"


def test_shorter_windows_fail_at_other_steps():
    lesson, shipped = lessons()["state_life"], runs_of(lessons()["state_life"])
    assert right_text(lesson, shipped) == "at steps 1 to 3"
    untrained = new_runs(lesson, 0)
    assert right_text(lesson, untrained) == "at all of them"
    assert "have 4 steps" in lesson.question.measure(changed_runs("state_life", "data", seq_len=4)).text


def test_a_model_that_has_memorised_nothing_is_as_good_as_zero():
    runs = new_runs(lessons()["first_lstm"], 0)
    assert right_text(lessons()["first_lstm"], runs) == "about the same"


def test_fewer_steps_leave_more_of_what_is_stored():
    runs = changed_runs("forget_bias", "data", seq_len=22)
    assert right_text(lessons()["forget_bias"], runs) == "about 10⁻³"
    assert "21 steps later" in lessons()["forget_bias"].question.measure(runs).text


def test_an_untrained_unit_lets_its_forget_gate_half_open():
    runs = changed_runs("temporal_order", "model", chrono_t_max=None)
    assert right_text(lessons()["temporal_order"], runs) == "about 0.5"


def test_a_plateau_that_was_never_reached_is_not_asked_for():
    for name in ("adding_problem", "copy_memory"):
        runs = new_runs(lessons()[name], 0)
        assert lessons()[name].question.ask(runs) is None


def ask(value: float, *ranges: tuple[float, float]) -> AskedQuestion | None:
    choices = tuple(Choice(str(low), between(low, high), "") for low, high in ranges)
    return Question(lambda runs: Measured("", value, ""), choices).ask({})


@pytest.mark.parametrize(("value", "right"), [(0.5, 0), (1.5, 1), (3.0, None), (1.0, None), (np.nan, None)])
def test_none_or_two_fitting_choices_are_no_question(value, right):
    asked = ask(value, (0, 1), (1, 2), (5, 6))
    assert (asked.right if asked else None) == right


def test_an_answer_is_right_or_not():
    asked = ask(1.5, (0, 1), (1, 2))
    assert Answer(asked, 1).is_right and not Answer(asked, 0).is_right
    assert not Answer().is_right
    assert dataclasses.replace(asked, right=0) != asked
