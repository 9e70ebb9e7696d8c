"""Parts of diagrams, as plotly shapes and annotations: boxes, wires, arrows and labels in data coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Point = tuple[float, float]


def box(x: Point, y: Point, color: str, width: int = 2, **style: Any) -> dict[str, Any]:
    """A rectangle's outline; x, y: its edges. style: plotly's fields of a shape, and `dash` of the outline."""
    line = {"color": color, "width": width} | ({"dash": style.pop("dash")} if "dash" in style else {})
    return {"type": "rect", "x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1], "line": line, **style}


def wire(points: Sequence[Point], color: str) -> dict[str, Any]:
    """A line through the points, without a tip."""
    path = "M" + " L".join(f"{x} {y}" for x, y in points)
    return {"type": "path", "path": path, "line": {"color": color, "width": 2}}


def arrow(tail: Point, tip: Point, color: str) -> dict[str, Any]:
    ends = {"ax": tail[0], "ay": tail[1], "x": tip[0], "y": tip[1], "axref": "x", "ayref": "y"}
    style = {"arrowcolor": color, "arrowwidth": 2, "arrowhead": 2, "arrowsize": 0.9}
    return {**ends, **style, "text": "", "showarrow": True}


def label(x: float, y: float, text: str, size: int, color: str | None = None, **anchor: Any) -> dict[str, Any]:
    """A text; without a colour, in the theme's own. anchor: plotly's xanchor, yref, xshift …"""
    font = {"size": size} | ({"color": color} if color else {})
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": font, **anchor}
