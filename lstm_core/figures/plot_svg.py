"""A LinePlot as an SVG file: a few kilobytes that any browser and word processor shows.

Plotly's own pictures need its 4 MB of JavaScript in every file, or a browser to draw them.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

import numpy as np

from lstm_core.figures.lines import LinePlot
from lstm_core.figures.theme import GREY, RUN_COLORS
from lstm_core.training.history import downsample_min_max

WIDTH, HEIGHT = 900, 420
LEFT, RIGHT, TOP, BOTTOM = 90, 20, 50, 60  # margins
LEGEND_ROW = 20  # pixels
MAX_TEXT = 60  # letters of a name that are shown
TICKS = 5  # about so many an axis
POINTS = 1500  # of a line
_DASHES = {"dash": "8 5", "dot": "2 4"}


def plot_svg(plot: LinePlot) -> str:
    """x: numbers or, for all lines, datetime64. Values of a logarithmic y axis that are not positive are left out."""
    is_time = any(np.asarray(line.x).dtype.kind == "M" for line in plot.lines)
    lines = [_points(line.x, line.y, plot.log_y) for line in plot.lines]
    x_range = _range(np.concatenate([x for x, _ in lines]))
    y_range = _range(np.concatenate([y for _, y in lines]), 0.04)
    if plot.y_range is not None:
        y_range = tuple(np.log10(plot.y_range).tolist()) if plot.log_y else plot.y_range
    legend = _legend([line.name for line in plot.lines])
    top = TOP + legend[-1][1] if legend else TOP

    def place(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        across, up = ((v - low) / (high - low) for v, (low, high) in ((x, x_range), (y, y_range)))
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - top - BOTTOM)

    shapes = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for tick in _ticks(*x_range, whole=is_time):
        at = place(np.array(tick), np.array(y_range[0]))[0]
        label = str(np.datetime64(int(tick), "s")).replace("T", " ").removesuffix(" 00:00:00") if is_time else None
        shapes.append(_text(at, HEIGHT - BOTTOM + 22, label or f"{tick:.6g}", "middle"))
    for tick in (_log_ticks if plot.log_y else _ticks)(*y_range):
        at = place(np.array(x_range[0]), np.array(tick))[1]
        shapes.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#DDD"/>')
        shapes.append(_text(LEFT - 8, at + 5, f"{10.0**tick if plot.log_y else tick:.4g}".replace("-", "−"), "end"))
    shapes.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, plot.x_title, "middle"))
    shapes.append(_text(LEFT, 18, plot.y_title, "start"))
    for k, (line, (x, y), (left, down)) in enumerate(zip(plot.lines, lines, legend, strict=True)):
        color = line.color or RUN_COLORS[k % len(RUN_COLORS)]
        dash = f' stroke-dasharray="{_DASHES[line.dash]}"' if line.dash in _DASHES else ""
        style = f'fill="none" stroke="{color}" stroke-width="{line.width:g}" stroke-opacity="{line.opacity:g}"{dash}'
        shapes += [f'<polyline points="{part}" {style}/>' for part in _parts(*place(x, y))]
        shapes.append(f'<path d="M{left:.0f} {36 + down}h24" {style}/>')
        shapes.append(_text(left + 30, 41 + down, line.name, "start"))
    frame = f"M{LEFT} {top}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"
    shapes.append(f'<path d="{frame}" fill="none" stroke="{GREY}"/>')
    body = "\n".join(shapes)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="14">\n{body}\n</svg>\n'


def _legend(names: list[str]) -> list[tuple[float, int]]:
    """Where each name stands: from the left, and how far below the first row."""
    places, left, down = [], float(LEFT), 0
    for name in names:
        width = 50 + 8 * min(len(name), MAX_TEXT)
        if left > LEFT and left + width - 20 > WIDTH:
            left, down = float(LEFT), down + LEGEND_ROW
        places.append((left, down))
        left += width
    return places


def _points(x: np.ndarray, y: np.ndarray, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """As numbers, seconds for times; the logarithm to base 10 of y; NaN: a gap."""
    x, y = np.asarray(x), np.asarray(y, np.float64)
    x = x.astype("M8[s]").astype(np.float64) if x.dtype.kind == "M" else x.astype(np.float64)
    if log:
        y = np.log10(np.where(y > 0, y, np.nan))
    return downsample_min_max(x, np.where(np.isfinite(y), y, np.nan), POINTS)


def _range(values: np.ndarray, room: float = 0.0) -> tuple[float, float]:
    """The lowest and the highest of those known, apart from each other, with some room."""
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    return low - room * (high - low), high + room * (high - low)


def _ticks(low: float, high: float, whole: bool = False) -> np.ndarray:
    """Round numbers in between; whole: evenly spread whole ones instead."""
    if whole:
        return np.linspace(low, high, TICKS)[1:-1].round()
    size = (high - low) / TICKS
    power = 10.0 ** np.floor(np.log10(size))
    step = power * min((1, 2, 5, 10), key=lambda factor: abs(factor - size / power))
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step


def _log_ticks(low: float, high: float) -> np.ndarray:
    """Of logarithms to base 10: 1, 2 and 5 times the powers of ten, of a long axis the powers alone."""
    powers = np.arange(np.floor(low), np.ceil(high) + 1)
    ticks = powers if high - low > TICKS / 2 else (powers[:, None] + np.log10([1, 2, 5])).ravel()
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    return ticks if len(ticks) > 1 else _ticks(low, high)


def _parts(x: np.ndarray, y: np.ndarray) -> Iterator[str]:
    """The stretches between gaps."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    for rows in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
        if len(rows):
            yield " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[rows], y[rows], strict=True))


def _text(x: float, y: float, text: str, anchor: str) -> str:
    """text: perhaps a name from a file: escaped, without what XML cannot hold."""
    safe = html.escape("".join(c if c.isprintable() else " " for c in text[:MAX_TEXT]))
    return f'<text x="{float(x):.1f}" y="{float(y):.1f}" text-anchor="{anchor}">{safe}</text>'
