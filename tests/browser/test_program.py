"""A lesson's program in a real browser: run while one watches, its notes filled in, stopped."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.tab import Tab

LONG = 300_000  # milliseconds: a program imports torch, and the machine may be busy


@pytest.mark.slow
def test_a_program_is_run_while_one_watches(tab: Tab):
    tab.open("lessons?lesson=first_lstm&questions=off")
    tab.page.get_by_text("The program", exact=True).click()
    note = tab.page.locator(".program .note").first
    expect(note).to_contain_text("Tutorial: no seed")
    assert "Measured" not in note.inner_text()
    tab.fill("program_seed_first_lstm", 3)
    tab.button("run_program").click()
    output = tab.widget("program_output")
    expect(output).to_contain_text("Epoch [10/100], Loss:", timeout=LONG)
    expect(output).to_contain_text("Prediction: tensor(", timeout=LONG)
    expect(note).to_contain_text("Measured, seed 3: Three numbers from seed 3:", timeout=LONG)
    link = tab.page.locator(".program .note a").first
    assert link.get_attribute("target") == "_blank"
    with tab.page.expect_popup() as popup:
        link.click()
    expect(popup.value.get_by_text("“batch_first is True by default”")).to_be_visible(timeout=LONG)
    popup.value.close()


@pytest.mark.slow
def test_a_long_one_draws_its_scalars_and_is_stopped(tab: Tab):
    tab.open("lessons?lesson=by_hand&questions=off")
    tab.page.get_by_text("The program", exact=True).click()
    tab.button("run_program").click()
    expect(tab.widget("program_output")).to_contain_text("Epoch 249: out_0", timeout=LONG)
    tab.widget("program_out_0").scroll_into_view_if_needed()  # out of sight it is not drawn anew
    tab.wait_for_points(2, "out_1", "program_out_0")
    expect(tab.page.locator(".program .marked").first).to_be_visible()
    tab.button("stop_program").click()
    expect(tab.page.get_by_text(re.compile("Stopped, seed 42"))).to_be_visible()
    expect(tab.button("stop_program")).to_be_disabled()
    with tab.page.expect_download() as saved:
        tab.page.get_by_role("button", name="Download by_hand.py").click()
    assert saved.value.suggested_filename == "by_hand.py"
