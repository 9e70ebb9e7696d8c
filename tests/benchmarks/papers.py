"""What the papers published, and what the lessons of chapter "Papers" reach here.

    python -m tests.benchmarks.papers [seeds, 5 if left out]

Trains every lesson from seeds 0, 1, 2 …, each in one thread, two at a time, and prints a Markdown table: each figure of
the lesson's outcome as its median over the seeds and its lowest and highest; how many seeds reach the lesson's goal;
the optimizer steps and the seconds of training of one seed, all runs of the lesson together.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from lstm_core.lessons import lessons
from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.runs import new_runs, train_to_end

PROCESSES = 2
SEEDS = 5
HEAD = ("task", "published", "here: median (lowest to highest)", "reached", "steps", "seconds")


@dataclass(frozen=True)
class Trial:
    """One lesson, trained from one seed."""

    name: str
    seed: int
    reached: bool
    figures: dict[str, float]
    steps: int
    seconds: float


def papers() -> list[Lesson]:
    return [lesson for lesson in lessons().values() if lesson.chapter == "Papers"]


def trial(job: tuple[str, int]) -> Trial:
    """Train a lesson's runs in this process, one after the other, in one thread."""
    torch.set_num_threads(1)
    name, seed = job
    lesson = lessons()[name]
    runs = new_runs(lesson, seed)
    for run in runs.values():
        run._mirror.current.threads = 1
    began = time.perf_counter()
    train_to_end(runs)
    seconds = time.perf_counter() - began
    outcome = lesson.outcome(runs)
    steps = sum(run.step for run in runs.values())
    return Trial(name, seed, outcome.reached, dict(outcome.metrics), steps, seconds)


def row(lesson: Lesson, trials: list[Trial]) -> tuple[str, ...]:
    """The cells of HEAD for one lesson."""
    figures = []
    for name in trials[0].figures:
        values = [trial.figures[name] for trial in trials]
        ends = f"{min(values):.3g} to {max(values):.3g}"
        figures.append(f"{name.replace('_', ' ')} {statistics.median(values):.3g} ({ends})")
    reached = f"{sum(trial.reached for trial in trials)} of {len(trials)}"
    steps = f"{statistics.median(trial.steps for trial in trials):,.0f}"
    seconds = f"{statistics.median(trial.seconds for trial in trials):.0f}"
    return lesson.title, lesson.published, "; ".join(figures), reached, steps, seconds


def markdown(rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = HEAD) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(seeds: int) -> None:
    began = time.perf_counter()
    jobs = [(lesson.name, seed) for lesson in papers() for seed in range(seeds)]
    trials = []
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for done in pool.imap_unordered(trial, jobs):
            trials.append(done)
            text = "reached" if done.reached else "missed"
            print(f"{done.name}, seed {done.seed}: {text}, {done.seconds:.0f} s", file=sys.stderr, flush=True)
    rows = [row(one, [trial for trial in trials if trial.name == one.name]) for one in papers()]
    print(markdown(rows))
    print(f"\n{seeds} seeds of each, {(time.perf_counter() - began) / 60:.1f} minutes in all.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
