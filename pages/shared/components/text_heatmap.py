"""A text whose characters are coloured by what one unit did when it read them: Python's half of text_heatmap.js.

The values of all units are sent at once, so that another unit is shown without asking the server. No model lives here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from lstm_core.lessons.catalog.characters.text import Tracker
from pages.shared.components.wire import color_stops, pack, text

_mount = st.components.v2.component(
    "coloured_text",
    html='<div class="coloured-text"></div>',
    js=text("stage/canvas.js", "text_heatmap.js"),
    css=text("text_heatmap.css"),
    isolate_styles=False,
)


def coloured_text(
    key: str, words: str, name: str, values: np.ndarray, trackers: Sequence[Tracker], color: str | None
) -> None:
    """Draw `words` with a slider over the units and a button for each tracker.

    name: of what is shown, such as "c"; values: (units, characters); color: that of 1, and none of 0; None: what is
    shown has a sign, and each unit's colours span its own range.
    """
    if values.shape[1] != len(words):
        raise ValueError(f"{len(words)} characters need as many values of each unit, not {values.shape[1]}.")
    low, high = (
        color_stops(signed=True)[k] for k in (3, -4)
    )  # the ends are too dark to be read on, in a dark theme
    header = {
        "words": words,
        "name": name,
        "units": len(values),
        "signed": color is None,
        "colors": [low, high] if color is None else [color, color],
        "trackers": [
            {"signal": one.signal, "unit": one.unit, "correlation": round(one.correlation, 2)}
            for one in trackers
        ],
    }
    _mount(key=key, data=pack(header, [values]), height="content")
