"""The heatmaps of the view "Weights": one row a gate, one column a parameter, and a histogram at the end of each row.

Python's half of the component; `weight_heatmaps.js` draws all of it on one canvas, as gate_heatmaps.js does, since it
is painted again and again during training. Nothing here knows a model: arrays come in, nothing goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.experiment import GATES
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from pages.shared.components.wire import color_stops, mount

MAX_CELLS = 480_000  # of all heatmaps together: less than 2 MB to send
MAX_LABEL_LENGTH = 60  # characters of a label, which may come from a file

_draw = mount("weight_heatmaps", "heatmap.css", "weight_heatmaps.css")


@dataclass(frozen=True)
class ParameterPanel:
    """One parameter: `gates` is gate → (units, columns), and `norms` gate → what is printed over its heatmap.

    source: what the columns stand for. labels: one a column, in words, such as "unit 7"; ticks: the same in short, for
    the axis, such as "7".
    """

    name: str
    gates: Mapping[str, np.ndarray]
    norms: Mapping[str, float]
    source: str
    labels: Sequence[str]
    ticks: Sequence[str]


def weight_heatmaps(
    key: str,
    panels: Sequence[ParameterPanel],
    limit: float,
    counts: Mapping[str, np.ndarray],
    *,
    counted: str,
    edge: float,
    title: str,
) -> None:
    """Draw the panels' heatmaps on one colour scale, −limit to limit, and the histograms.

    counts: gate → (bins,), of the parameter named `counted`, in equal bins from −edge to edge. title: what the numbers
    are. Too many weights are thinned to every n-th unit or column, with a line that tells so.
    """
    units, widths = len(panels[0].gates["i"]), [panel.gates["i"].shape[1] for panel in panels]
    down, *across = _strides(units, widths)
    header = {
        "title": title,
        "gates": [{"name": gate, "title": GATE_NAMES[gate], "color": GATE_COLORS[gate]} for gate in GATES],
        "units": len(range(0, units, down)),
        "stride": down,
        "limit": limit,
        "scale": color_stops(True),
        "panels": [
            {
                "name": panel.name,
                "source": panel.source,
                "columns": len(range(0, width, stride)),
                "labels": [_short(label) for label in panel.labels[::stride]],
                "ticks": [_short(tick) for tick in panel.ticks[::stride]],
            }
            for panel, width, stride in zip(panels, widths, across, strict=True)
        ],
        "counted": counted,
        "edge": edge,
        "bins": len(counts["i"]),
        "warning": _warning(panels, units, widths, down, across),
    }
    arrays = [
        panel.gates[gate][::down, ::stride] for panel, stride in zip(panels, across, strict=True) for gate in GATES
    ]
    arrays += [np.array([panel.norms[gate] for gate in GATES]) for panel in panels]  # may be infinite: not JSON
    arrays += [counts[gate] for gate in GATES]
    _draw(key, header, arrays)


def _short(label: str) -> str:
    return label if len(label) <= MAX_LABEL_LENGTH else label[: MAX_LABEL_LENGTH - 1] + "…"


def _strides(units: int, widths: Sequence[int]) -> list[int]:
    """Of the units and of each panel's columns: the longest side is thinned until all heatmaps fit MAX_CELLS."""
    sizes, strides = [units, *widths], [1] * (1 + len(widths))
    while True:
        drawn = [-(-size // stride) for size, stride in zip(sizes, strides, strict=True)]
        if len(GATES) * drawn[0] * sum(drawn[1:]) <= MAX_CELLS:
            return strides
        strides[drawn.index(max(drawn))] += 1


def _warning(
    panels: Sequence[ParameterPanel], units: int, widths: Sequence[int], down: int, across: Sequence[int]
) -> str:
    thinned = [f"one unit in {down} (of {units:,})"] if down > 1 else []
    thinned += [
        f"one column in {stride} of {panel.name} (of {width:,})"
        for panel, width, stride in zip(panels, widths, across, strict=True)
        if stride > 1
    ]
    if not thinned:
        return ""
    return f"Too many weights to draw at once: shown is {', '.join(thinned)}. Norms and histograms are of all."
