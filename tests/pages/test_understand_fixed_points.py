"""Understand, "Resting states": the points are those that the core finds, drawn and said in words."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.analysis.fixed_points import FixedPoint, Retention
from pages.shared.understand.fixed_points import sentence
from tests.pages.conftest import Visitor, trained, unescaped, wait_until

KIND = "resting states"


def resting_states(visit, **model: object) -> Visitor:
    tab = visit("understand", run=trained(**{"hidden_size": 5} | model)).set("instrument", "Resting states")
    return finished(tab) if KIND in tab.training.cache else tab


def finished(tab: Visitor) -> Visitor:
    wait_until(lambda: tab.training.cache[KIND][1].done, "it was computed")
    return tab.run()


def test_points_are_found_drawn_and_told(visit):
    tab = resting_states(visit)
    result = tab.training.cache[KIND][1].result
    assert unescaped(sentence(result.points, result.kept)).replace("**", "") in tab.words().replace("**", "")
    figure = tab.figure("rest_figure")
    assert {trace["type"] for trace in figure["data"]} == {"scatter3d"}
    assert any(trace["name"].startswith("stable") for trace in figure["data"]) == any(p.stable for p in result.points)
    points = [trace for trace in figure["data"] if trace["name"].partition(" (")[0] in ("stable", "saddle", "slow")]
    assert len(result.readouts) == len(result.points)
    assert all("<br>answer, scaled: " in text for trace in points for text in trace["text"])
    assert tab.figure("rest_retention")
    steps = tab.training.windows.spec.seq_len
    path = next(trace for trace in figure["data"] if trace["name"] == "this window")
    assert len(path["text"]["bdata"] if isinstance(path["text"], dict) else path["text"]) >= steps


def test_the_slider_marks_a_step_and_another_input_is_another_search(visit):
    tab = resting_states(visit)

    def marked() -> object:
        (trace,) = (trace for trace in tab.figure("rest_figure")["data"] if trace["name"] == "its last step")
        return trace["x"]

    last = marked()
    tab.set("rest_step", 2)
    assert marked() != last
    before = tab.training.cache[KIND][0]
    finished(tab.set("rest_input", "this window's last input"))
    assert tab.training.cache[KIND][0] != before
    finished(tab.set("rest_slow", True))
    assert not tab.at.exception


def test_several_layers_are_refused_in_a_sentence(visit):
    tab = resting_states(visit, num_layers=2)
    assert "This LSTM has 2 layers: fixed points are found for one" in "".join(tab.errors())
    assert KIND not in tab.training.cache


def test_a_large_model_waits_for_a_click(visit):
    tab = resting_states(visit, hidden_size=64)
    assert KIND not in tab.training.cache
    assert tab.pressable(f"{KIND}_begin")


def point(size: float, q: float = 0.0) -> FixedPoint:
    return FixedPoint(np.zeros(1), np.zeros(1), q, np.array([size, 0.1], complex), size < 1 and q == 0)


@pytest.mark.parametrize(
    ("points", "share", "words"),
    [
        ([], None, "**no resting state** was found"),
        ([point(0.9)], None, "in **1** stable point; a small push fades to 37 % within **9.5** steps."),
        ([point(1.5)], None, "**no stable state** was found: the slightest push leads away from **1** saddle."),
        ([point(0.2)], None, "fades to 37 % within less than a step"),
        (
            [point(0.9), point(0.5), point(1.5)],
            None,
            "**2** stable points, room for **1** bit, with **1** saddle between them",
        ),
        ([point(0.9), point(0.5)], 0.95, "**95 %** of its answers are what they were: its memory **leaks**."),
        (
            [point(0.9)],
            0.5,
            "what they were. One and the same answer for all windows would keep **40 %**. From wherever",
        ),
        ([point(0.9), point(0.5)], 1.0, "**100 %** of its answers are what they were."),
        ([point(0.9), point(1.0, 1e-6)], None, "**1** more hardly moves."),
    ],
)
def test_what_was_found_in_words(points, share, words):
    kept = None if share is None else Retention((10, 100), np.array([1.0, share]), 0.4)
    assert words in unescaped(sentence(points, kept))
