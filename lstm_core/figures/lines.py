"""Line and LinePlot: curves as values, drawn by any page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Line:
    """One curve: `x` and `y` are (points,) float arrays of equal length; NaN in `y` is a gap.

    `color` is any CSS colour (None: the theme's next one), `dash` a Plotly dash such as "dot",
    `width` is in pixels, `opacity` from 0 to 1.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    color: str | None = None
    dash: str | None = None
    width: float = 2
    opacity: float = 1.0

    def __post_init__(self) -> None:
        if np.ndim(self.x) != 1 or np.shape(self.x) != np.shape(self.y):
            raise ValueError(
                f"Line {self.name!r}: x and y must be one-dimensional and equally long, "
                f"not {np.shape(self.x)} and {np.shape(self.y)}."
            )


@dataclass(frozen=True)
class LinePlot:
    """Lines over one x axis, as a page draws them while they change; y_range: (low, high), None fits the lines."""

    lines: Sequence[Line]
    x_title: str
    y_title: str
    log_y: bool = False
    y_range: tuple[float, float] | None = None
