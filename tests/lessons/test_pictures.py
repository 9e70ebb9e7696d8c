"""Pictures that intervene: what they draw is what the model does when it is altered."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.forecasting.predict import predict
from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.papers import copy_memory, temporal_order
from lstm_core.lessons.catalog.papers.exchange import exchange_first
from lstm_core.lessons.lesson import Lesson, LessonFigure
from tests.lessons.shipped import shipped_runs


def opened(name: str) -> tuple[Lesson, dict]:
    lesson = get_lesson(name)
    return lesson, shipped_runs(name)


def picture(lesson: Lesson, title: str) -> LessonFigure:
    return next(one for one in lesson.figures if title in one.title)


def test_without_the_unit_that_adds_the_model_is_back_at_the_mean():
    lesson, runs = opened("adding_problem")
    bars, naive, full = picture(lesson, "silenced").draw(runs).data
    windows, starts = runs["lstm"].windows, runs["lstm"].windows.starts["test"][:128]
    errors = predict(runs["lstm"].current_model(), windows, starts) - windows.targets(starts)
    assert full.y[0] == pytest.approx(np.mean(errors**2), rel=1e-4)
    assert bars.y[0] == max(bars.y) > 0.8 * naive.y[0] > 50 * full.y[0]
    assert sorted(map(int, bars.x)) == list(range(16))


def test_the_exchanged_first_symbol_is_predicted_once_all_units_that_hold_it_are_set():
    _, runs = opened("temporal_order")
    run = runs["lstm"]
    first, second = exchange_first(run, temporal_order._rank_units(run)[0])
    assert len(first) == len(second) == run.experiment.model.hidden_size + 1
    assert first[0] == second[0] == 0  # nothing set: every class is right
    assert first[-1] == 1 and second[-1] == 0  # the whole c: the other first letter, and the second as it is read


def test_the_copied_symbols_are_right_at_the_trained_silence_alone():
    _, runs = opened("copy_memory")
    lines = {line.name: line.y for line in copy_memory._positions_plot(runs).lines}
    assert set(lines) == {"T = 10, as trained", "T = 5", "T = 15", "T = 20", "T = 40", "guessing"}
    assert lines["T = 10, as trained"].min() > 0.95 and len(lines["T = 40"]) == 10
    assert all(lines[f"T = {silence}"].mean() < 0.9 for silence in (5, 15, 20, 40))


def test_r2_is_of_the_predictions_drawn():
    lesson, runs = opened("first_lstm")
    new, training, _ = picture(lesson, "Predictions").draw(runs).data
    assert training.name.startswith("training, R² = 0.9") and new.name.startswith("new, R² = −")
    assert np.corrcoef(training.x, training.y)[0, 1] > 0.9 > 0.3 > np.corrcoef(new.x, new.y)[0, 1]
