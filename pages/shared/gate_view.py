"""The picture of the Gates page: input series, one heatmap a gate, and one unit's curves.

Here lives the component's Python half; colours and names are those of every figure. The other half,
`gate_view.js`, draws everything on one canvas: six heatmaps of 500 steps x 128 units paint about
ten times faster than as Plotly figures, and the time cursor moves without asking the server.
No tracing and no model lives here: arrays come in, the selected unit goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import streamlit as st
from plotly.colors import sample_colorscale

from lstm_core.figures import GATE_COLORS, GATE_NAMES, GATE_SCALE, SIGNED_SCALE
from pages.shared.live_plot import pack

MAX_CELLS = 500_000  # of all maps together: 2 MB on the wire
SCALE_STOPS = 17  # odd, so that a signed scale's middle is exactly the colour of 0

_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "gate_view",
    html='<div class="gate-view"></div>',
    js=(_HERE / "gate_view.js").read_text(encoding="utf-8"),
    css=(_HERE / "gate_view.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def gate_view(
    key: str,
    maps: Mapping[str, np.ndarray],
    *,
    unit: int = 0,
    series: Mapping[str, np.ndarray] | None = None,
    curves: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    height: int | None = None,
    large: str | None = None,
    colors: Mapping[str, str] = GATE_COLORS,
) -> int:
    """Draw `maps` over time and return the unit that the user selected.

    `maps`: "i", "f", "g", "o", "c", "h" in the order to show, each (units, seq_len); NaN marks a
    step without data (padding). "h" may have fewer rows than the others (`proj_size`).
    `series`: name -> (seq_len,), the window the network read. `large` names one map to show alone.
    `curves`: title -> gate -> (seq_len,), further panels under the same cursor.
    `unit` is where a newly mounted picture starts; from then on the user's choice rules, so keep
    passing the same value: an unchanged message is not sent again. `height` is the whole picture's
    in CSS pixels; None follows the width. Raises ValueError if shapes or names do not match.
    """
    maps = {name: np.asarray(values, dtype=np.float32) for name, values in maps.items()}
    series = {name: np.asarray(values, dtype=np.float32) for name, values in (series or {}).items()}
    curves = {
        title: {name: np.asarray(values, dtype=np.float32) for name, values in lines.items()}
        for title, lines in (curves or {}).items()
    }
    extra = [values for lines in curves.values() for values in lines.values()]
    seq_len = _common_length(maps, [*series.values(), *extra])
    if large is not None and large not in maps:
        raise ValueError(f"There is no map {large!r} to show large, only {', '.join(maps)}.")
    units = max(len(values) for values in maps.values())

    stride = max(1, -(-sum(values.size for values in maps.values()) // MAX_CELLS))
    header = {
        "stride": stride,
        "steps": len(range(0, seq_len, stride)),
        "start": unit,
        "units": units,
        "large": large,
        "height": height,
        "warning": _warning(stride, seq_len, units),
        "maps": [_describe(name, values, colors) for name, values in maps.items()],
        "series": list(series),
        "curves": [
            {"title": title, "lines": [{"name": name, "color": colors.get(name)} for name in lines]}
            for title, lines in curves.items()
        ],
    }
    arrays = [values[..., ::stride] for values in (*maps.values(), *series.values(), *extra)]
    result = _mount(
        key=key,
        data=pack(header, arrays),
        height=height or "content",
        default={"unit": unit},
        on_unit_change=_nothing,
    )
    return max(0, min(int(result.unit), units - 1))


def _nothing() -> None:
    """A component's state exists only if it has a callback; the rerun itself is all we need."""


def _common_length(maps: Mapping[str, np.ndarray], lines: list[np.ndarray]) -> int:
    if not maps or any(values.ndim != 2 for values in maps.values()):
        raise ValueError("gate_view needs at least one map, each of shape (units, seq_len).")
    if any(values.ndim != 1 for values in lines):
        raise ValueError("Each input series and curve must have shape (seq_len,).")
    lengths = {values.shape[-1] for values in (*maps.values(), *lines)}
    if len(lengths) != 1:
        raise ValueError(f"All maps and series must be equally long, not {sorted(lengths)} steps.")
    return lengths.pop()


def _describe(name: str, values: np.ndarray, colors: Mapping[str, str]) -> dict:
    """Return what the browser must know of one map; a colour scale spans `low` to `high`."""
    gate = name in ("i", "f", "o")
    high = 1.0
    if not gate and name != "g":  # c has no bound, nor has h once it is projected
        peak = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        high = max(peak, 1.0) if name == "h" else peak or 1.0
    return {
        "name": name,
        "title": GATE_NAMES.get(name, ""),
        "units": len(values),
        "low": 0.0 if gate else -high,
        "high": high,
        "scale": sample_colorscale(GATE_SCALE if gate else SIGNED_SCALE, SCALE_STOPS),
        "color": colors.get(name),
    }


def _warning(stride: int, seq_len: int, units: int) -> str:
    if stride == 1:
        return ""
    size = f"{seq_len:,} steps × {units:,} units"
    return f"{size} are too many to draw at once: one step in {stride} is shown."
