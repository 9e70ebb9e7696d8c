"""How our browser components are declared and mounted, and how numbers are sent to them.

Each is a plain ES module beside its Python half. Streamlit takes a component's JavaScript as one text, and a file that
the browser asks for while the server works comes late: so a component goes with the modules that it imports, as one
text. The Stage's many modules are files (see serve): this folder is served as it is, and holds source and nothing else.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from plotly.colors import sample_colorscale
from streamlit.components.v1 import declare_component

from lstm_core.figures.theme import GATE_SCALE, SIGNED_STOPS

SCALE_STOPS = len(SIGNED_STOPS)  # odd, so that a signed scale's middle is exactly the colour of 0

_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "(\.[^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|class) (\w+))", re.MULTILINE)


def mount(name: str, *styles: str, module: str | None = None, results: Sequence[str] = ()) -> Callable[..., Any]:
    """Declare a component, and return what draws it: draw(key, header, arrays=None, **options).

    module: its ES module in this folder, by default name.js; styles: its style sheets, by default name.css; results:
    the names of the values it may return. Without `arrays` the header goes as JSON, else both in one message (pack).
    options: as Streamlit's component takes them.
    """
    declared = st.components.v2.component(
        name,
        html=f'<div class="{name.replace("_", "-")}"></div>',
        js=bundle(module or f"{name}.js"),
        css=read_assets(*(styles or (f"{name}.css",))),
        isolate_styles=False,
    )
    # A result exists only if it has a callback; the rerun itself is all we need.
    callbacks = {f"on_{result}_change": _nothing for result in results}

    def draw(key: str, header: dict, arrays: Sequence[np.ndarray] | None = None, **options: Any) -> Any:
        data = header if arrays is None else pack(header, arrays)
        return declared(key=key, data=data, **{"height": "content", **callbacks, **options})

    return draw


def _nothing() -> None:
    pass


def bundle(module: str) -> str:
    """This ES module of this folder and all that it imports from there, by name, as the text of one module."""
    parts: dict[str, str] = {}

    def add(path: str) -> None:
        if path in parts:
            return
        text, folder = read_assets(path), posixpath.dirname(path)

        def constants(imports: re.Match) -> str:
            other = posixpath.normpath(posixpath.join(folder, imports[2]))
            add(other)
            return f'const {imports[1].replace(" as ", ": ")} = modules["{other}"];'

        text = _IMPORT.sub(constants, text)
        if path != module:
            names = ", ".join(_EXPORT.findall(text))
            text = f'modules["{path}"] = (() => {{\n{_EXPORT.sub("", text)}return {{ {names} }};\n}})();'
        parts[path] = text

    add(module)
    return "\n".join(["const modules = {};", *parts.values()])


@st.cache_resource(show_spinner=False)
def serve() -> str:
    """Serve this folder as files, and return its path relative to the app's root."""
    # Cached because a folder is registered only while a script runs, and once is enough.
    return f"component/{declare_component('modules', path=_HERE).name}"


def read_assets(*names: str) -> str:
    """These files of this folder, one after the other."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


@cache
def color_stops(signed: bool) -> list[str]:
    """The colours of SCALE_STOPS even steps of the scale of signed values, or of a gate's."""
    return list(SIGNED_STOPS) if signed else sample_colorscale(GATE_SCALE, SCALE_STOPS)


def pack(header: dict, arrays: Sequence[np.ndarray]) -> bytes:
    """Return `header` and `arrays` as one message: a component's data is JSON or bytes, not both.

    Layout: uint32 length of the JSON, the JSON padded with spaces to a multiple of four, then all
    arrays as float32, all little-endian.
    """
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    chunks = [np.ascontiguousarray(a, dtype="<f4").tobytes() for a in arrays]
    return len(text).to_bytes(4, "little") + text + b"".join(chunks)
