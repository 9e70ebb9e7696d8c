"""The lesson on the forget gate's bias at other lengths: how many seeds learn.

    python -m tests.benchmarks.lengths [--seeds 10 | --seeds 2000:2030] [--keep FOLDER]

Trains it with 10, 20, 50 and 100 steps to remember, chrono set to that length, from every seed, as papers.py does, and
prints a Markdown table: of how many seeds the error on new sequences is below the lesson's goal. The seeds of the
lesson's own length are the lesson's own: those that tests.benchmarks.lessons keeps in FOLDER are not trained again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory.forget_bias.lengths import LENGTHS, at_length
from lstm_core.lessons.catalog.memory.forget_bias.lesson import MAX_ERROR
from lstm_core.lessons.lesson import run_name
from lstm_core.lessons.seeds import Trial
from tests.benchmarks.papers import markdown, run_trials, train_trial, trial_options

LESSONS = {one.name: one for one in (at_length(get_lesson("forget_bias"), length) for length in LENGTHS)}


def trial(job: tuple[str, int]) -> Trial:
    name, seed = job
    return train_trial(LESSONS[name], seed)


def rows(trials: Iterable[Trial]) -> list[tuple[str, ...]]:
    """A row a length: its steps, and of how many seeds each run has learned."""
    by_name = {name: [one for one in trials if one.name == name] for name in LESSONS}
    cells = []
    for length, (name, lesson) in zip(LENGTHS, LESSONS.items(), strict=True):
        learned = [
            sum(one.figures[f"{label} error"] < MAX_ERROR for one in by_name[name]) for label in lesson.experiments
        ]
        cells.append((str(length), *(f"{count} of {len(by_name[name])}" for count in learned)))
    return cells


def main(words: list[str]) -> None:
    options, began = trial_options("tests.benchmarks.lengths", 10).parse_args(words), time.perf_counter()
    trials = run_trials(LESSONS, options, trial)
    labels = next(iter(LESSONS.values())).experiments
    print(markdown(rows(trials), ("steps to remember", *map(run_name, labels))))
    print(f"\n{len(options.seeds)} seeds of each, {(time.perf_counter() - began) / 60:.1f} minutes in all.")


if __name__ == "__main__":
    main(sys.argv[1:])
