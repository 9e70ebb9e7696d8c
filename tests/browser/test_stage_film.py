"""Films: what plays, recorded frame by frame through the Export menu, and the stage as it was afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import films
from tests.browser.on_stage import MODELS, draw, open_stage, packed, scene_of, set_state, state
from tests.browser.tab import Tab, wait_until

SIZES = [(1280, 720), (1920, 1080)]
SHOWN = ["step", "unit", "snapshot", "stage", "playing", "learning", "level", "backward", "part", "speed", "filming"]
LOOK = """() => {
  const drawings = [...document.querySelectorAll('.stage-cell > svg')].filter((one) => one.checkVisibility());
  return [...document.querySelectorAll('.stage canvas')].map((one) => one.toDataURL())
    .concat(drawings.map((one) => one.outerHTML.replaceAll(/cell-valve-\\d+/g, '')));
}"""
SHOW = "(base64) => window.stage.show(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)))"
SETTLED = """() => {
  const { state, element } = window.stage, moving = element.getAnimations({ subtree: true });
  if (moving.some((one) => one.effect.target.closest('.stage-cell'))) return false;
  return state.settled === state.level && !state.working;
}"""
PLAIN = {"unit": 0, "part": None, "compare": None, "backward": False, "level": 2, "heatmap": None, "ahead": None}
CASES = {
    "the cell": {},
    "all units": {"unit": None},
    "an opened gate": {"part": "f"},
    "the cell state opened": {"part": "c"},
    "a comparison": {"compare": {"kind": "start"}},
    "backward": {"backward": True},
    "the network": {"level": 0},
    "a layer unrolled": {"level": 1},
    "one map": {"heatmap": "h"},
    "going on": {"ahead": {"rows": 30, "all": True, "others": "held"}},
}


@pytest.fixture
def page(stage: Page) -> Page:
    return stage


def settle(page: Page) -> None:
    """Wait until camera, computations and everything that moves have come to rest."""
    wait_until(page, SETTLED)
    draw(page)


def test_six_steps_make_a_film_without_a_gap(page: Page):
    set_state(page, step=7)
    settle(page)
    before = {name: state(page, name) for name in SHOWN}
    look = page.evaluate(LOOK)
    films.open_panel(page)
    films.choose(page, From_step="3", to_step="8", Speed="8")
    frames = 36  # six steps, 32 a second, and a second for the last one
    assert f"{frames} frames" in page.locator(".film-panel p").inner_text()
    name, content = films.record(page)
    film = films.read_webm(content)
    assert name == "lstm-stage-720p.webm" and film.size == (1280, 720)
    assert len(film.frames) == frames and min(film.frames) > 0 and film.keys[0] == 0
    assert film.times == pytest.approx([k / 30 for k in range(frames)], abs=1e-6)
    assert film.duration == pytest.approx(frames / 30, abs=1e-6)
    settle(page)
    assert {name: state(page, name) for name in SHOWN} == before
    assert page.evaluate(LOOK) == look
    assert page.locator(".film-cover, .film-captions").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), [(SIZES[0], "light"), (SIZES[1], "dark")], ids=["720p", "1080p"])
def test_a_frame_is_the_screen(new_stage: Callable[..., Page], size: tuple[int, int], scheme: str):
    page, found = new_stage(size=size, scheme=scheme), {}
    for case, fields in CASES.items():
        set_state(page, **PLAIN | fields)
        settle(page)
        screen, frame = films.screen_and_frame(page, size, 12, "A line of one’s own")
        found[case] = films.share_noticed(screen, frame)
    assert all(share < 0.02 for share in found.values()), found


@pytest.mark.slow
@pytest.mark.parametrize(("size", "file"), [(SIZES[0], "VP9"), (SIZES[1], "H.264")], ids=["720p", "1080p"])
def test_a_decoded_frame_is_the_screen(new_stage: Callable[..., Page], size: tuple[int, int], file: str):
    page = new_stage(scheme="dark" if size[1] == 720 else "light")
    films.open_panel(page)
    if not page.locator(f".film-panel option[value='{file}']").count():
        pytest.skip(f"this Chromium encodes no {file}")
    films.choose(page, From_step="10", to_step="13", Size=str(SIZES.index(size)), File=file, First_line="Of four steps")
    name, content = films.record(page)
    film = films.read_webm(content) if file == "VP9" else films.read_mp4(content)
    assert film.size == size and len(film.frames) == 60
    for at, step in ((0.2, 9), (0.7, 11), (1.9, 12)):
        played = films.play(page, name, content, at)
        assert (played["width"], played["height"]) == size and played["currentTime"] == pytest.approx(at)
        assert played["duration"] == pytest.approx(2, abs=1e-3)
        screen, _ = films.screen_and_frame(page, size, step, "Of four steps")
        assert max(films.shares_noticed_decoded(screen, played["picture"])) < 0.02


@pytest.mark.slow
def test_nothing_jumps_between_two_steps(page: Page):
    """What eases on the screen eases in the film, by the film's clock however long a frame takes."""
    page.emulate_media(reduced_motion="no-preference")
    widths = page.evaluate("""async () => {
      const { Studio } = await import('/modules/stage/film/studio.js'), studio = new Studio(window.stage), found = [];
      const flow = () => parseFloat(getComputedStyle(document.querySelector('.cell-line')).strokeWidth);
      await studio.enter({ width: 1280, height: 720 }, {}, () => {});
      const begin = performance.now();
      for (let frame = 0; frame < 16; frame++) {
        await studio.show({ step: frame < 8 ? 1 : 5 }, begin + frame * 1000 / 30);
        found.push(flow());
        await new Promise((done) => setTimeout(done, 40));
      }
      await studio.leave();
      return found;
    }""")
    still, moving, after = widths[7], widths[8:12], widths[12:]
    assert moving[0] == still and len(set(moving)) == 4 and len(set(after)) == 1
    assert sorted(moving, reverse=after[0] < still) == moving


@pytest.mark.slow
@pytest.mark.parametrize("way", ["button", "Escape"])
def test_a_cancelled_film_leaves_the_stage_as_it_was(page: Page, way: str):
    set_state(page, step=7, playing=False)
    settle(page)
    before, look = {name: state(page, name) for name in SHOWN}, page.evaluate(LOOK)
    films.open_panel(page)
    page.locator(".film-record").click()
    expect(page.locator(".film-progress [role=status]")).to_contain_text("Frame")
    page.keyboard.press("ArrowRight")  # the keys are the film's meanwhile
    page.get_by_role("button", name="Cancel").click() if way == "button" else page.keyboard.press("Escape")
    expect(page.locator(".stage-menu-film [role=status]")).to_have_text("Cancelled: nothing was saved.")
    settle(page)
    assert {name: state(page, name) for name in SHOWN} == before
    assert page.evaluate(LOOK) == look


@pytest.mark.slow
def test_what_was_touched_is_in_the_film(page: Page):
    raised = page.evaluate(
        "Array.from(window.stage.state.scene.series[0].values, (value, t) => value + (t > 5 ? 60 : 0))"
    )
    settle(page)
    _, before = films.screen_and_frame(page, SIZES[0], 9)
    set_state(page, edits={"series": {"0": raised}, "symbols": None})
    settle(page)
    screen, frame = films.screen_and_frame(page, SIZES[0], 9)
    assert films.share_noticed(screen, frame) < 0.02
    assert films.share_noticed(frame, before) > 0.02


@pytest.mark.slow
def test_a_browser_without_an_encoder_is_told(page: Page):
    page.evaluate("() => { window.encoder = window.VideoEncoder; delete window.VideoEncoder; }")
    try:
        page.get_by_role("button", name="Export").click()
        page.locator(".stage-menu-export button", has_text="Film").click()
        expect(page.locator(".stage-menu-film [role=status]")).to_contain_text("cannot encode a film")
        expect(page.locator(".film-record")).to_be_disabled()
    finally:
        page.evaluate("() => { window.VideoEncoder = window.encoder; }")


@pytest.mark.slow
def test_a_step_that_is_none_is_refused(page: Page):
    films.open_panel(page)
    for wrong in ("0", "25", "1.5", ""):
        films.choose(page, to_step=wrong)
        expect(page.locator(".film-panel p")).to_have_text("Steps are whole numbers from 1 to 24.")
        expect(page.locator(".film-record")).to_be_disabled()


@pytest.mark.slow
def test_a_new_scene_waits_for_the_end_of_the_film(page: Page):
    *_, header, arrays = scene_of(MODELS["plain"])
    films.open_panel(page)
    films.choose(page, Speed="8")
    page.locator(".film-record").click()
    expect(page.locator(".film-progress [role=status]")).to_contain_text("Frame")
    page.evaluate(SHOW, packed(header | {"id": "later"}, arrays))
    assert page.evaluate("window.stage.state.scene.id") != "later"
    expect(page.locator(".stage-menu-film [role=status]")).to_contain_text("Saved as")
    assert page.evaluate("window.stage.state.scene.id") == "later"


@pytest.mark.slow
def test_learning_plays_epoch_by_epoch(page: Page):
    set_state(page, step=12, snapshot=3)
    settle(page)
    snapshots = page.evaluate("window.stage.state.scene.snapshots.length")
    films.open_panel(page)
    films.choose(page, What_plays="snapshot")
    expect(page.get_by_label("From step")).to_be_hidden()
    _, content = films.record(page)
    film = films.read_webm(content)
    assert len(film.frames) == math.ceil(((snapshots + 1) / 8 + 1) * 30)
    settle(page)
    assert (state(page, "step"), state(page, "snapshot")) == (12, 3)
    begin, end = (films.play(page, "film.webm", content, at)["picture"] for at in (0.05, film.duration - 0.1))
    assert films.share_noticed(begin, end) > 0.05
    set_state(page, snapshot=snapshots, backward=True, menu=None)
    films.open_panel(page)
    assert page.locator(".film-panel option[value=snapshot]").is_disabled()


@pytest.mark.slow
def test_the_app_s_own_page_records_too(tab: Tab):
    """Its policy forbids what a page need not do; a film needs none of that, in stage mode neither."""
    page = open_stage(tab)
    page.get_by_role("button", name="Stage mode (P)").click()
    wait_until(page, "document.fullscreenElement !== null")
    films.open_panel(page)
    films.choose(page, From_step="2", to_step="3")
    _, content = films.record(page)
    assert len(films.read_webm(content).frames) == 45
    assert page.evaluate("document.fullscreenElement?.classList.contains('stage-large')")
    assert tab.complaints == []
