"""A lesson taken along: downloaded in the app, then opened from disk in a browser without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from lstm_core.lessons import get_lesson
from tests.browser.tab import Tab

WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
TEXT_COLOUR = "getComputedStyle(document.body).color"
PLOT_COLOUR = "getComputedStyle(document.querySelector('.plotly .xtitle')).fill"


def take(tab: Tab, kind: str) -> Path:
    tab.button("take_along").first.click()
    tab.button(f"make_{kind}").click()
    with tab.page.expect_download() as download:
        tab.button(kind).click()
    return Path(download.value.path())


@pytest.mark.slow
def test_the_html_file_plays_from_disk_in_every_colour_and_on_paper(tab: Tab, from_disk):
    lesson = get_lesson("adding_problem")
    tab.open("lessons?lesson=adding_problem&questions=off")
    page = from_disk(take(tab, "page").read_bytes())
    expect(page.locator("h1")).to_have_text(lesson.title)
    expect(page.locator(".outcome.reached")).to_contain_text("Seed 0.")
    expect(page.locator(".plotly .main-svg").first).to_be_visible()
    assert page.locator("figure").count() == len(lesson.figures) + 1  # and that of the seeds
    assert page.locator("math[display=block] msub").count() > 3
    assert page.locator("math[display=block]").bounding_box()["height"] > 15

    stage = page.frame_locator("iframe")
    time = stage.locator(".stage-time output")
    expect(time).to_contain_text("of 100")
    before = time.inner_text()
    stage.locator("[data-part=f]").first.click()
    page.keyboard.press("ArrowRight")
    expect(time).not_to_have_text(before)
    expect(stage.locator("body")).to_contain_text("forget gate")

    light = page.evaluate(TEXT_COLOUR)
    assert page.evaluate(PLOT_COLOUR) == light
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).not_to_have_css("color", light)
    assert page.evaluate(PLOT_COLOUR) == page.evaluate(TEXT_COLOUR) != light
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator("body")).to_have_css("color", light)
    expect(page.locator("iframe")).to_be_hidden()
    page.emulate_media(media="screen", color_scheme="light")
    for width in (900, 1920):
        page.set_viewport_size({"width": width, "height": 1080})
        assert not page.evaluate(WIDE)


@pytest.mark.slow
def test_the_notebook_is_downloaded(tab: Tab):
    tab.open("lessons?lesson=temporal_order&questions=off")
    text = take(tab, "notebook").read_text(encoding="utf-8")
    assert text.startswith("{") and "temporal_order_outcome" in text
