"""The benchmark of the papers: its table from trials, and one small trial."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lstm_core.data.generators.reber import LEGAL, decode_one_hot, states_after
from lstm_core.lessons import get_lesson
from lstm_core.lessons.runs import with_change
from lstm_core.lessons.seeds import Trial
from tests.benchmarks import papers as benchmark
from tests.benchmarks.papers import HEAD, markdown, papers, row, trial


def test_a_row_has_the_median_the_ends_and_how_many_reached():
    made = [
        Trial("adding_problem", seed, seed != 1, {"error": error}, 3000, seconds, seed == 2)
        for seed, (error, seconds) in enumerate([(0.002, 9.0), (0.5, 30.0), (0.001, 8.0)])
    ]
    one = get_lesson("adding_problem")
    figures = "error 0.002 (0.001 to 0.5)", benchmark.RULES["adding_problem"][0], "1 of 3", "2 of 3", "3,000", "9"
    assert row(one, made) == (one.title, one.card.row, *figures)


def test_a_paper_without_a_rule_has_none_in_its_row():
    made = [Trial("copy_memory", 0, True, {"right": 1.0}, 5000, 17.0)]
    assert row(get_lesson("copy_memory"), made)[3:6] == ("none", "–", "1 of 1")


@pytest.mark.parametrize("wrong", [None, 0, 25])
def test_one_error_in_a_long_stream_fails_the_rule(monkeypatch, wrong):
    monkeypatch.setattr(benchmark, "MILLION", 30)
    monkeypatch.setattr(benchmark, "CHUNK", 10)
    seen = []

    def forward_with_state(x, state):
        """Legal symbols first, but for one step; the state counts the symbols, and so shows that it is passed on."""
        seen.extend(decode_one_hot(x.numpy())[0])
        logits = LEGAL[states_after(np.array([seen]))].astype(np.float32)[:, state or 0 :]
        if wrong is not None and (state or 0) <= wrong < len(seen):
            logits[0, wrong - (state or 0)] *= -1
        return torch.from_numpy(logits), len(seen)

    model = SimpleNamespace(forward_with_state=forward_with_state)
    run = SimpleNamespace(current_model=lambda: model, experiment=SimpleNamespace(data=SimpleNamespace(seed=3)))
    assert benchmark.a_million_symbols({"lstm": run}, {}) == (wrong is None)
    assert len(seen) == {None: 30, 0: 10, 25: 30}[wrong]


def test_the_table_is_markdown_with_one_row_a_paper():
    assert not any("|" in one.title + one.card.row for one in papers())
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
