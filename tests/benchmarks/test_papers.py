"""The benchmark of the papers: its table from trials, and one small trial."""

from __future__ import annotations

import dataclasses

from lstm_core.lessons import get_lesson
from lstm_core.lessons.runs import with_change
from tests.benchmarks import papers as benchmark
from tests.benchmarks.papers import HEAD, Trial, markdown, papers, row, trial


def test_a_row_has_the_median_the_ends_and_how_many_reached():
    made = [
        Trial("adding_problem", seed, seed != 1, {"error": error}, 3000, seconds)
        for seed, (error, seconds) in enumerate([(0.002, 9.0), (0.5, 30.0), (0.001, 8.0)])
    ]
    one = get_lesson("adding_problem")
    assert row(one, made) == (one.title, one.published, "error 0.002 (0.001 to 0.5)", "2 of 3", "3,000", "9")


def test_the_table_is_markdown_with_one_row_a_paper():
    assert not any("|" in one.title + one.published for one in papers())
    lines = markdown([("a",) * len(HEAD)]).splitlines()
    assert len(lines) == 3 and len({line.count("|") for line in lines}) == 1


def test_a_trial_trains_from_its_seed_and_says_what_came_of_it(monkeypatch):
    one = get_lesson("adding_problem")
    short = {"data": {"length": 200, "seq_len": 10, "train_share": 0.6}, "train": {"epochs": 2}}
    small = {label: with_change(experiment, short) for label, experiment in one.experiments.items()}
    shelf = {"adding_problem": dataclasses.replace(one, experiments=small)}
    monkeypatch.setattr(benchmark, "lessons", lambda: shelf)
    first, again, other = (trial(("adding_problem", seed)) for seed in (1, 1, 2))
    assert first.figures == again.figures != other.figures
    assert (first.seed, first.steps, first.reached) == (1, 8, False) and first.seconds > 0
