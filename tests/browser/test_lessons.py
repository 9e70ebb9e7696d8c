"""Lessons as a visitor uses them: the gallery, an address, training while one watches, reload, two tabs, every size."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lstm_core.lessons import lessons
from tests.browser.tab import Tab

CUT = "(all) => all.filter((e) => e.scrollWidth > e.clientWidth + 4).map((e) => e.textContent.slice(0, 60))"
WIDE = "(e) => e.scrollWidth > e.clientWidth + 1"


def picture_of(name: str, k: int = 0) -> str:
    return f"lesson_{name}_{k}"


def test_a_card_opens_its_lesson_wherever_it_is_clicked(tab: Tab):
    for title in ("Start", "Lessons"):
        if title == "Start":
            tab.open()
        else:
            tab.press("all_lessons")
        expect(tab.heading(title)).to_be_visible()
        card = tab.widget("card_first_lstm")
        card.scroll_into_view_if_needed()
        image = card.locator("img").first
        assert image.evaluate("(image) => image.complete && image.naturalWidth > 0")
        box = card.bounding_box()
        tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
        expect(tab.page.locator("h1")).to_have_text(lessons()["first_lstm"].title)
        if title == "Start":
            expect(tab.button("choice_1")).to_be_visible()
            assert not tab.widget(picture_of("first_lstm")).count()
            tab.page.keyboard.press("3")
            expect(tab.widget("answer")).to_contain_text("Right")
        expect(tab.widget(picture_of("first_lstm")).locator("canvas").first).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("back", ["reload", "second tab"])
def test_it_trains_while_one_watches_and_is_found_as_it_is_left(tab: Tab, new_tab: Callable[..., Tab], back: str):
    tab.open("lessons?lesson=minibatches&questions=off")
    expect(tab.page).to_have_title(re.compile("^Lessons · .+ – LSTM Playground$"))
    plot = tab.widget(picture_of("minibatches", 1)).locator(".live-plot")
    expect(plot.locator("canvas").first).to_be_visible()
    plot.evaluate("(e) => { e.dataset.mark = 'same'; }")
    tab.fill("lesson_seed", 1)
    tab.button("train").click()
    expect(tab.button("pause")).to_have_text(re.compile("Pause"))
    some = len(tab.wait_for_points(30, "LSTM, training", picture_of("minibatches", 1)))
    tab.wait_for_points(some + 20, "LSTM, training", picture_of("minibatches", 1))
    assert plot.get_attribute("data-mark") == "same"
    for patience in (5_000, 20_000):  # one press was lost in four full runs of all tests; why is not known yet
        tab.button("pause").click()
        if tab.comes_true(lambda: "Resume" in tab.button("pause").inner_text(), patience):
            break
    expect(tab.button("pause")).to_have_text(re.compile("Resume"))
    left = tab.settle().progress.inner_text()
    if back == "reload":
        tab.page.reload()
    else:
        link, tab = tab.page.url, new_tab()
        tab.page.goto(link)
    see_it_paused(tab, left)
    tab.settle().press("lesson_shipped")
    expect(tab.page.locator("[data-testid=stAlertContentSuccess]")).to_contain_text("Seed 0")


def see_it_paused(tab: Tab, said: str) -> None:
    expect(tab.progress).to_have_text(said)
    expect(tab.button("pause")).to_have_text(re.compile("Resume"))
    expect(tab.widget("lesson_seed").locator("input")).to_have_value("1")


@pytest.mark.slow
@pytest.mark.parametrize(("half", "size", "scheme"), [(0, (1280, 720), "light"), (1, (1920, 1080), "dark")])
def test_a_lesson_at_first_sight(new_tab: Callable[..., Tab], half: int, size, scheme, subtests: pytest.Subtests):
    tab = new_tab(size, scheme).open("lessons?questions=off")
    for name in (names := list(lessons())[half::2]):
        with subtests.test(name):
            lesson = lessons()[name]
            tab.widget(f"card_{name}").locator("a").click()
            expect(tab.page.locator("h1")).to_have_text(lesson.title)
            tab.settle()
            if lesson.figures:
                expect(tab.widget(picture_of(name)).locator("svg, canvas").first).to_be_visible()
            assert tab.page.locator("[data-testid=stException]").count() == 0
            assert tab.page.locator("[data-testid=stAlertContentError]").count() == 0
            assert not tab.page.locator("[data-testid=stMain]").evaluate(WIDE), "the page scrolls sideways"
            assert not tab.page.locator(".katex-error").count(), "a formula that cannot be set"
            cut = tab.page.locator("[data-testid=stLatex], .katex-display").evaluate_all(CUT)
            assert not cut, "a formula is cut off"
        if name != names[-1]:
            tab.press("all_lessons")
