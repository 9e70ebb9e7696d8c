"""A text whose characters are coloured by one unit's activation at each of them: Python's half of text_heatmap.js.

The values of all units are sent at once, so that another unit is shown without asking the server.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstm_core.analysis.unit_search import UnitMatch
from lstm_core.figures.theme import HIGH_COLOR, LOW_COLOR
from pages.shared.components.wire import mount

_draw = mount("text_heatmap")


def text_heatmap(
    key: str, text: str, name: str, values: np.ndarray, matches: Mapping[str, UnitMatch], color: str | None
) -> None:
    """Draw `text` with a slider over the units and a button for each match, by its signal.

    name: of the activation, such as "c"; values: (units, characters); color: of 1, where 0 has none; None: the values
    are signed, and each unit's colours span its range.
    """
    if values.shape[1] != len(text):
        raise ValueError(f"{len(text)} characters need as many values of each unit, not {values.shape[1]}.")
    header = {
        "text": text,
        "name": name,
        "units": len(values),
        "signed": color is None,
        "colors": [LOW_COLOR, HIGH_COLOR] if color is None else [color, color],
        "matches": [
            {"signal": signal, "unit": match.unit, "correlation": round(match.score, 2)}
            for signal, match in matches.items()
        ],
    }
    _draw(key, header, [values])
