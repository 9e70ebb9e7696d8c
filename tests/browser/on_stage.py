"""Gestures on the stage that its browser tests share."""

from __future__ import annotations

import base64
import re

from playwright.sync_api import Page, expect

from pages.shared.components.wire import pack
from tests.browser.conftest import Tab

SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

HOSTILE = "</script><img src=x onerror='window.hacked = 1'>"
LOOK = {
    "colors": dict.fromkeys("ifgoch", "#0072B2"),
    "titles": dict.fromkeys("ifgoch", HOSTILE),
    "scales": {"gate": ["rgb(0,0,0)", "rgb(255,255,255)"], "signed": ["rgb(0,0,255)", "rgb(255,0,0)"]},
}
MOUNT = """async ([bytes, look]) => {
  const root = document.querySelector('script[src*="static/js/"]').src.split("static/js/")[0];
  window.modules = `${root}component/pages.shared.components.stage.stage.stage_modules`;
  const { Stage } = await import(`${window.modules}/main.js`);
  const old = document.querySelector(".stage"), element = document.createElement("div");
  element.className = "stage";
  old.replaceWith(element);
  window.stage = new Stage(element, look);
  window.stage.show(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)));
}"""


def mount(page: Page, header: dict, arrays: list) -> None:
    """Put a stage of this scene (scene.scene's) in the place of the app's own."""
    page.evaluate(MOUNT, [base64.b64encode(pack(header | {"link": {}}, arrays)).decode(), LOOK])
    draw(page)


def open_stage(tab: Tab, query: str = "") -> Page:
    tab.open(f"stage{query}")
    page = tab.page
    expect(page.locator(".stage-bar")).to_be_visible()
    expect(page.locator("[data-part=f]").first).to_be_visible()
    return page


def draw(page: Page) -> None:
    """Wait until what was set is drawn."""
    page.evaluate(SETTLED)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    draw(page)


def values(page: Page, side: int = 0) -> dict[str, float]:
    """The number that each part of one side's cell tells a screen reader: f, i, g, o, c, h."""
    found = {}
    for name in "figoch":
        label = page.locator(f".stage-half:nth-child({side + 1}) [data-part={name}]").get_attribute(
            "aria-label"
        )
        found[name] = float(re.search(r"([−-]?[\d.]+)$", label)[1].replace("−", "-"))
    return found


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
