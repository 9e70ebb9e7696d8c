"""What an audience would see of the touched Stage: parts on each other, letters cut off or small, lines that jump."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lstm_core.data.windows import make_windows
from tests.browser.hands import drag, shown
from tests.browser.on_stage import draw, packed, press, set_state, state
from tests.browser.tab import wait_until
from tests.factories import scene_of, spec_of, table_of

# Opens the talk of the one moment that is on the stage, as a file without the fields that newer moments have.
OLD_FILE = """async () => {
  const [{ read, write }, { take }, { digest, gzip }] = await Promise.all(
    ['talk_file', 'moment', 'packing'].map((name) => import(`/modules/stage/talk/${name}.js`)));
  const { state, given, talk } = window.stage, key = digest(given.bytes);
  const moment = take(state, key), scenes = new Map([[key, await gzip(given.bytes)]]);
  const file = JSON.parse(write({ title: 'T', moments: [moment], scenes }));
  for (const name of ['touch', 'ahead', 'backward', 'level']) delete file.moments[0][name];
  talk.put(await read(JSON.stringify(file)));
}"""
SIZES = [((1280, 720), "light"), ((1280, 720), "dark"), ((853, 480), "light"), ((1920, 1080), "dark")]


def test_a_moment_without_a_depth_shows_the_cell_and_nothing_of_the_network_behind_it(stage: Page):
    set_state(stage, level=0)
    stage.evaluate(OLD_FILE)
    press(stage, "PageDown")
    wait_until(stage, "window.stage.state.giving !== null && window.stage.state.settled === 2")
    assert [state(stage, name) for name in ("level", "backward", "edits", "ahead")] == [2, False, None, None]
    expect(stage.locator(".levels").first).to_be_hidden()
    press(stage, "Escape")
    wait_until(stage, "window.stage.state.settled === 0")  # the page's own depth


@pytest.mark.slow
def test_a_hand_pulls_the_line_that_it_shows_and_is_not_in_a_talks_way(stage: Page):
    stage.emulate_media(reduced_motion="no-preference")
    line = stage.locator(".touch-hint-line path")
    expect(line).to_be_visible()
    ribbons = {line.get_attribute("d") for _ in range(5) if not stage.wait_for_timeout(120)}
    assert len(ribbons) > 2  # it moves
    stage.evaluate(OLD_FILE)
    press(stage, "PageDown")
    wait_until(stage, "window.stage.state.giving !== null")
    draw(stage)
    expect(line).to_be_hidden()


@pytest.mark.slow
def test_the_axis_stays_where_a_hand_lets_go_within_it_and_comes_back_with_the_input(stage: Page):
    before = shown(stage)["span"]
    drag(stage, 16, 30, let_go=False)
    assert shown(stage)["span"] == before
    stage.mouse.up()
    draw(stage)
    assert shown(stage)["span"] == before
    press(stage, "Backspace")
    assert shown(stage)["span"] == before


@pytest.mark.slow
def test_the_legend_leaves_the_tools_their_room_when_another_scene_has_wider_ones(stage: Page):
    room = (
        "() => [stage.strip.view.legendEnd, stage.strip.view.holder.clientWidth - stage.strip.view.tools.offsetWidth]"
    )
    rows = np.arange(200)
    columns = {name: (rows % 3 == k).astype(np.float32) for k, name in enumerate("abc")}
    table = table_of(**columns, y=np.array(list("bca"))[rows % 3])
    windows = make_windows(table, spec_of(features=tuple("abc"), horizon=0, seq_len=12))
    *_, header, arrays = scene_of({"head": "per_step"}, windows)
    show = "(scene) => window.stage.show(Uint8Array.from(atob(scene), (one) => one.charCodeAt(0)))"
    stage.evaluate(show, packed(header, arrays))
    wait_until(stage, "window.stage.state.scene.symbols !== null")
    draw(stage)
    end, free = stage.evaluate(room)
    assert end <= free


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), SIZES)
@pytest.mark.parametrize("comparing", [False, True])
def test_the_name_of_a_model_is_as_large_as_it_can_be_read_or_left_out(
    new_stage: Callable[..., Page], size: tuple[int, int], scheme: str, comparing: bool
):
    page = new_stage(size=size, scheme=scheme)
    press(page, "p")
    name = "The forget gate's initial bias: " + "bias = 1, " * 6
    page.evaluate(f"window.stage.state.scene.model = {json.dumps(name)}")
    set_state(page, unit=3, compare={"kind": "start"} if comparing else None)
    for caption in page.locator(".stage-half:visible .cell-caption").all():
        letters = caption.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a")
        assert letters >= (7.5 if size[1] < 500 else 12)
        assert caption.text_content().endswith("unit 3")


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), SIZES)
def test_the_bar_tells_the_epoch_whole_and_the_depths_are_on_no_equation(
    new_stage: Callable[..., Page], size: tuple[int, int], scheme: str
):
    page = new_stage(size=size, scheme=scheme)
    for large in (False, True):
        if large:
            press(page, "p")
        assert page.evaluate(
            "[...document.querySelectorAll('.stage-caption output')].every((one) => one.scrollWidth <= one.clientWidth)"
        )
        set_state(page, compare={"kind": "start"})
        equations = page.locator(".stage-half:visible .cell-equation").evaluate_all(
            "all => all.map((one) => { const b = one.getBoundingClientRect(); return [b.right, b.bottom, b.left]; })"
        )
        for box in [one.bounding_box() for one in page.locator(".stage-half:visible .levels-buttons").all()]:
            for right, bottom, left in equations:
                apart = right <= box["x"] or bottom <= box["y"] + 2 or left >= box["x"] + box["width"]
                assert apart
        set_state(page, compare=None)


@pytest.mark.slow
def test_what_is_told_of_a_new_moment_is_not_on_the_open_menu(stage: Page):
    stage.evaluate(
        "window.stage.talk.restored.then(() => window.stage.talk.put({ title: 'T', moments: [], scenes: [] }))"
    )
    note, menu = stage.locator(".stage-talk-note"), stage.locator(".stage-menu-talk")
    press(stage, "m")
    expect(note).to_contain_text("Moment 1 added")
    stage.get_by_role("button", name="Talk", exact=True).click()
    expect(note).to_be_hidden()
    press(stage, "m")
    expect(menu.locator("[role=status]")).to_contain_text("Moment 2 added")
    expect(note).to_be_hidden()
    with stage.context.expect_page() as opened:
        menu.get_by_role("button", name="Notes window").click()
    notes = opened.value
    box = notes.get_by_role("button", name="Clock to zero").bounding_box()
    assert box["height"] < 60 and box["y"] > notes.evaluate("innerHeight") / 2
    notes.close()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), SIZES)
def test_the_list_of_keys_is_seen_whole_and_the_networks_words_stay_in_its_boxes(
    new_stage: Callable[..., Page], size: tuple[int, int], scheme: str
):
    page = new_stage("?compare=start", size, scheme)
    set_state(page, level=0)
    wait_until(page, "window.stage.state.settled === 0")
    if size[1] > 500:
        press(page, "?")
        assert page.locator(".stage-help").evaluate("one => one.scrollHeight <= one.clientHeight + 1")
        press(page, "?")
    outside = """() => [...document.querySelectorAll('.stage-half:not([hidden]) .levels-network')].flatMap((one) => {
      const { left, right } = one.closest('.stage-cell').getBoundingClientRect();
      const boxes = [...one.querySelectorAll(':scope > .levels-box')].map((box) => box.getBoundingClientRect());
      return [...one.querySelectorAll(':scope > text')].filter((text) => {
        const own = text.getBoundingClientRect(), middle = (own.left + own.right) / 2;
        const around = boxes.filter((box) => middle > box.left && middle < box.right && own.top > box.top);
        const cut = around.some((box) => own.bottom < box.bottom && (own.left < box.left || own.right > box.right));
        return cut || own.left < left || own.right > right;
      }).map((text) => text.textContent);
    })"""
    assert page.evaluate(outside) == []
