"""Two cells under one cursor: before and after training, two units, with and without a gate that is stuck."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.browser.on_stage import HOSTILE, caption, choose, draw, last, mount, names, press, pull, unscrolled, values
from tests.factories import scene_of, wave

ROUNDING = 0.011  # of numbers with two decimals and of a product of two such


@pytest.fixture
def page(stage: Page) -> Page:
    return stage


@pytest.mark.parametrize(
    ("title", "gate", "value"),
    [
        ("Forget gate stuck open", "f", 1),
        ("Forget gate stuck shut", "f", 0),
        ("Input gate stuck shut", "i", 0),
        ("Output gate stuck shut", "o", 0),
    ],
)
def test_a_stuck_gate_stands_beside_the_cell_as_it_is(page: Page, title: str, gate: str, value: int):
    before = values(page)
    choose(page, title)
    assert names(page) == ["as it is", f"{gate} = {value} in every unit"]
    assert values(page) == before
    for key in ("Home", "ArrowRight", "ArrowRight"):
        press(page, key)
        stuck = values(page, 1)
        assert stuck[gate] == value
        if title == "Forget gate stuck shut":  # c_t = i·g, whatever was before
            assert stuck["c"] == pytest.approx(stuck["i"] * stuck["g"], abs=ROUNDING)
        elif gate == "i":
            assert stuck["c"] == 0
        elif gate == "o":
            assert stuck["h"] == 0


def test_a_single_unit_can_be_stuck_and_the_others_are_not(page: Page):
    page.get_by_role("button", name="Compare two cells").click()
    page.get_by_role("checkbox").check()
    page.locator(".stage-menu-compare button", has_text="Forget gate stuck shut").click()
    draw(page)
    assert names(page) == ["as it is", "f = 0 in unit 0"]
    assert values(page, 1)["f"] == 0
    press(page, "ArrowDown")
    assert names(page) == ["as it is", "f = 0 in unit 0"]
    assert values(page, 1)["f"] > 0


def test_off_leaves_one_cell_as_it_was(page: Page):
    before = values(page)
    choose(page, "Forget gate stuck open")
    expect(page.locator(".stage-cell:visible")).to_have_count(2)
    expect(page.locator(".stage-maps:visible")).to_have_count(2)
    choose(page, "Only one")
    expect(page.locator(".stage-cell:visible")).to_have_count(1)
    expect(page.locator(".stage-maps:visible")).to_have_count(1)
    assert names(page) == [] and values(page) == before


def test_before_training_stays_and_the_slider_moves_the_other_side(page: Page):
    now = values(page)
    choose(page, "Before training, and after")
    assert names(page) == ["untrained", caption(page, "learning")]
    untrained = values(page)
    assert values(page, 1) == now and untrained != now
    pull(page, "learning", last(page, "learning") // 2)
    assert names(page) == ["untrained", caption(page, "learning")]
    assert values(page) == untrained and values(page, 1) != now


def test_an_earlier_epoch_is_compared_with_now(page: Page):
    now = values(page)
    choose(page, "An earlier epoch, and now")
    earlier, latest = names(page)
    assert earlier == caption(page, "learning") and latest.startswith("best")
    assert values(page, 1) == now != values(page)
    pull(page, "learning", 0)
    assert names(page)[0] == "untrained" and values(page, 1) == now


@pytest.mark.slow
def test_two_units_share_the_trace_and_its_heatmaps(page: Page):
    press(page, "ArrowDown", "ArrowDown")
    third = values(page)
    press(page, "Home", "ArrowUp", "ArrowUp")
    page.get_by_role("button", name="Compare two cells").click()
    page.get_by_label("The other unit").fill("2")
    page.locator(".stage-menu-compare button", has_text="Two units").click()
    draw(page)
    assert names(page) == ["unit 0", "unit 2"]
    expect(page.locator(".stage-maps:visible")).to_have_count(1)
    pull(page, "time", last(page, "time") // 2 + 1)  # where the stage begins
    assert values(page, 1) == third != values(page)
    press(page, "ArrowDown")
    assert names(page) == ["unit 1", "unit 2"] and values(page, 1) == third


def test_another_unit_than_there_is_becomes_the_last(page: Page):
    page.get_by_role("button", name="Compare two cells").click()
    field = page.get_by_label("The other unit")
    field.fill("4000")
    field.blur()
    expect(field).to_have_value(field.get_attribute("max"))


def test_another_run_stands_beside_this_one_under_its_own_name(page: Page):
    *_, header, arrays = scene_of({}, others={HOSTILE: torch.zeros_like(scene_of({})[1].flat_weights)})
    mount(page, header | {"id": "with another"}, arrays)
    before = values(page)
    choose(page, "Another run")
    assert names(page) == ["this run", HOSTILE] and page.evaluate("window.hacked") is None
    assert values(page) == before
    assert values(page, 1) == {"f": 0.5, "i": 0.5, "g": 0, "o": 0.5, "c": 0, "h": 0}  # all weights are 0
    mount(page, header | {"id": "alone", "others": []}, arrays)
    page.get_by_role("button", name="Compare two cells").click()
    assert page.locator(".stage-menu-compare button", has_text="Another run").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "windows", "missing"),
    [
        ({}, wave(seq_len=1), ["What the LSTM reads", "Let it run", "Find it closing"]),
        ({"hidden_size": 1}, None, ["Other units"]),
        ({"num_layers": 2, "bidirectional": True}, None, []),
    ],
)
def test_what_a_scene_has_not_is_not_offered(page: Page, model: dict, windows, missing: list[str]):
    *_, header, arrays = scene_of(model, windows)
    mount(page, header | {"id": "small"}, arrays)
    page.get_by_role("button", name="Compare two cells").click()
    draw(page)
    units = page.locator(".stage-menu-compare button", has_text="Two units")
    assert units.is_disabled() == (header["hidden"] < 2)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Guided tour").click()
    seen = []
    expect(page.locator(".stage-tour-card h4")).not_to_be_empty()  # the camera is on its way to the network
    while (title := page.locator(".stage-tour-card h4").inner_text()) != "That was the tour":
        seen.append(title)
        page.get_by_role("button", name="Skip").click()
        draw(page)
    assert len(seen) == 10 - len(missing) and not set(missing) & set(seen), seen


def test_escape_and_a_click_beside_it_close_the_menu(page: Page):
    menu, button = page.locator(".stage-menu-compare"), page.get_by_role("button", name="Compare two cells")
    button.click()
    expect(menu).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    button.click()
    page.locator(".stage-series").click(position={"x": 200, "y": 40})
    expect(menu).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), [((1280, 720), "light"), ((1920, 1080), "dark")])
def test_both_sides_fit_the_stage(new_stage: Callable[..., Page], size: tuple[int, int], scheme: str):
    page = new_stage("?stage=1", size, scheme)
    choose(page, "Forget gate stuck open")
    assert unscrolled(page)
    for row in page.locator(".stage-maps").all():
        assert row.bounding_box()["height"] > size[1] / 9
