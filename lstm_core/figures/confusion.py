"""A confusion matrix as a heatmap."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_core.figures.theme import FONT_SIZE, GATE_SCALE, figure_layout, plain_label


def confusion_matrix(counts: np.ndarray, classes: tuple[str, ...]) -> go.Figure:
    """counts: (classes, classes), rows the true class, columns the predicted one; coloured by the share of its row."""
    names = [plain_label(name, 16) for name in classes]
    with np.errstate(invalid="ignore"):
        share = counts / counts.sum(1, keepdims=True)
    numbers = list(range(len(names)))
    figure = go.Figure(
        go.Heatmap(
            z=share,
            text=counts,
            texttemplate="%{text}",
            zmin=0,
            zmax=1,
            colorscale=GATE_SCALE,
            colorbar={"thickness": 14, "title": {"text": "share of row", "side": "right"}, "tickformat": ".0%"},
            hovertemplate="actual %{y}, predicted %{x}: %{text} windows<extra></extra>",
        )
    )
    figure.update_xaxes(title="predicted class", tickvals=numbers, ticktext=names)
    figure.update_yaxes(title="actual class", tickvals=numbers, ticktext=names, autorange="reversed")
    height = 140 + max(4, len(names)) * (FONT_SIZE + 17)
    return figure_layout(figure, height).update_layout(hovermode="closest")
