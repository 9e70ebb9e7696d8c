"""What lessons tell of the seeds that ship with them is what those seeds did."""

from __future__ import annotations

from lstm_core.lessons import get_lesson
from lstm_core.lessons.seeds import Trial, shipped_trials


def told(name: str) -> tuple[list[Trial], list[Trial], str]:
    """All trials, those that miss the goal, and what the lesson tells of them."""
    trials = list(shipped_trials(name))
    assert len(trials) == 30
    return trials, [one for one in trials if not one.reached], get_lesson(name).success_rate


def test_of_held_gates():
    def times(one: Trial, gate: str) -> float:
        return one.figures[f"adding_{gate} error"] / one.figures["adding error"]

    _, missed, text = told("held_gates")
    by_o = sorted(round(times(one, "o"), 1) for one in missed if times(one, "o") > 3)
    by_i = [round(times(one, "i"), 1) for one in missed if times(one, "i") < 3]
    assert (by_o, by_i, len(missed)) == ([4.4, 5.5], [2.6], 3)
    assert "three miss it" in text and "4.4 and 5.5 times" in text and "2.6 times" in text


def test_of_characters():
    trials, missed, text = told("characters")
    reached = sorted(one.figures["quotes"] for one in trials if one.reached)
    assert f"{reached[0]:.2f} to {reached[-1]:.2f}" in text and f"On {len(reached)} of these 30" in text
    low, high = sorted(one.figures["quotes"] for one in missed)
    assert f"{low:.2f} and {high:.2f}" in text


def test_of_counting():
    trials, missed, text = told("counting")
    lstm, gru = ([one.figures[f"{cell} up to"] for one in trials] for cell in ("lstm", "gru"))
    assert f"right on {sum(n >= 30 for n in gru)}, is wrong at n = 1 already on {gru.count(0)}" in text
    assert sum(b > a for a, b in zip(lstm, gru, strict=True)) == 1 and "further than the LSTM on one" in text
    assert [one.figures["lstm up to"] for one in missed] == [30.0] and lstm.count(30) == 1


def test_of_the_forget_bias():
    trials, _, text = told("forget_bias")
    learned = {run: sum(one.figures[f"{run} error"] < 0.1 for one in trials) for run in ("chrono", "bias_1", "bias_0")}
    assert "chrono learns on {chrono}, bias 1 on {bias_1} and bias 0 on {bias_0}".format(**learned) in text
