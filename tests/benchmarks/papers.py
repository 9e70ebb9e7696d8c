"""What the papers published, and what the lessons of chapter "Papers" reach here.

    python -m tests.benchmarks.papers [--seeds 5 | --seeds 2000:2030] [--keep FOLDER]

Trains every lesson from every seed (2000:2030 ends with 2029), each in one thread, two at a time or as many as
--processes has it, and prints a Markdown table: each figure of
the lesson's outcome as its median over the seeds and its lowest and highest; how many seeds pass the paper's own rule,
and how many reach the lesson's goal; the optimizer steps and the seconds of training of one seed, all runs of the
lesson together. Where the rule is about a task that is not quite the lesson's, RULES tells how they differ. Hours of
training need not be one piece: the trials in FOLDER, as lstm_core/lessons/seeds.py keeps them, are not run again.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch

from lstm_core.data.generators.reber import LEGAL, NEXT, OPTIONS
from lstm_core.lessons import lessons
from lstm_core.lessons.catalog.papers.adding_problem import PAPER_MAX_WRONG
from lstm_core.lessons.catalog.papers.reber.scores import one_hot
from lstm_core.lessons.catalog.papers.temporal_order import MAX_WRONG
from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.runs import new_runs, train_to_end
from lstm_core.lessons.seeds import Trial, add_trial, read_trials, settings_digest
from lstm_core.runs.run import Run

PROCESSES = 2
HEAD = (
    "task",
    "published",
    "here: median (lowest to highest)",
    "the paper's rule",
    "pass it",
    "reach the lesson's goal",
    "steps",
    "seconds",
)
MILLION, CHUNK = 1_000_000, 10_000  # symbols of a stream, and how many are predicted at once


def a_million_symbols(runs: dict[str, Run], figures: Mapping[str, float]) -> bool:
    """Whether the model with forget gates predicts one new stream of a million symbols without an error."""
    model, rng = runs["lstm"].current_model(), np.random.default_rng(runs["lstm"].experiment.data.seed)
    place, state = 0, None  # in the grammar, and of the model
    for _ in range(MILLION // CHUNK):
        symbols, places = np.empty((2, CHUNK), np.int64)
        for step, coin in enumerate(rng.integers(0, 2, CHUNK)):
            symbols[step] = OPTIONS[place, coin]
            places[step] = place = NEXT[place, symbols[step]]
        with torch.no_grad():
            logits, state = model.forward_with_state(torch.from_numpy(one_hot(symbols)[None]), state)
        legal, outputs = LEGAL[places], logits[0].numpy()  # each (CHUNK, 7)
        if not (np.where(legal, outputs, np.inf).min(-1) > np.where(legal, -np.inf, outputs).max(-1)).all():
            return False
    return True


Rule = Callable[[dict[str, Run], Mapping[str, float]], bool]  # of the runs and their outcome's figures
RULES: dict[str, tuple[str, Rule]] = {  # lesson → the rule in words, and whether a seed passes it
    "adding_problem": (
        "at most 3 of 2,560 off by more than 0.04, the target scaled to 0 … 1; values here are from 0 to 1",
        lambda runs, figures: figures["wrong"] <= PAPER_MAX_WRONG,
    ),
    "temporal_order": (
        "at most 3 of 2,560 with an output off by 0.3 or more",
        lambda runs, figures: figures["wrong"] <= MAX_WRONG,
    ),
    "embedded_reber": (
        "all training and test strings right at some moment; 7,488 training strings here",
        lambda runs, figures: math.isfinite(figures["lstm_epoch"]),
    ),
    "continual_reber": ("a million symbols without an error", a_million_symbols),
}


def papers() -> list[Lesson]:
    return [lesson for lesson in lessons().values() if lesson.chapter == "Papers"]


def trial(job: tuple[str, int]) -> Trial:
    name, seed = job
    return train_trial(lessons()[name], seed)


def train_trial(lesson: Lesson, seed: int) -> Trial:
    """Train a lesson's runs in this process, one after the other, in one thread."""
    torch.set_num_threads(1)
    runs = new_runs(lesson, seed)
    for run in runs.values():
        run._mirror.current.threads = 1
    began = time.perf_counter()
    train_to_end(runs)
    seconds = time.perf_counter() - began
    outcome = lesson.outcome(runs)
    steps = sum(run.step for run in runs.values())
    passed = RULES[lesson.name][1](runs, outcome.metrics) if lesson.name in RULES else None
    metrics = {key: float(value) for key, value in outcome.metrics.items()}
    return Trial(lesson.name, seed, outcome.reached, metrics, steps, seconds, passed, settings_digest(lesson))


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
    rule, passed = "none", "–"
    if lesson.name in RULES:
        rule, passed = RULES[lesson.name][0], f"{sum(bool(trial.passed) for trial in trials)} of {len(trials)}"
    return lesson.title, lesson.card.row, "; ".join(figures), rule, passed, reached, steps, seconds


def markdown(rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = HEAD) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def seed_range(text: str) -> range:
    """ "10" → 0 … 9, "2000:2030" → 2000 … 2029."""
    first, colon, end = text.rpartition(":")
    seeds = range(int(first) if colon else 0, int(end))
    if not seeds:
        raise ValueError("no seed")
    return seeds


def run_trials(
    names: Iterable[str], options: argparse.Namespace, make: Callable[[tuple[str, int]], Trial] = trial
) -> list[Trial]:
    """Those of these lessons and the options' seeds, of which --keep may have some; in the order of the seeds.

    make: a function of a module, which trains the lesson of a name from a seed.
    """
    names = list(names)
    read = [one for name in names for one in (read_trials(options.keep, name) if options.keep else [])]
    kept = {(one.name, one.seed): one for one in read}
    wanted = [(name, seed) for name in names for seed in options.seeds]
    jobs = [job for job in wanted if job not in kept]
    if not jobs:
        return [kept[job] for job in wanted]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for done in pool.imap_unordered(make, jobs):
            kept[done.name, done.seed] = done
            if options.keep:
                add_trial(options.keep, done)
            text = "reached" if done.reached else "missed"
            print(f"{done.name}, seed {done.seed}: {text}, {done.seconds:.0f} s", file=sys.stderr, flush=True)
    return [kept[job] for job in wanted]


def trial_options(program: str, seeds: int) -> argparse.ArgumentParser:
    """The options of a benchmark that trains lessons from seeds; seeds: how many where none are named."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("--seeds", type=seed_range, default=range(seeds), help="10, or 2000:2030, end excluded")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="trainings at once")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of trials, which are not run again")
    return parser


def main(words: list[str]) -> None:
    options, began = trial_options("tests.benchmarks.papers", 5).parse_args(words), time.perf_counter()
    trials = run_trials([lesson.name for lesson in papers()], options)
    print(markdown([row(one, [trial for trial in trials if trial.name == one.name]) for one in papers()]))
    print(f"\n{len(options.seeds)} seeds of each, {(time.perf_counter() - began) / 60:.1f} minutes in all.")


if __name__ == "__main__":
    main(sys.argv[1:])
