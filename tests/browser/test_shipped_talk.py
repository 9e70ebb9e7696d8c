"""The talk that ships, in the app: found among the lessons, given from its first moment to its last and back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tab import Tab, wait_until

STOP = "document.querySelector('.stage-talk-caption:not([hidden])')?.textContent ?? ''"
ASKS = "document.querySelector('.stage-talk-question:not([hidden])') !== null"
# Whether the browser has written down a talk with moments that are saved nowhere else.
KEPT = """() => new Promise((done) => {
  const asked = indexedDB.open("lstm-stage", 1);
  asked.onsuccess = () => {
    const kept = asked.result.transaction("talks").objectStore("talks").get("current");
    kept.onsuccess = () => { asked.result.close(); done(kept.result?.changed === true); };
  };
})"""
BUILDING = 120_000  # ms: the first visitor's talk is made of the lessons' models
# Numbers that could not be computed, and texts that do not fit the line they stand on.
FAULTS = """() => {
  const found = [...document.querySelectorAll('.stage :is(text, output, p, li)')]
    .map((one) => one.textContent).filter((text) => /NaN|undefined|Infinity/.test(text));
  for (const one of document.querySelectorAll('.stage-talk-caption > *, .stage-talk-question')) {
    if (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 3) found.push(one.textContent);
  }
  return found;
}"""


def open_talk(tab: Tab, through: str = "lessons") -> Page:
    page = tab.page
    if through == "lessons":
        tab.open("lessons")
        page.get_by_role("link", name=re.compile("Give a talk")).first.click()
    else:
        page.goto(f"{tab.address}/stage?talk=forty_minutes")
    expect(page.locator(".stage-talk-list li").first).to_be_visible(timeout=BUILDING)
    return page


def stop(page: Page) -> tuple[str, bool]:
    """What the line over the strip tells, and whether a question covers the stage: both of the same frame."""
    return tuple(page.evaluate(f"[{STOP}, {ASKS}]"))


def turn(page: Page, key: str) -> tuple[str, bool]:
    """Press a key of the clicker, and wait for where it leads to."""
    before = stop(page)
    page.keyboard.press(key)
    for _ in range(1000):
        if (now := stop(page)) != before:
            return now
        page.wait_for_timeout(20)
    return before


@pytest.mark.slow
def test_it_is_given_with_the_clicker_to_its_end_and_back(tab: Tab):
    page = open_talk(tab)
    assert "talk=" not in page.url
    tab.requests.clear()
    count = page.locator(".stage-talk-list li").count()
    stops = [turn(page, "PageDown")]
    assert stops[0][0].startswith(f"1 / {count}")
    while True:
        expect(page.locator("[data-part=f]").first).to_be_attached()
        assert page.evaluate(FAULTS) == []
        if stops[-1][0].startswith(f"{count} / {count}") and not stops[-1][1]:
            break
        stops.append(turn(page, "PageDown"))
        assert stops[-1] != stops[-2]
    titles = [re.sub(r"Answer \d.*|✓.*", "", text) for text, _ in stops]
    assert len(set(titles)) == count and sum(asks for _, asks in stops) >= 12
    for expected in stops[-2::-1]:
        assert turn(page, "PageUp") == expected
    assert [url for url in tab.requests if "/talk/forty_minutes" in url] == []  # all of it was there from the start


@pytest.mark.slow
def test_the_page_comes_back_as_it_was_and_a_reload_does_not_open_it_again(tab: Tab):
    page = open_talk(tab, "address")
    scene = page.locator(".stage-spoken").inner_text()
    turn(page, "PageDown")
    turn(page, "PageDown")
    while page.evaluate(STOP):
        page.keyboard.press("Escape")
        page.wait_for_timeout(100)
    expect(page.locator(".stage-spoken")).to_have_text(scene)
    tab.go("Gates").go("Stage")
    expect(page.locator(".stage-bar")).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.locator(".stage-menu-talk")).to_be_hidden()
    page.get_by_role("button", name="Talk", exact=True).click()
    expect(page.locator(".stage-talk-list li").nth(20)).to_be_attached()  # it is kept in the browser


@pytest.mark.slow
def test_a_training_does_not_end_the_talk(tab: Tab):
    page = open_talk(tab, "address")
    page.keyboard.press("Escape")
    tab.go("Train").button("train").click()
    tab.turn_to("Stage")
    expect(page.locator(".stage-bar")).to_be_visible()
    turn(page, "PageDown")
    shown = turn(page, "PageDown")
    values = page.locator("[data-part=c]").first.text_content()
    page.wait_for_timeout(4000)  # the page sends some scenes
    assert stop(page) == shown
    assert page.locator("[data-part=c]").first.text_content() == values
    while page.evaluate(STOP):
        page.keyboard.press("Escape")
        page.wait_for_timeout(100)
    wait_until(page, "!document.querySelector('.stage-learning output').textContent.includes('5,000')")
    tab.go("Train")
    if tab.button("pause").is_enabled():
        tab.button("pause").click()


@pytest.mark.slow
def test_unsaved_moments_are_not_lost_to_a_link(new_tab: Callable[..., Tab]):
    tab = new_tab()
    page = open_talk(tab, "address")
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.locator(".stage-talk-note")).to_contain_text("added")
    wait_until(page, KEPT)  # the browser writes behind
    page.goto(f"{tab.address}/stage?talk=forty_minutes")
    status = page.locator(".stage-menu-talk [role=status]")
    expect(status).to_contain_text("unsaved moments would be lost")
    page.locator(".stage-menu-talk").get_by_role("button", name="The LSTM in forty minutes").click()
    expect(status).to_contain_text("Page Down begins")
