"""Curves that grow while training runs, drawn on a canvas that is never remounted.

Python's half of the component: what the lines mean and how often they are drawn is up to the caller. Of a run on disk
the browser reads the records by itself (run_records.js), and no script runs for its curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from lstm_core.figures.lines import Line
from lstm_core.training.history import downsample_min_max
from pages.shared.components.wire import mount

LINE_STYLE = ("name", "color", "dash", "width", "opacity")  # of a Line: what the browser needs beside its points
MAX_POINTS = 2000  # a line's points after thinning: about two per pixel column of a wide plot

_draw = mount("live_plot")


@dataclass(frozen=True)
class RecordLine:
    """One field of a run's records as a curve over epochs; the browser reads its points.

    kind: "extremes" shows every spike, "smoothed" a moving average, "mean" the values, averaged where many share a
    pixel. The rest is as in Line.
    """

    name: str
    field: Literal["train_loss", "valid_loss", "grad_norm"]
    kind: Literal["extremes", "smoothed", "mean"]
    color: str
    dash: str | None = None
    width: float = 2
    opacity: float = 1.0


@dataclass(frozen=True)
class Mark:
    """A place on the x axis at which something happened, in plain words."""

    x: float
    text: str


def live_plot(
    key: str,
    lines: Sequence[Line | RecordLine],
    *,
    x_title: str,
    y_title: str,
    log_y: bool = False,
    height: int = 320,
    revision: str = "",
    x_start: np.datetime64 | None = None,
    y_range: tuple[float, float] | None = None,
    marks: Sequence[Mark] = (),
    records_url: str | None = None,
    steps_per_epoch: int = 1,
    active: bool = False,
) -> None:
    """Draw `lines`; call it again with the same `key` to update them in place.

    With `x_start`, x is in seconds after that time and the axis shows dates.

    Zoom and hidden legend entries last until `revision` changes: pass the run's id. Long lines are
    thinned to about `MAX_POINTS`, extremes kept. `height` is in CSS pixels. Names are plain text.

    marks: drawn over the lines, in the order of x; their words stand beside them where there is room.

    records_url: what RecordLines are of, run/<id>, relative to the app's root (see server/routes.py); active: the run
    may go on, so that the browser looks for more of them four times a second while the tab is in front.
    """
    thinned = [downsample_min_max(line.x, line.y, MAX_POINTS) for line in lines if isinstance(line, Line)]
    arrays = iter(thinned)
    header = {
        "xTitle": x_title,
        "xStart": None if x_start is None else int(x_start.astype("datetime64[ms]").astype(int)),
        "yTitle": y_title,
        "yRange": y_range,
        "logY": log_y,
        "height": height,
        "marks": [asdict(mark) for mark in marks],
        "revision": revision,
        "lines": [
            _style(line) | ({"points": len(next(arrays)[0])} if isinstance(line, Line) else {}) for line in lines
        ],
        "records": records_url and {"url": records_url, "stepsPerEpoch": steps_per_epoch, "active": active},
    }
    _draw(key, header, [a for xy in thinned for a in xy], height=height)


def _style(line: Line | RecordLine) -> dict:
    return asdict(line) if isinstance(line, RecordLine) else {name: getattr(line, name) for name in LINE_STYLE}
