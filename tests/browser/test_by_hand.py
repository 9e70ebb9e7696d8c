"""The twelve sliders under a user's hand, before, during and after training; nothing is redrawn but the numbers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab

F_BIAS, G_W_IH = 5, 6  # places among the twelve


@pytest.fixture(scope="module")
def hand(module_tab: Tab) -> Tab:
    """The lesson: as it opens, and then as the test before left it."""
    module_tab.open("lessons?lesson=by_hand&questions=off")
    expect(module_tab.page.locator(".unit-sliders td").first).to_be_visible()
    return module_tab


def slider(tab: Tab, place: int) -> Locator:
    return tab.page.locator(".unit-sliders input[type=range]").nth(place)


def typed(tab: Tab, place: int) -> Locator:
    return tab.page.locator(".unit-sliders input[type=number]").nth(place)


def numbers(tab: Tab) -> list[str]:
    return tab.page.locator(".unit-sliders input[type=number]").evaluate_all("all => all.map((one) => one.value)")


def says(tab: Tab) -> list[str]:
    return tab.page.locator(".unit-sliders .prediction").all_inner_texts()


def drag(tab: Tab, place: int, to: float) -> None:
    """Move the thumb to this share of its way, in many small moves."""
    box = slider(tab, place).bounding_box()
    y = box["y"] + box["height"] / 2
    tab.page.mouse.move(box["x"] + box["width"] / 2, y)
    tab.page.mouse.down()
    for k in range(1, 21):
        tab.page.mouse.move(box["x"] + box["width"] * (0.5 + (to - 0.5) * k / 20), y)
    tab.page.mouse.up()


@pytest.mark.slow
def test_a_drag_moves_every_sum_and_nothing_is_drawn_anew(hand: Tab):
    before = numbers(hand)
    hand.page.evaluate(
        "document.querySelectorAll('.unit-sliders td, .unit-sliders input').forEach((one) => { one.mine = true; })"
    )
    drag(hand, F_BIAS, 0.1)
    expect(typed(hand, F_BIAS)).to_have_value(re.compile(r"-[45]\.\d\d"))
    value = float(typed(hand, F_BIAS).input_value())
    sums = hand.page.locator(".unit-sliders tbody tr:nth-child(2) td div:first-child")
    expect(sums.first).to_contain_text(f"− {-value:.2f})")
    assert [place for place, one in enumerate(numbers(hand)) if one != before[place]] == [F_BIAS]
    assert hand.page.evaluate(
        "[...document.querySelectorAll('.unit-sliders td, .unit-sliders input')].every((one) => one.mine)"
    )
    said = re.findall(r"prediction (\S+)", " ".join(says(hand)))
    expect(hand.page.locator("[data-testid=stAlert]").first).to_contain_text(f"out_0 is {said[0]}")
    expect(hand.page.locator("[data-testid=stAlert]").first).to_contain_text(f"out_1 is {said[1]}")


@pytest.mark.slow
def test_a_number_can_be_typed_beyond_the_sliders_and_stays(hand: Tab):
    typed(hand, G_W_IH).fill("-9.5")
    typed(hand, G_W_IH).press("Enter")
    expect(hand.page.locator(".unit-sliders tbody tr:nth-child(3) td").first).to_contain_text("tanh(−9.50·0")
    hand.go("Train").page.locator("[data-testid=stSidebarNavLink]", has_text="Lessons").click()
    expect(typed(hand, G_W_IH)).to_have_value("-9.50")


@pytest.mark.slow
def test_the_days_unroll_one_after_the_other(hand: Tab):
    last = hand.page.locator(".unit-sliders tbody tr:first-child td:last-child").first
    hand.page.get_by_role("button", name="Day by day").click()
    expect(last).to_have_class(re.compile("later"))
    expect(last).not_to_have_class(re.compile("later"))
    hand.page.locator(".unit-sliders thead th", has_text="Day 2").first.click()
    expect(last).to_have_class(re.compile("later"))


@pytest.mark.slow
def test_a_slider_moved_while_it_trains_pauses_it_there(hand: Tab):
    hand.button("hand_untrained").click()
    hand.settle()
    untrained = numbers(hand)
    hand.button("hand_train").click()
    expect(hand.progress).to_contain_text("Training")
    expect(typed(hand, 0)).not_to_have_value(untrained[0])  # the sliders follow the training
    drag(hand, F_BIAS, 0.9)
    expect(hand.progress).to_contain_text("Paused")
    expect(typed(hand, F_BIAS)).to_have_value(re.compile(r"[45]\.\d\d"))
    expect(hand.button("pause")).to_contain_text("Resume")
