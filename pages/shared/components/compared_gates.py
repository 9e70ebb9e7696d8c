"""The gates of several runs side by side: a row of heatmaps a gate, a column a run, one time cursor over all.

Python's half of compared_gates.js. All traces go to the browser once, as one message; the cursor asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.figures.theme import GATE_NAMES
from pages.shared.components.gate_heatmaps import MAX_CELLS, heatmap_of
from pages.shared.components.wire import color_stops, mount

_draw = mount("compared_gates", "heatmap.css", "compared_gates.css")


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """One column: its heading, its colour, and of every gate and state (units, seq_len)."""

    label: str
    color: str
    gates: Mapping[str, np.ndarray]

    @property
    def steps(self) -> int:
        return self.gates["h"].shape[1]


def compared_gates(key: str, runs: Sequence[ComparedRun], series: Mapping[str, np.ndarray]) -> None:
    """Draw them. series: name → (seq_len,), what the run with the longest window reads.

    Windows are aligned at their ends: what a shorter one lacks at its beginning has no data.
    """
    steps = max(run.steps for run in runs)
    total = sum(array.size for run in runs for array in run.gates.values())
    stride = max(1, -(-total // MAX_CELLS))
    columns = [
        {"label": run.label, "color": run.color, "units": {name: len(values) for name, values in run.gates.items()}}
        for run in runs
    ]
    rows, arrays = [], []
    for name, title in GATE_NAMES.items():
        first, *others = (run.gates[name] for run in runs)
        scale = heatmap_of(name, first, common=others)
        rows.append(
            {
                "name": name,
                "title": title,
                "low": scale.minimum,
                "high": scale.maximum,
                "scale": color_stops(scale.signed),
                "color": scale.color,
            }
        )
        arrays += [_aligned(run.gates[name], steps)[:, ::stride] for run in runs]
    header = {
        "steps": len(range(0, steps, stride)),
        "stride": stride,
        "runs": columns,
        "gates": rows,
        "series": list(series),
        "warning": "" if stride == 1 else f"There are too many cells to draw at once: one step in {stride} is shown.",
    }
    _draw(key, header, [*arrays, *(_aligned(values[None], steps)[0, ::stride] for values in series.values())])


def _aligned(values: np.ndarray, steps: int) -> np.ndarray:
    """(rows, steps): the values at the end, nothing before."""
    lacking = steps - values.shape[1]
    return np.pad(values.astype(np.float32), ((0, 0), (lacking, 0)), constant_values=np.nan) if lacking else values
