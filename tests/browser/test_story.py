"""The main story: a CSV in, an LSTM learning live, its gates on screen; and what a run must survive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from statistics import median

import pytest
from playwright.sync_api import expect

from tests.browser.tab import COLOURS, PATIENCE, Tab, river_csv, wait_until


def test_a_csv_goes_in_an_lstm_learns_and_its_gates_are_shown(tab: Tab):
    tab.open("data").upload("isar.csv", river_csv())
    look_at_data(tab)
    tab.choose("start", "none")  # the level itself: its loss falls far
    tab.fill("seq_len", 30).go("Model").fill("hidden_size", 12).fill("num_layers", 2)
    parameters = 4 * 12 * (2 + 12 + 2) + 4 * 12 * (12 + 12 + 2) + 13  # two layers of weights and biases, the head
    expect(tab.page.get_by_text(f"{parameters:,} parameters")).to_be_visible()
    tab.go("Train").train(epochs=12)
    see_the_loss_fall(tab)
    tab.go("Gates")
    look_at_gates(tab, units=12, layers=2)


def look_at_data(tab: Tab) -> None:
    """The guesses are right, the gaps are named, and the split is drawn."""
    expect(tab.page.get_by_text("isar.csv").first).to_be_visible()
    for key, guess in (
        ("read_delimiter", "semicolon"),
        ("read_decimal", "comma"),
        ("read_encoding", "1252"),
        ("time", "Datum"),
    ):
        expect(tab.widget(key).locator("input")).to_have_value(re.compile(guess))
    expect(tab.widget("target")).to_contain_text("Wassertemperatur (°C)")
    report = tab.page.locator("[data-testid=stExpander]", has_text="Import report")
    expect(report).to_contain_text(re.compile(r"Abfluss \(m³/s\).* 6 missing .*\b42\b"))
    lines = tab.widget("split").locator(".scatterlayer .trace")
    expect(lines.nth(2)).to_be_attached()  # training, validation, test
    expect(tab.widget("one_window").locator(".main-svg").first).to_be_visible()


def see_the_loss_fall(tab: Tab) -> None:
    tab.wait_for_end(epochs=12)
    valid = tab.wait_for_points(12, "validation")  # the words may come before the curve's last points
    assert len(valid) == 12
    assert valid[-1] < valid[0]
    loss = tab.curve("training")
    assert median(loss[-20:]) < 0.5 * median(loss[:20])
    assert len(tab.wait_for_points(300, "actual", "forecast_curve")) >= 300


def look_at_gates(tab: Tab, units: int, layers: int) -> None:
    difference = re.search(r"max \|Δ\| vs nn\.LSTM: (\S+)", tab.widget("parity").inner_text())
    assert float(difference[1]) < 1e-5
    canvas = ".st-key-gate_view canvas"
    expect(tab.page.locator(canvas).first).to_be_visible()
    wait_until(tab.page, f"({COLOURS})('{canvas}') > 50")  # a painted heatmap, not an empty sheet
    tab.widget("layer").locator("input").click()
    expect(tab.page.get_by_role("option")).to_have_text([str(layer) for layer in range(layers)])
    tab.page.keyboard.press("Escape")
    tab.page.mouse.move(0, 0)
    tab.page.locator(canvas).last.hover()
    expect(tab.widget("gate_view")).to_contain_text(re.compile(r"unit\s*\d"))
    assert tab.page.evaluate("() => [...document.querySelectorAll('.heatmap-readout b')].length") > 6


@pytest.fixture(scope="module")
def train(module_tab: Tab) -> Tab:
    """One tab on Train for all tests that leave it there."""
    return module_tab.open("train")


@pytest.mark.slow  # in the fast tests tests/pages/test_session.py has two visitors
def test_two_people_have_their_own_runs(train: Tab, new_tab: Callable[..., Tab]):
    other = new_tab().open("model")
    for tab in (train, other):
        tab.page.wait_for_url(re.compile("run="))
    assert train.page.url.partition("?")[2] != other.page.url.partition("?")[2]
    other.fill("hidden_size", 7)
    expect(train.turn_to("Model").widget("hidden_size").locator("input")).not_to_have_value("7")
    train.turn_to("Train").settle()


@pytest.fixture(scope="module")
def training(train: Tab) -> Iterator[Tab]:
    """Its run goes on for longer than any test."""
    yield train.train_on_and_on()
    train.end_run()


@pytest.mark.slow
def test_the_learning_rate_changes_while_it_trains_and_keeps_the_weights(training: Tab):
    tab = training
    tab.wait_for_step(100)
    before = tab.step()
    tab.fill("lr", 0.001)
    expect(tab.progress).to_contain_text("Training")
    tab.wait_for_step(before + 50)
    assert len(tab.curve("training")) > min(before, 2000) / 2  # the old curve, thinned, goes on
    assert tab.comes_true(lambda: tab.marks() == tab.marks("grad_curve") == ["lr 0.001"], PATIENCE)
    expect(tab.widget("loss_curve").get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("lr 0.001 from epoch")
    )


def test_pause_keeps_the_weights_and_resume_goes_on(training: Tab):
    tab = training.press("pause")
    expect(tab.button("pause")).to_have_text(re.compile("Resume"))
    paused = tab.step()
    tab.page.wait_for_timeout(600)  # more than two looks at the run
    assert tab.step() == paused > 0
    tab.press("step")
    one_epoch_on = 12 * (paused // 12 + 1)
    expect(tab.progress).to_contain_text(f"step {one_epoch_on:,}")
    expect(tab.button("pause")).to_have_text(re.compile("Resume"))  # the buttons follow, after the words
    tab.button("pause").click()
    expect(tab.progress).to_contain_text("Training")
    tab.wait_for_step(one_epoch_on + 50)


@pytest.mark.slow
def test_a_run_survives_other_pages_f5_and_a_second_tab(training: Tab, new_tab: Callable[..., Tab]):
    tab, left_at = training, training.step()
    tab.turn_to("Data").turn_to("Train").wait_for_live()
    tab.wait_for_step(left_at + 100)
    tab.page.wait_for_url(re.compile("run="))

    link, reloaded_at = tab.page.url, tab.step()
    tab.page.reload()
    expect(tab.progress).to_contain_text("Training")
    tab.wait_for_step(reloaded_at + 50)
    assert re.search(r"run=([\w-]+)", tab.page.url)[1] in link

    second = new_tab()
    second.page.goto(link)
    expect(second.progress).to_contain_text("Training")
    second.wait_for_step(tab.step() + 50)
    second.button("pause").click()
    expect(tab.progress).to_contain_text("Paused")
    expect(second.progress).to_have_text(tab.progress.text_content())  # the same step, once both are drawn
    tab.end_run()


@pytest.mark.slow
def test_the_buttons_follow_runs_that_end_at_once(train: Tab):
    train.end_run()
    for epochs in (1, 2):
        train.train(epochs).wait_for_end(epochs)


@pytest.mark.slow
def test_a_loss_that_explodes_stops_with_advice(train: Tab):
    tab = train
    tab.choose("optimizer", "SGD").fill("max_grad_norm", 0).fill("lr", 1e6).train(epochs=1000)
    expect(tab.progress).to_contain_text("Failed", timeout=2 * PATIENCE)
    expect(tab.page.locator("[data-testid=stAlert]").first).to_contain_text("learning rate")
