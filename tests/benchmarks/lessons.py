"""Every lesson: how long it takes to open and to train, and on how many seeds it reaches what it states.

    python -m tests.benchmarks.lessons [seeds, 10 if left out] [name …]

Trains each lesson from seeds 0, 1, 2 …, one thread a run, two lessons at a time as in papers.py, and prints a Markdown
table. "Opens" is what the server works out at a click: the shipped runs, the outcome and every picture, with nothing of
that lesson made before, in a process that has shown another lesson. "Seconds" is the training of one seed, all runs of
the lesson one after the other.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time

from lstm_core.lessons import lessons
from lstm_core.lessons.lesson import Lesson
from tests.benchmarks.papers import PROCESSES, Trial, markdown, trial

HEAD = ("lesson", "opens, s", "reached", "seconds, median (most)", "steps")
ROUNDS = 3


def opening(lesson: Lesson) -> float:
    """Seconds, the median of some rounds."""
    from lstm_core.lessons.runs import load_windows, pretrained_runs
    from lstm_core.model.devices import limit_to_one_thread
    from lstm_core.runs.queue import RunQueue

    limit_to_one_thread()  # as pages do
    seconds = []
    for _ in range(ROUNDS):
        load_windows.cache_clear()
        began = time.perf_counter()
        runs = pretrained_runs(lesson, RunQueue(1))
        lesson.outcome(runs)
        for picture in lesson.figures:
            picture.draw(runs)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def row(lesson: Lesson, trials: list[Trial]) -> tuple[str, ...]:
    seconds = [trial.seconds for trial in trials]
    return (
        lesson.title,
        f"{opening(lesson):.2f}",
        f"{sum(trial.reached for trial in trials)} of {len(trials)}",
        f"{statistics.median(seconds):.1f} ({max(seconds):.1f})",
        f"{statistics.median(trial.steps for trial in trials):,.0f}",
    )


def main(seeds: int, names: list[str]) -> None:
    chosen = [lesson for lesson in lessons().values() if lesson.experiments and lesson.name in (names or lessons())]
    began, jobs = time.perf_counter(), [(lesson.name, seed) for lesson in chosen for seed in range(seeds)]
    trials = []
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for done in pool.imap_unordered(trial, jobs):
            trials.append(done)
            print(
                f"{done.name}, seed {done.seed}: {done.reached}, {done.seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    opening(chosen[0])  # what a process pays once is paid here
    rows = [row(one, [trial for trial in trials if trial.name == one.name]) for one in chosen]
    print(markdown(rows, HEAD))
    print(f"\n{seeds} seeds of each, {(time.perf_counter() - began) / 60:.1f} minutes in all.")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(numbers[0] if numbers else 10, [word for word in sys.argv[1:] if not word.isdigit()])
