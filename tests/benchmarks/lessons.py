"""Every lesson: how long it takes to open and to train, and on how many seeds it reaches what it states.

    python -m tests.benchmarks.lessons [name …] [--seeds 10 | --seeds 2000:2030] [--json] [--keep FOLDER]

Trains each lesson from every seed (2000:2030 ends with 2029), one thread a run, two lessons at a time as in papers.py,
and prints a Markdown table, or with --json a list of {"name", "reached", "of", "seconds"}. "Opens" is what the server
works out at a click: the pretrained runs, the outcome and every picture, with nothing of that lesson made before, in a
process that has shown another lesson. "Seconds" is the training of one seed, all runs of a lesson one after the other.
--keep: as for papers.py.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

from lstm_core.lessons import lessons
from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.runs import load_windows, pretrained_runs
from lstm_core.lessons.seeds import Trial
from lstm_core.model.devices import limit_to_one_thread
from tests.benchmarks.papers import markdown, run_trials, trial_options

HEAD = ("lesson", "opens, s", "reached", "seconds, median (most)", "steps")
ROUNDS = 3


def opening(lesson: Lesson) -> float:
    """Seconds, the median of some rounds."""
    limit_to_one_thread()  # as pages do
    seconds = []
    for _ in range(ROUNDS):
        load_windows.cache_clear()
        began = time.perf_counter()
        runs = pretrained_runs(lesson)
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


def records(trials: list[Trial]) -> list[dict[str, object]]:
    """A lesson each, in the order of the gallery: how many of its seeds reached the goal, and seconds, the median."""
    by_name = {name: [trial for trial in trials if trial.name == name] for name in lessons()}
    return [
        {
            "name": name,
            "reached": sum(trial.reached for trial in of_lesson),
            "of": len(of_lesson),
            "seconds": round(statistics.median(trial.seconds for trial in of_lesson), 3),
        }
        for name, of_lesson in by_name.items()
        if of_lesson
    ]


def main(words: list[str]) -> None:
    shelf = {name: lesson for name, lesson in lessons().items() if lesson.experiments}
    parser = trial_options("tests.benchmarks.lessons", 10)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(shelf))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(words)
    if unknown := set(options.names) - shelf.keys():
        parser.error(f"no lesson that trains is called {', '.join(sorted(unknown))}")
    chosen = [lesson for name, lesson in shelf.items() if name in (options.names or shelf)]
    began = time.perf_counter()
    trials = run_trials([lesson.name for lesson in chosen], options)
    if options.json:
        print(json.dumps(records(trials)))
        return
    opening(chosen[0])  # what a process pays once is paid here
    print(markdown([row(one, [trial for trial in trials if trial.name == one.name]) for one in chosen], HEAD))
    print(f"\n{len(options.seeds)} seeds of each, {(time.perf_counter() - began) / 60:.1f} minutes in all.")


if __name__ == "__main__":
    main(sys.argv[1:])
