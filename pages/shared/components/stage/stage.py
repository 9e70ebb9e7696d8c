"""The stage: one trace played step by step through a drawn LSTM cell, in the browser. Python's half of stage/**/*.js.

It gets one message a window (lstm_core/figures/stage_scene.py) and asks the server for nothing after that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES, SIDE_COLORS
from pages.shared.components.wire import color_stops, mount, serve

_HERE = Path(__file__).parent
STYLES = tuple(
    path.relative_to(_HERE.parent).as_posix() for path in sorted(_HERE.rglob("*.css"), key=lambda one: one.name)
)
_draw = mount("stage", *STYLES, module="stage/stage.js")


def stage(key: str, header: dict[str, Any], arrays: list[np.ndarray], id: str, link: dict[str, str | int]) -> None:
    """Draw build_scene's (header, arrays). id: of the drawing, a new one resets it; link: query parameters of it."""
    _draw(key, {**header, "id": id, "link": link, "style": look(), "modules": serve()}, arrays)


def look() -> dict[str, Any]:
    """The gates' colours and names, which are written down in Python alone."""
    return {
        "colors": GATE_COLORS,
        "titles": GATE_NAMES,
        "predictionColors": SIDE_COLORS,
        "scales": {"gate": color_stops(False), "signed": color_stops(True)},
    }
