"""A talk on the Stage: moments made with M, gone through with a clicker's keys, kept, saved, and opened again."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.on_stage import HOSTILE, begin_anew, draw, mount, packed, press, set_state, state
from tests.browser.tab import wait_until
from tests.factories import scene_of

NO_TALK = "window.stage.talk.restored.then(() => window.stage.talk.put({ title: 'T', moments: [], scenes: new Map() }))"
FILE = "async () => (await import('/modules/stage/talk/talk_file.js')).write(window.stage.state.talk)"
READ = """async (text) => {
  const { read, TalkError } = await import('/modules/stage/talk/talk_file.js');
  return read(text).then(({ moments }) => moments.length, (error) => {
    if (!(error instanceof TalkError)) throw error; // anything else is a fault of ours
    return error.message;
  });
}"""
QUESTION = {"text": "How much is kept?", "choices": ["none", "half", "all"], "right": 2, "answer": "f is 1."}


@pytest.fixture
def page(stage: Page) -> Page:
    stage.evaluate(NO_TALK)
    draw(stage)
    return stage


def moments(page: Page) -> list[dict]:
    return page.evaluate("window.stage.state.talk.moments")


def add(page: Page) -> None:
    """Press M, and wait until the moment is there."""
    count = len(moments(page))
    press(page, "m")
    wait_until(page, f"window.stage.state.talk.moments.length > {count}")
    draw(page)


def arrive(page: Page, key: str, at: int, asks: bool = False) -> None:
    """Press a key of the clicker, and wait for the moment that it leads to."""
    page.keyboard.press(key)
    wait_until(
        page, f"window.stage.state.giving?.at === {at} && window.stage.state.giving.asks === {str(asks).lower()}"
    )
    draw(page)


def three_moments(page: Page) -> None:
    """Step 4 of all units; step 9 of unit 2 with its forget gate large and stuck open beside it; the first snapshot."""
    set_state(page, step=3, unit=None)
    add(page)
    edit = {"gate": "f", "kind": "clamp", "value": 1, "layer": 0, "direction": 0, "unit": None}
    set_state(page, step=8, unit=2, heatmap="f", compare={"kind": "edit", "edit": edit})
    add(page)
    set_state(page, step=20, unit=1, heatmap=None, compare=None, snapshot=0)
    add(page)


def ask(page: Page, at: int, question: dict | None = QUESTION) -> None:
    page.evaluate("([at, question]) => window.stage.talk.edit(at, { question })", [at, question])
    draw(page)


def talk_file(page: Page) -> dict:
    return json.loads(page.evaluate(FILE))


def test_the_clicker_goes_through_what_was_added_and_esc_returns(page: Page):
    three_moments(page)
    own = [state(page, name) for name in ("step", "unit", "snapshot", "stage")]
    titles = page.evaluate("window.stage.state.talk.moments.map(({ title }) => title)")
    assert "step 4 of 24, all units" in titles[0] and "step 9 of 24, unit 2" in titles[1]
    arrive(page, "PageDown", 0)
    assert state(page, "stage") is True
    assert (state(page, "step"), state(page, "unit"), state(page, "compare")) == (3, None, None)
    arrive(page, "PageDown", 1)
    assert (state(page, "step"), state(page, "unit"), state(page, "heatmap")) == (8, 2, "f")
    assert state(page, "compare")["edit"]["value"] == 1
    expect(page.locator(".stage-cell:visible")).to_have_count(2)
    expect(page.locator(".stage-talk-caption")).to_contain_text("2 / 3")
    arrive(page, "PageDown", 2)
    assert (state(page, "snapshot"), state(page, "heatmap"), state(page, "compare")) == (0, None, None)
    press(page, "PageDown")
    expect(page.locator(".stage-talk-note")).to_contain_text("the last moment")
    arrive(page, "PageUp", 1)
    press(page, "Escape")  # the large map is the moment's, and goes with it
    assert state(page, "giving") is None
    assert [state(page, name) for name in ("step", "unit", "snapshot", "stage")] == own
    expect(page.locator(".stage-talk-caption")).to_be_hidden()
    arrive(page, "PageDown", 1)  # where it was left


def test_a_question_hides_the_stage_until_the_answer(page: Page):
    three_moments(page)
    ask(page, 1)
    arrive(page, "PageDown", 0)
    arrive(page, "PageDown", 1, asks=True)
    card, caption = page.locator(".stage-talk-question"), page.locator(".stage-talk-caption")
    expect(card).to_contain_text("How much is kept?")
    expect(caption).not_to_contain_text("all")
    covered = "([x, y]) => document.elementFromPoint(x, y).closest('.stage-talk-question') !== null"
    for part in (".stage-cell", ".stage-maps"):
        box = page.locator(part).first.bounding_box()
        assert page.evaluate(covered, [box["x"] + box["width"] / 3, box["y"] + box["height"] / 2])
    press(page, "2")
    expect(card.locator("[aria-current]")).to_have_text("half")
    assert state(page, "heatmap") == "f"  # the key answered, and did nothing else
    arrive(page, "PageDown", 1)
    expect(card).to_be_hidden()
    expect(caption).to_contain_text("Not 2. Answer 3: all. f is 1.")
    arrive(page, "PageUp", 1, asks=True)
    arrive(page, "PageUp", 0)
    press(page, "2")  # a gate's key again
    assert state(page, "heatmap") == "f"


def test_a_scene_of_the_page_waits_for_the_end_of_the_talk(page: Page):
    three_moments(page)
    arrive(page, "PageDown", 0)
    _, _, _, _, header, arrays = scene_of({}, None, 5)
    page.evaluate(
        "(text) => window.stage.show(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)))",
        packed(header, arrays),
    )
    draw(page)
    assert page.evaluate("window.stage.state.scene.steps") == 24
    press(page, "Escape")
    assert page.evaluate("[window.stage.state.scene.id, window.stage.state.scene.steps]") == ["test", header["steps"]]


def test_an_empty_talk_says_how_to_begin(page: Page):
    press(page, "PageDown")
    expect(page.locator(".stage-talk-note")).to_contain_text("M adds what is on the stage")
    assert state(page, "giving") is None


def broken(file: dict, change: str) -> object:
    """The file with one thing wrong."""
    first, key = file["moments"][0], file["moments"][0]["scene"]
    match change:
        case "format":
            file["format"] = "talk"
        case "version":
            file["version"] = 2
        case "no moments":
            file["moments"] = []
        case "null moment":
            file["moments"][1] = None
        case "no scenes":
            file["scenes"] = None
        case "other scene":
            first["scene"] = "__proto__"
        case "base64":
            file["scenes"][key] = "?" * 40
        case "cut off":
            file["scenes"][key] = file["scenes"][key][:400]
        case "unit":
            file["moments"][2]["unit"] = 16
        case "step":
            first["step"] = 3.5
        case "compare":
            first["compare"] = "edit-f-7-0-0-all"
        case "touch" | "ahead":
            first[change] = "0.0*x"
        case "backward" | "level":
            first[change] = 3
        case "question":
            first["question"] = {"text": "?", "choices": ["a"], "right": 1, "answer": ""}
        case "title":
            file["title"] = {"toString": "x"}
    return file


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("format", "This file is no talk of the Stage."),
        ("version", "This talk was saved by another version of the Stage."),
        ("no moments", "The talk has no moments."),
        ("null moment", "Moment 2 has no scene in this file."),
        ("no scenes", "The talk has no scenes."),
        ("other scene", "Moment 1 has no scene in this file."),
        ("base64", "The scene of moment 1 is damaged."),
        ("cut off", "The scene of moment 1 is damaged."),
        ("unit", "Moment 3 has a unit that its scene cannot show."),
        ("step", "Moment 1 has a step that its scene cannot show."),
        ("compare", "Moment 1 has a compare that its scene cannot show."),
        ("touch", "Moment 1 has a changed input that its scene cannot show."),
        ("ahead", "Moment 1 has a continuation that its scene cannot show."),
        ("backward", "Moment 1 has a gradient that its scene cannot show."),
        ("level", "Moment 1 has a depth that its scene cannot show."),
        ("question", "Moment 1 has a question that its scene cannot show."),
        ("title", "The talk has no title that can be shown."),
    ],
)
def test_a_broken_file_is_refused_with_one_sentence(stage_of_module: Page, text: str, change: str, sentence: str):
    assert stage_of_module.evaluate(READ, json.dumps(broken(json.loads(text), change))) == sentence


@pytest.fixture(scope="module")
def text(stage_of_module: Page) -> str:
    """A talk's file."""
    begin_anew(stage_of_module)
    stage_of_module.evaluate(NO_TALK)
    three_moments(stage_of_module)
    return stage_of_module.evaluate(FILE)


@pytest.fixture
def made(page: Page) -> tuple[Page, str]:
    """The page with a talk, and the talk's file."""
    three_moments(page)
    return page, page.evaluate(FILE)


def test_what_is_no_talk_at_all_is_refused(page: Page):
    for text in ("", "<html>", "[]", "null", "7", '{"format": "lstm-stage-talk"'):
        assert "is no talk" in page.evaluate(READ, text)


@pytest.mark.slow
def test_the_file_plays_on_another_stage_as_it_did_here(made: tuple[Page, str], tmp_path: Path):
    page, _ = made
    ask(page, 0, QUESTION | {"text": HOSTILE})
    page.get_by_role("button", name="Talk", exact=True).click()
    with page.expect_download() as download:
        page.locator(".stage-menu-talk").get_by_role("button", name="Save", exact=True).click()
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert len(json.loads(saved)["scenes"]) == 1  # three moments, one scene
    assert "run" not in saved.split('"scenes"')[0]
    before = moments(page)
    _, _, _, _, header, arrays = scene_of({}, None, 5)
    mount(page, header, arrays)
    page.evaluate(NO_TALK)
    path = tmp_path / "talk.json"
    path.write_text(saved, encoding="utf-8")
    page.get_by_role("button", name="Talk", exact=True).click()
    page.locator(".stage-menu-talk input[type=file]").set_input_files(path)
    expect(page.locator(".stage-menu-talk [role=status]")).to_have_text("3 moments. Page Down begins.")
    assert moments(page) == before
    arrive(page, "PageDown", 0, asks=True)
    assert page.evaluate("window.hacked === undefined && !document.querySelector('.stage img')")
    expect(page.locator(".stage-talk-question p")).to_have_text(HOSTILE)
    arrive(page, "PageDown", 0)
    arrive(page, "PageDown", 1)
    assert page.evaluate("window.stage.state.scene.steps") == 24
    assert (state(page, "step"), state(page, "unit")) == (8, 2)


@pytest.mark.slow
def test_a_broken_file_leaves_the_talk_alone(made: tuple[Page, str], tmp_path: Path):
    page, _ = made
    path = tmp_path / "talk.json"
    path.write_text("{}", encoding="utf-8")
    page.get_by_role("button", name="Talk", exact=True).click()
    status = page.locator(".stage-menu-talk [role=status]")
    page.locator(".stage-menu-talk input[type=file]").set_input_files(path)
    expect(status).to_contain_text("3 unsaved moments would be lost")
    page.locator(".stage-menu-talk input[type=file]").set_input_files(path)
    expect(status).to_have_text("This file is no talk of the Stage.")
    assert len(moments(page)) == 3


@pytest.mark.slow
def test_moments_are_edited_moved_and_deleted(made: tuple[Page, str]):
    page, _ = made
    page.get_by_role("button", name="Talk", exact=True).click()
    rows = page.locator(".stage-talk-list > li")
    rows.nth(0).get_by_role("button", name="Title, question, notes").click()
    form = page.locator(".stage-talk-form")
    form.get_by_label("Title").fill("The beginning")
    form.get_by_label("Question to the audience").fill("Why?")
    form.get_by_label("Choice 1", exact=True).fill("So")
    form.get_by_label("Choice 3", exact=True).fill("Otherwise")
    form.get_by_label("Choice 3 is right").check()
    form.get_by_label("Answer").fill("See there.")
    form.get_by_label("Notes").fill("Slowly.\nMPL")  # keys that would do something on the stage
    form.get_by_label("Title").focus()
    first = moments(page)[0]
    assert (first["title"], first["notes"]) == ("The beginning", "Slowly.\nMPL")
    assert first["question"] == {"text": "Why?", "choices": ["So", "Otherwise"], "right": 1, "answer": "See there."}
    expect(rows.nth(0)).to_contain_text("The beginning")
    rows.nth(0).get_by_role("button", name="Later").click()
    rows.nth(2).get_by_role("button", name="Delete").click()
    assert [moment["title"] for moment in moments(page)][1] == "The beginning" and len(moments(page)) == 2
    rows.nth(1).get_by_role("button", name="The beginning").click()
    wait_until(page, "window.stage.state.giving?.at === 1")
    expect(page.locator(".stage-talk-question")).to_contain_text("Why?")


@pytest.mark.slow
def test_the_notes_window_tells_what_the_audience_does_not_see(made: tuple[Page, str]):
    page, _ = made
    ask(page, 1)
    page.evaluate("window.stage.talk.edit(0, { notes: 'Wait here.' })")
    page.get_by_role("button", name="Talk", exact=True).click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Notes window").click()
    notes = opened.value
    notes.keyboard.press("PageDown")  # a clicker's key goes to the window in front
    wait_until(page, "window.stage.state.giving?.at === 0")
    expect(notes.locator(".notes")).to_have_text("Wait here.")
    expect(notes.locator(".next")).to_contain_text("(a question)")
    expect(notes.locator("time")).to_contain_text("0:0")
    arrive(page, "PageDown", 1, asks=True)
    expect(notes.locator(".asked")).to_contain_text("Page Down shows: Answer 3: all. f is 1.")
    expect(notes.locator(".next")).to_have_text("Next: the answer")
    page.evaluate("window.stage.stop()")
    wait_until(page, "true")
    assert notes.is_closed() or notes.wait_for_event("close") is not None


@pytest.mark.slow
def test_where_pop_ups_are_blocked_one_sentence_tells_it(made: tuple[Page, str]):
    page, _ = made
    page.evaluate("window.open = () => null")
    page.get_by_role("button", name="Talk", exact=True).click()
    page.get_by_role("button", name="Notes window").click()
    expect(page.locator(".stage-menu-talk [role=status]")).to_contain_text("allow pop-ups for this page")
    arrive(page, "PageDown", 0)


@pytest.mark.slow
def test_a_talk_outlives_the_page(made: tuple[Page, str]):
    page, _ = made
    before = moments(page)
    page.wait_for_timeout(300)  # the browser writes behind
    page.reload()
    expect(page.locator("[data-part=f]").first).to_be_visible()
    wait_until(page, "window.stage.state.talk.moments.length === 3")
    assert moments(page) == before
    arrive(page, "PageDown", 0)


@pytest.mark.slow
def test_the_html_page_gives_the_talk_from_disk(made: tuple[Page, str], tmp_path: Path, browser: Browser):
    page, _ = made
    ask(page, 1)
    page.get_by_role("button", name="Talk", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="HTML page").click()
    path = tmp_path / "talk.html"
    path.write_bytes(Path(download.value.path()).read_bytes())
    context = browser.new_context(offline=True)
    other, errors = context.new_page(), []
    other.on("pageerror", lambda error: errors.append(str(error)))
    other.goto(path.as_uri())
    wait_until(other, "document.querySelector('.stage-bar') !== null")
    other.locator(".stage").click(position={"x": 5, "y": 5})
    other.get_by_role("button", name="Talk", exact=True).click()
    expect(other.locator(".stage-talk-list li")).to_have_count(3)
    other.keyboard.press("PageDown")
    expect(other.locator(".stage-talk-caption")).to_contain_text("1 / 3")
    other.keyboard.press("PageDown")
    expect(other.locator(".stage-talk-question")).to_contain_text("How much is kept?")
    other.keyboard.press("PageDown")
    expect(other.locator(".stage-talk-caption")).to_contain_text("Answer 3: all.")
    assert errors == []
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(900, 700), (1280, 720), (1920, 1080)])
def test_a_talk_fits_the_screen(new_stage: Callable[..., Page], size: tuple[int, int], scheme: str):
    page = new_stage(size=size, scheme=scheme)
    page.evaluate(NO_TALK)
    three_moments(page)
    ask(page, 0)
    places = []
    for at, asks in ((0, True), (0, False), (1, False), (2, False)):
        arrive(page, "PageDown", at, asks)
        parts = ".stage-talk-caption, .stage-top, .stage-middle, .stage-below, .stage-bar, .stage-bar button"
        boxes = page.locator(parts).evaluate_all("all => all.map((one) => one.getBoundingClientRect().toJSON())")
        assert all(box["left"] >= 0 and box["right"] <= size[0] and box["bottom"] <= size[1] for box in boxes)
        rows = [box for box in boxes if box["width"] > size[0] / 2]
        rows.sort(key=lambda box: box["top"])
        assert all(above["bottom"] <= below["top"] + 1 for above, below in pairwise(rows))
        places.append([(box["top"], box["bottom"]) for box in rows])
    assert all(place == places[0] for place in places)  # nothing jumps
