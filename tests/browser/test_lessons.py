"""Lessons as a visitor uses them: the gallery, an address, training while one watches, reload, two tabs, every size."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lstm_core.lessons import lessons
from tests.browser.tab import PATIENCE, Tab

CUT = "(all) => all.filter((e) => e.scrollWidth > e.clientWidth + 4).map((e) => e.textContent.slice(0, 60))"
WIDE = "(e) => e.scrollWidth > e.clientWidth + 1"


def one_of_each_kind() -> list[str]:
    """Of each chapter the lesson with the longest formula, the first to be cut off, and one lesson without a model."""
    chapters = {lesson.chapter: lesson.name for lesson in sorted(lessons().values(), key=lambda one: len(one.formula))}
    return [*chapters.values(), next(name for name, lesson in lessons().items() if not lesson.experiments)]


def picture_of(name: str, k: int = 0) -> str:
    return f"lesson_{name}_{k}"


@pytest.mark.parametrize("title", ["Start", "Lessons"])
def test_a_card_opens_its_lesson_wherever_it_is_clicked(tab: Tab, title: str):
    tab.open("" if title == "Start" else "lessons")
    card = tab.widget("card_first_lstm")
    card.scroll_into_view_if_needed()
    image = card.locator("img").first
    assert image.evaluate("(image) => image.complete && image.naturalWidth > 0")
    box = card.bounding_box()
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    expect(tab.page.locator("h1")).to_have_text(lessons()["first_lstm"].title)
    expect(tab.widget(picture_of("first_lstm")).locator("svg").first).to_be_visible()


def test_it_trains_while_one_watches_and_the_picture_is_not_drawn_anew(tab: Tab):
    tab.open("lessons?lesson=minibatches")
    plot = tab.widget(picture_of("minibatches", 1)).locator(".live-plot")
    expect(plot.locator("svg").first).to_be_visible()
    plot.evaluate("(e) => { e.dataset.mark = 'same'; }")
    tab.fill("lesson_seed", 1)
    tab.button("train").click()
    expect(tab.button("pause")).to_have_text(re.compile("Pause"))
    some = len(tab.wait_for_points(30, "LSTM, training", picture_of("minibatches", 1)))
    tab.wait_for_points(some + 20, "LSTM, training", picture_of("minibatches", 1))
    assert plot.get_attribute("data-mark") == "same"
    tab.button("pause").click()
    expect(tab.button("pause")).to_have_text(re.compile("Resume"))
    tab.press("lesson_shipped")
    expect(tab.page.locator("[data-testid=stAlertContentSuccess]")).to_contain_text("Seed 0")


def test_a_reload_and_a_second_tab_find_the_lesson_as_it_is(tab: Tab, new_tab: Callable[..., Tab]):
    tab.open("lessons?lesson=first_lstm").fill("lesson_seed", 3)
    tab.button("train").click()
    done = tab.page.locator("[data-testid=stAlertContentSuccess]")
    expect(done).to_contain_text("Seed 3", timeout=3 * PATIENCE)
    said = done.locator("p").inner_text()
    tab.page.reload()
    expect(done.locator("p")).to_have_text(said)
    other = new_tab()
    other.page.goto(tab.page.url)
    expect(other.page.locator("[data-testid=stAlertContentSuccess] p")).to_have_text(said)


def test_ones_own_run_goes_on_beside_a_lesson(tab: Tab):
    tab.open("train").train_on_and_on()
    before, own = tab.step(), re.search(r"run=([\w-]+)", tab.page.url)[1]
    tab.turn_to("Lessons").page.locator(".st-key-card_first_lstm a").click()
    expect(tab.page.locator("h1")).to_have_text(lessons()["first_lstm"].title)
    tab.button("all_lessons").click()
    expect(tab.heading("Lessons")).to_be_visible()
    expect(tab.turn_to("Train").progress).to_contain_text("of 1,000,000")  # and no longer the lesson's
    tab.page.wait_for_url(re.compile(f"run={own}"))
    tab.wait_for_live()
    tab.wait_for_step(before + 1)
    tab.end_run()


@pytest.mark.parametrize(
    ("size", "scheme", "names"),
    [
        pytest.param((1280, 720), "light", one_of_each_kind(), id="some"),
        pytest.param((1280, 720), "light", list(lessons()), marks=pytest.mark.slow, id="all"),
        pytest.param((1920, 1080), "dark", list(lessons()), marks=pytest.mark.slow, id="all-large-dark"),
    ],
)
def test_a_lesson_at_first_sight(new_tab: Callable[..., Tab], size, scheme, names, subtests: pytest.Subtests):
    tab = new_tab(size, scheme).open("lessons")
    for name in names:
        with subtests.test(name):
            lesson = lessons()[name]
            tab.widget(f"card_{name}").locator("a").click()
            expect(tab.page.locator("h1")).to_have_text(lesson.title)
            tab.settle()
            if lesson.figures:
                expect(tab.widget(picture_of(name)).locator("svg").first).to_be_visible()
            assert tab.page.locator("[data-testid=stException]").count() == 0
            assert tab.page.locator("[data-testid=stAlertContentError]").count() == 0
            assert not tab.page.locator("[data-testid=stMain]").evaluate(WIDE), "the page scrolls sideways"
            assert not tab.page.locator(".katex-error").count(), "a formula that cannot be set"
            cut = tab.page.locator("[data-testid=stLatex], .katex-display").evaluate_all(CUT)
            assert not cut, "a formula is cut off"
        tab.press("all_lessons")
