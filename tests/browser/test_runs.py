"""Runs in a real browser: named, opened, compared under one cursor, deleted and brought back, live while they train."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, expect

from lstm_core.runs.folder import RunFolder
from lstm_core.runs.run import Run
from tests.browser.tab import COLOURS, Tab
from tests.factories import TABLE, trainer_of, until, wave

HEATMAPS = ".compared-gates .heatmap-stage"


@pytest.fixture
def home(address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's."""
    return tmp_path_factory.getbasetemp() / "server0" / f"home-{urlsplit(address).port}"


@pytest.fixture
def make(home: Path) -> Callable[..., str]:
    """Trains a run of nobody's, which everybody sees, and puts it into the server's home; its id."""

    def run_of(hidden_size: int, **about) -> str:
        run = Run(trainer_of(wave(), {"hidden_size": hidden_size}), TABLE, **about)
        run.start()
        until(lambda: not run.is_active and not run.folder.is_locked)
        (home / "runs").mkdir(parents=True, exist_ok=True)
        shutil.move(run.folder.path, home / "runs" / run.id)
        return run.id

    return run_of


def row(tab: Tab, id: str) -> Locator:
    return tab.page.locator(f".st-key-run_row_{id}")


@pytest.mark.slow
def test_a_run_is_named_opened_deleted_and_brought_back(tab: Tab, make):
    id = make(4, note="<b>a note</b>")
    tab.open("runs").press(f"more_{id}").fill(f"run_name_{id}", "the best <i>of all</i>")
    expect(row(tab, id)).to_contain_text("the best <i>of all</i>")
    expect(row(tab, id)).to_contain_text("<b>a note</b>")
    tab.press(f"open_{id}")
    expect(row(tab, id)).to_contain_text("shown in this tab")
    tab.go("Train")
    expect(tab.progress).to_contain_text("epoch 3 of 3")
    tab.go("Runs").press(f"delete_{id}")
    expect(row(tab, id)).to_have_count(0)
    tab.press("undo_delete")
    expect(row(tab, id)).to_contain_text("the best <i>of all</i>")


@pytest.mark.slow
def test_gates_of_two_runs_stand_under_one_cursor_that_asks_nobody(tab: Tab, make):
    ids = [make(4, name="four"), make(9, name="nine")]
    tab.open("runs")
    for id in ids:
        tab.widget(f"choose_{id}").locator("label").click()
        tab.settle()
    tab.press("compare_runs")
    tab.page.wait_for_url(re.compile(f"compare={ids[0]}(,|%2C){ids[1]}"))
    stage, readout = tab.page.locator(HEATMAPS), tab.page.locator(".compared-gates .heatmap-readout")
    stage.scroll_into_view_if_needed()
    assert tab.comes_true(lambda: tab.page.evaluate(COLOURS, f"{HEATMAPS} canvas") > 20, 10_000)
    expect(readout).to_contain_text("step –")
    tab.settle()
    asked = tab.page.evaluate("window.wire.asked")
    stage.focus()
    for step in (1, 2, 3):
        tab.page.keyboard.press("ArrowRight")
        expect(readout).to_contain_text(f"step {step} · averages over units")
    for name in ("1 · four", "2 · nine"):
        values = readout.locator("tbody tr", has_text=name).locator("td").all_inner_texts()
        assert len(values) == 7 and all(re.fullmatch("−?[01]\\.\\d{3}", value) for value in values[1:])
    assert tab.page.evaluate("window.wire.asked") == asked
    tab.page.reload()
    expect(tab.heading("Compare runs")).to_be_visible()
    tab.press("all_runs")
    expect(tab.heading("Runs")).to_be_visible()


@pytest.mark.slow
def test_a_score_that_comes_after_the_end_shows_by_itself(tab: Tab, make, home: Path):
    id = make(4)
    folder = RunFolder(home / "runs" / id)
    score = folder.file("score.json").read_bytes()
    folder.file("score.json").unlink()
    with folder.locked(5.0):  # as while a worker scores it
        expect(row(tab.open("runs"), id)).to_contain_text("no test score yet")
        folder.file("score.json").write_bytes(score)
    expect(row(tab, id)).to_contain_text("RMSE")


@pytest.mark.slow
def test_a_run_that_trains_is_live_and_its_end_shows_by_itself(tab: Tab, new_tab: Callable[..., Tab]):
    tab.open("train").train_on_and_on()
    tab.turn_to("Runs")
    training = tab.page.locator("[class*=st-key-run_row_]", has_text="Training")
    expect(training).to_have_count(1)
    key = re.search("run_row_([0-9a-f]+)", training.get_attribute("class"))[1]
    before = row(tab, key).inner_text()
    assert tab.comes_true(lambda: row(tab, key).inner_text() != before, 10_000), "it does not move"
    new_tab().open(f"train{urlsplit(tab.page.url).query and '?' + urlsplit(tab.page.url).query}").end_run()
    expect(row(tab, key)).to_contain_text("Stopped")
    expect(row(tab, key)).to_contain_text("RMSE")
