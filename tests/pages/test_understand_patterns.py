"""The instrument "Patterns": the page's places and lifts are the core's, and follow the span that is chosen."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstm_core.analysis.pattern_labels import searched_starts, shared_labels, shared_sentence, window_labels
from lstm_core.analysis.pattern_search import find_patterns, suggest_span, suggest_threshold, unit_pattern
from lstm_core.analysis.unit_search import trace_windows
from pages.shared.understand import pattern_search
from pages.shared.understand.pattern_search import FOUND, MAX_WINDOWS, SHOWN
from pages.shared.understand.sentences import bold_numbers
from tests.pages.conftest import Visitor, trained


@pytest.fixture
def tab(visit) -> Visitor:
    tab = visit("understand", run=trained(2, hidden_size=6))
    return tab.set("instrument", "Patterns")


def figures(tab: Visitor) -> dict[str, dict]:
    """Key → the figure that is drawn."""
    return {chart.key: json.loads(chart.proto.spec) for chart in tab.at.get("plotly_chart")}


def slider(tab: Visitor, name: str):
    (found,) = (one for one in tab.at.slider if one.key.startswith(f"pattern_{name}_"))
    return found


def selected_start(tab: Visitor, t0: int) -> int:
    """The first row of the window whose step t0 is the first place drawn."""
    windows = tab.training.windows
    title = figures(tab)["pattern_places"]["layout"]["yaxis"]["ticktext"][0].removesuffix(" (selected)")
    starts = np.concatenate(list(windows.starts.values()))
    return next(start for start in starts.tolist() if windows.label(start + t0) == title)


def test_a_drag_across_the_map_chooses_the_span(tab, monkeypatch):
    before, chosen = slider(tab, "span"), {}
    drawn = figures(tab)["pattern_window"]
    assert drawn["layout"]["dragmode"] == "select"
    (frame,) = drawn["layout"]["shapes"]
    assert (frame["x0"] + 0.5, frame["x1"] - 0.5) == before.value
    monkeypatch.setattr(pattern_search, "set_widget", lambda key, value: chosen.update({key: value}))
    for steps, want in (((9, 7, 8), {before.key: (7, 9)}), ((), {})):
        chosen.clear()
        event = {"selection": {"points": [{"x": step, "curve_number": 1} for step in steps]}}
        monkeypatch.setattr(pattern_search, "get_state", lambda key, default, event=event: event)
        pattern_search._dragged(before.key)
        assert chosen == want


def test_the_places_and_what_they_share_are_the_cores(tab):
    run = tab.training
    model, windows = run.current_model(), run.windows
    t0, t1 = (step - 1 for step in slider(tab, "span").value)
    starts = searched_starts(windows, selected_start(tab, t0), MAX_WINDOWS)
    trace = trace_windows(model, windows, starts)
    assert (t0, t1) == suggest_span(trace, 0, 0)
    threshold = suggest_threshold(trace, 0, t0, t1, 0)
    assert slider(tab, "threshold").value == pytest.approx(threshold)
    matches = find_patterns(trace, 0, t0, t1, 0, threshold, FOUND)
    words, units = tab.words(), unit_pattern(trace, 0, t0, t1, 0, threshold).units
    assert f"{len(units)} unit" in words.replace("**", "") and f"{len(matches)} other place" in words.replace("**", "")
    lifts = shared_labels(matches, window_labels(windows, starts, model))
    assert shared_sentence(lifts, matches).replace("\u202f", " ") in words.replace("**", "")
    drawn = figures(tab)["pattern_places"]
    assert len(drawn["layout"]["shapes"]) == min(SHOWN, 1 + len(matches))
    assert "pattern_series" in figures(tab)


def test_another_span_and_another_place_to_compare_are_searched_anew(tab):
    before = tab.words()
    slider(tab, "span").set_value((2, 3))
    tab.run()
    assert "steps 2 to 3 of this window" in tab.words().replace("**", "") and tab.words() != before
    tab.set("pattern_where", "first")
    assert "first step" in tab.words()


def test_symbols_are_written_into_the_places(visit):
    tab = visit("lessons", lesson="temporal_order").go("understand").set("instrument", "Patterns")
    drawn = figures(tab)
    assert "pattern_series" not in drawn
    assert any(text for row in drawn["pattern_places"]["data"][0]["text"] for text in row)
    assert "symbol" in json.dumps(drawn["pattern_lifts"]) or "order" in json.dumps(drawn["pattern_lifts"])


def test_numbers_of_a_sentence_are_bold_and_names_are_shown_as_they_are():
    assert bold_numbers("3 of 1,024 rows (27.3\u202f%), unit_7, −0.5") == (
        "**3** of **1,024** rows \\(**27\\.3\u202f%**\\), unit\\_7, **−0\\.5**"
    )
    assert "[a]" not in bold_numbers("[a](b) 1") and np.char.count(bold_numbers("a 1 b 2"), "**") == 4
