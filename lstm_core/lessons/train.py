"""Train what ships: python -m lstm_core.lessons.train [name …], a lesson's name or "example", the model of Start.

Without a name, all of them. Each is trained from its lesson's `seed`, which the page shows.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from lstm_core.data.samples import EXAMPLE_MODEL
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.thumbnail import thumbnail_svg
from lstm_core.forecasting.scores import evaluate
from lstm_core.forecasting.verdict import verdict
from lstm_core.lessons import get_lesson, lessons
from lstm_core.lessons.figures import loss_plot
from lstm_core.lessons.lesson import PRETRAINED
from lstm_core.lessons.runs import load_windows, new_runs, train_to_end
from lstm_core.runs.run import Run

EXAMPLE = "example"
SNAPSHOT_BYTES = 400_000  # of all shipped files of a lesson
LESSON_POINTS, EXAMPLE_POINTS = 400, 800  # of each curve in a file


def main(names: list[str]) -> None:
    for name in names or [EXAMPLE, *lessons()]:
        began = time.perf_counter()
        result = train_example() if name == EXAMPLE else train_lesson(name)
        print(f"{name}: {time.perf_counter() - began:.1f} s. {result}", flush=True)


def train_lesson(name: str) -> str:
    """Write the lesson's files to PRETRAINED; returns its outcome as text.

    Raises:
        PlaygroundError: there is no lesson of that name.
    """
    lesson = get_lesson(name)
    runs = new_runs(lesson, lesson.seed)
    train_to_end(runs)
    folder = Path(str(PRETRAINED)) / name
    folder.mkdir(parents=True, exist_ok=True)
    for label, run in runs.items():
        snapshot_bytes = max(SNAPSHOT_BYTES // len(runs), 3 * 4 * run.parameter_count)
        (folder / f"{label}.safetensors").write_bytes(run.checkpoint(snapshot_bytes, LESSON_POINTS))
    for file, data in (lesson.extra_files(runs) if lesson.extra_files else {}).items():
        (folder / file).write_bytes(data)
    values = lesson.thumbnail_plot(runs) if lesson.thumbnail_plot else loss_plot(runs)
    (folder / "thumbnail.svg").write_text(thumbnail_svg(values), encoding="utf-8")
    return lesson.outcome(runs).summary if lesson.outcome else ""


def train_example() -> str:
    """Write the model that Start opens on to EXAMPLE_MODEL; returns its scores as text."""
    table, windows = load_windows(DataSpec(source="sample", name="sunspots"))
    model, train = ModelSpec(hidden_size=16), TrainSpec(lr=0.003, batch_size=16, epochs=100)
    run = Run.new(windows, Experiment(windows.spec, model, train), table)
    run.train_here()
    Path(str(EXAMPLE_MODEL)).write_bytes(run.checkpoint(points=EXAMPLE_POINTS))
    trained, texts = run.current_model(), []
    for split in ("valid", "test"):
        evaluation = evaluate(trained, windows, split)
        texts.append(f"On {evaluation.coverage}: {verdict(evaluation)}")
    return " ".join(texts)


if __name__ == "__main__":
    main(sys.argv[1:])
