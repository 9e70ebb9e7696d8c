"""The pictures of a sweep: who is where, on which scale, and how many lines there are."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.figures.parallel import MAX_LINES, SPREAD, parallel_figure, setting_axis
from lstm_core.figures.sweep import SeedLosses, TrialMark, finalists_figure, importance_figure, losses_figure
from lstm_core.figures.theme import HIGH_COLOR, LOW_COLOR
from lstm_core.runs.sweeps.study import Range

STATES = ("complete", "pruned", "failed", "complete")
LOSSES = (0.5, 0.75, None, 0.005)
SEARCH = {"train.lr": Range(1e-4, 1e-2, log=True), "model.num_layers": Range(1, 3), "model.cell": ("lstm", "gru")}


def marks(losses=LOSSES, states=STATES) -> list[TrialMark]:
    params = {"train.lr": 1e-3, "model.num_layers": 2, "model.cell": "gru"}
    return [
        TrialMark(k, state, loss, f"trial {k}", params)
        for k, (loss, state) in enumerate(zip(losses, states, strict=True))
    ]


def named(figure) -> dict:
    return {line.name: line for line in figure.data}


def test_the_best_so_far_falls_with_complete_trials_alone_and_a_failed_one_lies_at_the_top():
    lines = named(losses_figure(marks(), 10, winner=3))
    assert list(lines) == ["best so far", "complete", "pruned", "failed", "winner"]
    assert list(lines["best so far"].x) == [0, 3, 3] and list(lines["best so far"].y) == [0.5, 0.005, 0.005]
    assert list(lines["failed"].y) == [0.75] and list(lines["winner"].x) == [3]


def test_the_axes_hold_all_trials_there_will_be_and_all_losses():
    figure = losses_figure(marks(), 10)
    assert list(figure.layout.xaxis.range) == [-0.6, 9.6] and figure.layout.yaxis.type == "log"
    low, high = figure.layout.yaxis.range
    assert low < np.log10(0.005) and high > np.log10(0.75)
    assert list(figure.layout.yaxis.ticktext) == ["0.01", "0.03", "0.1", "0.3", "1"]
    fine = losses_figure(marks((0.5, 0.75), ("complete", "complete")), 10).layout.yaxis.ticktext
    assert fine == ("0.50", "0.60", "0.80")
    assert losses_figure(marks((0.0, 1.0), ("complete", "complete")), 2).layout.yaxis.type is None
    assert not losses_figure([], 5).data


def test_a_setting_lies_on_its_own_scale():
    trials = marks()
    lr, layers, cell = (setting_axis(name, values, trials) for name, values in SEARCH.items())
    assert (lr.label, layers.label, cell.label) == ("lr", "num_layers", "cell")
    assert lr.places == pytest.approx([0.5] * 4) and [text for _, text in lr.ticks] == ["0.0001", "0.001", "0.01"]
    assert layers.ticks == ((0.0, "1"), (0.5, "2"), (1.0, "3")) and cell.ticks == ((0.0, "lstm"), (1.0, "gru"))
    for axis, place in ((layers, 0.5), (cell, 1.0)):  # lines with one and the same value are apart
        assert len(set(axis.places)) > 1 and all(abs(one - place) <= SPREAD + 1e-9 for one in axis.places)


def test_values_of_a_list_are_named_and_unknown_ones_do_no_harm():
    params = [{"model.chrono_t_max": None}, {"model.chrono_t_max": 50}, {"model.chrono_t_max": 7}]
    trials = [TrialMark(k, "complete", 1.0, "", one) for k, one in enumerate(params)]
    axis = setting_axis("model.chrono_t_max", (None, 50), trials)
    assert [text for _, text in axis.ticks] == ["none", "50"] and len(axis.places) == 3
    lists = setting_axis("data.calendar", ((), ("<b>", "$x$")), [])
    assert [text for _, text in lists.ticks] == ["none", "&lt;b&gt;, &#36;x&#36;"]


def test_low_losses_are_blue_and_lie_above_the_others_and_the_best_is_wide():
    figure = parallel_figure(marks(), SEARCH)
    assert len(figure.data) == 3 and len(figure.layout.xaxis.ticktext) == 4
    worst, best = figure.data[0], figure.data[-1]
    assert (worst.line.color, best.line.color) == (HIGH_COLOR, LOW_COLOR)
    assert (worst.line.dash, best.line.dash) == ("dot", "solid") and best.line.width > worst.line.width
    assert best.y[-1] == 0 and worst.y[-1] == 1
    assert [line.line.width for line in parallel_figure(marks(), SEARCH, winner=0).data] == [2, 5, 2]


def test_of_very_many_trials_the_best_ones_are_drawn():
    losses = np.linspace(1, 2, MAX_LINES + 50)
    figure = parallel_figure(marks(losses, ["complete"] * len(losses)), SEARCH)
    assert len(figure.data) == MAX_LINES


def test_one_loss_alone_is_drawn():
    figure = parallel_figure(marks((0.5,), ("complete",)), SEARCH)
    assert parallel_figure(marks((1e30, 2e30), ("complete", "pruned")), SEARCH).data  # one that has diverged
    assert len(figure.data) == 1 and np.isfinite(np.array(figure.data[0].y, float)).all()


def test_importance_has_the_largest_on_top():
    (bars,) = importance_figure({"train.lr": 0.75, "model.cell": 0.25}).data
    assert list(bars.y) == ["cell", "lr"] and list(bars.text) == ["25\u202f%", "75\u202f%"]
    assert importance_figure({"train.lr": 0.0}).data


def test_finalists_stand_by_their_median_and_a_failed_seed_has_no_dot():
    finalists = [
        SeedLosses(4, (0.5, 0.25, None), 0.5, "a"),
        SeedLosses(2, (0.125, 0.25), 0.1875, "b"),
        SeedLosses(9, (None,), None, "c"),
    ]
    figure = finalists_figure(finalists, winner=2)
    lines = named(figure)
    assert list(figure.layout.yaxis.categoryarray) == ["trial 9", "trial 4", "trial 2 ★"]
    assert sorted(zip(lines["one seed"].y, lines["one seed"].x, strict=True)) == [
        ("trial 2 ★", 0.125),
        ("trial 2 ★", 0.25),
        ("trial 4", 0.25),
        ("trial 4", 0.5),
    ]
    assert dict(zip(lines["median"].y, lines["median"].x, strict=True)) == {"trial 4": 0.5, "trial 2 ★": 0.1875}
