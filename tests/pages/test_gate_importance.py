"""The table of gates under What if: it is the core's own, and a dear one waits for a click."""

from __future__ import annotations

import re

import pytest

from lstm_core.analysis.gate_importance import gate_importance
from pages.shared.gates import gate_importance as importance_view
from tests.pages.conftest import importance_table, wait_until, what_if


@pytest.mark.parametrize("shares", [(0.7, 0.85), (0.8, 0.8), (0.8, 1.0)], ids=["all", "no validation", "no test"])
def test_the_table_is_that_of_gate_importance(visit, shares):
    tab = visit("data").set("shares", shares).train(epochs=1).go("gates").set("view", "What if?")
    run = tab.training
    split = "valid" if len(run.windows.starts["valid"]) else "test"
    starts = run.windows.starts[split]
    matches = gate_importance(run.current_model(), run.windows, starts)
    body, words = importance_table(tab), tab.words()
    assert re.findall(r"<b>(.)</b>", body) == [one.intervention.gate for one in matches]
    text = re.findall(r"RMSE (\S+) → ([^<]+)<", body)
    assert text == [(f"{one.score:.4g}", f"{one.frozen_score:.4g}") for one in matches]
    assert f"Over {len(starts)} {'validation' if split == 'valid' else 'test'} windows" in words
    worst = matches[0]
    if worst.score_drop > 0:
        assert f"hurts most: RMSE {worst.score:.4g} → {worst.frozen_score:.4g}." in words


def test_a_large_model_s_table_waits_for_a_click_and_a_live_one_s_too(visit, monkeypatch):
    monkeypatch.setattr(importance_view, "BY_ITSELF", 0)
    tab = what_if(visit)
    assert "hurts most" not in tab.words()
    assert "hurts most" in tab.press("what_gates").words()
    assert "hurts most" in tab.run().words()
    tab.go("train").set("epochs", 1_000_000).press("train")
    run = tab.training
    wait_until(lambda: run.weights_key[0] >= 20, "it trains")
    tab.go("gates")
    assert "hurts most" not in tab.words()
    tab.press("what_gates")
    step = int(re.search(r"Weights of step ([\d,]+)", tab.words())[1].replace(",", ""))
    assert step >= 20
    wait_until(lambda: run.weights_key[0] > step + 20, "it trains on")
    tab.run()
    assert f"Weights of step {step:,}." in tab.words() and run.is_active
    assert tab.pressable("what_gates")
