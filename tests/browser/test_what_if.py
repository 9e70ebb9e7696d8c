"""What if: a person alters a gate and sees what comes of it, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab

NUMBER = r"[−\d.,e+]+"
CANVAS = ".st-key-what_view canvas"
PICTURE = f"() => document.querySelector('{CANVAS}').toDataURL()"


@pytest.fixture(scope="module")
def what_if(module_tab: Tab) -> Tab:
    module_tab.open("gates").widget("view").get_by_text("What if?").click()
    expect(module_tab.page.locator(CANVAS).first).to_be_visible()
    return module_tab.settle()


def answer(tab: Tab) -> str:
    """What the altered model says."""
    return re.search(rf"With .+, it predicts {NUMBER}", tab.text())[0]


def test_the_forget_gate_stuck_open(what_if: Tab):
    tab = what_if.press("what_preset_f0")
    forgetful, drawn = answer(tab), tab.page.evaluate(PICTURE)
    assert forgetful.startswith("With the forget gate clamped to 0")
    tab.button("what_preset_f1").click()
    expect(tab.page.get_by_text("With the forget gate clamped to 1, it predicts")).to_be_visible()
    tab.settle()
    assert answer(tab).split()[-1] != forgetful.split()[-1]
    assert tab.page.evaluate(PICTURE) != drawn
    expect(tab.page.get_by_text("hurts most: RMSE")).to_be_visible()


def test_one_cursor_reads_before_after_and_their_difference(what_if: Tab):
    tab = what_if.choose("gate", "f · forget gate")
    box = tab.page.locator(CANVAS).last.bounding_box()
    tab.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 60)
    readout = tab.widget("what_view").locator(".heatmap-readout")
    expect(readout).to_contain_text(re.compile(r"after\s*1\b"))
    before, after, difference = (
        float(re.search(rf"(?<!− ){name}\s+([−\d.]+)", readout.inner_text())[1].replace("−", "-"))
        for name in ("before", "after", "after − before")
    )
    assert difference == pytest.approx(after - before, abs=2e-3)
    stage = tab.page.locator(".st-key-what_view .heatmap-stage")
    for key, step in (("Home", 1), ("End", 24)):  # from 1, as on the Stage and on Start
        stage.press(key)
        expect(readout).to_contain_text(re.compile(rf"^step\s*{step}\s"))


def test_the_selected_unit_alone_is_altered_as_it_is_selected(what_if: Tab):
    tab = what_if.choose("gate", "f · forget gate").fill("what_units", "selected")
    expect(tab.page.get_by_text("clamped to 1 in unit 0, it")).to_be_visible()
    tab.page.locator(".st-key-what_view .heatmap-stage").press("ArrowDown")
    expect(tab.page.get_by_text("clamped to 1 in unit 1, it")).to_be_visible()
