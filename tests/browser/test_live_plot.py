"""The live curve under a real mouse: never rebuilt while a run trains, and a zoom stays what it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.stage_page import COMPONENTS
from tests.browser.tab import Tab

PLOT = ".st-key-loss_curve .live-plot"
RANGE = f"() => document.querySelector('{PLOT}')._fullLayout.xaxis.range.slice()"

NEWLINE = "\n"
LAST = f"() => document.querySelector('{PLOT}').data[0].x.at(-1)"


@pytest.fixture(scope="module")
def training(module_tab: Tab) -> Iterator[Tab]:
    """A tab on Train whose run goes on for longer than any test."""
    yield module_tab.open("train").train_on_and_on()
    module_tab.end_run()


def zoom(page: Page) -> None:
    """Draw a zoom box over the middle of the plot."""
    area = page.locator(f"{PLOT} .nsewdrag").first.bounding_box()
    x, y, width, height = (area[side] for side in ("x", "y", "width", "height"))
    page.mouse.move(x + 0.3 * width, y + 0.2 * height)
    page.mouse.down()
    page.mouse.move(x + 0.6 * width, y + 0.8 * height, steps=8)
    page.mouse.up()


def test_the_plot_is_never_rebuilt_while_the_run_trains(training: Tab):
    page = training.page
    page.evaluate(
        f"""() => {{
          const plot = document.querySelector('{PLOT}');
          window.first = [plot, plot.querySelector('.main-svg')];
          window.rebuilt = 0;
          window.updates = 0;
          new MutationObserver((all) => {{
            for (const {{ addedNodes }} of all) for (const node of addedNodes) {{
              if (node.nodeType === 1 && (node.matches('{PLOT}') || node.querySelector('{PLOT}'))) window.rebuilt += 1;
            }}
          }}).observe(document.body, {{ childList: true, subtree: true }});
          plot.on('plotly_afterplot', () => {{ window.updates += 1; }});
        }}"""
    )
    page.wait_for_function("window.updates >= 12")
    assert page.evaluate("window.rebuilt") == 0
    assert page.evaluate(
        f"""() => {{
          const plot = document.querySelector('{PLOT}');
          return plot === window.first[0] && plot.querySelector('.main-svg') === window.first[1];
        }}"""
    )


def test_a_zoom_stays_while_the_curve_grows(training: Tab):
    page = training.page
    zoom(page)
    zoomed, last = page.evaluate(RANGE), page.evaluate(LAST)  # the curve grew on while the mouse moved
    assert 0 < zoomed[0] < zoomed[1] < 0.8 * last
    training.wait_for_step(training.step() + 100)
    assert page.evaluate(RANGE) == zoomed
    page.mouse.move(5, 5)
    page.locator(f"{PLOT} .nsewdrag").first.dblclick()
    page.wait_for_function(f"(last) => ({RANGE})()[1] > last", arg=last)


def test_a_curve_of_any_length_arrives_thinned(training: Tab):
    training.wait_for_step(2_100)
    assert 500 < len(training.curve("training")) <= 2000


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (-1, 19, ["10⁰", "10⁵", "10¹⁰", "10¹⁵"]),  # a loss that diverges
        (-12, -2, ["10⁻¹²", "10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²"]),
        (-2, 0.3, ["0.01", "0.03", "0.1", "0.3", "1"]),
        (-0.2, 0.5, ["1", "1.5", "2", "3"]),
    ],
)
def test_a_log_axis_has_six_ticks_at_most_and_they_are_read(training: Tab, low: float, high: float, ticks: list[str]):
    source = (COMPONENTS / "live_plot.js").read_text()
    functions = source[source.index("function logTicks") :]
    constants = [line for line in source.splitlines() if line.startswith(("const MAX_LOG_TICKS", "const SUPERSCRIPTS"))]
    lines = f"[{{ y: [{10**low}, {10**high}] }}]"
    found = training.page.evaluate(f"() => {{ {NEWLINE.join([*constants, functions])}\nreturn logTicks({lines}); }}")
    inside = [
        text
        for value, text in zip(found["tickvals"], found["ticktext"], strict=True)
        if 10**low * 0.999 <= value <= 10**high * 1.001
    ]
    assert set(ticks) <= set(inside)
    assert len(inside) <= 6
