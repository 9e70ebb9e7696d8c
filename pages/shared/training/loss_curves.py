"""The live plots of Start and Train: loss curves, gradient norm, and the forecast beside the actual values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.figures.lines import Line
from lstm_core.figures.theme import SLATE, TRAIN_COLOR, VALID_COLOR
from lstm_core.workspace import Workspace
from pages.shared.components.live_plot import Mark, RecordLine, live_plot
from pages.shared.session import state

if TYPE_CHECKING:
    from lstm_core.runs.run import Run


MARKED = ("lr", "max_grad_norm")  # live fields that steer the steps to come, not only how many there are
POINTS = 1000  # of a curve: about three for every two pixels of its width
MIN_SMOOTHED = 40  # points: fewer need no smoothed line
SMOOTHED_SHARE = 50  # of a curve, that an average is taken over: one part in so many


def loss_curves(workspace: Workspace, log_y: bool, height: int = 250, brief: bool = False) -> None:
    """The live loss curves, in epochs; brief: with a short legend. Needs no Run, whose module imports torch.

    Of a run that trains the browser reads the points by itself.
    """
    run = workspace.loaded_run
    records_url = run and run.records_url
    names = ("training", "smoothed") if brief else ("training (each batch)", "training, smoothed")
    lines = _record_lines(*names) if records_url else _lines(workspace, *names)
    if not brief and run is not None and run.epoch and math.isfinite(run.best_loss):
        best = np.array([float(run.best_epoch)]), np.array([run.best_loss])
        lines.append(Line(f"best epoch: {run.best_epoch:,}", *best, VALID_COLOR, width=8))
    live_plot(
        "loss_curve",
        lines,
        x_title="epoch",
        y_title=f"loss ({workspace.loss_name})",
        log_y=log_y,
        height=height,
        revision=str(run.id if run else 0),
        marks=_marks(run),
        **_reading(run, records_url),
    )


def _marks(run: Run | None) -> list[Mark]:
    """Where the training was changed while it ran."""
    changes = [change for change in run.changes if change.field in MARKED] if run else []
    return [Mark(c.step / run.steps_per_epoch, f"{c.field} {c.value:.4g}") for c in changes]


def _reading(run: Run | None, records_url: str | None) -> dict[str, Any]:
    """What live_plot needs to have the browser read a run's records."""
    if run is None or records_url is None:
        return {}
    return {"records_url": records_url, "steps_per_epoch": run.steps_per_epoch, "active": run.is_active}


def _record_lines(training: str, smoothed: str) -> list[Line | RecordLine]:
    return [
        RecordLine(training, "train_loss", "extremes", TRAIN_COLOR, width=1, opacity=0.4),
        RecordLine("validation", "valid_loss", "mean", VALID_COLOR, width=3),
        RecordLine(smoothed, "train_loss", "smoothed", TRAIN_COLOR, width=2.5),
    ]


def _lines(workspace: Workspace, training: str, smoothed_name: str) -> list[Line | RecordLine]:
    train, valid = workspace.curves["train_loss"], workspace.curves["valid_loss"].points(POINTS)
    lines: list[Line | RecordLine] = [Line(training, *train.points(POINTS), TRAIN_COLOR, width=1, opacity=0.4)]
    if len(valid[0]):
        lines.append(Line("validation", *valid, VALID_COLOR, width=3))
    buckets = train.buckets(POINTS)
    if len(buckets.x) >= MIN_SMOOTHED:
        lines.append(Line(smoothed_name, buckets.x, smoothed(buckets.mean), TRAIN_COLOR, width=2.5))
    return lines


def smoothed(values: np.ndarray) -> np.ndarray:
    """An exponential moving average over a fiftieth of them, without the pull of its start towards zero."""
    keep = math.exp(-SMOOTHED_SHARE / len(values))
    result, mean, weight = np.empty(len(values)), 0.0, 0.0
    for k, value in enumerate(values):
        mean, weight = keep * mean + (1 - keep) * value, keep * weight + (1 - keep)
        result[k] = mean / weight
    return result


def gradient_norm(run: Run, height: int = 200) -> None:
    """The gradient norm of every batch, in epochs."""
    records_url = run.records_url
    name = "gradient norm, before clipping"
    line = (
        RecordLine(name, "grad_norm", "extremes", SLATE, width=1.5)
        if records_url
        else Line(name, *run.curves["grad_norm"].points(POINTS), SLATE, width=1.5)
    )
    live_plot(
        "grad_curve",
        [line],
        x_title="epoch",
        y_title="norm",
        log_y=True,
        height=height,
        revision=str(run.id),
        marks=_marks(run),
        **_reading(run, records_url),
    )


def forecast(run: Run, height: int = 250) -> None:
    """Draw the current forecast beside the actual values."""
    from pages.shared.training import forecast_plot

    live = forecast_plot.live_prediction(run)
    horizon_step = min(state.get_state("ahead", 1), run.windows.output_steps) - 1
    plot = forecast_plot.prediction_plot(run, live, horizon_step)
    live_plot(
        "forecast_curve",
        plot.lines,
        x_title=plot.x_title,
        y_title=plot.y_title,
        x_start=plot.x_start,
        y_range=plot.y_range,
        height=height,
        revision=str(run.id),
    )
