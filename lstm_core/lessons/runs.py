"""A lesson's experiments, run: from the shipped files at once, or trained afresh from any seed.

Knows the lessons' types and the machinery of runs; which lesson is open, and on which page, is decided elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lstm_core.architecture.memory import check_memory
from lstm_core.data.load import load_table
from lstm_core.data.table import Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, PlaygroundError
from lstm_core.lessons.lesson import PRETRAINED, Lesson
from lstm_core.model.devices import free_memory
from lstm_core.runs.run import Run
from lstm_core.training.checkpoint import Checkpoint, load_checkpoint


def with_seed(experiment: Experiment, seed: int) -> Experiment:
    """The experiment with all its randomness from one seed: made-up data, first weights, order of the batches."""
    data = experiment.data
    if data.source == "generator":
        data = dataclasses.replace(data, seed=seed)
    model, train = (dataclasses.replace(spec, seed=seed) for spec in (experiment.model, experiment.train))
    return Experiment(data, model, train)


def with_change(experiment: Experiment, change: Mapping[str, Mapping[str, Any]]) -> Experiment:
    """The experiment with an exercise's change made.

    Raises:
        PlaygroundError: the experiment refuses a value.
    """
    parts = {part: dataclasses.replace(getattr(experiment, part), **fields) for part, fields in change.items()}
    return dataclasses.replace(experiment, **parts)


@lru_cache(maxsize=4)
def load_windows(data: DataSpec) -> tuple[Table, Windows]:
    """The table that a lesson's DataSpec speaks of, and its windows; without targets it is used as it suggests."""
    table = load_table(data)
    if not data.targets:
        roles = dataclasses.asdict(table.roles)
        chosen = {name: roles[name] for name in ("targets", "features", "time", "group")}
        data = dataclasses.replace(data, **chosen)
    return table, make_windows(table, data)


def new_runs(lesson: Lesson, seed: int, change: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Run]:
    """A run of each experiment from this seed, not started yet.

    Raises:
        PlaygroundError: a change is refused, or a model would not fit in memory.
    """
    runs = {}
    for label, planned in lesson.experiments.items():
        experiment = with_seed(with_change(planned, change or {}), seed)
        table, windows = load_windows(experiment.data)
        check_memory(experiment, windows, free_memory())
        runs[label] = Run.new(
            windows, dataclasses.replace(experiment, data=windows.spec), table, lesson=lesson.name, label=label
        )
    return runs


def train_to_end(runs: dict[str, Run]) -> None:
    """Train them to the end, here, one after the other, without a thread."""
    for run in runs.values():
        run.train_here()


def pretrained(lesson: Lesson) -> tuple[Table, Checkpoint]:
    """The table and the trained model of the lesson's first experiment.

    Raises:
        PlaygroundError: nobody has trained it yet.
    """
    checkpoint = _checkpoint(lesson, next(iter(lesson.experiments)))
    return load_windows(checkpoint.experiment.data)[0], checkpoint


def pretrained_runs(lesson: Lesson) -> dict[str, Run]:
    """The lesson as it ships, trained."""
    runs = {}
    for label in lesson.experiments:
        checkpoint = _checkpoint(lesson, label)
        table, windows = load_windows(checkpoint.experiment.data)
        runs[label] = run = Run.from_checkpoint(checkpoint, windows, table, lesson=lesson.name, label=label)
        if not run.finished:
            message = f"Training broke off after step {run.step:,}: the loss or the gradient was no number."
            run.set_status("failed", message)
    return runs


def _checkpoint(lesson: Lesson, label: str) -> Checkpoint:
    file = PRETRAINED.joinpath(lesson.name, f"{label}.safetensors")
    if not file.is_file():
        raise PlaygroundError(
            f"Nobody has trained {lesson.title!r} yet: run python -m lstm_core.lessons.train {lesson.name} once."
        )
    return load_checkpoint(file.read_bytes())
