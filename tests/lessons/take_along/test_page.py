"""A lesson as one HTML file: all of it is there, from any state of the runs, and nothing comes from elsewhere."""

from __future__ import annotations

import dataclasses
import html
import re

import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import get_lesson
from lstm_core.lessons.lesson import LessonFigure
from lstm_core.lessons.paper_figures import card_parts
from lstm_core.lessons.runs import new_runs, pretrained_runs
from lstm_core.lessons.take_along.page import lesson_page


@pytest.fixture(scope="module")
def runs():
    return pretrained_runs(get_lesson("exploding"))


def words(page: str) -> str:
    return html.unescape(re.sub(r"<style>.*?</style>|<script.*?</script>|<[^>]+>", "", page, flags=re.DOTALL))


def test_the_page_has_all_of_the_lesson(runs):
    lesson = get_lesson("exploding")
    page = lesson_page(lesson, runs, 0, {})
    text = words(page)
    for part in (lesson.title, lesson.outcome(runs).summary, lesson.card.claim, card_parts(lesson)["Here"], "Seed 0."):
        assert part in text
    for figure in lesson.figures:
        assert figure.title.strip("*") in text
    for source in lesson.sources:
        assert source in text
    assert page.count("<figure>") == len(lesson.figures) + 1 and page.count("<svg") >= 1  # and that of the seeds
    assert '<math display="block">' in page and "@inproceedings{pascanu2013on," in page
    assert "<iframe" not in page, "an RNN has no stage"


def test_plotlys_script_goes_along_only_where_a_picture_needs_it(runs):
    lesson = get_lesson("exploding")
    with_plotly = lesson_page(lesson, runs, 0, {})
    drawn = [
        figure
        for figure in lesson.figures
        if "layout" not in vars(figure.draw(runs)) and hasattr(figure.draw(runs), "lines")
    ]
    assert len(drawn) < len(lesson.figures) and len(with_plotly) > 1_000_000
    plain = lesson_page(dataclasses.replace(lesson, figures=tuple(drawn), seed_dots=None), runs, 0, {})
    assert len(plain) < 500_000 and "Plotly" not in plain


def test_nothing_is_fetched(runs):
    page = lesson_page(get_lesson("exploding"), runs, 0, {}, stage="<p>stage</p>")
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)  # Plotly's own text names addresses
    assert re.findall(r"""(?:src|href)=["'](?!data:)[^"']*""", own) == []
    assert not re.search(r"@import|url\((?!\"data:)", own)


def test_the_stage_is_a_page_within_the_page(runs):
    stage = '<!doctype html><p title="a">b & c</p>'
    page = lesson_page(get_lesson("exploding"), runs, 0, {}, stage)
    (inside,) = re.findall(r'srcdoc="([^"]*)"', page)
    assert html.unescape(inside) == stage


def test_an_exercises_change_is_named(runs):
    assert "With lr = 0.01." in words(lesson_page(get_lesson("exploding"), runs, 3, {"train": {"lr": 0.01}}))


def test_of_runs_that_have_not_begun_it_is_told_so():
    lesson = get_lesson("by_hand")
    text = words(lesson_page(lesson, new_runs(lesson, 5), 5, {}))
    assert "Not trained yet" in text and "Seed 5." not in text


def test_a_picture_that_cannot_be_drawn_gives_its_reason(runs):
    def refuse(_):
        raise PlaygroundError("No <b>unit</b> was found.")

    lesson = dataclasses.replace(get_lesson("exploding"), figures=(LessonFigure("**A**", "b", refuse),))
    page = lesson_page(lesson, runs, 0, {})
    assert "No &lt;b&gt;unit&lt;/b&gt; was found." in page
