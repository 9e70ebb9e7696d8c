"""Gestures on the stage that its browser tests share, in the app and on the page of its own (stage_page.py)."""

from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from pages.shared.components.wire import pack
from tests.browser.tab import Tab
from tests.factories import MODELS, labelled, scene_of, wave

__all__ = ["MODELS", "labelled", "scene_of", "wave"]  # scenes of small models, for the stage's tests

DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SET = """async (fields) => {
  const { state } = window.stage;
  state.set(fields);
  state.notify();
  while (state.frame) await new Promise(requestAnimationFrame); // what was worked out only then
}"""
HOSTILE = "</script><img src=x onerror='window.hacked = 1'>"


def open_stage(tab: Tab, query: str = "") -> Page:
    tab.page.add_init_script("try { sessionStorage.setItem('lstm-stage-depth', 'cell') } catch {}")  # no newcomer
    tab.page.goto(f"{tab.address}/stage{query}")
    expect(tab.page.locator(".stage-bar")).to_be_visible()
    expect(tab.page.locator("[data-part=f]").first).to_be_visible()
    return tab.page


def begin_anew(page: Page) -> None:
    """On the page of its own: a new stage with the example, as if the page had just been opened."""
    page.mouse.move(0, 0)
    page.emulate_media(reduced_motion="reduce")  # zooms take their time with new_stage and in the tests of them
    page.evaluate("window.beginAnew()")
    draw(page)


def packed(header: dict, arrays: list[np.ndarray]) -> str:
    """The message of a scene (scene.scene's), as text."""
    return base64.b64encode(pack({"id": "test", "link": {}} | header, arrays)).decode()


def mount(page: Page, header: dict, arrays: list[np.ndarray], titles: dict[str, str] | None = None) -> None:
    """On the page of its own: begin a new stage with this scene. titles: other names of the gates."""
    page.evaluate("([scene, titles]) => window.put(scene, titles)", [packed(header, arrays), titles])
    draw(page)


def set_state(page: Page, **fields: Any) -> None:
    """On the page of its own: choose what is shown, whatever the gesture would be, and draw it."""
    page.evaluate(SET, fields)


def state(page: Page, name: str) -> Any:
    """On the page of its own: what is chosen."""
    return page.evaluate("(name) => window.stage.state[name]", name)


def draw(page: Page) -> None:
    """Wait until what was set is drawn."""
    page.evaluate(DRAWN)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    draw(page)


def values(page: Page, side: int = 0) -> dict[str, float]:
    """The number that each part of one side's cell tells a screen reader: f, i, g, o, c, h."""
    parts = page.locator(f".stage-half:nth-child({side + 1}) [data-part]")
    labels = parts.evaluate_all("parts => parts.map((part) => [part.dataset.part, part.getAttribute('aria-label')])")
    numbers = {name: re.search(r"([−-]?[\d.]+)$", label) for name, label in labels if name in "figoch"}
    return {name: float(found[1].replace("−", "-")) for name, found in numbers.items()}


def exported(page: Page) -> bytes:
    """On the page of its own: the stage as a page that plays, and is a variable of that page, too."""
    made = page.evaluate("async () => (await import('/modules/stage/export/html_export.js')).asPage(window.stage)")
    return made.replace("const stage = new", "const stage = window.stage = new").encode()


def names(page: Page) -> list[str]:
    return page.locator(".stage-side-name:visible").all_inner_texts()


def caption(page: Page, which: str) -> str:
    """What stands over the scrubber `time` or `learning`."""
    return page.locator(f".stage-{which} output").inner_text()


def pull(page: Page, which: str, place: int) -> None:
    """Move the scrubber `time` or `learning`, and let go of it."""
    page.locator(f".stage-{which} input").fill(str(place))
    page.locator(f".stage-{which} input").blur()
    draw(page)


def last(page: Page, which: str) -> int:
    return int(page.locator(f".stage-{which} input").get_attribute("max"))


def choose(page: Page, title: str) -> None:
    """Open the menu of comparisons and take one."""
    page.get_by_role("button", name="Compare two cells").click()
    page.locator(".stage-menu-compare button", has_text=title).click()
    draw(page)


def unscrolled(page: Page) -> bool:
    """Whether all of the stage is within the window."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.stage > div:not([hidden], .stage-spoken)')].every((part) => {
             const { left, top, right, bottom } = part.getBoundingClientRect();
             return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
           })"""
    )
