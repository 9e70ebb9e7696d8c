"""A dropped file becomes a forecast past its end; what is typed or dropped for the rows to come moves it."""

from __future__ import annotations

import re
from contextlib import suppress

import numpy as np
import pytest
from playwright.sync_api import TimeoutError, expect

from tests.browser.tab import PATIENCE, Tab, wait_until

ROWS = 120
LAST = "2019-12-01"
PALE = "forecast before the change"
# The x or y values of the line of this name, as Plotly has decoded them.
VALUES = """([key, name, axis]) => {
  const line = document.querySelector(`.st-key-${key} .js-plotly-plot`)?._fullData?.find((one) => one.name === name);
  return line ? Array.from(line[axis]) : [];
}"""


def monthly_csv() -> bytes:
    """Ten years of a season of twelve months that a promotion moves."""
    t, rng = np.arange(ROWS), np.random.default_rng(1)
    promo = 10 + rng.normal(size=ROWS)
    sales = 100 + 20 * np.sin(2 * np.pi * t / 12) - 3 * (promo - 10) + rng.normal(size=ROWS)
    months = np.datetime64("2010-01", "M") + t
    cells = zip(months, promo, sales, strict=True)
    return "\n".join(["month,promo,sales", *(f"{m}-01,{p:.2f},{s:.2f}" for m, p, s in cells)]).encode()


def values(tab: Tab, name: str, axis: str = "y", key: str = "forecast_picture") -> list:
    return tab.page.evaluate(VALUES, [key, name, axis])


def wait_for_line(tab: Tab, name: str) -> None:
    wait_until(tab.page, f"(arguments) => ({VALUES})(arguments).length > 0", ["forecast_picture", name, "y"])


def wait_for_forecast(tab: Tab) -> None:
    """The training has ended, and what it leads to is on the page."""
    expect(tab.page.locator("[data-testid=stSidebar]")).to_contain_text("Trained", timeout=4 * PATIENCE)
    expect(tab.page.locator("[data-testid=stMain]")).to_contain_text("test windows:", timeout=2 * PATIENCE)
    wait_for_line(tab.settle(), "forecast")


@pytest.mark.slow
def test_a_dropped_file_becomes_dates_past_its_end_with_bands_that_say_how_often_they_held(tab: Tab):
    tab.open().upload("sales.csv", monthly_csv())
    tab.button("train").click()
    expect(tab.page.locator("[data-testid=stSidebar]")).to_contain_text(re.compile("Training|Trained"))
    tab.turn_to("Forecast")
    wait_for_forecast(tab)
    assert [str(x)[:10] for x in values(tab, "forecast", "x")][:2] == [LAST, "2020-01-01"]
    assert len(values(tab, "forecast")) == 1 + 12  # a season, and the last row that is known
    assert len(values(tab, "80\u202f% band")) == len(values(tab, "95\u202f% band")) == 1 + 12
    text = tab.text()
    assert re.search(r"It starts from .*: RMSE [\d.]+\. The LSTM makes that [\d.]+\.", text) or "adds nothing" in text
    assert re.search(r"On the test rows the 80 % band held \d+ % of the values \(\d+ windows", text)
    with tab.page.expect_download() as got:
        tab.button("forecast_csv").click()
    lines = got.value.path().read_text().splitlines()
    assert lines[0] == "time,step,forecast,lower_80,upper_80,lower_95,upper_95"
    assert lines[1].startswith("2020-01-01,1,") and len(lines) == 13


def type_first_value(tab: Tab, number: str) -> None:
    """Into the first row of the table of values to come, a canvas, which may miss a click while it is mounted, and
    whose open cell is shut when it is drawn anew."""
    cells, cell = tab.widget("known_future").locator("canvas").first, "#portal input, #portal textarea"
    for _ in range(6):
        cells.scroll_into_view_if_needed()
        box = cells.bounding_box()
        tab.page.mouse.dblclick(box["x"] + 0.75 * box["width"], box["y"] + 54)
        if not tab.comes_true(tab.page.locator(cell).first.is_visible, 1500):
            continue
        tab.page.keyboard.press("Control+A")
        tab.page.keyboard.type(number, delay=30)
        tab.page.keyboard.press("Enter")
        if tab.comes_true(lambda: values(tab, PALE) != [], 5000):
            return
    raise AssertionError("no value that was typed has moved the forecast")


def forecast_promotions(tab: Tab) -> None:
    """The forecast of three rows of a series whose promotions are known ahead."""
    tab.open("data").upload("sales.csv", monthly_csv())
    tab.page.locator("[data-testid=stExpander]", has_text="Time and series").locator("summary").click()
    tab.settle()
    field, option = tab.widget("known_future").locator("input"), tab.page.get_by_role("option", name="promo")
    chosen = tab.widget("known_future").locator("[data-tag]").first
    for _ in range(8):  # the expander remembers that it is open: the page runs again, and shuts an open list
        field.click()
        field.fill("promo")
        with suppress(TimeoutError):
            option.click(timeout=1500)
        if tab.comes_true(chosen.is_visible, 1500):
            break
    expect(chosen).to_have_text(re.compile("promo"))
    tab.page.keyboard.press("Escape")
    tab.settle().fill("horizon", 3).go("Train").press("train")
    expect(tab.progress).to_contain_text(re.compile("Training|Trained"))
    tab.turn_to("Forecast")
    wait_for_forecast(tab)


@pytest.mark.slow  # in the fast tests tests/pages/test_forecast.py edits the table
def test_a_value_that_is_typed_or_dropped_moves_the_forecast(tab: Tab):
    forecast_promotions(tab)
    before = values(tab, "forecast")
    type_first_value(tab, "20")
    tab.settle()
    assert values(tab, PALE) == before and values(tab, "forecast") != before
    expect(tab.page.locator("[data-testid=stMain]")).to_contain_text("With the values that you give, the forecast")
    tab.press("forget_known")
    assert values(tab, PALE) == [] and values(tab, "forecast") == before
    plan = {"name": "plan.csv", "mimeType": "text/csv", "buffer": b"month,promo\n2020-01-01,20\n2020-02-01,5\n"}
    tab.widget("known_csv").locator("input[type=file]").set_input_files(plan)
    expect(tab.page.locator("[data-testid=stMain]")).to_contain_text("2 rows of 'plan.csv' give values of 'promo'.")
    tab.settle()
    assert values(tab, PALE) == before and values(tab, "forecast") != before


@pytest.mark.slow
def test_an_input_that_is_dragged_moves_the_forecast_under_the_hand(tab: Tab):
    forecast_promotions(tab)
    before, strips = values(tab, "forecast"), tab.page.locator(".future-strips canvas")
    strips.scroll_into_view_if_needed()
    box, mouse = strips.bounding_box(), tab.page.mouse
    marked = ".st-key-known_future [data-testid=stDataFrame]"
    tab.page.evaluate(f"document.querySelector('{marked}').marked = true")
    mouse.move(box["x"] + box["width"] - 12, box["y"] + 60)
    mouse.down()
    mouse.move(box["x"] + box["width"] - 12, box["y"] + 30, steps=5)
    wait_for_line(tab, PALE)  # the hand still holds it
    assert values(tab, PALE) == before
    assert tab.page.evaluate(f"document.querySelector('{marked}').marked"), "the table is drawn anew at every move"
    mouse.up()
    tab.settle()
    dragged = values(tab, "forecast")
    assert dragged[:-3] == before[:-3] and dragged[-1] != before[-1]  # three rows are forecast at once
    strips.focus()
    for pressed in 12 * ["ArrowLeft"] + ["ArrowUp"]:
        tab.page.keyboard.press(pressed)
    assert tab.comes_true(lambda: values(tab, "forecast")[1] != before[1], PATIENCE)
    tab.press("forget_known")
    assert values(tab, PALE) == [] and values(tab, "forecast") == before
    tab.go("Train").go("Forecast")
    assert values(tab, PALE) == []


@pytest.mark.slow
def test_while_it_trains_the_page_says_so_and_the_end_draws_it_again(tab: Tab):
    tab.open("train").train_on_and_on()
    tab.turn_to("Forecast")
    main = tab.page.locator("[data-testid=stMain]")
    expect(main).to_contain_text("Drawn from the weights of epoch")
    expect(main).to_contain_text("Training")
    wait_for_line(tab, "forecast")
    plot = ".st-key-forecast_picture .js-plotly-plot"
    tab.page.evaluate(f"document.querySelector('{plot}').marked = true")
    tab.page.wait_for_timeout(3000)  # three looks at the run, none of which draws the picture anew
    assert tab.page.evaluate(f"document.querySelector('{plot}').marked")
    tab.end_run()
    tab.go("Forecast")
    expect(main).not_to_contain_text("Drawn from the weights of epoch")


@pytest.mark.slow
@pytest.mark.parametrize("wait", [0, 8, 16])  # ms between the two clicks
def test_a_page_that_is_opened_right_after_a_click_does_not_undo_it(tab: Tab, wait: int):
    tab.open().upload("sales.csv", monthly_csv())
    both = """(wait) => new Promise((done) => {
      document.querySelector(".st-key-train button").click();
      setTimeout(() => {
        const links = [...document.querySelectorAll("[data-testid=stSidebarNavLink]")];
        links.find((link) => link.textContent.endsWith("Forecast")).click();
        done();
      }, wait);
    })"""
    tab.page.evaluate(both, wait)
    expect(tab.heading("Forecast")).to_be_visible()
    expect(tab.page.locator("[data-testid=stSidebar]")).to_contain_text(
        re.compile("Queued|Training|Trained.*sales.csv")
    )
