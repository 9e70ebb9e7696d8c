"""The stage: one trace played step by step through a drawn LSTM cell, in the browser. Python's half of stage/*.js.

The modules in stage/ are plain ES modules, served as files: no bundler, no copy. They get one message a window
(lstm_core/scene.py) and ask the server for nothing after that.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components.v1 import declare_component

from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from pages.shared.components.wire import color_stops, pack, text

_MODULES = Path(__file__).parent
_mount = st.components.v2.component(
    "stage",
    html='<div class="stage"></div>',
    js=text("stage/stage.js"),
    css=text(*(f"stage/{path.name}" for path in sorted(_MODULES.glob("*.css")))),
    isolate_styles=False,
)


def stage(
    key: str, header: dict[str, Any], arrays: list[np.ndarray], id: str, link: dict[str, str | int]
) -> None:
    """Draw scene.scene's (header, arrays). id: another one is another picture; link: what the address says of it."""
    look = {
        "colors": GATE_COLORS,
        "titles": GATE_NAMES,
        "scales": {"gate": color_stops(False), "signed": color_stops(True)},
    }
    setup = json.dumps({"path": _path(), "look": look}).encode()
    setup += b" " * (-len(setup) % 4)
    data = len(setup).to_bytes(4, "little") + setup + pack({**header, "id": id, "link": link}, arrays)
    _mount(key=key, data=data, height="content")


@st.cache_resource(show_spinner=False)
def _path() -> str:
    """Serve the modules and return their folder's path relative to the app's root."""
    component = declare_component("stage_modules", path=_MODULES)
    return f"component/{component.name}"
