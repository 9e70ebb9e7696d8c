"""The slider over a run's epochs, under a user's hand: every picture follows, nothing is left behind."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab, wait_until

PIXELS = """() => Array.from(document.querySelectorAll('.gate-heatmaps canvas')[0].getContext('2d')
  .getImageData(0, 120, 900, 300).data).reduce((sum, value, k) => (sum * 31 + value * (k % 7 + 1)) % 1000003, 7)"""


NOW = re.compile(r"^best, epoch \d+$")


@pytest.fixture(scope="module")
def example(module_tab: Tab) -> Tab:
    """Gates of the example, whose weights are those of its best epoch."""
    module_tab.open("gates")
    expect(slider(module_tab)).to_be_visible()
    wait_until(module_tab.page, "document.querySelector('.gate-heatmaps canvas')?.width > 300")
    return module_tab


@pytest.fixture
def gates(example: Tab) -> Tab:
    """The same, at now."""
    slider(example).press("End")
    expect(words(example)).to_have_text(NOW)
    return example.settle()


def slider(tab: Tab):
    return tab.page.locator(".epoch-slider input")


def words(tab: Tab):
    return tab.page.locator(".epoch-slider output")


def said(tab: Tab) -> str:
    return re.search(r": predicted (\S+), actual", tab.text())[1]


def test_the_pictures_and_the_words_follow_and_come_back(gates: Tab):
    expect(words(gates)).to_have_text(NOW)
    trained, picture = said(gates), gates.page.evaluate(PIXELS)
    slider(gates).press("Home")
    expect(words(gates)).to_have_text("untrained")
    expect(gates.page.locator("[data-testid=stMain]")).not_to_contain_text(trained)
    wait_until(gates.page, f"(before) => ({PIXELS})() !== before", arg=picture)
    untrained = said(gates)
    slider(gates).press("End")
    expect(words(gates)).to_have_text(NOW)
    wait_until(gates.page, f"(before) => ({PIXELS})() === before", arg=picture)
    assert said(gates) == trained != untrained


@pytest.mark.slow
def test_it_plays_from_the_start_and_the_picture_moves_on_the_way_to_now(gates: Tab):
    gates.page.evaluate(
        """() => {
             const paint = CanvasRenderingContext2D.prototype.putImageData;
             window.painted = 0;
             window.told = [];
             const words = document.querySelector('.epoch-slider output');
             new MutationObserver(() => window.told.push(words.textContent)).observe(words, { childList: true });
             CanvasRenderingContext2D.prototype.putImageData = function (...all) {
               window.painted += 1;
               paint.apply(this, all);
             };
           }"""
    )
    gates.page.get_by_role("button", name="Replay training from the start").click()
    gates.page.get_by_role("button", name="Pause").click()
    assert gates.page.evaluate("window.told[0]") == "untrained"  # which a busy machine may leave before one looks
    slider(gates).press("End")
    for _ in range(5):
        slider(gates).press("ArrowLeft")
    before = gates.settle().page.evaluate("window.painted")
    gates.page.get_by_role("button", name="Replay training from the start").click()
    expect(words(gates)).to_have_text(NOW)
    expect(gates.page.get_by_role("button", name="Replay training from the start")).to_be_visible()
    # six heatmaps at the end and, however busy the machine, at least once on the way
    wait_until(gates.page, "(before) => window.painted >= before + 6 * 2", arg=before)


def test_a_drag_ends_where_the_hand_ends(gates: Tab):
    box = slider(gates).bounding_box()
    y = box["y"] + box["height"] / 2
    gates.page.mouse.move(box["x"] + box["width"] - 3, y)
    gates.page.mouse.down()
    for k in range(25):
        gates.page.mouse.move(box["x"] + box["width"] * (1 - k / 30), y)
    gates.page.mouse.up()
    gates.settle()
    index = int(slider(gates).input_value())
    assert 0 < index < int(slider(gates).get_attribute("max"))
    step = int(re.search(r"step ([\d,]+)", words(gates).inner_text())[1].replace(",", ""))
    badge = gates.page.get_by_text("max |Δ| vs nn.LSTM").first
    badge.hover()
    expect(gates.page.get_by_text(f"Weights of step {step:,}.")).to_be_visible()


@pytest.mark.slow
def test_the_moment_is_still_chosen_after_a_look_at_another_page(gates: Tab):
    for _ in range(4):
        slider(gates).press("ArrowLeft")
    gates.settle()
    chosen = words(gates).inner_text()
    assert chosen.startswith("epoch")
    gates.go("Data").go("Gates")
    expect(words(gates)).to_have_text(chosen)
