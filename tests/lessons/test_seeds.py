"""The seeds from which every lesson was trained: shipped, of its present settings, counted and drawn."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lstm_core.lessons import get_lesson, lessons, seeds
from lstm_core.lessons.lesson import SeedDots
from lstm_core.lessons.seeds import (
    Trial,
    add_trial,
    read_trials,
    seed_figure,
    settings_digest,
    shipped_trials,
    success_sentence,
)

FIRST, LEAST = 2000, 10  # seeds: thirty of most lessons, fewer of those that take a minute each
trained = pytest.mark.parametrize("name", [name for name, found in lessons().items() if found.experiments])


@trained
def test_every_lesson_ships_seeds_of_the_settings_that_it_has(name):
    lesson, trials = get_lesson(name), shipped_trials(name)
    assert len(trials) >= LEAST and [one.seed for one in trials] == list(range(FIRST, FIRST + len(trials)))
    assert {one.settings for one in trials} == {settings_digest(lesson)}, "its settings have changed: train them again"
    assert lesson.seed_dots is not None
    for metric in lesson.seed_dots.rows.values():
        assert any(np.isfinite(one.figures[metric]) for one in trials), metric


@trained
def test_the_text_gives_the_figure_of_every_lesson(name):
    trials = shipped_trials(name)
    count = f"**{sum(one.reached for one in trials)} of {len(trials)} seeds** (2000 to {trials[-1].seed}"
    assert count in success_sentence(get_lesson(name))


def made(reached: list[bool], monkeypatch, **figures: list[float]):
    """A lesson with these trials."""
    lesson = dataclasses.replace(
        get_lesson("first_lstm"), seed_dots=SeedDots("error", {f"row {name}": name for name in figures}, {"goal": 0.5})
    )
    values = [dict(zip(figures, row, strict=True)) for row in zip(*figures.values(), strict=True)]
    trials = tuple(
        Trial("first_lstm", 7 + k, ok, one, 10, 1.0) for k, (ok, one) in enumerate(zip(reached, values, strict=True))
    )
    monkeypatch.setattr(seeds, "shipped_trials", lambda name: trials)
    return lesson


def test_the_sentence_counts_the_seeds_and_leaves_out_what_is_no_number(monkeypatch):
    lesson = made([True, False, True], monkeypatch, a=[1.0, 4.0, 2.0], b=[np.inf, 3.0, 5.0])
    text = success_sentence(lesson)
    assert text.startswith("**2 of 3 seeds** (7 to 9;")
    assert "row a: 2 (1 to 4); row b: 4 (3 to 5)" in text


def test_a_measured_number_of_any_size_is_rounded_and_a_count_is_not(monkeypatch):
    lesson = made([True], monkeypatch, a=[183_382_619_101_551_592_636.0], b=[12_345.0])
    assert "row a: 1.8 × 10²⁰ (" in success_sentence(lesson) and "row b: 12,345 (" in success_sentence(lesson)


def test_rows_have_the_colours_that_a_lesson_gives_them(monkeypatch):
    lesson = made([True], monkeypatch, a=[1.0], b=[2.0])
    own = dataclasses.replace(lesson, seed_dots=dataclasses.replace(lesson.seed_dots, colors=("#010203", "#040506")))
    assert [one.marker.color for one in seed_figure(own).data] == ["#010203", "#040506"]
    assert len({one.marker.color for one in seed_figure(lesson).data} - {"#010203", "#040506"}) == 2


def test_a_seed_is_a_dot_hollow_where_it_missed_the_goal_and_the_run_at_hand_is_a_diamond(monkeypatch):
    lesson = made([True, False], monkeypatch, a=[1.0, 4.0], b=[2.0, np.inf])
    dots = seed_figure(lesson)
    assert [list(one.x) for one in dots.data] == [[1.0, 4.0], [2.0, np.inf]]
    assert list(dots.data[0].marker.symbol) == ["circle", "circle-open"]
    assert [round(y) for one in dots.data for y in one.y] == [0, 0, 1, 1]
    assert list(dots.data[1].text) == ["seed 7: 2", "seed 8: no number"]
    assert [shape.x0 for shape in dots.layout.shapes] == [0.5]
    now = seed_figure(lesson, {"a": 1.5, "b": np.nan})
    diamonds = [one for one in now.data if one.marker.symbol == "diamond"]
    assert [(list(one.x), list(one.y), list(one.text)) for one in diamonds] == [([1.5], [0], ["this run: 1.5"])]


def test_trials_come_back_in_the_order_of_their_seeds(tmp_path):
    trials = [Trial("a", seed, seed == 1, {"error": np.inf}, 5, 0.5, None, "ab") for seed in (3, 1, 2)]
    for one in trials:
        add_trial(tmp_path, one)
    assert read_trials(tmp_path, "a") == sorted(trials, key=lambda one: one.seed)
    assert read_trials(tmp_path, "b") == []


def test_the_digest_changes_with_a_setting_and_not_with_words():
    lesson = get_lesson("vanishing")
    assert settings_digest(dataclasses.replace(lesson, text="other", title="another")) == settings_digest(lesson)
    label, experiment = next(iter(lesson.experiments.items()))
    longer = dataclasses.replace(experiment, train=dataclasses.replace(experiment.train, epochs=999))
    changed = dataclasses.replace(lesson, experiments={**lesson.experiments, label: longer})
    assert settings_digest(changed) != settings_digest(lesson)
