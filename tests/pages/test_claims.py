"""The lesson Claims as a visitor meets it: every claim has its address, its verdict and its demonstration."""

from __future__ import annotations

import pytest

from lstm_core.lessons.catalog.tutorials.claims.claims import CLAIMS
from lstm_core.lessons.catalog.tutorials.claims.demonstrations import Demonstration
from pages.shared.lessons.widgets import claims as claims_page
from tests.pages.conftest import open_lesson, unescaped


def shown(tab) -> str:
    """The demonstration's sentence, if there is one."""
    return unescaped("".join(box.value for box in tab.at.success))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_each_claim_has_its_address_and_shows_its_verdict(visit, claim):
    tab = open_lesson(visit, "claims", claim=claim.name)
    assert claim.statement in tab.at.subheader[0].value
    assert claim.verdict in tab.words()
    assert claim.source in tab.words()
    assert len(tab.at.success) == (not claim.slow)
    assert tab.at.query_params["claim"] == claim.name


def test_choosing_another_claim_changes_the_address(visit):
    tab = open_lesson(visit, "claims")
    tab.at.radio(key="claim").set_value("biases")
    tab.run()
    assert tab.at.query_params["claim"] == "biases"
    before = shown(tab)
    assert shown(tab.set("seed_biases", 5)) != before
    assert tab.set("size_biases", 16).at.table[0].value["biases"].tolist() == ["128", "64"]


def test_what_trains_runs_on_a_click_and_stays_for_its_own_numbers(visit, monkeypatch):
    asked = []

    def demonstrate(seed, size):
        asked.append((seed, size))
        return Demonstration(len(asked) == 1, f"run {len(asked)} [x](y)")

    claim = claims_page._BY_NAME["gru"]
    quick = type(claim)(**vars(claim) | {"demonstrate": demonstrate})
    monkeypatch.setitem(claims_page._BY_NAME, "gru", quick)
    tab = open_lesson(visit, "claims", claim="gru")
    assert asked == []
    assert "run 1 [x](y)" in shown(tab.press("run_claim"))
    assert "run 1" in shown(tab.run())
    assert asked == [(0, claim.size.default)]
    assert shown(tab.set("seed_gru", 3)) == ""
    assert "do not show it" in tab.press("run_claim").words()
    assert asked[1:] == [(3, claim.size.default)]


def test_the_figures_are_for_any_theme(visit):
    tab = open_lesson(visit, "claims", claim="initialisation")
    layout = tab.figure("claim_initialisation")["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
