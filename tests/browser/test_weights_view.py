"""The weights by gate in Chromium: painted, never rebuilt while a run trains, and read with mouse or keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab

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
    return look_at_weights(module_tab.open("gates"))


def look_at_weights(tab: Tab) -> Tab:
    tab.page.get_by_role("radio", name="Weights").click()
    expect(picture(tab)).to_be_visible()
    return tab.settle()


def test_all_four_gates_are_painted_and_seen_at_once(example: Tab):
    tab = example
    assert picture(tab).evaluate(COLOURS) > 100
    assert bottom(tab) <= 720
    said = tab.page.locator(f"{MAP} .heatmap-stage").get_attribute("aria-label")
    assert re.search(r"weight_hh: input gate [\d.]+, forget gate [\d.]+, cell candidate [\d.]+, output gate", said)
    before = picture(tab).evaluate(PICTURE)
    tab.page.set_viewport_size({"width": 1920, "height": 1080})
    tab.page.emulate_media(color_scheme="dark")
    tab.page.wait_for_function(
        f"(before) => ({PICTURE})(document.querySelector('{MAP} canvas')) !== before", arg=before
    )
    assert bottom(tab.settle()) <= 1080
    assert picture(tab).evaluate(COLOURS) > 100
    tab.page.set_viewport_size({"width": 1280, "height": 720})
    tab.page.emulate_media(color_scheme="light")


def bottom(tab: Tab) -> float:
    box = tab.page.locator(f"{MAP} .heatmap-stage").bounding_box()
    return box["y"] + box["height"]


def test_it_is_repainted_and_never_rebuilt_while_the_run_trains(tab: Tab):
    tab.open("train").train_on_and_on()
    look_at_weights(tab.turn_to("Gates"))
    page = tab.page
    page.evaluate(
        f"""() => {{
          window.first = document.querySelector('{MAP} canvas');
          window.rebuilt = 0;
          window.heights = new Set();
          new MutationObserver((all) => {{
            window.heights.add(document.querySelector('{MAP}')?.offsetHeight);
            for (const {{ addedNodes }} of all) for (const node of addedNodes) {{
              if (node.nodeType === 1 && (node.matches('{MAP}') || node.querySelector('{MAP}'))) window.rebuilt += 1;
            }}
          }}).observe(document.body, {{ childList: true, subtree: true, characterData: true }});
        }}"""
    )
    seen = set()
    for _ in range(400):
        seen.add(picture(tab).evaluate(PICTURE))
        if len(seen) >= 4:
            break
        page.wait_for_timeout(50)
    assert len(seen) >= 4
    assert page.evaluate(f"window.first === document.querySelector('{MAP} canvas')")
    assert page.evaluate("window.rebuilt") == 0
    assert page.evaluate("window.heights.size") == 1, "the page below jumped"
    tab.end_run()


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


def test_a_name_from_a_file_is_only_ever_text(tab: Tab):
    name = "<img src=x onerror=window.hacked=1>"
    rows = "\n".join([f"{name},y", *(f"{k % 7},{k % 5}" for k in range(120))])
    tab.open("data").upload("mine.csv", rows.encode()).turn_to("Train").train(epochs=1).wait_for_end(1)
    look_at_weights(tab.turn_to("Gates"))
    tab.page.locator(f"{MAP} .heatmap-stage").focus()
    tab.page.keyboard.press("ArrowRight")
    expect(readout(tab)).to_contain_text(f"unit 0 ← {name}")
    assert tab.page.evaluate("window.hacked") is None
