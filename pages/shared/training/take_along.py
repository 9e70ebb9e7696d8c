"""The ZIP file of a run that is taken along: its pictures, and all that lstm_core.runs.archive puts beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.experiment import PlaygroundError
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.plot_svg import plot_svg
from lstm_core.figures.theme import ACTUAL_COLOR, PREDICTION_COLOR, TRAIN_COLOR, VALID_COLOR
from lstm_core.forecasting.future import MAX_STEPS, Forecast
from lstm_core.runs.archive import take_along
from pages.shared.forecast.run_forecast import frozen_model, run_forecast

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

POINTS = 1000  # of a loss curve
PAST_ROWS = 5  # times the rows to come, and MIN_PAST at least
MIN_PAST = 100


def archive(run: Run) -> bytes:
    """Of a run that does not train at the moment."""
    forecast = _forecast(run)
    pictures = {"loss.svg": plot_svg(_loss_plot(run))}
    if forecast is not None:
        pictures["forecast.svg"] = plot_svg(_forecast_plot(run, forecast))
    return take_along(run, forecast, pictures)


def _forecast(run: Run) -> Forecast | None:
    """As far as the page Forecast shows at first; None where there is none."""
    spec = run.windows.spec
    try:
        return run_forecast(run, frozen_model(run), min(MAX_STEPS, max(spec.horizon, spec.season, 1)))
    except PlaygroundError:
        return None


def _loss_plot(run: Run) -> LinePlot:
    curves = (("training (each batch)", "train_loss", TRAIN_COLOR), ("validation", "valid_loss", VALID_COLOR))
    lines = [Line(name, *run.curves[key].points(POINTS), color) for name, key, color in curves]
    return LinePlot([line for line in lines if len(line.x)], "epoch", f"loss ({run.loss_name})", log_y=True)


def _forecast_plot(run: Run, forecast: Forecast) -> LinePlot:
    """The first series and target, after the rows before."""
    windows, one = run.windows, forecast.series[0]
    count = max(MIN_PAST, PAST_ROWS * forecast.steps)
    rows = np.arange(max(int(windows.groups[0]), one.last_row + 1 - count), one.last_row + 1)
    has_times = one.times is not None
    past = windows.time[rows] if has_times else rows
    to_come = one.times if has_times else one.last_row + np.arange(1, forecast.steps + 1)
    lines = [Line("actual", past, windows.y[rows, 0], ACTUAL_COLOR)]
    for level, dash in ((0.8, "dash"), (0.95, "dot")):
        for name, edges in (("from", one.lower), ("to", one.upper)):
            title = f"{level * 100:.0f}\u202f% {name}"
            lines.append(Line(title, to_come, edges[level][:, 0], PREDICTION_COLOR, dash, 1))
    lines.append(Line("forecast", to_come, one.values[:, 0], PREDICTION_COLOR, width=3))
    title = windows.spec.time if has_times else "row"
    return LinePlot(lines, title, windows.spec.targets[0])
