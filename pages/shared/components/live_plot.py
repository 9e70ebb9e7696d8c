"""Curves that grow while training runs, drawn by Plotly in one DOM node that is never remounted.

Python's half of the component: what the lines mean and how often they are drawn is up to the caller.

`st.plotly_chart` remounts whenever its data changes, which loses zoom and hover; a keyed v2
component keeps its node. The library itself is served from where plotly.py installed it: the
official `declare_component` route needs no copy, no writable folder and no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import plotly
import streamlit as st
from streamlit.components.v1 import declare_component

from lstm_core.figures.lines import Line
from lstm_core.training.history import downsample_min_max
from pages.shared.components.wire import mount

LINE_STYLE = ("name", "color", "dash", "width", "opacity")  # of a Line: what the browser needs beside its points
MAX_POINTS = 2000  # a line's points after thinning: about two per pixel column of a wide plot

_draw = mount("live_plot")


def live_plot(
    key: str,
    lines: Sequence[Line],
    *,
    x_title: str,
    y_title: str,
    log_y: bool = False,
    height: int = 320,
    revision: str = "",
    x_start: np.datetime64 | None = None,
    y_range: tuple[float, float] | None = None,
) -> None:
    """Draw `lines`; call it again with the same `key` to update them in place.

    With `x_start`, x is in seconds after that time and the axis shows dates.

    Zoom and hidden legend entries last until `revision` changes: pass the run's id. Long lines are
    thinned to about `MAX_POINTS`, extremes kept. `height` is in CSS pixels. Names are plain text.
    """
    thinned = [downsample_min_max(line.x, line.y, MAX_POINTS) for line in lines]
    header = {
        "plotly": _plotly_path(),
        "xTitle": x_title,
        "xStart": None if x_start is None else int(x_start.astype("datetime64[ms]").astype(int)),
        "yTitle": y_title,
        "yRange": y_range,
        "logY": log_y,
        "height": height,
        "revision": revision,
        "lines": [
            {"points": len(x)} | {name: getattr(line, name) for name in LINE_STYLE}
            for line, (x, _) in zip(lines, thinned, strict=True)
        ],
    }
    _draw(key, header, [a for xy in thinned for a in xy], height=height)


@st.cache_resource(show_spinner=False)
def _plotly_path() -> str:
    """Serve the installed plotly.min.js and return its path relative to the app's root."""
    # Cached because a component is registered only while a script runs: a module may also be
    # imported outside of one, and must not be registered again at every poll.
    component = declare_component("plotly", path=Path(plotly.__file__).parent / "package_data")
    return f"component/{component.name}/plotly.min.js"
