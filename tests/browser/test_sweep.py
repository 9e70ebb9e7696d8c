"""A sweep in a real browser: begun by a click, watched to its end, its trials opened, its winner put on the table."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.tab import PATIENCE, Tab, wait_until

README = Path(__file__).parents[2] / "README.md"

pytest.importorskip("optuna", reason="an extra: requirements-extras.txt")
pytestmark = pytest.mark.extra

# Notes every size that the two live pictures and their place on the page have had, once both are drawn.
WATCH = """() => {
  const places = ["losses", "parallel"].map((name) => `.st-key-sweep_${name}_place`);
  window.seen = new Set();
  const look = () => {
    const parts = places.map((place) => document.querySelector(place));
    if (parts.every((part) => part?.querySelector(".main-svg"))) window.drawn = true;
    if (window.drawn) window.seen.add(parts.map((part) => Math.round(part?.getBoundingClientRect().height)).join());
    if (!window.done) requestAnimationFrame(look);
  };
  look();
}"""


@pytest.mark.slow
def test_a_sweep_is_begun_watched_to_its_end_and_its_winner_is_put_on_the_table(tab: Tab):
    tab.open("sweep?sweep=new")
    for name, value in {"trials": 4, "epochs": 2, "finalists": 2, "seeds": 2, "name": "in the <b>browser</b>"}.items():
        tab.fill(f"sweep_{name}", value)
    tab.fill("search_high_model_hidden_size", 8)
    tab.button("sweep_begin").click()
    controls = tab.widget("sweep_controls")
    expect(controls).to_contain_text(re.compile("Starting|Running"))
    expect(controls).to_contain_text("in the <b>browser</b>")
    tab.page.evaluate(WATCH)
    expect(controls).to_contain_text("Finished", timeout=6 * PATIENCE)
    tab.page.evaluate("() => { window.done = true; }")
    assert len(tab.page.evaluate("() => [...window.seen]")) <= 2  # the caption may take one line more at the end
    tab.settle()
    expect(tab.page.get_by_text(re.compile(r"Trial \d of 4 wins"))).to_be_visible()
    expect(tab.widget("sweep_winner")).to_contain_text("test windows that no trial has seen")
    wait_until(tab.page, "() => document.querySelectorAll('.stPlotlyChart .main-svg').length >= 4")
    tab.press("sweep_open").go("Train")
    expect(tab.progress).to_contain_text("epoch 2 of 2")
    expect(tab.page.get_by_text("A trial of a sweep")).to_be_visible()
    tab.go("Sweep").press("sweep_use_winner")
    expect(tab.page.get_by_text("are on the table. Train")).to_be_visible()
    tab.go("Runs")
    expect(tab.page.get_by_text(re.compile("in the <b>browser</b>: winner"))).to_be_visible()
    tab.go("Sweep").press("sweep_delete")
    expect(tab.button("undo_delete_sweep")).to_be_visible()
    expect(tab.button("sweep_begin")).to_be_visible()


@pytest.mark.slow
def test_a_sweep_is_paused_and_goes_on(tab: Tab):
    tab.open("sweep?sweep=new")
    for name, value in {"trials": 2, "epochs": 1_000_000, "name": "paused"}.items():
        tab.fill(f"sweep_{name}", value)
    tab.button("sweep_begin").click()
    controls = tab.widget("sweep_controls")
    expect(tab.page.get_by_text(re.compile(r"trial 0 at epoch \d"))).to_be_visible(timeout=3 * PATIENCE)
    tab.button("sweep_pause").click()
    expect(controls).to_contain_text("Paused", timeout=2 * PATIENCE)
    tab.button("sweep_go_on").click()
    expect(controls).to_contain_text("Running", timeout=3 * PATIENCE)
    tab.button("sweep_pause").click()
    expect(controls).to_contain_text("Paused", timeout=2 * PATIENCE)
    tab.settle().press("sweep_delete")
    expect(tab.button("sweep_begin")).to_be_visible()


@pytest.mark.skipif("LSTM_PLAYGROUND_SCREENSHOTS" not in os.environ, reason="takes README.md's pictures on request")
def test_take_the_picture_of_the_readme(new_tab: Callable[..., Tab], tmp_path: Path):
    """Of the README's own study, which trains for minutes."""
    study = tmp_path / "study.json"
    study.write_text(re.search(r"<!-- study -->\n```json\n(.*?)```", README.read_text(encoding="utf-8"), re.S)[1])
    tab = new_tab((1440, 900)).open("sweep?sweep=new")
    tab.page.get_by_text("Save or load the study").click()
    tab.widget("study_file").locator("input[type=file]").set_input_files(study)
    expect(tab.page.get_by_text("The study is loaded")).to_be_visible()
    tab.settle().fill("sweep_name", "adding, T = 50").button("sweep_begin").click()
    expect(tab.widget("sweep_controls")).to_contain_text("Finished", timeout=900_000)
    tab.settle().page.mouse.move(0, 0)
    wait_until(tab.page, "() => document.querySelectorAll('.stPlotlyChart .main-svg').length >= 4")
    tab.page.wait_for_timeout(1500)
    tab.page.screenshot(path=Path(os.environ["LSTM_PLAYGROUND_SCREENSHOTS"]) / "sweep.png")
