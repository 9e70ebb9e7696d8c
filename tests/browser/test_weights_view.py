"""The weights by gate in Chromium: painted, and read with mouse or keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab, wait_until

MAP = ".st-key-weights_map .weight-heatmaps"
COLOURS = """canvas => {
    const { width, height } = canvas;
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
    return new Set(pixels).size;
}"""
PICTURE = """canvas => {
    let hash = 0;
    const { width, height } = canvas;
    for (const byte of canvas.getContext("2d").getImageData(0, 0, width, height).data) hash = (31 * hash + byte) | 0;
    return hash;
}"""


def picture(tab: Tab) -> Locator:
    return tab.page.locator(f"{MAP} canvas").first


def readout(tab: Tab) -> Locator:
    return tab.page.locator(f"{MAP} .heatmap-readout")


@pytest.fixture(scope="module")
def example(module_tab: Tab) -> Tab:
    """The weights of the trained example."""
    module_tab.open("gates").page.get_by_role("radio", name="Weights").click()
    expect(picture(module_tab)).to_be_visible()
    return module_tab.settle()


def test_all_four_gates_are_painted_and_seen_at_once(example: Tab):
    tab = example
    assert picture(tab).evaluate(COLOURS) > 100
    assert bottom(tab) <= 720
    said = tab.page.locator(f"{MAP} .heatmap-stage").get_attribute("aria-label")
    assert re.search(r"weight_hh: input gate [\d.]+, forget gate [\d.]+, cell candidate [\d.]+, output gate", said)
    before = picture(tab).evaluate(PICTURE)
    tab.page.set_viewport_size({"width": 1920, "height": 1080})
    tab.page.emulate_media(color_scheme="dark")
    wait_until(tab.page, f"(before) => ({PICTURE})(document.querySelector('{MAP} canvas')) !== before", arg=before)
    assert bottom(tab.settle()) <= 1080
    assert picture(tab).evaluate(COLOURS) > 100
    tab.page.set_viewport_size({"width": 1280, "height": 720})
    tab.page.emulate_media(color_scheme="light")


def bottom(tab: Tab) -> float:
    box = tab.page.locator(f"{MAP} .heatmap-stage").bounding_box()
    return box["y"] + box["height"]


def test_weights_are_read_with_the_mouse_and_the_keyboard(example: Tab):
    tab = example
    stage = tab.page.locator(f"{MAP} .heatmap-stage")
    expect(readout(tab)).to_have_text(re.compile("^Weights after step"))
    box = stage.bounding_box()
    tab.page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.5 * box["height"])
    expect(readout(tab)).to_have_text(re.compile(r"^weight_hh, (forget gate|cell candidate): unit \d+ ← unit \d+ −?\d"))
    tab.page.mouse.move(5, 5)
    stage.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown"):  # the first only shows the mark
        tab.page.keyboard.press(key)
    expect(readout(tab)).to_have_text(re.compile(r"^weight_hh, input gate: unit 1 ← unit 1 −?\d"))
    expect(tab.page.locator(f"{MAP} [aria-live]")).to_have_text(re.compile("^weight_hh, input gate: unit 1"))
    for _ in range(2):
        tab.page.keyboard.press("Shift+ArrowDown")
    expect(readout(tab)).to_have_text(re.compile("^weight_hh, forget gate: unit 0 ← unit 1"))
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("ArrowLeft")
    expect(readout(tab)).to_have_text(re.compile("^weight_ih, forget gate: unit 0 ← SUNACTIVITY"))
