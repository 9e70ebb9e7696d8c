"""Train what the lessons open on, and draw their thumbnails: python -m lstm_core.lessons.train [name …]

Everything is trained from seed 0, which the lessons show.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lstm_core.figures.lines import LinePlot
from lstm_core.figures.theme import RUN_COLORS
from lstm_core.lessons import lessons
from lstm_core.lessons.figures import loss_plot
from lstm_core.lessons.lesson import PRETRAINED, Lesson
from lstm_core.lessons.runs import new_runs, train_to_end
from lstm_core.runs.queue import RunQueue
from lstm_core.runs.run import Run
from lstm_core.training.history import downsample_min_max

SNAPSHOT_BYTES = 400_000  # of all shipped files of a lesson
POINTS = 400  # of each curve in it
WIDTH, HEIGHT, MARGIN = 240, 90, 6  # of a thumbnail


def main(names: list[str]) -> None:
    for name in names or list(lessons()):
        lesson = lessons()[name]
        began = time.perf_counter()
        runs = new_runs(lesson, 0, RunQueue(1))
        train_to_end(runs)
        folder = Path(str(PRETRAINED)) / name
        folder.mkdir(parents=True, exist_ok=True)
        for label, run in runs.items():
            _write(folder / f"{label}.safetensors", run, SNAPSHOT_BYTES // len(runs))
        (folder / "thumbnail.svg").write_text(thumbnail_svg(lesson, runs), encoding="utf-8")
        outcome = lesson.outcome(runs).summary if lesson.outcome else ""
        print(f"{name}: {time.perf_counter() - began:.1f} s. {outcome}", flush=True)


def _write(file: Path, run: Run, snapshot_bytes: int) -> None:
    size = 4 * run.parameter_count
    file.write_bytes(run.checkpoint(max(snapshot_bytes, 3 * size), POINTS))


def thumbnail_svg(lesson: Lesson, runs: dict[str, Run]) -> str:
    """The lesson's sketch as SVG; nothing in it but numbers and our own colours."""
    sketch = lesson.thumbnail_plot(runs) if lesson.thumbnail_plot else _lines(loss_plot(runs))
    drawn = _picture(sketch) if isinstance(sketch, np.ndarray) and sketch.ndim == 2 else _polylines(sketch)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(drawn)}</svg>\n'


def _lines(plot: LinePlot) -> list[np.ndarray]:
    return [np.log(downsample_min_max(np.asarray(line.x), np.asarray(line.y), 120)[1]) for line in plot.lines]


def _polylines(lines: list[np.ndarray]) -> Iterator[str]:
    """Lines over one y axis, each as wide as the thumbnail."""
    minimum, maximum = (float(of([of(line) for line in lines])) for of in (np.nanmin, np.nanmax))
    for color, line in zip(RUN_COLORS * len(lines), lines, strict=False):
        x = np.linspace(MARGIN, WIDTH - MARGIN, len(line))
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (line - minimum) / (maximum - minimum or 1)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
        yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2.5"/>'


def _picture(values: np.ndarray) -> Iterator[str]:
    """One rectangle a cell, blue for low and orange for high; values: (rows, columns)."""
    minimum, maximum = float(values.min()), float(values.max())
    height, width = HEIGHT / values.shape[0], WIDTH / values.shape[1]
    for (row, column), value in np.ndenumerate((values - minimum) / (maximum - minimum or 1)):
        color = RUN_COLORS[1] if value > 0.5 else RUN_COLORS[0]
        at = f'x="{column * width:.1f}" y="{row * height:.1f}" width="{width:.1f}" height="{height:.1f}"'
        yield f'<rect {at} fill="{color}" fill-opacity="{abs(value - 0.5) * 2:.2f}"/>'


if __name__ == "__main__":
    main(sys.argv[1:])
