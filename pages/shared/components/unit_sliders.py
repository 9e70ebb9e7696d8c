"""Twelve sliders, the parameters of one LSTM unit, over the arithmetic of its steps: Python's half of the component.

The browser draws the header and reports which slider moved; all arithmetic is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lstm_core.analysis.step_arithmetic import ACTIVATIONS
from lstm_core.experiment import GATES
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from pages.shared.components.wire import mount
from pages.shared.session.fields import widget_value

_draw = mount("unit_sliders", results=["moved", "settled"])


def unit_sliders(key: str, numbers: Sequence[float], tables: Sequence[dict], on_move: Callable[[], None]) -> bool:
    """Draw the sliders at `numbers` (12,) and a table a sequence; True in the one rerun after the mouse was released.

    on_move runs before a rerun in which a number moved: see moved_numbers.
    """
    current = widget_value(key)
    header = {
        "gates": [
            {"name": gate, "title": GATE_NAMES[gate], "color": GATE_COLORS[gate], "activation": ACTIVATIONS[gate]}
            for gate in GATES
        ],
        "numbers": numbers,
        "tables": tables,
        "received": current["moved"]["count"] if current else 0,  # the answer that the browser waits for
    }
    default = {"moved": {"count": 0, "numbers": {}}}
    return bool(_draw(key, header, default=default, on_moved_change=on_move).settled)


def moved_numbers(key: str) -> dict[int, float]:
    """Index and value of each number that was moved since the last rerun."""
    return {int(index): value for index, value in widget_value(key)["moved"]["numbers"].items()}
