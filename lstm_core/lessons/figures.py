"""What several lessons draw: losses beside a naive prediction's, predictions sorted by target, units ranked.

Importing it loads neither torch nor plotly, as importing a lesson must not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import (
    BRICK,
    FONT_SIZE,
    GATE_SCALE,
    GREY,
    RUN_COLORS,
    TRAIN_COLOR,
    VALID_COLOR,
    figure_layout,
)
from lstm_core.lessons.lesson import run_name

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

LOSS_POINTS = 1000  # of one curve
LEVEL_DASHES = ("dash", "dot")


def new_figure() -> go.Figure:
    """An empty figure. Lessons draw on this one: plotly is loaded here and not with the lesson."""
    import plotly.graph_objects as go

    return go.Figure()


def level(name: str, value: float, runs: Mapping[str, Run], dash: str = "dash", color: str = GREY) -> Line:
    """A horizontal line over all epochs of the runs: what a naive prediction scores, or a target."""
    end = max(1, *(run.train_spec.epochs for run in runs.values()))
    return Line(name, np.array([0.0, end]), np.full(2, float(value)), color, dash)


def loss_plot(runs: dict[str, Run], y_title: str = "", colors: Mapping[str, str] | None = None) -> LinePlot:
    """The loss curves of all runs: each batch's pale, the validation's strong.

    y_title: the loss's name unless given; colors: by label, RUN_COLORS in order unless given.
    """
    colors, lines = colors or dict(zip(runs, RUN_COLORS, strict=False)), []
    for label, run in runs.items():
        prefix, color = f"{run_name(label)}, " if len(runs) > 1 else "", colors[label]
        batches, epochs = (run.curves[name].points(LOSS_POINTS) for name in ("train_loss", "valid_loss"))
        lines.append(Line(f"{prefix}training", *batches, color, width=1.3, opacity=0.5))
        if len(epochs[0]):
            lines.append(Line(f"{prefix}validation", *epochs, color, width=3))
    return LinePlot(lines, "epoch", y_title or f"loss ({next(iter(runs.values())).loss_name})", log_y=True)


def loss_with_levels(run: Run, y_title: str, naive_losses: Mapping[str, float]) -> LinePlot:
    """One run's loss, on a log axis, beside what naive predictions score. naive_losses: by name, two at most."""
    lines = [
        Line("training", *run.curves["train_loss"].points(LOSS_POINTS), TRAIN_COLOR, width=1.3, opacity=0.5),
        Line("new sequences", *run.curves["valid_loss"].points(LOSS_POINTS), VALID_COLOR, width=3),
    ]
    for (name, value), dash in zip(naive_losses.items(), LEVEL_DASHES, strict=False):
        lines.append(level(name, value, {"": run}, dash))
    return LinePlot(lines, "epoch", y_title, log_y=True)


def sorted_predictions(name: str, predictions: np.ndarray, targets: np.ndarray, color: str, end: float) -> list[Line]:
    """[predictions, targets], both (sequences,), in the order of the targets, over x from 1 to `end`."""
    order = np.argsort(targets)
    x = np.linspace(1.0, end, len(order))
    return [Line(name, x, predictions[order], color), Line("target", x, targets[order], GREY, width=4)]


def ranking_figure(units: Sequence[int], bars: Mapping[str, tuple[Sequence[float], str]], score: str) -> go.Figure:
    """Every unit's score as bars side by side. bars: name → (a score in 0…1 for each unit, colour); score: y title."""
    figure = new_figure()
    for name, (scores, color) in bars.items():
        figure.add_bar(x=[str(unit) for unit in units], y=scores, name=name, marker={"color": color})
    figure.update_xaxes(title="unit", type="category")
    figure.update_yaxes(title=score, range=[0, 1.03])
    return figure_layout(figure, 320)


def symbol_figure(
    probabilities: np.ndarray,
    marked: tuple[np.ndarray, np.ndarray],
    marked_name: str,
    inputs: Sequence[str],
    symbols: Sequence[str],
) -> go.Figure:
    """The probability of every symbol at every step of one sequence, with rings around the right ones.

    probabilities: (steps, symbols); marked: steps and symbols of the rings; inputs: the symbol read at each step.
    """
    colorbar = {"title": "probability", "thickness": 14, "tickfont": {"size": FONT_SIZE - 1}}
    figure = new_figure()
    figure.add_heatmap(z=probabilities.T, zmin=0, zmax=1, colorscale=GATE_SCALE, colorbar=colorbar)
    ring = {"symbol": "circle-open", "size": 16, "color": BRICK, "line": {"width": 3}}
    figure.add_scatter(x=marked[0], y=marked[1], mode="markers", name=marked_name, showlegend=True, marker=ring)
    figure.update_xaxes(tickvals=list(range(len(inputs))), ticktext=list(inputs), tickangle=0, title="input symbol")
    figure.update_yaxes(tickvals=list(range(len(symbols))), ticktext=list(symbols), title="predicted symbol")
    return figure_layout(figure, 400).update_layout(hovermode="closest")


def two_rows(x_title: str, height: int, **subplots: Any) -> go.Figure:
    """Two plots over one x axis, a unit's cell state above, its gates in 0…1 below; subplots: as for make_subplots."""
    from plotly.subplots import make_subplots

    figure = make_subplots(**{"rows": 2, "shared_xaxes": True, "vertical_spacing": 0.08, **subplots})
    figure.update_yaxes(title="c", row=1)
    figure.update_yaxes(title="gates", range=[-0.03, 1.03], row=2)
    figure.update_xaxes(title=x_title, row=2)
    return figure_layout(figure, height)


def resample(x: np.ndarray, y: np.ndarray, points: int = 80) -> np.ndarray:
    """(points,): y at even steps from 0 to the end of x, as a thumbnail's line wants it."""
    return np.interp(np.linspace(0, x[-1], points), x, y)
