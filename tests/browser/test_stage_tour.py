"""The guided tour: it points at the real thing, goes on by doing, and is left and taken up again."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.hands import drag, hold
from tests.browser.on_stage import draw, last, press, pull, state, values

CARD = ".stage-tour-card"


@pytest.fixture
def page(stage: Page) -> Page:
    return begin(stage)


def begin(page: Page) -> Page:
    page.get_by_role("button", name="Guided tour").click()
    expect(page.locator(CARD)).to_be_visible()
    return page


def expect_card(page: Page, title: str) -> None:
    expect(page.locator(f"{CARD} h4")).to_have_text(title)


def skip_to(page: Page, title: str) -> None:
    for _ in range(12):
        draw(page)
        if page.locator(f"{CARD} h4").inner_text() == title:
            return
        page.get_by_role("button", name="Skip").click()
    raise AssertionError(f"no card is called {title!r}")


def boxes(page: Page) -> tuple[dict, dict]:
    page.wait_for_function("window.stage.state.settled !== null")  # the camera has arrived
    draw(page)
    return page.locator(".stage-tour-ring").bounding_box(), page.locator(CARD).bounding_box()


def apart(a: dict, b: dict) -> bool:
    beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
    return beside or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]


def within(inner: dict, outer: dict) -> bool:
    return (
        outer["x"] <= inner["x"]
        and outer["y"] <= inner["y"]
        and inner["x"] + inner["width"] <= outer["x"] + outer["width"]
        and inner["y"] + inner["height"] <= outer["y"] + outer["height"]
    )


def open_part(page: Page, name: str) -> None:
    page.locator(f"[data-part={name}] .cell-frame").first.click()


def close_part(page: Page) -> None:
    expect_card(page, "Read it")
    page.locator(".cell-panel button").first.click()


def test_doing_what_the_cards_say_leads_through_the_tour(page: Page):
    expect_card(page, "What the LSTM reads")
    page.locator(".stage-series").click(position={"x": 700, "y": 50})
    expect_card(page, "Change it")
    drag(page, 5, -20)
    expect(page.locator(CARD)).to_contain_text("Press Backspace")
    press(page, "Backspace")
    expect_card(page, "Let it run")
    press(page, "Space")
    expect_card(page, "The forget gate")
    press(page, "Space")
    open_part(page, "f")
    close_part(page)
    expect_card(page, "Find it at its lowest")
    limit = float(re.search(r"below (\d\.\d+)", page.locator(f"{CARD} > p").last.inner_text())[1])
    press(page, "Home")
    for _ in range(last(page, "time")):
        if page.locator(f"{CARD} h4").inner_text() != "Find it at its lowest":
            break
        assert values(page)["f"] > limit - 0.01 or page.locator(".stage-time input").input_value() == "0"
        press(page, "ArrowRight")
    expect_card(page, "Hold it")
    result = page.locator(".stage-tour-found").inner_text()
    assert result.startswith(f"✓ f = {values(page)['f']:.2f}") and values(page)["f"] <= limit
    hold(page, "f", -200)
    expect(page.locator(CARD)).to_contain_text("Let go")
    page.mouse.up()
    expect_card(page, "What comes in")
    expect(page.locator(".stage-tour-found")).to_be_hidden()
    open_part(page, "g")
    close_part(page)
    expect_card(page, "What goes out")
    open_part(page, "o")
    close_part(page)
    expect_card(page, "Other units")
    box = page.locator(".stage-maps").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 0.7 * box["height"])
    expect_card(page, "Watch it learn")
    pull(page, "learning", 0)
    expect(page.locator(CARD)).to_contain_text("back to the right")
    pull(page, "learning", last(page, "learning"))
    expect_card(page, "Let it go on")
    press(page, "a")
    expect_card(page, "That was the tour")
    assert state(page, "edits") is None and state(page, "hold") is None
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator(CARD)).to_be_hidden()
    begin(page)
    expect_card(page, "What the LSTM reads")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "scheme", "query"),
    [((1280, 720), "light", ""), ((1280, 720), "dark", "?stage=1"), ((1920, 1080), "light", "?stage=1")],
)
def test_no_card_covers_what_it_points_at(new_stage: Callable[..., Page], size, scheme: str, query: str):
    page = begin(new_stage(query, size, scheme))
    targets = {
        "What the LSTM reads": ".stage-series",
        "Let it run": ".stage-play",
        "The forget gate": "[data-part=f]",
        "What comes in": "[data-part=i]",
        "What goes out": "[data-part=o]",
        "Hold it": "[data-part=f] .cell-valve",
        "Watch it learn": ".stage-learning",
        "Let it go on": ".stage-ahead-button",
    }
    for _ in range(11):
        draw(page)
        title = page.locator(f"{CARD} h4").inner_text()
        ring, card = boxes(page)
        assert apart(ring, card), title
        assert within(card, page.locator(".stage").bounding_box()), title
        if target := targets.pop(title, None):
            assert within(page.locator(target).first.bounding_box(), ring), title
        page.get_by_role("button", name="Skip").click()
    expect_card(page, "That was the tour")
    assert targets == {}


def test_the_opened_part_can_be_read_beside_the_card(page: Page):
    skip_to(page, "The forget gate")
    open_part(page, "f")
    expect_card(page, "Read it")
    draw(page)
    assert apart(page.locator(".cell-panel").first.bounding_box(), boxes(page)[1])


def test_it_shows_the_unit_whose_forget_gate_moves_most_and_says_what_is_so(page: Page):
    skip_to(page, "Find it at its lowest")
    f = np.array(page.evaluate("Array.from(stage.state.sides[0].trace[0][0].f)")).reshape(-1, last(page, "time") + 1)
    spread = np.ptp(f, axis=1)
    draw(page)
    unit = page.evaluate("stage.state.unit")
    assert unit == spread.argmax()
    text = page.locator(f"{CARD} > p").last.inner_text()
    low, high = f[unit].min(), f[unit].max()
    assert f"unit {unit} moves between {low:.2f} and {high:.2f}, more than any other's" in text
    limit = float(re.search(r"below (\d\.\d+)", text)[1])
    assert low < limit < high
    press(page, "ArrowDown")
    text = page.locator(f"{CARD} > p").last.inner_text()
    assert "more than any other" not in text and f"between {f[unit + 1].min():.2f}" in text


@pytest.mark.slow
def test_no_card_asks_for_a_low_forget_gate_where_none_moves(page: Page):
    page.evaluate("stage.state.sides[0].trace[0][0].f.fill(1)")
    for _ in range(11):
        draw(page)
        assert "lowest" not in page.locator(f"{CARD} h4").inner_text()
        if page.get_by_role("button", name="Skip").is_visible():
            page.get_by_role("button", name="Skip").click()


@pytest.mark.slow
def test_it_is_taken_up_where_it_was_left_even_after_a_reload(page: Page):
    skip_to(page, "The forget gate")
    page.get_by_role("button", name="End tour").click()
    expect(page.locator(CARD)).to_be_hidden()
    begin(page)
    expect_card(page, "The forget gate")
    page.reload()
    expect(page.locator("[data-part=f]")).to_be_visible()
    begin(page)
    expect_card(page, "The forget gate")
    page.get_by_role("button", name="Start over").click()
    expect_card(page, "What the LSTM reads")


def test_keys_work_beside_the_card_and_escape_ends_the_tour(page: Page):
    card = page.get_by_role("dialog", name="Guided tour")
    before = page.locator(".stage-time input").input_value()
    press(page, "ArrowRight")
    assert page.locator(".stage-time input").input_value() == str(int(before) + 1)
    expect_card(page, "Change it")
    for _ in range(2):
        page.get_by_role("button", name="Skip").click()
    press(page, "Space")
    expect(page.get_by_role("button", name="Pause (Space)")).to_be_visible()
    expect(card).to_be_visible()
    press(page, "Escape")
    expect(card).to_be_hidden()


def test_it_stands_still_for_who_asks_for_it(page: Page):
    page.emulate_media(reduced_motion="reduce")
    expect(page.locator(".stage-tour-ring")).to_have_css("animation-name", "none")
    page.emulate_media(reduced_motion="no-preference")
    expect(page.locator(".stage-tour-ring")).to_have_css("animation-name", "stage-tour-call")
