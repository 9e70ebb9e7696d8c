"""Adding problem, temporal order, copy memory: what they ship reaches the goal, and their pictures say what is so."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.analysis.unit_search import trace_windows
from lstm_core.data.generators.symbols import copy_naive_loss
from lstm_core.figures.lines import LinePlot
from lstm_core.lessons import get_lesson, lessons
from lstm_core.lessons.catalog.papers import adding_problem, copy_memory, temporal_order
from lstm_core.lessons.runs import new_runs, train_to_end
from tests.lessons.shipped import shipped_runs

NAMES = ("adding_problem", "temporal_order", "copy_memory")
SHORT = {"data": {"length": 400, "train_share": 0.5, "valid_share": 0.1}, "train": {"epochs": 1}}


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def shipped():
    return {name: shipped_runs(name) for name in NAMES}


def test_what_ships_reaches_the_goal(name, shipped):
    outcome = get_lesson(name).outcome(shipped[name])
    assert outcome.reached, outcome.summary


def test_fresh_runs_begin_far_from_the_goal_and_draw_every_picture(name):
    made = new_runs(get_lesson(name), 5, SHORT)
    train_to_end(made)
    outcome = get_lesson(name).outcome(made)
    assert not outcome.reached and all(np.isfinite(value) for value in outcome.metrics.values())
    for picture in get_lesson(name).figures:
        drawn = picture.draw(made)
        if isinstance(drawn, LinePlot):
            assert all(len(line.x) for line in drawn.lines)
        else:
            assert len(drawn.data)


def test_every_change_to_try_can_be_made(name):
    for one in get_lesson(name).exercises:
        small = {part: dict(fields) for part, fields in one.change.items()}
        small["data"] = small.get("data", {}) | {"length": 400}
        made = new_runs(get_lesson(name), 0, small)
        assert next(next(iter(made.values()))._mirror.current)["step"] == 1


def test_every_paper_says_what_was_published_and_where():
    papers = [one for one in lessons().values() if one.chapter == "Papers"]
    assert set(NAMES) <= {one.name for one in papers}
    assert all(one.card and one.sources and one.outcome and one.text for one in papers)


# Adding problem


def test_the_error_is_taken_over_new_sequences(shipped):
    run = shipped["adding_problem"]["lstm"]
    windows, model = run.windows, run.current_model()
    starts = windows.starts["test"]
    h = trace_windows(model, windows, starts).h[0, 0, :, -1]
    predictions = model.head(h).detach().numpy()[:, 0]
    x = windows.inputs(starts).astype(np.float64)
    error = np.mean((predictions - (x[..., 0] * x[..., 1]).sum(axis=1)) ** 2)
    figures = get_lesson("adding_problem").outcome(shipped["adding_problem"]).metrics
    assert figures["error"] == pytest.approx(error, rel=1e-3)
    assert not set(starts) & set(windows.starts["train"])


def test_the_best_guess_goes_from_one_by_the_marked_values_to_the_sum():
    guess = adding_problem._expected_sum(np.array([0.3, 0.9, 0.5, 0.2]), np.array([0.0, 1.0, 0.0, 1.0]))
    np.testing.assert_allclose(guess, [1, 1.4, 1.4, 1.1])  # 1, 0.9 + ½, the same, 0.9 + 0.2


def test_the_gate_found_opens_at_the_marker(shipped):
    run = shipped["adding_problem"]["lstm"]
    _, marker, _, gate, _ = adding_problem._example(run)
    adds, opens = adding_problem._best_units(run)
    assert adds.gate == "c" and opens.gate in "ifo" and abs(opens.score) > 0.95
    assert abs(gate[marker == 1].mean() - gate[marker == 0].mean()) > 0.3


# Temporal order


def test_the_two_units_keep_the_first_and_the_second_symbol(shipped):
    run = shipped["temporal_order"]["lstm"]
    windows = run.windows
    starts = windows.starts["test"][300:500]  # not those that they were found in
    targets = windows.targets(starts)
    trace = trace_windows(run.current_model(), windows, starts)
    for one, symbol in zip(temporal_order._best_units(run), (targets // 2, targets % 2), strict=True):
        at_end = one.values_in(trace)[:, -1]
        middle = (at_end[symbol == 0].mean() + at_end[symbol == 1].mean()) / 2
        split = (at_end > middle) == (at_end[symbol == 1].mean() > middle)
        assert (split == (symbol == 1)).mean() > 0.95


def test_the_test_has_as_many_sequences_as_the_papers(shipped):
    assert len(shipped["temporal_order"]["lstm"].windows.starts["test"]) == 2560


# Copy memory


def test_early_in_training_the_loss_is_that_of_remembering_nothing(shipped):
    figures = get_lesson("copy_memory").outcome(shipped["copy_memory"]).metrics
    assert figures["early loss"] == pytest.approx(copy_naive_loss(30), abs=0.05)
    assert figures["loss"] < 0.1 * copy_naive_loss(30)


def test_the_unit_found_tells_a_symbol_apart_until_the_marker(shipped):
    matches = copy_memory._best_units(shipped["copy_memory"]["lstm"])
    assert len(matches) == 10 and max(one.score for one in matches) > 0.8
