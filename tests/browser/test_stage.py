"""The Stage in front of an audience: every key, the link to a moment, stage mode, and nothing asked of the server."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tab

WHERE = ("t", "unit", "at", "stage", "layer", "direction")


def open_stage(tab: Tab, query: str = "") -> Tab:
    tab.open(f"stage{query}")
    expect(tab.page.locator(".stage-bar")).to_be_visible()
    expect(tab.page.locator(".stage-spoken")).to_contain_text("Step")
    return tab


@pytest.fixture
def stage(tab: Tab) -> Tab:
    return open_stage(tab)


def where(tab: Tab) -> dict[str, str]:
    """What the address says of the stage, once it has been written."""
    tab.page.wait_for_timeout(400)
    query = parse_qs(urlsplit(tab.page.url).query)
    return {name: query[name][0] for name in WHERE if name in query}


def press(tab: Tab, *keys: str) -> dict[str, str]:
    for key in keys:
        tab.page.keyboard.press(key)
    return where(tab)


def test_every_key_does_what_the_list_says(stage: Tab):
    assert where(stage)["t"] == "12"
    assert press(stage, "ArrowRight")["t"] == "13"
    assert press(stage, "ArrowLeft", "ArrowLeft")["t"] == "11"
    assert press(stage, "Shift+ArrowRight")["t"] == "21"
    assert press(stage, "Shift+ArrowLeft")["t"] == "11"
    assert press(stage, "End")["t"] == "23"
    assert press(stage, "ArrowRight")["t"] == "23"
    assert press(stage, "Home")["t"] == "0"
    assert press(stage, "ArrowDown", "ArrowDown")["unit"] == "2"
    assert press(stage, "ArrowUp")["unit"] == "1"
    assert press(stage, "0")["unit"] == "all"
    assert press(stage, "ArrowDown")["unit"] == "0"
    assert "at" not in where(stage)
    earlier = int(press(stage, "[")["at"])
    assert int(press(stage, "[")["at"]) < earlier
    assert "at" not in press(stage, "]", "]", "]")
    assert press(stage, "p")["stage"] == "1"
    assert "stage" not in press(stage, "P")
    press(stage, "?")
    expect(stage.page.locator(".stage-help")).to_be_visible()
    expect(stage.page.locator(".stage-help")).to_contain_text("play or pause")
    press(stage, "Escape")
    expect(stage.page.locator(".stage-help")).to_be_hidden()


def test_space_plays_to_the_end_and_pauses(stage: Tab):
    press(stage, "End", "ArrowLeft", "ArrowLeft", "Space")
    expect(stage.page.get_by_role("button", name="Play (Space)")).to_be_visible()
    assert where(stage)["t"] == "23"
    press(stage, "Home", "Space")
    expect(stage.page.get_by_role("button", name="Pause (Space)")).to_be_visible()
    press(stage, "Space")
    at = where(stage)["t"]
    stage.page.wait_for_timeout(700)
    assert where(stage)["t"] == at


def test_a_digit_shows_one_picture_large_and_again_all_six(stage: Tab):
    def pixels() -> bytes:
        stage.page.wait_for_timeout(200)
        return stage.page.locator(".stage-maps").first.screenshot()

    six = pixels()
    seen = {six}
    for digit in "123456":
        press(stage, digit)
        seen.add(pixels())
    assert len(seen) == 7
    press(stage, "6")
    assert pixels() == six


def test_l_goes_through_layers_and_directions(tab: Tab):
    tab.open("model").fill("num_layers", 2)
    tab.widget("bidirectional").locator("label").first.click()
    tab.settle().go("Train").train(1).wait_for_end(1)
    tab.go("Stage")
    expect(tab.page.locator(".stage-spoken")).to_contain_text("Step")
    places = [
        (place_["layer"], place_["direction"])
        for place_ in (where(tab), *(press(tab, "l") for _ in range(4)))
    ]
    assert places == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1"), ("0", "0")]


def test_keys_never_fire_while_something_is_typed(stage: Tab):
    before = where(stage)
    stage.page.evaluate(
        """() => {
             const field = document.createElement('input');
             field.id = 'typed';
             document.querySelector('[data-testid=stMain]').prepend(field);
             field.focus();
           }"""
    )
    stage.page.keyboard.type("p l?[ 123 0")
    for key in ("ArrowLeft", "Home", "ArrowDown"):
        stage.page.keyboard.press(key)
    assert where(stage) == before
    assert stage.page.locator("#typed").input_value() == "p l?[ 123 0"
    expect(stage.page.locator(".stage-help")).to_be_hidden()


def test_a_link_opens_the_exact_moment(stage: Tab, new_tab):
    stage.page.keyboard.press("0")
    press(stage, "ArrowDown", "ArrowDown", "ArrowDown", "Home", "ArrowRight", "[", "[", "p")
    there = where(stage)
    assert there.keys() == {"t", "unit", "at", "stage"}
    spoken = stage.page.locator(".stage-spoken").inner_text()
    other = new_tab()
    open_stage(other, "?" + urlsplit(stage.page.url).query)
    assert where(other) == there
    assert other.page.locator(".stage-spoken").inner_text() == spoken


@pytest.mark.parametrize(
    "query", ["?t=999&unit=-1&at=7777&layer=x", "?t=&unit=&stage=2", "?window=99999&part=%3Cb%3E"]
)
def test_a_link_that_means_nothing_opens_the_stage(tab: Tab, query: str):
    open_stage(tab, query)
    assert where(tab)["t"] == "12"


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_stage_mode_fills_the_screen_and_leaving_it_restores_the_page(new_tab, size, scheme):
    tab = open_stage(new_tab(size, scheme))
    before = tab.page.locator(".stage").bounding_box()
    press(tab, "p")
    box = tab.page.locator(".stage").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, *size)
    for part in (".stage-series", ".stage-cell", ".stage-maps", ".stage-bar"):
        inside = tab.page.locator(part).first.bounding_box()
        assert inside["y"] >= 0 and inside["y"] + inside["height"] <= size[1]
        assert inside["height"] > 30
    covered = tab.page.evaluate(
        "() => [[20, 20], [innerWidth - 20, 20], [innerWidth / 2, innerHeight / 2]].map(([x, y]) => "
        "document.elementFromPoint(x, y).closest('.stage') !== null)"
    )
    assert all(covered)
    press(tab, "p")
    assert tab.page.locator(".stage").bounding_box() == before


def test_scrubbing_and_replaying_ask_nothing_of_the_server(stage: Tab):
    sent: list = []
    stage.page.on("request", lambda request: sent.append(request.url))
    slider = stage.page.locator(".stage-bar input[type=range]")
    for scrubber in (slider.nth(0), slider.nth(1)):
        box = scrubber.bounding_box()
        stage.page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
        stage.page.mouse.down()
        for k in range(20):
            stage.page.mouse.move(box["x"] + 5 + k * box["width"] / 25, box["y"] + box["height"] / 2)
        stage.page.mouse.up()
    press(stage, "Space")
    assert sent == []
    assert {"t", "at"} <= where(stage).keys()


def test_another_window_takes_the_place_without_a_new_stage(stage: Tab):
    stage.page.evaluate("document.querySelector('.stage').first = true")
    press(stage, "Home", "p")
    press(stage, "p")
    spoken = stage.page.locator(".stage-spoken").inner_text()
    stage.press("find_worst")
    expect(stage.page.locator(".stage-spoken")).not_to_have_text(spoken)
    assert stage.page.evaluate("document.querySelector('.stage').first") is True
    assert where(stage)["t"] == "0"


def test_a_click_on_a_heatmap_goes_to_that_unit_and_step(stage: Tab):
    box = stage.page.locator(".stage-maps").first.bounding_box()
    stage.page.mouse.click(box["x"] + 6 + 2, box["y"] + box["height"] - 6)
    there = where(stage)
    assert there["t"] == "0"
    assert there["unit"] == "15"


def test_it_goes_on_while_the_model_trains(tab: Tab):
    tab.open("train").train_on_and_on()
    try:
        tab.page.locator("[data-testid=stSidebarNavLink]", has_text="Stage").click()
        words = tab.page.locator(".stage-learning output")
        expect(words).to_have_text(re.compile("now"))
        first = words.inner_text()
        expect(words).not_to_have_text(first)
    finally:
        tab.end_run()
