"""How often a lesson reaches its goal: its outcome from many seeds, others than it was tuned on, shipped with it.

pretrained/NAME/seeds.jsonl has a line a seed, written by

    python -m tests.benchmarks.lessons [NAME …] --seeds 2000:2030 --keep lstm_core/lessons/pretrained
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.experiment import Experiment
from lstm_core.figures.theme import FONT_SIZE, GREY, RUN_COLORS, figure_layout
from lstm_core.lessons.lesson import PRETRAINED, Lesson

if TYPE_CHECKING:
    import plotly.graph_objects as go

FILE = "seeds.jsonl"
ROW_HEIGHT, HEAD_HEIGHT = 62, 110  # of the picture, in CSS pixels
MAX_COUNT = 1e6  # a whole number from here on is a measured one, and is rounded
SPREAD = 0.26  # of the dots of a row around its middle, in rows


@dataclass(frozen=True)
class Trial:
    """One lesson, trained from one seed."""

    name: str
    seed: int
    reached: bool
    figures: dict[str, float]  # Outcome.metrics
    steps: int
    seconds: float
    passed: bool | None = None  # the paper's rule; None: there is none
    settings: str = ""  # settings_digest of the lesson then


def settings_digest(lesson: Lesson) -> str:
    """Twelve digits that change with what a lesson trains: with any setting that is not its default."""
    told = {label: _chosen(experiment) for label, experiment in lesson.experiments.items()}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def _chosen(experiment: Experiment) -> dict[str, dict[str, Any]]:
    parts = {field.name: getattr(experiment, field.name) for field in dataclasses.fields(experiment)}
    return {
        name: {
            field.name: value
            for field in dataclasses.fields(part)
            if (value := getattr(part, field.name)) != getattr(type(part)(), field.name)
        }
        for name, part in parts.items()
    }


def read_trials(folder: Path, name: str) -> list[Trial]:
    """Of a lesson, in the order of the seeds; none where none are kept."""
    file = folder.joinpath(name, FILE)
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return sorted((Trial(**json.loads(line)) for line in lines), key=lambda one: one.seed)


def add_trial(folder: Path, trial: Trial) -> None:
    """Append it to those of its lesson."""
    file = folder / trial.name / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(dataclasses.asdict(trial)) + "\n")


@cache
def shipped_trials(name: str) -> tuple[Trial, ...]:
    return tuple(read_trials(PRETRAINED, name))


def success_sentence(lesson: Lesson) -> str:
    """Markdown: on how many seeds it reached its goal, and how far each shown figure reaches; "" if none was tried."""
    trials = shipped_trials(lesson.name)
    if not trials:
        return ""
    seeds = f"{trials[0].seed} to {trials[-1].seed}; the settings were tuned on others"
    text = f"**{sum(one.reached for one in trials)} of {len(trials)} seeds** ({seeds}) reach the goal."
    if lesson.seed_dots is None:
        return text
    ranges = []
    for label, metric in lesson.seed_dots.rows.items():
        values = [one.figures[metric] for one in trials if np.isfinite(one.figures.get(metric, np.nan))]
        if values:
            shown = [_shown(lesson, value) for value in (statistics.median(values), min(values), max(values))]
            ranges.append(f"{label}: {shown[0]} ({shown[1]} to {shown[2]})")
    return f"{text} Median (lowest to highest): {'; '.join(ranges)}."


def _shown(lesson: Lesson, value: float) -> str:
    if lesson.seed_dots.percent:
        return format_percent(value)
    if not np.isfinite(value):
        return "no number"
    return f"{value:,.0f}" if value == round(value) and abs(value) < MAX_COUNT else format_significant(value)


def seed_figure(lesson: Lesson, now: Mapping[str, float] | None = None) -> go.Figure:
    """A row a figure of the outcome, a dot a seed, hollow where the goal was missed; now: this run, a diamond."""
    from lstm_core.lessons.figures import new_figure

    dots, trials = lesson.seed_dots, shipped_trials(lesson.name)
    figure, labels = new_figure(), list(dots.rows)
    for row, (label, metric) in enumerate(dots.rows.items()):
        color = (dots.colors or RUN_COLORS)[row % len(dots.colors or RUN_COLORS)]
        at = row + SPREAD * swarm(len(trials))
        values = [one.figures.get(metric, np.nan) for one in trials]
        marker = {
            "size": 9,
            "color": color,
            "opacity": 0.7,
            "symbol": ["circle" if one.reached else "circle-open" for one in trials],
            "line": {"width": 2, "color": color},
        }
        texts = [f"seed {one.seed}: {_shown(lesson, value)}" for one, value in zip(trials, values, strict=True)]
        figure.add_scatter(x=values, y=at, mode="markers", name=label, marker=marker, text=texts, hoverinfo="text")
        if now is not None and np.isfinite(now.get(metric, np.nan)):
            mine = {"size": 17, "color": color, "symbol": "diamond", "line": {"width": 2, "color": "white"}}
            text = [f"this run: {_shown(lesson, now[metric])}"]
            figure.add_scatter(
                x=[now[metric]], y=[row], mode="markers", name="this run", marker=mine, text=text, hoverinfo="text"
            )
    for name, value in dots.levels.items():
        line = {"color": GREY, "width": 2, "dash": "dash"}
        figure.add_vline(value, line=line)
        x = np.log10(value) if dots.log else value  # of an annotation, on such an axis
        figure.add_annotation(x=x, y=1, yref="paper", yanchor="bottom", text=name, showarrow=False, font_size=FONT_SIZE)
    figure.update_xaxes(title=dots.title, type="log" if dots.log else "linear")
    if dots.log:
        step = next((step for step in (1, 2, 5) if _decades(figure) < 8 * step), 10)  # decades from tick to tick
        figure.update_xaxes(exponentformat="power", dtick=step)
    if dots.percent:
        figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.5], zeroline=False
    )
    figure_layout(figure, HEAD_HEIGHT + ROW_HEIGHT * len(labels))
    return figure.update_layout(showlegend=False, hovermode="closest")


def swarm(count: int) -> np.ndarray:
    """(count,) offsets in −1…1 that set neighbours apart."""
    return (np.arange(count) * 0.618034 % 1.0) * 2 - 1


def _decades(figure: go.Figure) -> float:
    values = np.concatenate([np.asarray(one.x, float) for one in figure.data])
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.log10(values.max() / values.min())) if len(values) else 1.0
