"""How many seeds learn as there are more steps to remember: trained at every length, shipped, and drawn.

pretrained/forget_bias/length_N/seeds.jsonl has a line a seed, as lessons/seeds.py keeps them, written by

    python -m tests.benchmarks.lengths --seeds 2000:2030 --keep lstm_core/lessons/pretrained

The lesson's own length is not trained again: those are its own seeds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.figures import diagram
from lstm_core.figures.theme import FONT_SIZE, GREY, figure_layout
from lstm_core.lessons.figures import new_figure
from lstm_core.lessons.lesson import run_name
from lstm_core.lessons.seeds import Trial, shipped_trials, swarm

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.experiment import Experiment
    from lstm_core.lessons.lesson import Lesson
    from lstm_core.runs.run import Run

NAME = "forget_bias"
STEPS = 50  # of the lesson: from the step to remember to the end
LENGTHS = (10, 20, 50, 100)  # steps
GAP, SPREAD = 0.27, 0.09  # between two columns of dots, and half the width of one; in lengths
TOP = 5.0  # the error at which the counts stand: above all dots


def at_length(lesson: Lesson, length: int) -> Lesson:
    """The lesson with so many steps to remember, and chrono told so. Its name is where its seeds are kept."""
    experiments = {label: _with_length(experiment, length) for label, experiment in lesson.experiments.items()}
    return dataclasses.replace(lesson, name=_kept_at(length), experiments=experiments)


def _kept_at(length: int) -> str:
    return NAME if length == STEPS else f"{NAME}/length_{length}"


def _with_length(experiment: Experiment, length: int) -> Experiment:
    data, model = dataclasses.replace(experiment.data, seq_len=length), experiment.model
    if model.chrono_t_max is not None:
        model = dataclasses.replace(model, chrono_t_max=length)
    return dataclasses.replace(experiment, data=data, model=model)


def trials_at(length: int) -> tuple[Trial, ...]:
    """What shipped of this length: the same seeds at each."""
    return shipped_trials(_kept_at(length))


def lengths_figure(runs: dict[str, Run], colors: Mapping[str, str], max_error: float) -> go.Figure:
    """A dot a seed, a column a run at each length, and above it how many have learned; these runs as diamonds."""
    figure = new_figure()
    for k, (label, color) in enumerate(colors.items()):
        shift, counts = GAP * (k - (len(colors) - 1) / 2), []
        x, y, texts = [], [], []
        for place, length in enumerate(LENGTHS):
            trials = trials_at(length)
            errors = [one.figures[f"{label} error"] for one in trials]
            counts.append(sum(error < max_error for error in errors))
            x += list(place + shift + SPREAD * swarm(len(trials)))
            y += errors
            texts += [
                f"seed {one.seed}: {format_significant(error)}" for one, error in zip(trials, errors, strict=True)
            ]
        marker = {"size": 7, "color": color, "opacity": 0.6}
        style = {"mode": "markers", "hoverinfo": "text"}
        figure.add_scatter(x=x, y=y, text=texts, name=run_name(label), marker=marker, **style)
        for place, count in enumerate(counts):
            figure.add_annotation(diagram.label(place + shift, np.log10(TOP), str(count), FONT_SIZE))
        run = runs[label]
        if run.step and LENGTHS[0] <= run.windows.spec.seq_len <= LENGTHS[-1]:
            place = np.interp(np.log(run.windows.spec.seq_len), np.log(LENGTHS), range(len(LENGTHS)))
            error = run.cached("test error", run.weights_key, lambda run=run: run.evaluate("test"))
            marker = {"size": 15, "color": color, "symbol": "diamond", "line": {"width": 2, "color": "white"}}
            text = [f"this run, {run_name(label)}: {format_significant(error)}"]
            figure.add_scatter(x=[place + shift], y=[error], text=text, marker=marker, showlegend=False, **style)
    figure.add_hline(max_error, line={"color": GREY, "dash": "dash", "width": 2})
    ticks = {"tickvals": list(range(len(LENGTHS))), "ticktext": [str(length) for length in LENGTHS]}
    figure.update_xaxes(title="steps to remember", range=[-0.5, len(LENGTHS) - 0.5], zeroline=False, **ticks)
    figure.update_yaxes(title="squared error", type="log", dtick=1, exponentformat="power")
    return figure_layout(figure, 380).update_layout(hovermode="closest")
