"""A lesson's question without a browser: asking, what is held back, the answer, skipping, the score, the setting."""

from __future__ import annotations

import pytest

from lstm_core.lessons import lessons
from lstm_core.lessons.lesson import Lesson
from tests.pages.conftest import Visitor, wait_until

CHOICES = ("choice_1", "choice_2", "choice_3")


@pytest.fixture
def asked(visit) -> Visitor:
    return visit("lessons", lesson="first_lstm")


def go_to(tab: Visitor, name: str) -> Visitor:
    tab.at.query_params["lesson"] = name
    return tab.run()


def buttons(tab: Visitor) -> set[str]:
    return {button.key for button in tab.at.button}


def is_asking(tab: Visitor) -> bool:
    return set(CHOICES) <= buttons(tab)


def see_lesson(tab: Visitor, lesson: Lesson) -> None:
    assert not is_asking(tab)
    assert lesson.summary in tab.words() and lesson.text.split("\n\n")[-1].strip() in tab.words()
    assert not lesson.figures or tab.component(f"lesson_{lesson.name}_0")


@pytest.mark.parametrize("name", ["first_lstm", "shapes", "characters"])
def test_nothing_of_the_lesson_is_shown_before_the_answer(visit, name):
    tab, lesson = visit("lessons", lesson=name), lessons()[name]
    assert tab.at.title[0].value == lesson.title
    assert is_asking(tab)
    assert [tab.widget(key).label for key in CHOICES] == [choice.text for choice in lesson.question.choices]
    assert [tab.widget(key).proto.shortcut for key in CHOICES] == ["1", "2", "3"]
    runs = tab.workspace.lesson.runs if tab.workspace.lesson else {}
    measured = lesson.question.measure(runs)
    words = tab.words()
    assert measured.text in words and measured.told not in words
    assert lesson.summary not in words and lesson.text.strip()[:60] not in words
    assert not any(choice.why in words for choice in lesson.question.choices)
    assert not tab.components() and not tab.at.get("plotly_chart")
    assert not tab.at.success and not tab.at.warning
    assert buttons(tab) == {*CHOICES, "skip_question", "no_questions", "all_lessons"}


@pytest.mark.parametrize(("key", "verdict"), [("choice_3", "Right"), ("choice_1", "Not quite")])
def test_the_answer_names_the_number_and_why_one_may_think_otherwise(asked, key, verdict):
    question = lessons()["first_lstm"].question
    told = question.measure(asked.workspace.lesson.runs).told
    asked.press(key)
    see_lesson(asked, lessons()["first_lstm"])
    words = asked.words()
    assert verdict in words and told in words
    assert all(choice.why in words for choice in question.choices)
    assert ("You chose *lower*" in words) == (verdict == "Not quite")


def test_a_lesson_without_a_run_asks_too(visit):
    tab = visit("lessons", lesson="shapes")
    assert tab.workspace.lesson is None
    tab.press("choice_3")
    assert "Right" in tab.words()
    see_lesson(tab, lessons()["shapes"])


def test_it_is_asked_once(asked):
    asked.press("choice_1").press("all_lessons")
    go_to(asked, "first_lstm")
    see_lesson(asked, lessons()["first_lstm"])
    assert "Not quite" in asked.words()


def test_a_reload_after_the_answer_does_not_ask_again(asked, visit):
    asked.press("choice_3")
    again = visit("lessons", lesson="first_lstm", run=asked.id)
    see_lesson(again, lessons()["first_lstm"])
    assert "Right" in again.words()


def test_a_skipped_question_shows_the_lesson_and_does_not_count(asked):
    asked.press("skip_question")
    see_lesson(asked, lessons()["first_lstm"])
    assert "Not quite" not in asked.words()
    assert is_asking(go_to(asked, "vanishing"))
    asked.press("all_lessons")
    assert " right" not in " ".join(caption.value for caption in asked.at.caption if " of " in caption.value)


def test_the_gallery_shows_the_score_of_the_visit(asked):
    asked.press("choice_3")
    go_to(asked, "shapes").press("choice_1").press("all_lessons")
    assert "1 of 2 right" in [caption.value for caption in asked.at.caption]


def test_a_teacher_switches_questions_off_and_on(asked):
    asked.press("no_questions")
    see_lesson(asked, lessons()["first_lstm"])
    assert asked.at.query_params["questions"] == "off"
    see_lesson(go_to(asked, "shapes"), lessons()["shapes"])
    asked.press("all_lessons")
    assert asked.widget("ask_first").value is False
    asked.set("ask_first", True)
    assert "questions" not in asked.at.query_params
    assert is_asking(go_to(asked, "claims"))


def test_an_address_asks_nothing_for_the_whole_visit(visit):
    tab = visit("lessons", lesson="first_lstm", questions="off")
    see_lesson(tab, lessons()["first_lstm"])
    tab.go("stage").go("lessons")
    assert not is_asking(go_to(tab, "shapes"))


def test_a_training_that_one_watches_is_not_interrupted_by_a_question(visit):
    tab = visit("lessons", lesson="minibatches").go("train").press("train").go("lessons")
    assert tab.workspace.lesson.is_active and not is_asking(tab)
    tab.press("pause")
    wait_until(lambda: not tab.workspace.lesson.is_active, "it is paused")
    assert not is_asking(tab.run())


def test_a_run_in_which_no_choice_is_right_asks_nothing(visit):
    tab = visit("lessons", lesson="minibatches").go("train").set("batch_size", 100).press("train")
    tab.press("stop").go("lessons")
    assert tab.workspace.lesson.runs["lstm"].steps_per_epoch == 11
    assert not is_asking(tab)
    see_lesson(tab, lessons()["minibatches"])


def test_a_lesson_ends_with_the_next(visit):
    names = list(lessons())
    tab = visit("lessons", lesson=names[0], questions="off")
    links = {link.proto.label: link.proto.query_string for link in tab.at.get("page_link")}
    following = lessons()[names[1]]
    assert links[f"Next: {following.title}"] == f"lesson={following.name}"
    go_to(tab, names[-1])
    assert not [link for link in tab.at.get("page_link") if link.proto.label.startswith("Next: ")]
