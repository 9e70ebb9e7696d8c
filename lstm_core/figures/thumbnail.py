"""A thumbnail as SVG: polylines or a picture of cells; nothing in it but numbers and our own colours."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from lstm_core.figures.lines import LinePlot
from lstm_core.figures.theme import HIGH_COLOR, LOW_COLOR, RUN_COLORS
from lstm_core.training.history import downsample_min_max

WIDTH, HEIGHT, MARGIN = 240, 90, 6
LINE_POINTS = 120  # of one line of a LinePlot


def thumbnail_svg(values: Sequence[np.ndarray] | np.ndarray | LinePlot, colors: Sequence[str] = RUN_COLORS) -> str:
    """values: lines, (points,) each, over one y axis; a picture, (rows, columns); or a plot, its y on a log scale.

    colors: of the lines.
    """
    if isinstance(values, LinePlot):
        shapes = _polylines(_log_lines(values), colors)
    else:
        shapes = _cells(values) if isinstance(values, np.ndarray) and values.ndim == 2 else _polylines(values, colors)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(shapes)}</svg>\n'


def _log_lines(plot: LinePlot) -> list[np.ndarray]:
    return [np.log(downsample_min_max(np.asarray(line.x), np.asarray(line.y), LINE_POINTS)[1]) for line in plot.lines]


def _polylines(lines: Sequence[np.ndarray], colors: Sequence[str]) -> Iterator[str]:
    """Lines over one y axis, each as wide as the thumbnail."""
    minimum, maximum = (float(of([of(line) for line in lines])) for of in (np.nanmin, np.nanmax))
    for color, line in zip(itertools.cycle(colors), lines, strict=False):
        x = np.linspace(MARGIN, WIDTH - MARGIN, len(line))
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (line - minimum) / (maximum - minimum or 1)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
        yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2.5"/>'


def _cells(values: np.ndarray) -> Iterator[str]:
    """One rectangle a cell, blue for low and red for high values; values: (rows, columns)."""
    minimum, maximum = float(values.min()), float(values.max())
    height, width = HEIGHT / values.shape[0], WIDTH / values.shape[1]
    for (row, column), value in np.ndenumerate((values - minimum) / (maximum - minimum or 1)):
        color = LOW_COLOR if value < 0.5 else HIGH_COLOR
        at = f'x="{column * width:.1f}" y="{row * height:.1f}" width="{width:.1f}" height="{height:.1f}"'
        yield f'<rect {at} fill="{color}" fill-opacity="{abs(value - 0.5) * 2:.2f}"/>'
