"""The way of our browser components: how one is declared and mounted, and how numbers travel to it.

Each is a plain ES module beside its Python half, served as a file with the modules that it imports: no bundler, no
copy, and a rerun sends no code again. This folder is served as it is, so it holds source and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from plotly.colors import sample_colorscale
from streamlit.components.v1 import declare_component

from lstm_core.figures.theme import GATE_SCALE, SIGNED_SCALE

SCALE_STOPS = 17  # odd, so that a signed scale's middle is exactly the colour of 0

_HERE = Path(__file__).parent
_LOADER = """\
const root = document.querySelector('script[src*="static/js/"]').src.split("static/js/")[0];
export default (await import(`${root}component/%s/%s`)).default;
"""


def mount(
    name: str, *styles: str, module: str | None = None, results: Sequence[str] = ()
) -> Callable[..., Any]:
    """Declare a component, and return what draws it: draw(key, header, arrays=None, **options).

    module: its ES module in this folder, by default name.js; styles: its style sheets, by default name.css; results:
    the names of what it may answer. Without `arrays` the header goes as JSON, else both in one message (see pack).
    options: as Streamlit's component takes them.
    """
    declared = st.components.v2.component(
        name,
        html=f'<div class="{name.replace("_", "-")}"></div>',
        js=_LOADER % (_modules().name, module or f"{name}.js"),
        css=read_assets(*(styles or (f"{name}.css",))),
        isolate_styles=False,
    )
    # A result exists only if it has a callback; the rerun itself is all we need.
    callbacks = {f"on_{result}_change": _nothing for result in results}

    def draw(key: str, header: dict, arrays: Sequence[np.ndarray] | None = None, **options: Any) -> Any:
        _serve()
        data = header if arrays is None else pack(header, arrays)
        return declared(key=key, data=data, **{"height": "content", **callbacks, **options})

    return draw


def _nothing() -> None:
    pass


def _modules() -> Any:
    return declare_component("modules", path=_HERE)


@st.cache_resource(show_spinner=False)
def _serve() -> None:
    """Serve this folder. A folder is registered only while a script runs, and once is enough."""
    _modules()


def read_assets(*names: str) -> str:
    """These files of this folder, one after the other."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


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
