"""The heatmaps of the Gates page: input series, one heatmap a gate, and one unit's curves.

Python's half of the component. The other half, `gate_heatmaps.js`, draws everything on one canvas: six heatmaps of
500 steps × 128 units paint about ten times faster than as Plotly figures, and the time cursor moves without asking
the server. Nothing here traces or knows a model: arrays come in, the selected unit goes out. Other Heatmaps and
UnitPanels are drawn in the same way, such as those before and after an intervention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.experiment import GATES
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from pages.shared.components.wire import color_stops, mount

MAX_CELLS = 500_000  # of all heatmaps together: 2 MB to send

_draw = mount("gate_heatmaps", "heatmap.css", "gate_heatmaps.css", results=["unit"])


@dataclass(frozen=True, eq=False)
class Heatmap:
    """One heatmap: values (units, seq_len), NaN where a step has no data; colours span minimum to maximum.

    name is written in bold before the title and in the readout. The colours of a signed heatmap are centred on 0: give
    it minimum = -maximum. note is written across a heatmap that has nothing to show.
    """

    name: str
    values: np.ndarray
    title: str = ""
    minimum: float = 0.0
    maximum: float = 1.0
    signed: bool = False
    color: str | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class UnitLine:
    """A line of the selected unit: its row of values (units, seq_len). A dashed line without a name has no legend."""

    name: str
    values: np.ndarray
    color: str | None = None
    dashed: bool = False


@dataclass(frozen=True, eq=False)
class UnitPanel:
    """The selected unit's lines under one heading; the axis spans at least `span`."""

    title: str
    lines: Sequence[UnitLine]
    span: tuple[float, float] | None = None


def heatmap_of(name: str, values: np.ndarray, *, common: Sequence[np.ndarray] = ()) -> Heatmap:
    """The heatmap of one gate or state; its scale covers its activation's range, the values and `common`."""
    gate = name in ("i", "f", "o")
    numbers = np.concatenate([np.ravel(array) for array in (values, *common)])
    numbers = numbers[np.isfinite(numbers)]
    if gate:
        minimum, maximum = (min(0.0, float(numbers.min(initial=0.0))), max(1.0, float(numbers.max(initial=1.0))))
    else:
        peak = float(np.abs(numbers).max(initial=0.0))
        # c has no bound, nor has h once it is projected
        maximum = (peak or 1.0) if name == "c" else max(peak, 1.0)
        minimum = -maximum
    return Heatmap(name, values, GATE_NAMES.get(name, ""), minimum, maximum, not gate, GATE_COLORS.get(name))


def gate_heatmaps(
    key: str,
    heatmaps: Sequence[Heatmap],
    *,
    unit: int = 0,
    series: Mapping[str, np.ndarray] | None = None,
    symbols: Sequence[str] | None = None,
    units: Sequence[UnitPanel] | None = None,
    curves: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    large: str | None = None,
    rows: Sequence[str] | None = None,
) -> int:
    """Draw heatmaps over time and return the unit that the user selected.

    Args:
        heatmaps: in the order to show; h may have fewer rows than the others (`proj_size`).
        unit: the unit that is selected at first; then the user's choice holds, so keep passing the same value: an
            unchanged message is not sent again.
        series: name → (seq_len,), the window that the network read; symbols: a text a step, in the series' place.
        units: panels of the selected unit; None: its gates and its states, from the heatmaps.
        curves: title → gate → (seq_len,), further panels under the same cursor.
        large: the name of one heatmap to show alone.
        rows: what the rows are if not units, each a word and a number such as "epoch 3"; `unit` is then the selected
            row whenever it changes.

    Raises:
        ValueError: the arrays are not equally long.
    """
    if units is None:
        units = _gates_and_states(heatmaps)
    series, curves = series or {}, curves or {}
    lines = [line for panel in units for line in panel.lines]
    extra = [values for panel in curves.values() for values in panel.values()]
    planes = [plane.values for plane in (*heatmaps, *lines)]
    seq_len = _common_length((*planes, *series.values(), *extra), symbols)
    row_count = max(map(len, planes))

    indices, arrays = _unique(planes)  # many lines share a heatmap's array
    stride = max(1, -(-sum(values.size for values in arrays) // MAX_CELLS))
    at = iter(indices)
    header = {
        "stride": stride,
        "steps": len(range(0, seq_len, stride)),
        "start": unit,
        "rows": None if rows is None else list(rows),
        "units": row_count,
        "large": large,
        "warning": _warning(stride, seq_len, row_count),
        "maps": [{**_describe(plane), "array": next(at)} for plane in heatmaps],
        "groups": [
            {
                "title": panel.title,
                "span": panel.span,
                "group": [_describe_line(line) | {"array": next(at)} for line in panel.lines],
            }
            for panel in units
        ],
        "series": list(series),
        "symbols": list(symbols[::stride]) if symbols else None,
        "curves": [
            {"title": title, "lines": [{"name": name, "color": GATE_COLORS.get(name)} for name in panel]}
            for title, panel in curves.items()
        ],
    }
    drawn = [values[..., ::stride] for values in (*arrays, *series.values(), *extra)]
    result = _draw(key, header, drawn, default={"unit": unit})
    return max(0, min(int(result.unit), row_count - 1))


def _common_length(arrays: Sequence[np.ndarray], symbols: Sequence[str] | None) -> int:
    lengths = {values.shape[-1] for values in arrays}
    if len(lengths) != 1:
        raise ValueError(f"All heatmaps and series must be equally long, not {sorted(lengths)} steps.")
    if symbols and len(symbols) not in lengths:
        raise ValueError(f"There are {len(symbols)} symbols, not {sorted(lengths)}: give one a step.")
    return lengths.pop()


def _gates_and_states(heatmaps: Sequence[Heatmap]) -> list[UnitPanel]:
    lines = [UnitLine(heatmap.name, heatmap.values, heatmap.color) for heatmap in heatmaps]
    gates = [line for line in lines if line.name in GATES]
    states = [line for line in lines if line.name not in GATES]
    panels = UnitPanel("gates", gates, (0.0, 1.0)), UnitPanel("states", states)
    return [panel for panel in panels if panel.lines]


def _unique(arrays: Sequence[np.ndarray]) -> tuple[list[int], list[np.ndarray]]:
    """The index of each array among the distinct ones, and those."""
    different = {id(values): values for values in arrays}
    order = list(different)
    return [order.index(id(values)) for values in arrays], list(different.values())


def _describe(heatmap: Heatmap) -> dict:
    """What the browser needs of one heatmap beside its values."""
    return {
        "name": heatmap.name,
        "title": heatmap.title,
        "units": len(heatmap.values),
        "low": heatmap.minimum,
        "high": heatmap.maximum,
        "scale": color_stops(heatmap.signed),
        "color": heatmap.color,
        "note": heatmap.note,
    }


def _describe_line(line: UnitLine) -> dict:
    return {"name": line.name, "units": len(line.values), "color": line.color, "dashed": line.dashed}


def _warning(stride: int, seq_len: int, units: int) -> str:
    if stride == 1:
        return ""
    size = f"{seq_len:,} steps × {units:,} units"
    return f"{size} are too many to draw at once: one step in {stride} is shown."
