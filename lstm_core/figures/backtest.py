"""Pictures of a backtest: one origin's forecast among all origins, the error by step ahead and by period."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_core.figures.forecast import Curve
from lstm_core.figures.theme import ACTUAL_COLOR, GREY, PREDICTION_COLOR, figure_layout, plain_label

NUMBER = "%{y:.4~g}"
ORIGINS = 1  # number of the curve whose points are clicked


def origin_figure(
    actual: Curve, origins: Curve, chosen: int, forecast: Curve, x_title: str, y_title: str, height: int = 330
) -> go.Figure:
    """The actual values with a marker at every origin, and the forecast from the chosen one, joined to its marker.

    chosen: index of origins; forecast: of the rows after it.
    """
    figure = go.Figure()
    figure.add_scatter(x=actual.x, y=actual.y, name="actual", line={"color": ACTUAL_COLOR, "width": 2.5})
    figure.add_scatter(
        x=origins.x,
        y=origins.y,
        name="origins",
        mode="markers",
        marker={
            "size": [14 if index == chosen else 8 for index in range(len(origins.x))],
            "color": [PREDICTION_COLOR if index == chosen else GREY for index in range(len(origins.x))],
        },
        hovertemplate="forecast from here<extra></extra>",
    )
    figure.add_scatter(
        x=np.concatenate([origins.x[chosen : chosen + 1], forecast.x]),
        y=np.concatenate([origins.y[chosen : chosen + 1], forecast.y]),
        name="forecast",
        mode="lines+markers",
        line={"color": PREDICTION_COLOR, "width": 3},
        marker={"size": 5},
    )
    figure.update_traces(hovertemplate=NUMBER, selector={"mode": "lines"})
    figure.update_traces(hovertemplate=NUMBER, selector={"name": "forecast"})
    figure.update_xaxes(title=plain_label(x_title))
    figure.update_yaxes(title=plain_label(y_title))
    return figure_layout(figure, height).update_layout(showlegend=True, hovermode="closest", clickmode="event+select")


def steps_figure(by_step: np.ndarray, height: int = 240) -> go.Figure:
    """RMSE of each step ahead, from zero on; by_step: (horizon,)."""
    figure = go.Figure()
    steps = np.arange(1, len(by_step) + 1)
    figure.add_scatter(
        x=steps, y=by_step, mode="lines+markers", line={"color": PREDICTION_COLOR, "width": 2.5}, hovertemplate=NUMBER
    )
    figure.update_xaxes(title="rows ahead")
    figure.update_yaxes(title="RMSE", rangemode="tozero")
    return figure_layout(figure, height).update_layout(showlegend=False)


def periods_figure(by_period: dict[str, tuple[float, int]], height: int = 240) -> go.Figure:
    """RMSE of each period, from zero on; by_period: label → (RMSE, values)."""
    labels = [plain_label(label).replace(" to ", "<br>to ") for label in by_period]  # blocks, on two lines
    figure = go.Figure()
    figure.add_bar(
        x=labels,
        y=[rmse for rmse, _ in by_period.values()],
        customdata=[count for _, count in by_period.values()],
        marker={"color": GREY},
        hovertemplate=NUMBER + ", of %{customdata:,} values<extra></extra>",
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(title="RMSE", rangemode="tozero")
    return figure_layout(figure, height).update_layout(showlegend=False, hovermode="closest")
