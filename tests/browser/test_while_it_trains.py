"""What a page shows while one run trains on and on: it follows, is never rebuilt, and what was chosen stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from lstm_core.lessons import lessons
from pages.shared.components.wire import bundle
from tests.browser.tab import Tab, wait_until

PLOT = ".st-key-loss_curve .live-plot"
RANGE = f"() => document.querySelector('{PLOT}').plot.xRange"
LAST = f"() => document.querySelector('{PLOT}').plot.lines[0].x.at(-1)"
MAP = ".st-key-weights_map .weight-heatmaps"
PICTURE = f"""() => {{
    const canvas = document.querySelector('{MAP} canvas'), {{ width, height }} = canvas;
    let hash = 0;
    for (const byte of canvas.getContext("2d").getImageData(0, 0, width, height).data) hash = (31 * hash + byte) | 0;
    return hash;
}}"""


@pytest.fixture(scope="module")
def training(module_tab: Tab) -> Iterator[Tab]:
    """One tab, whose run goes on for longer than all tests here; each leaves it on the page that it needed."""
    yield module_tab.open("train").train_on_and_on()
    module_tab.end_run()


@pytest.fixture
def train(training: Tab) -> Tab:
    """The tab on Train."""
    return training if training.heading("Train").is_visible() else training.turn_to("Train")


@pytest.fixture
def gates(training: Tab) -> Tab:
    """The tab on Gates."""
    return training if training.heading("Gates").is_visible() else training.turn_to("Gates")


def area(page: Page) -> tuple[float, float, float, float]:
    """(x, y, width, height) of the plot's own area, without its axes."""
    stage = page.locator(f"{PLOT} .live-plot-stage").bounding_box()
    box = page.evaluate(f"document.querySelector('{PLOT}').plot.box")
    return stage["x"] + box["x"], stage["y"] + box["y"], box["w"], box["h"]


def zoom(page: Page) -> None:
    """Draw a zoom box over the middle of the plot."""
    x, y, width, height = area(page)
    page.mouse.move(x + 0.3 * width, y + 0.2 * height)
    page.mouse.down()
    page.mouse.move(x + 0.6 * width, y + 0.8 * height, steps=8)
    page.mouse.up()
    wait_until(page, f"document.querySelector('{PLOT}').classList.contains('zoomed')")


def test_the_plot_is_never_rebuilt_while_the_run_trains(train: Tab):
    page = train.page
    page.evaluate(
        f"""() => {{
          const plot = document.querySelector('{PLOT}');
          window.first = [plot, ...plot.querySelectorAll('canvas')];
          window.before = plot.plot.redraws;
          window.rebuilt = 0;
          new MutationObserver((all) => {{
            for (const {{ addedNodes }} of all) for (const node of addedNodes) {{
              if (node.nodeType === 1 && (node.matches('{PLOT}') || node.querySelector('{PLOT}'))) window.rebuilt += 1;
            }}
          }}).observe(document.body, {{ childList: true, subtree: true }});
        }}"""
    )
    wait_until(page, f"document.querySelector('{PLOT}').plot.redraws >= window.before + 12")
    assert page.evaluate("window.rebuilt") == 0
    assert page.evaluate(
        f"""() => {{
          const plot = document.querySelector('{PLOT}');
          return [plot, ...plot.querySelectorAll('canvas')].every((node, k) => node === window.first[k]);
        }}"""
    )


@pytest.mark.slow
def test_a_zoom_stays_while_the_curve_grows(train: Tab):
    page = train.page
    zoom(page)
    zoomed, last = page.evaluate(RANGE), page.evaluate(LAST)  # the curve grew on while the mouse moved
    assert 0 < zoomed[0] < zoomed[1] < 0.8 * last
    train.wait_for_step(train.step() + 100)
    assert page.evaluate(RANGE) == zoomed
    page.mouse.move(5, 5)
    x, y, width, height = area(page)
    page.mouse.dblclick(x + 0.5 * width, y + 0.5 * height)
    wait_until(page, f"(last) => ({RANGE})()[1] > last", arg=last)


@pytest.mark.slow
def test_the_choice_of_what_if_and_its_table_stay(gates: Tab):
    gates.widget("view").get_by_text("What if?").click()
    gates.button("what_preset_o0").click()
    altered = gates.page.get_by_text(re.compile("With the output gate clamped to 0, it predicts"))
    expect(altered).to_be_visible()
    gates.button("what_gates").click()
    table = gates.page.get_by_text("hurts most: RMSE")
    expect(table).to_be_visible()
    said = altered.inner_text()
    expect(altered).not_to_have_text(said)  # the next weights say something else
    expect(table).to_be_visible()


@pytest.mark.slow
def test_the_weights_are_repainted_and_never_rebuilt(gates: Tab):
    page = gates.page
    page.get_by_role("radio", name="Weights").click()
    expect(page.locator(f"{MAP} canvas").first).to_be_visible()
    gates.settle()
    page.evaluate(
        f"""() => {{
          window.first = document.querySelector('{MAP} canvas');
          window.rebuilt = 0;
          window.heights = new Set();
          new MutationObserver((all) => {{
            window.heights.add(document.querySelector('{MAP}')?.offsetHeight);
            for (const {{ addedNodes }} of all) for (const node of addedNodes) {{
              if (node.nodeType === 1 && (node.matches('{MAP}') || node.querySelector('{MAP}'))) window.rebuilt += 1;
            }}
          }}).observe(document.body, {{ childList: true, subtree: true, characterData: true }});
        }}"""
    )
    seen = set()
    for _ in range(400):
        seen.add(page.evaluate(PICTURE))
        if len(seen) >= 4:
            break
        page.wait_for_timeout(50)
    assert len(seen) >= 4
    assert page.evaluate(f"window.first === document.querySelector('{MAP} canvas')")
    assert page.evaluate("window.rebuilt") == 0
    assert page.evaluate("window.heights.size") == 1, "the page below jumped"


@pytest.mark.slow
def test_now_goes_on_and_a_chosen_moment_stays(gates: Tab):
    words, slider = (gates.page.locator(f".epoch-slider {part}") for part in ("output", "input"))
    expect(words).to_contain_text("now")
    first = words.inner_text()
    expect(words).not_to_have_text(first)
    slider.press("Home")
    expect(words).to_have_text("untrained")
    progress = gates.page.locator("[data-testid=stSidebar]").get_by_text("of 1,000,000")
    for _ in range(2):  # so often the page has looked at the run again
        seen = progress.inner_text()
        expect(progress).not_to_have_text(seen)
    expect(words).to_have_text("untrained")


@pytest.mark.slow
def test_the_stage_goes_on(training: Tab):
    words = training.turn_to("Stage").page.locator(".stage-learning output")
    expect(words).to_have_text(re.compile("now"))
    first = words.inner_text()
    expect(words).not_to_have_text(first)


@pytest.mark.slow
def test_ones_own_run_goes_on_beside_a_lesson(train: Tab):
    before, own = train.step(), re.search(r"run=([\w-]+)", train.page.url)[1]
    train.turn_to("Lessons").page.locator(".st-key-card_first_lstm a").click()
    expect(train.page.locator("h1")).to_have_text(lessons()["first_lstm"].title)
    train.button("all_lessons").click()
    expect(train.heading("Lessons")).to_be_visible()
    expect(train.turn_to("Train").progress).to_contain_text("of 1,000,000")  # and no longer the lesson's
    train.page.wait_for_url(re.compile(f"run={own}"))
    train.wait_for_live()
    train.wait_for_step(before + 1)


@pytest.mark.slow
def test_a_curve_of_any_length_arrives_thinned(train: Tab):
    train.wait_for_step(2_100)
    assert 500 < len(train.wait_for_points(500)) <= 8_000


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (-1, 19, ["10⁰", "10⁵", "10¹⁰", "10¹⁵"]),  # a loss that diverges
        (-12, -2, ["10⁻¹²", "10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²"]),
        (-2, 0.3, ["0.01", "0.03", "0.1", "0.3", "1"]),
        (-0.2, 0.5, ["1", "1.5", "2", "3"]),
    ],
)
def test_a_log_axis_has_six_ticks_at_most_and_they_are_read(train: Tab, low: float, high: float, ticks: list[str]):
    source = re.sub("^export ", "", bundle("plot_axis.js"), flags=re.MULTILINE)
    found = train.page.evaluate(f"() => {{ {source}\nreturn logTicks({10**low}, {10**high}); }}")
    inside = [tick["text"] for tick in found if 10**low * 0.999 <= tick["value"] <= 10**high * 1.001]
    assert set(ticks) <= set(inside)
    assert len(inside) <= 6
