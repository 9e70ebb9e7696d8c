"""Runs in a real browser: named, opened, compared under one cursor, deleted and brought back, live while they train."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from lstm_core.runs.run import Run
from tests.browser.tab import COLOURS, Tab
from tests.conftest import end_all_runs
from tests.factories import ENDLESS, TABLE, trainer_of, until, wave

HEATMAPS = ".compared-gates .heatmap-stage"


@pytest.fixture
def make() -> Iterator[Callable[..., Run]]:
    """Makes runs of nobody's in the server's home, which everybody sees, trained by this process."""

    def run_of(model: dict, steps: int | None = None, **about) -> Run:
        run = Run(trainer_of(wave(), model, epochs=ENDLESS if steps is None else 3), TABLE, **about)
        run.start(steps)
        until(lambda: run.step > 5 if steps is None else not run.is_active)
        return run

    yield run_of
    end_all_runs()


def row(tab: Tab, run: Run) -> Locator:
    return tab.page.locator(f".st-key-run_row_{run.id}")


def test_a_run_is_named_opened_deleted_and_brought_back(tab: Tab, make):
    run = make({"hidden_size": 4}, 12, note="<b>a note</b>")
    tab.open("runs").press(f"more_{run.id}").fill(f"run_name_{run.id}", "the best <i>of all</i>")
    expect(row(tab, run)).to_contain_text("the best <i>of all</i>")
    expect(row(tab, run)).to_contain_text("<b>a note</b>")
    tab.press(f"open_{run.id}")
    expect(row(tab, run)).to_contain_text("shown in this tab")
    tab.go("Train")
    expect(tab.progress).to_contain_text("epoch 3 of 3")
    tab.go("Runs").press(f"more_{run.id}")
    tab.press(f"delete_{run.id}")
    expect(row(tab, run)).to_have_count(0)
    tab.press("undo_delete")
    expect(row(tab, run)).to_contain_text("the best <i>of all</i>")


def test_gates_of_two_runs_stand_under_one_cursor_that_asks_nobody(tab: Tab, make):
    runs = [make({"hidden_size": 4}, 12, name="four"), make({"hidden_size": 9}, 12, name="nine")]
    tab.open("runs")
    for run in runs:
        tab.widget(f"choose_{run.id}").locator("label").click()
        tab.settle()
    tab.press("compare_runs")
    tab.page.wait_for_url(re.compile(f"compare={runs[0].id}(,|%2C){runs[1].id}"))
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


def test_a_run_that_trains_is_live_and_its_end_shows_by_itself(tab: Tab, make):
    run = make({"hidden_size": 5})
    tab.open("runs")
    expect(row(tab, run)).to_contain_text("Training")
    before = row(tab, run).inner_text()
    assert tab.comes_true(lambda: row(tab, run).inner_text() != before, 10_000), "it does not move"
    run.stop()
    expect(row(tab, run)).to_contain_text("Stopped")
    expect(row(tab, run)).to_contain_text("RMSE")
