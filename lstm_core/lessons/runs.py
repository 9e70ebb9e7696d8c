"""A lesson's experiments, run: from the shipped files at once, or trained afresh from any seed.

Knows the lessons' types and the machinery of runs; which lesson is open, and on which page, is decided elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lstm_core.architecture.memory import check_fits
from lstm_core.data.generators import generate
from lstm_core.data.samples import load_sample
from lstm_core.data.table import Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import CELLS, DataSpec, Experiment, PlaygroundError
from lstm_core.figures.lines import Line, Plot
from lstm_core.lessons.lesson import TRAINED, Lesson
from lstm_core.model.devices import free_memory
from lstm_core.runs.queue import Slots
from lstm_core.runs.run import Run
from lstm_core.training.checkpoint import Checkpoint, load_checkpoint

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")  # of a lesson's runs, in order (Okabe & Ito)


def with_seed(experiment: Experiment, seed: int) -> Experiment:
    """The experiment with all its randomness from one seed: made-up data, first weights, order of the batches."""
    data = experiment.data
    if data.source == "generator":
        data = dataclasses.replace(data, seed=seed)
    model, train = (dataclasses.replace(spec, seed=seed) for spec in (experiment.model, experiment.train))
    return Experiment(data, model, train)


def changed(experiment: Experiment, change: Mapping[str, Mapping[str, Any]]) -> Experiment:
    """The experiment with a Try's change made.

    Raises:
        PlaygroundError: the experiment refuses a value.
    """
    parts = {
        part: dataclasses.replace(getattr(experiment, part), **fields) for part, fields in change.items()
    }
    return dataclasses.replace(experiment, **parts)


@lru_cache(maxsize=4)
def prepare(data: DataSpec) -> tuple[Table, Windows]:
    """The table that a lesson's DataSpec speaks of, and its windows; without targets it is used as it suggests."""
    table = generate(data) if data.source == "generator" else load_sample(data.name)
    if not data.targets:
        roles = dataclasses.asdict(table.roles)
        kept = {name: roles[name] for name in ("targets", "features", "time", "group")}
        data = dataclasses.replace(data, **kept)
    return table, make_windows(table, data)


def fresh_runs(
    lesson: Lesson, seed: int, slots: Slots, change: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Run]:
    """A run of each experiment from this seed, not started yet.

    Raises:
        PlaygroundError: a change is refused, or a model would not fit in memory.
    """
    planned = {k: with_seed(changed(one, change or {}), seed) for k, one in lesson.experiments.items()}
    return {label: _fresh_run(experiment, slots) for label, experiment in planned.items()}


def _fresh_run(experiment: Experiment, slots: Slots) -> Run:
    table, windows = prepare(experiment.data)
    batch = min(experiment.train.batch_size, len(windows.starts["train"]))
    check_fits(
        experiment.model, windows.input_size, windows.output_size, batch, windows.spec.seq_len, free_memory()
    )
    return Run.new(windows, dataclasses.replace(experiment, data=windows.spec), table, slots)


def train_now(runs: dict[str, Run]) -> None:
    """Train them to the end, here, one after the other, without a thread."""
    for run in runs.values():
        run.train_here()


def shipped(lesson: Lesson) -> tuple[Table, Checkpoint]:
    """The table and the trained model of the lesson's first experiment.

    Raises:
        PlaygroundError: nobody has trained it yet.
    """
    checkpoint = _checkpoint(lesson, next(iter(lesson.experiments)))
    return prepare(checkpoint.experiment.data)[0], checkpoint


def shipped_runs(lesson: Lesson, slots: Slots) -> dict[str, Run]:
    """The lesson as it ships, trained."""
    found = {}
    for label in lesson.experiments:
        checkpoint = _checkpoint(lesson, label)
        table, windows = prepare(checkpoint.experiment.data)
        found[label] = run = Run.from_checkpoint(checkpoint, windows, table, slots)
        if not run.finished:
            run.status = "failed"
            run.message = (
                f"Training broke off after step {run.step:,}: the loss or the gradient was no number."
            )
    return found


def _checkpoint(lesson: Lesson, label: str) -> Checkpoint:
    file = TRAINED.joinpath(lesson.name, f"{label}.safetensors")
    if not file.is_file():
        raise PlaygroundError(
            f"Nobody has trained {lesson.title!r} yet: run python -m lstm_core.lessons.train {lesson.name} once."
        )
    return load_checkpoint(file.read_bytes())


def in_words(label: str) -> str:
    """A run's label as it is shown: LSTM, GRU, no clip."""
    return label.upper() if label in CELLS else label.replace("_", " ")


def loss_plot(runs: dict[str, Run]) -> Plot:
    """The loss curves of all runs: each batch's pale, the validation's strong."""
    lines = []
    for color, (label, run) in zip(COLORS, runs.items(), strict=False):
        before = f"{in_words(label)}, " if len(runs) > 1 else ""
        lines.append(
            Line(f"{before}training", *run.curves["train_loss"].points(1000), color, width=1.3, opacity=0.5)
        )
        valid = run.curves["valid_loss"].points(1000)
        if len(valid[0]):
            lines.append(Line(f"{before}validation", *valid, color, width=3))
    return Plot(lines, "epoch", f"loss ({next(iter(runs.values())).loss_name})", log_y=True)
