"""The coloured page of the character model: units change at once, nothing flickers, typed text stays text."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab, wait_until

COLOURS = "(page) => [...page.children].map((sign) => getComputedStyle(sign).backgroundColor).join()"


@pytest.fixture(scope="module")
def tab(module_tab: Tab) -> Tab:
    module_tab.open("lessons?lesson=characters&questions=off")
    expect(coloured(module_tab).locator("span").first).to_be_visible()
    return module_tab


def coloured(tab: Tab) -> Locator:
    return tab.page.locator(".text-heatmap-page")


def test_another_unit_is_shown_without_asking_the_server(tab: Tab):
    page, unit = coloured(tab), tab.page.locator(".text-heatmap-bar output")
    quotes, word = (tab.page.locator(".text-heatmap-matches button", has_text=name) for name in ("quotes", "a word"))
    expect(quotes).to_have_attribute("aria-pressed", "true")
    first, shown = page.evaluate(COLOURS), unit.inner_text()
    tab.page.context.set_offline(True)
    try:
        word.click()
        expect(word).to_have_attribute("aria-pressed", "true")
        assert page.evaluate(COLOURS) != first and unit.inner_text() != shown
        tab.page.locator(".text-heatmap-bar input").press("Home")
        assert unit.inner_text() == "0"
        quotes.click()
        assert page.evaluate(COLOURS) == first and unit.inner_text() == shown
    finally:
        tab.page.context.set_offline(False)


@pytest.mark.slow
def test_a_characters_number_is_read_by_mouse_and_by_key(tab: Tab):
    page, readout = coloured(tab), tab.page.locator(".text-heatmap-readout")
    page.locator("span").nth(4).hover()
    expect(readout).to_have_text(re.compile(r"^.+: c = −?\d+\.\d{3}$"))
    before = readout.inner_text()
    page.press("ArrowRight")
    expect(readout).not_to_have_text(before)
    assert page.locator(".text-heatmap-here").count() == 1


@pytest.mark.slow
def test_while_it_trains_the_page_keeps_its_characters_and_the_users_unit(tab: Tab):
    page, unit = coloured(tab), tab.page.locator(".text-heatmap-bar output")
    tab.page.locator(".text-heatmap-bar input").press("Home")
    tab.page.locator(".text-heatmap-bar input").press("ArrowRight")
    page.evaluate("(page) => { page.firstChild.dataset.mark = 'same'; }")
    colours, written = page.evaluate(COLOURS), tab.widget("text_now").inner_text()
    tab.button("train").click()
    expect(tab.widget("text_now")).not_to_have_text(written)
    wait_until(
        tab.page, f"(before) => ({COLOURS})(document.querySelector('.text-heatmap-page')) !== before", arg=colours
    )
    assert page.locator("span").first.get_attribute("data-mark") == "same"
    assert unit.inner_text() == "1"
    tab.press("pause")
    tab.press("lesson_shipped")


@pytest.mark.slow
def test_typed_text_is_coloured_and_markup_is_only_named(tab: Tab):
    page, box = coloured(tab), tab.widget("typed").locator("textarea")
    box.fill('He said "no')
    box.press("Control+Enter")
    expect(page).to_have_text("he said “no")
    box.fill("<img src=x onerror=alert(1)>")
    box.press("Control+Enter")
    expect(tab.page.locator("[data-testid=stAlertContentError]")).to_contain_text("The model does not know '1', '<'")
    assert tab.page.locator(".text-heatmap-page img").count() == 0
