"""A small stage: a series with its splits, one window of it, and one unit's valves beside the map of all forget gates.

Python's half of the component. The other half, `mini_stage.js`, plays the window by itself, without asking the server.
Nothing here traces or knows a model: arrays come in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.experiment import GATES, STATES
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from pages.shared.components.wire import color_stops, mount

MAX_CELLS = 200_000  # of the six arrays together: 0.8 MB to send at each poll
HEIGHT = {True: 352, False: 430}  # CSS pixels with and without valves: mini_stage.js draws in that much

_draw = mount("mini_stage", "heatmap.css", "mini_stage.css")


@dataclass(frozen=True, eq=False)
class SplitLine:
    """The target on the rows of one split: values at rows, as a line or, where rows are far apart, as dots."""

    name: str
    color: str
    rows: np.ndarray
    values: np.ndarray
    dots: bool = False


@dataclass(frozen=True, eq=False)
class WindowView:
    """A window: its first row, what the network reads in it (names → (seq_len,) each), and the words for both.

    symbols: a text a step in place of the series, where they are one-hot.
    """

    start: int
    series: Mapping[str, np.ndarray]
    title: str
    symbols: Sequence[str] | None = None


@dataclass(frozen=True, eq=False)
class Valves:
    """The gates and states of one layer in that window, (units, seq_len) each, and the unit that is shown at first."""

    arrays: Mapping[str, np.ndarray]  # by the names of GATES and STATES
    unit: int
    layer: str = ""  # said if there are several


def mini_stage(
    key: str,
    title: str,
    splits: Sequence[SplitLine],
    ends: tuple[str, str],
    window: WindowView,
    valves: Valves | None = None,
    *,
    model: str = "",
    training: bool = False,
) -> None:
    """Draw it; call it again with the same `key` to update it while it plays on.

    title: of the series; ends: what its first and last row are called; valves: None draws the series alone; model: says
    which model it is: another one is played from the start; training: it is drawn less often, as the cores are needed.
    """
    arrays = {} if valves is None else {name: valves.arrays[name] for name in (*GATES, *STATES)}
    series = {} if window.symbols else window.series
    seq_len = len(window.symbols or next(iter(series.values())))
    cells = sum(values.size for values in (*series.values(), *arrays.values()))
    stride = max(1, -(-cells // MAX_CELLS))
    header = {
        "title": title,
        "ends": list(ends),
        "height": HEIGHT[valves is not None],
        "splits": [{"name": s.name, "color": s.color, "dots": s.dots, "points": len(s.rows)} for s in splits],
        "window": {
            "start": window.start,
            "length": seq_len,
            "title": window.title,
            "series": list(series),
            "symbols": list(window.symbols[::stride]) if window.symbols else None,
        },
        "stride": stride,
        "steps": len(range(0, seq_len, stride)),
        "model": model,
        "training": training,
        "scale": color_stops(signed=False),
        "valves": None if valves is None else {"start": valves.unit, "layer": valves.layer, "of": _describe(arrays)},
    }
    sent = [a for s in splits for a in (s.rows, s.values)]
    sent += [values[..., ::stride] for values in (*series.values(), *arrays.values())]
    _draw(key, header, sent)


def _describe(arrays: Mapping[str, np.ndarray]) -> list[dict]:
    """What the browser needs of each gate and state beside its values; one that is not signed lies in 0 … 1."""
    return [
        {
            "name": name,
            "title": GATE_NAMES[name],
            "color": GATE_COLORS[name],
            "units": len(values),
            "signed": name not in ("i", "f", "o"),
        }
        for name, values in arrays.items()
    ]
