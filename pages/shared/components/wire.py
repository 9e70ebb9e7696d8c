"""What our components share: how their files are read and how numbers travel to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from plotly.colors import sample_colorscale

from lstm_core.figures.theme import GATE_SCALE, SIGNED_SCALE

SCALE_STOPS = 17  # odd, so that a signed scale's middle is exactly the colour of 0

_HERE = Path(__file__).parent


def text(*names: str) -> str:
    """These files of pages/shared/, one after the other, as the text of one component.

    Streamlit takes such a text as a whole, and there is no bundler: of a module that others import,
    the word export is left out where it is put before a component's own text.
    """
    *before, last = ((_HERE / name).read_text(encoding="utf-8") for name in names)
    return "\n".join([*(part.replace("\nexport ", "\n") for part in before), last])


@cache
def color_stops(signed: bool) -> list[str]:
    """The colours of SCALE_STOPS even steps of the scale of signed values, or of a gate's."""
    return sample_colorscale(SIGNED_SCALE if signed else GATE_SCALE, SCALE_STOPS)


def pack(header: dict, arrays: Sequence[np.ndarray]) -> bytes:
    """Return `header` and `arrays` as one message: a component's data is JSON or bytes, not both.

    Layout: uint32 length of the JSON, the JSON padded with spaces to a multiple of four, then all
    arrays as float32, all little-endian.
    """
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    parts = [np.ascontiguousarray(a, dtype="<f4").tobytes() for a in arrays]
    return len(text).to_bytes(4, "little") + text + b"".join(parts)
