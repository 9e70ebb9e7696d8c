"""Inputs that are known ahead, drawn by hand: Python's half of future_strips.js."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.figures.theme import SIDE_COLORS
from pages.shared.components.wire import mount

MAX_DECIMALS = 4
LABEL = (
    "Inputs known ahead. Drag a value to come up or down; left and right select a row, up and down change its value, "
    "Shift with left or right goes to another input."
)

_draw = mount("future_strips", results=["drawn"])


@dataclass(frozen=True, eq=False)
class Strip:
    """One input: its last known values (rows,), and those to come (steps,)."""

    name: str
    past: np.ndarray
    ahead: np.ndarray


def future_strips(key: str, strips: Sequence[Strip], times: Sequence[str], series: int, received: int) -> dict | None:
    """Draw them under one another, all of the same lengths; what a hand has drawn, else None.

    times: (steps,) what the rows to come are called; received: the count of the last answer that was taken, which the
    browser waits for. Returns {count, series, changes: [{feature, step, value}], done}; done: the hand has let go.
    """
    features = [
        {"name": one.name, "color": SIDE_COLORS[k % len(SIDE_COLORS)], "decimals": decimals(one.past)}
        for k, one in enumerate(strips)
    ]
    header = {
        "features": features,
        "past": len(strips[0].past),
        "steps": len(strips[0].ahead),
        "times": list(times),
        "series": series,
        "received": received,
        "label": LABEL,
    }
    arrays = [array for one in strips for array in (one.past, one.ahead)]
    result: Any = _draw(key, header, arrays, default={"drawn": None})
    return result.drawn


def decimals(values: np.ndarray) -> int | None:
    """How many decimals the known numbers have, at most MAX_DECIMALS; None: more."""
    known = values[np.isfinite(values)]
    rounding = 1e-12 * max(1.0, np.abs(known).max(initial=0.0))
    for count in range(MAX_DECIMALS + 1):
        if np.allclose(known, np.round(known, count), rtol=0, atol=rounding):
            return count
    return None
