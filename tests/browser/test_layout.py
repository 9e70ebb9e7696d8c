"""What the look of every page keeps: titles, room for numbers and names on a narrow screen, a focus that is seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab

NARROW = (853, 480)  # 1280 × 720 at 150 %
# Buttons, tabs, labels and fields that show only a part of their text, or stand outside the page.
CUT = """() => {
  const main = document.querySelector("[data-testid=stMain]"), { right } = main.getBoundingClientRect();
  const parts = main.querySelectorAll("button, label p, [role=tab], [data-tag], h1, h4, a");
  return [...parts].filter((part) => {
    const box = part.getBoundingClientRect();
    if (!box.width || !part.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    const clipped = [part, ...part.querySelectorAll("*")].some((node) =>
      node.children.length === 0 && node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0);
    return clipped || box.right > right + 1;
  }).map((part) => part.textContent.slice(0, 40));
}"""

TOPS = "(keys) => keys.map((key) => document.querySelector(`.st-key-${key} input`).getBoundingClientRect().top)"

ALL = ("Data", "Model", "Gates", "Lessons", "Sweep")
SLOW = [pytest.param(size, ALL, marks=pytest.mark.slow) for size in ((900, 700), NARROW)]


@pytest.fixture(scope="module")
def visitor(module_tab: Tab) -> Tab:
    return module_tab.open("model")


@pytest.fixture
def tab(visitor: Tab) -> Tab:
    """One visitor at a laptop, on the page that the test before needed; before the first test, on Model."""
    visitor.page.set_viewport_size({"width": 1280, "height": 720})
    return visitor


@pytest.mark.slow
def test_the_focus_on_a_link_of_the_sidebar_is_seen(tab: Tab):
    tab.page.keyboard.press("Tab")
    for _ in range(12):
        if tab.page.evaluate("document.activeElement.matches('[data-testid=stSidebarNavLink]')"):
            break
        tab.page.keyboard.press("Tab")
    style = "const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]"
    assert tab.page.evaluate(f"() => {{ {style} }}") == ["solid", 3]


@pytest.mark.slow
def test_six_digits_are_seen_whole(tab: Tab):
    field = tab.go("Model").widget("hidden_size").locator("input")
    before = field.input_value()
    field.fill("100000")
    assert field.evaluate("(input) => input.scrollWidth <= input.clientWidth")
    field.fill(before)


@pytest.mark.slow
def test_labels_of_one_row_are_level(tab: Tab):
    pairs = {"Model": [("hidden_size", "num_layers"), ("forget_bias", "chrono_t_max")]}
    pairs |= {"Train": [("epochs", "max_grad_norm")], "Data": [("seq_len", "horizon")]}
    for title, rows in pairs.items():
        tab.go(title)
        for row in rows:
            one, other = tab.page.evaluate(TOPS, row)  # at one moment: something above may still come or go
            assert abs(one - other) < 1, row


@pytest.mark.parametrize(("size", "titles"), [(NARROW, ("Data",)), *SLOW])
def test_nothing_is_cut_off_on_a_narrow_screen(tab: Tab, size, titles, subtests: pytest.Subtests):
    tab.page.set_viewport_size({"width": size[0], "height": size[1]})
    for title in titles:
        with subtests.test(title):
            tab.go(title)
            assert tab.page.evaluate(CUT) == []
            wide = "(e) => e.scrollWidth > e.clientWidth"
            assert not tab.page.locator("[data-testid=stMain]").evaluate(wide), "the page scrolls sideways"


@pytest.mark.slow
def test_the_browsers_title_names_page_data_and_model(tab: Tab):
    tab.go("Train")
    expect(tab.page).to_have_title("Train · Sunspots · LSTM 16 – LSTM Playground")
    tab.go("Data").upload(
        "demand.csv", b"day,load\n" + b"\n".join(b"2020-01-%02d,%d" % (k, k % 5) for k in range(1, 29))
    )
    expect(tab.page).to_have_title("Data · demand.csv · LSTM 16 – LSTM Playground")
    tab.go("Gates")
    expect(tab.page).to_have_title("Gates · Sunspots · LSTM 16 – LSTM Playground")
