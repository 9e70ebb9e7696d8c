"""The stage as one HTML page that plays from disk, written here: html_export.js writes the same in a browser.

It follows the system's colours, light or dark, since it has no Streamlit page around it.
"""

from __future__ import annotations

import base64
import json
import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit

from pages.shared.components.stage.stage import STYLES, look
from pages.shared.components.wire import pack, read_assets

_FOLDER = Path(__file__).parents[1]
_IMPORT = re.compile(r'\b(from|import) "(\.{1,2}/[\w/.-]+\.js)"')
_FONTS = Path(streamlit.__file__).parent / "static" / "static" / "media"
_LIGHT = {  # Streamlit's custom properties that the stage reads, as in .streamlit/config.toml and Streamlit's themes
    "background-color": "#FFFFFF",
    "border-color": "rgba(47, 45, 43, 0.2)",
    "border-color-light": "rgba(47, 45, 43, 0.1)",
    "font": '"Source Sans", system-ui, sans-serif',
    "primary-color": "#0067A8",
    "secondary-background-color": "#F8F8F7",
    "text-color": "#2F2D2B",
}
_DARK = {
    "background-color": "#171614",
    "border-color": "rgba(237, 235, 232, 0.2)",
    "border-color-light": "rgba(237, 235, 232, 0.1)",
    "primary-color": "#4DA3DB",
    "secondary-background-color": "#2D2B27",
    "text-color": "#EDEBE8",
}


def offline_stage(header: dict[str, Any], arrays: list[np.ndarray]) -> str:
    """The page's text: build_scene's (header, arrays), and every module and style sheet that they need."""
    scene = base64.b64encode(pack({**header, "id": "offline", "link": {}, "style": look()}, arrays)).decode()
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Inside an LSTM</title>
<style>
:root {{ {_properties(_LIGHT)} color-scheme: light dark; font-size: 17px; }}
@media (prefers-color-scheme: dark) {{ :root {{ {_properties(_DARK)} }} }}
*, ::before, ::after {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--st-background-color); font: 17px var(--st-font); }}
input, button, select {{ margin: 0; font: inherit; }}
.stage:not(.stage-large) {{ height: 100vh; min-height: 600px; padding: 10px 16px; }}
{font_face()}
{read_assets(*STYLES)}
</style>
<script type="importmap">{_json({"imports": _modules()})}</script>
</head>
<body>
<div class="stage"></div>
<script type="application/json" class="scene">{_json({"style": look(), "scene": scene})}</script>
<script type="module">
import {{ Stage }} from "lstm/stage/main.js";
const {{ style, scene }} = JSON.parse(document.querySelector(".scene").textContent);
await document.fonts.load('16px "Source Sans"'); // its canvases are painted once
const stage = new Stage(document.querySelector(".stage"), style);
stage.show(Uint8Array.from(atob(scene), (letter) => letter.charCodeAt(0)));
</script>
</body>
</html>
"""


@cache
def font_face() -> str:
    """A style sheet with Streamlit's own font; empty where its files have other names by now: then the system's is
    used."""
    files = sorted(_FONTS.glob("SourceSansVF-Upright*.woff2"))
    if not files:
        return ""
    source = f"data:font/woff2;base64,{base64.b64encode(files[0].read_bytes()).decode()}"
    return f'@font-face {{ font-family: "Source Sans"; font-weight: 200 900; src: url("{source}"); }}'


@cache
def _modules() -> dict[str, str]:
    """Bare name → data URL of stage/main.js and all that it imports: a data URL has no siblings to import."""
    found: dict[str, str] = {}

    def add(path: str) -> None:
        if path in found:
            return
        found[path] = ""
        folder = posixpath.dirname(path)

        def bare(match: re.Match) -> str:
            other = posixpath.normpath(posixpath.join(folder, match[2]))
            add(other)
            return f'{match[1]} "lstm/{other}"'

        text = _IMPORT.sub(bare, (_FOLDER / path).read_text(encoding="utf-8"))
        found[path] = f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"

    add("stage/main.js")
    return {f"lstm/{path}": text for path, text in found.items()}


def _properties(values: dict[str, str]) -> str:
    return " ".join(f"--st-{name}: {value};" for name, value in values.items())


def _json(value: Any) -> str:
    """In a page a "<" in a name must not begin a tag."""
    return json.dumps(value).replace("<", "\\u003c")
