"""The stage on a page of its own: its modules and style sheets as files, the example's scene, and no Streamlit server.

What the app's page Stage sends comes from that page, run once without a browser. What Streamlit's own page around a
component has (its theme, its font, the rules that it starts from) is written down here; test_stage_in_app.py holds
both pages side by side.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import streamlit
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = ROOT / "pages" / "shared" / "components"
STREAMLITS_FILES = Path(streamlit.__file__).parent / "static" / "static" / "media"

# The custom properties of Streamlit's theme that the stage uses.
THEME = {
    "light": {
        "--st-background-color": "#FFFFFF",
        "--st-border-color": "rgba(47, 45, 43, 0.2)",
        "--st-border-color-light": "rgba(47, 45, 43, 0.1)",
        "--st-font": '"Source Sans",sans-serif,"Source Sans",sans-serif',
        "--st-primary-color": "#0067A8",
        "--st-secondary-background-color": "#F8F8F7",
        "--st-text-color": "#2F2D2B",
    },
    "dark": {
        "--st-background-color": "#171614",
        "--st-border-color": "rgba(237, 235, 232, 0.2)",
        "--st-border-color-light": "rgba(237, 235, 232, 0.1)",
        "--st-font": '"Source Sans",sans-serif,"Source Sans",sans-serif',
        "--st-primary-color": "#4DA3DB",
        "--st-secondary-background-color": "#2D2B27",
        "--st-text-color": "#EDEBE8",
    },
}
# `main` stands where the app's page Stage has its stage, beside the sidebar and under title and choices.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>The stage</title>
<link rel="icon" href="data:,">
<style>
@font-face {{ font-family: "Source Sans"; src: url("Upright.woff2"); font-weight: 200 900; }}
@font-face {{ font-family: "Source Sans"; src: url("Italic.woff2"); font-weight: 200 900; font-style: italic; }}
:root {{ {light} color-scheme: light dark; font-size: 17px; }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
*, ::before, ::after {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--st-background-color); font: 17px var(--st-font); }}
p {{ margin: 0 0 1rem; font-size: 1rem; font-weight: 400; }}
img, svg {{ vertical-align: middle; }}
input, button, select {{ margin: 0; font-family: inherit; line-height: inherit; font-size: inherit; }}
main {{ position: absolute; top: 122.390625px; left: 275.390625px; right: 37.390625px; }}
</style>
<style>
{styles}
</style>
</head>
<body>
<main></main>
<script type="module">
import {{ Stage }} from "./modules/stage/main.js";
const look = {look}, example = "{example}";
window.put = (base64, titles) => {{
  window.stage?.stop();
  const element = document.createElement("div");
  element.className = "stage";
  document.querySelector("main").replaceChildren(element);
  window.stage = new Stage(element, {{ ...look, titles: titles ?? look.titles }}, window.location);
  window.stage.show(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}};
window.beginAnew = () => {{
  sessionStorage.clear();
  sessionStorage.setItem("lstm-stage-depth", "cell");
  history.replaceState(null, "", "stage");
  document.querySelectorAll("body > :not(main, script)").forEach((rest) => rest.remove());
  window.put(example);
}};
await Promise.all([document.fonts.load("16px 'Source Sans'"), document.fonts.load("italic 16px 'Source Sans'")]);
window.put(example);
</script>
</body>
</html>
"""


def example() -> tuple[dict, bytes]:
    """What the app sends to its stage at first sight: how things look, and the scene of the trained example."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.switch_page("pages/stage.py").run()
    (sent,) = (one.proto.bytes for one in app.get("bidi_component") if one.proto.id.endswith("-stage"))
    size = int.from_bytes(sent[:4], "little")
    return json.loads(sent[4 : 4 + size])["style"], sent


def files() -> dict[str, tuple[str, bytes]]:
    """All that the page's server has: path → (type, content)."""
    look, scene = example()
    properties = {
        scheme: " ".join(f"{name}: {value};" for name, value in theme.items()) for scheme, theme in THEME.items()
    }
    sheets = sorted(COMPONENTS.glob("stage/**/*.css"), key=lambda path: path.name)  # as stage.py sends them
    page = PAGE.format(
        **properties,
        styles="\n".join(path.read_text(encoding="utf-8") for path in sheets),
        look=json.dumps(look),
        example=base64.b64encode(scene).decode(),
    )
    found = {"/stage": ("text/html", page.encode())}
    for path in COMPONENTS.rglob("*.js"):
        found[f"/modules/{path.relative_to(COMPONENTS).as_posix()}"] = ("text/javascript", path.read_bytes())
    for style in ("Upright", "Italic"):
        (font,) = STREAMLITS_FILES.glob(f"SourceSansVF-{style}*.woff2")
        found[f"/{style}.woff2"] = ("font/woff2", font.read_bytes())
    return found


@contextmanager
def stage_server() -> Iterator[str]:
    """Serve the page at /stage; yields the server's address."""
    served = files()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, content = served.get(self.path.split("?")[0], ("text/plain", b""))
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "max-age=3600")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing: a request is no news."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
