"""What a person may drop on the page by mistake, or on purpose: one sentence, and nothing is lost or run."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.tab import TITLES, Tab

GOOD = b"day,level\n" + b"".join(b"%d,%.3f\n" % (day, np.sin(day / 3)) for day in range(200))
BAD = {  # one that cannot be read, and one that can but teaches nothing
    "picture.csv": b"\x89PNG\r\n\x1a\n" + np.random.default_rng(0).bytes(3000),
    "still.csv": b"level,depth\n" + b"5,7\n" * 60,
}
WORSE = {
    "empty.csv": b"",
    "blanks.csv": b"  \n\n \n",
    "bytes.csv": bytes(range(256)) * 40,
    "archive.csv": b"PK\x03\x04" + bytes(500),
    "header.csv": b"day,level\n",
    "words.csv": b"name,town\nAda,London\nAlan,Wilmslow\nGrace,New York\n",
    "one row.csv": b"day,level\n1,2\n",
}
ALERT = "[data-testid=stAlertContentError]"
# Each asks a careless page for something: a picture, a script, a formula, a colour.
HOSTILE = (
    "<img src=http://127.0.0.1:9/y onerror=window.hacked=1>",
    "$x^2$ `code` **bold**",
    "![x](http://127.0.0.1:9/x.png)",
    ":red[x] :material/home: :smile:",
)
ALL_AT_ONCE = "$x^2$ **b** <img src=http://127.0.0.1:9/y onerror=window.hacked=1> :red[x]"


def alerts(tab: Tab) -> list[str]:
    return [text.strip() for text in tab.page.locator(f"{ALERT} [data-testid=stMarkdownContainer]").all_inner_texts()]


@pytest.fixture(scope="module")
def good(module_tab: Tab) -> Tab:
    """A visitor whose table is a good one."""
    module_tab.open("data").upload("good.csv", GOOD)
    expect(module_tab.page.locator("h4")).to_have_text("good.csv")  # before that, the fields are still another table's
    return module_tab


@pytest.mark.parametrize("files", [BAD, pytest.param(WORSE, marks=pytest.mark.slow)], ids=["some", "more"])
def test_a_bad_file_gets_one_sentence_and_the_table_stays(good: Tab, files: dict, subtests: pytest.Subtests):
    tab = good
    expect(tab.page.get_by_text("A forecast starts from")).to_be_visible()
    windows = tab.page.get_by_text(re.compile("^Windows: ")).inner_text()
    for name, content in files.items():
        with subtests.test(name):
            tab.upload(name, content)
            expect(tab.page.locator(ALERT)).to_contain_text(name)
            (sentence,) = alerts(tab)
            assert sentence.endswith(".")
            assert "\n" not in sentence
            assert tab.page.locator("h4").inner_text() == "good.csv"
            assert tab.page.get_by_text(re.compile("^Windows: ")).inner_text() == windows


@pytest.mark.slow
def test_settings_that_cannot_be_say_so_and_come_back(good: Tab):
    tab = good.upload("good.csv", GOOD)
    expect(tab.page.locator(ALERT)).to_have_count(0)
    tab.fill("seq_len", 5000)
    expect(tab.page.locator(ALERT)).to_contain_text("seq_len")
    tab.go("Train")
    assert len(tab.wait_for_points(50)) >= 50, "the trained example is still there"
    tab.go("Data").fill("seq_len", 12)
    expect(tab.page.get_by_text(re.compile("^Windows: "))).to_contain_text("12 steps")
    assert alerts(tab) == []


@pytest.mark.slow
def test_a_message_goes_when_the_number_that_holds_is_typed_again(good: Tab):
    tab = good.go("Model").fill("hidden_size", 16).fill("proj_size", 16)
    expect(tab.page.locator(ALERT)).to_contain_text("proj_size is 16")
    tab.fill("proj_size", 0)
    expect(tab.page.locator(ALERT)).to_have_count(0)


def hostile_csv(target: str) -> bytes:
    """A series whose every name means something to Markdown, HTML, TeX or Streamlit; `target` comes first."""
    names = [target, *[name for name in HOSTILE if name != target][:3]]  # as many as Gates draws
    rows = [",".join(f"{np.sin(day / (k + 2)):.3f}" for k in range(len(names))) for day in range(120)]
    return ("\n".join([",".join(f'"{name}"' for name in names), *rows]) + "\n").encode()


@pytest.mark.slow  # in the fast tests tests/pages/test_session.py has such classes
def test_hostile_classes_show_as_they_are(good: Tab):
    tab = good.go("Data")
    rows = [f'{day},{np.sin(day * (1 + day // 60)):.3f},"{HOSTILE[day // 60 % 2]}"' for day in range(480)]
    tab.upload("classes.csv", ("day,level,kind\n" + "\n".join(rows) + "\n").encode())
    choose_only(tab, "target", "kind")
    expect(tab.widget("split")).to_contain_text(HOSTILE[0][:10])
    tab.go("Train").train(epochs=1).wait_for_end(epochs=1)
    tab.turn_to("Gates")
    either = re.compile("|".join(verbatim(name).pattern for name in HOSTILE[:2]))
    expect(tab.page.get_by_text(re.compile(": predicted"))).to_contain_text(either)
    assert tab.page.evaluate("window.hacked") is None


def test_hostile_names_fetch_nothing_run_nothing_and_show_as_they_are(good: Tab):
    tab = good
    see_hostile_names(tab, ALL_AT_ONCE)
    tab.page.get_by_role("radio", name="Weights").click()
    tab.page.locator(".weight-heatmaps .heatmap-stage").press("ArrowRight")
    expect(tab.page.locator(".weight-heatmaps .heatmap-readout")).to_contain_text(re.compile("unit 0 ← .*start error"))
    for title in ("Start", "Stage"):  # which draw names by scripts of ours, too
        tab.go(title)
        check_nothing_ran(tab)


@pytest.mark.slow
@pytest.mark.parametrize("target", HOSTILE)
def test_hostile_names_do_nothing_on_any_page(tab: Tab, target: str):
    tab.open("data")
    see_hostile_names(tab, target)
    for title in TITLES[HOSTILE.index(target) % 2 :: 2]:  # each page sees two of the four
        tab.go(title)
        check_nothing_ran(tab)


def see_hostile_names(tab: Tab, target: str) -> None:
    """Upload the table and train on it, looking at where the names stand."""
    file = f"{target.replace('/', '_')}.csv"
    if not tab.heading("Data").is_visible():
        tab.go("Data")
    tab.upload(file, hostile_csv(target))
    expect(tab.page.locator("h4")).to_have_text(verbatim(file))
    expect(tab.widget("target")).to_contain_text(verbatim(target))
    expect(tab.widget("split")).to_contain_text(verbatim(target[:30]))
    expect(tab.widget("one_window")).to_contain_text(verbatim(target[:23]))
    check_nothing_ran(tab)
    tab.go("Train").train(epochs=1).wait_for_end(epochs=1)
    picture = tab.widget("forecast_curve").get_by_role("img").first
    expect(picture).to_have_attribute("aria-label", verbatim(target[:30]))
    check_nothing_ran(tab)
    tab.go("Gates")
    expect(tab.widget("gate_view")).to_contain_text(verbatim(target[:10]))
    check_nothing_ran(tab)


def check_nothing_ran(tab: Tab) -> None:
    """That nothing was fetched is checked by the fixture, for every test."""
    assert tab.page.evaluate("window.hacked") is None
    assert tab.page.locator("img[src*='127.0.0.1:9']").count() == 0


def choose_only(tab: Tab, key: str, option: str) -> None:
    """Make `option` a multiselect's only choice."""
    box = tab.widget(key)
    box.get_by_role("button", name=re.compile("clear", re.I)).or_(
        box.locator("[data-testid=stMultiSelectClearButton]")
    ).first.click()
    tab.settle()
    box.locator("input").click()
    tab.page.get_by_role("option", name=option, exact=True).click()
    tab.page.keyboard.press("Escape")
    tab.settle()


def verbatim(name: str) -> re.Pattern:
    """The name as shown: a page may put an invisible word joiner after a colon."""
    return re.compile(re.escape(name).replace(":", ":\u2060?"))
