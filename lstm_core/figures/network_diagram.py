"""The drawing of a model: its layers and directions, unrolled over the steps, with every size on its arrow.

Takes a spec and returns a figure; no tensors, no data. Text keeps the theme's own colour, everything else is
a mid-tone, so the drawing stands on light and on dark.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import plotly.graph_objects as go

from lstm_core.experiment import ModelSpec
from lstm_core.figures.diagram import arrow, box, label, wire
from lstm_core.figures.theme import BRICK, GREY, LIME, VIOLET, subscript

FORWARD, REVERSE, HEAD, WIRE = VIOLET, BRICK, LIME, GREY

_UNIT = 92  # pixels of height for one unit of y
_TEXT, _SMALL = 16, 14  # pixels
_SHIFT = 0.22  # how far a bidirectional layer's cells stand left and right of their step
_LANE = 0.66  # how far the reverse cells stand above the forward ones
_TALL = 0.4  # a cell's height
_SKIP = 1.4  # how far right of the last step a linear skip passes the layers


def network_figure(spec: ModelSpec, input_size: int, output_size: int, seq_len: int) -> go.Figure:
    """The stack, layers bottom to top and steps left to right; long stacks and sequences with an ellipsis."""
    return _Drawing(spec, input_size, output_size, seq_len).figure()


def _shown(count: int, first: int) -> list[int | None]:
    """The numbers first … first+count−1, in at most four places: two, None for an ellipsis, the last."""
    last = first + count - 1
    return list(range(first, last + 1)) if count <= 4 else [first, first + 1, None, last]


def _colored(text: str, color: str) -> str:
    return f"<span style='color:{color}'>{text}</span>"


@dataclass
class _Drawing:
    """Collects shapes and annotations. x: the steps' places 0, 1, …; y: upwards from the input's 0."""

    spec: ModelSpec
    input_size: int
    output_size: int
    seq_len: int
    shapes: list[dict] = field(default_factory=list)
    notes: list[dict] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = _shown(self.seq_len, 1)
        self.last = len(self.steps) - 1
        self.both = self.spec.bidirectional
        self.shift, self.lane = (_SHIFT, _LANE) if self.both else (0.0, 0.0)
        self.directions = [(-self.shift, 0.0, FORWARD), (self.shift, self.lane, REVERSE)][: self.spec.num_directions]
        self.half = 0.18 if self.both else 0.2  # half a cell's width

    def figure(self) -> go.Figure:
        if self.both:
            forward, reverse = (_colored(arrow, color) for arrow, color in (("→", FORWARD), ("←", REVERSE)))
            self._text(-1.9, 0, f"{forward} forward  {reverse} reverse", anchor="left", size=_SMALL)
        for column, step in enumerate(self.steps):
            self._text(column, 0, "…" if step is None else f"x{subscript(step)}", size=_TEXT + 2)
        below, y = 0.2, 0.85  # where this layer's wires start, where its forward cells stand
        layers_shown = _shown(self.spec.num_layers, 0)
        for layer in layers_shown:
            if layer is None:
                self._skipped(y, layers_shown[-1])
                below, y = y + 0.2, y + 0.85
                continue
            self._layer(layer, below, y)
            top = y + self.lane + _TALL / 2
            below, y = top + 0.28, top + 0.95
        self._head(y - 0.95, y)
        if self.spec.linear_skip:
            self._skip(y)
        return self._finish(y + 0.75)

    def _layer(self, layer: int, below: float, y: float) -> None:
        self._text(-1.9, y + self.lane / 2, f"<b>layer {layer}</b>", anchor="left")
        for column, step in enumerate(self.steps):
            if step is None:
                for shift, lane, _ in self.directions:
                    self._text(column + shift, y + lane, "…", size=_TEXT + 4)
                continue
            self._wire_in(layer, column, below, y)
            for shift, lane, color in self.directions:
                self._box(column + shift, y + lane, self.half, _TALL, color, self.spec.module_name)
            if layer < self.spec.num_layers - 1 or self.spec.head == "per_step":
                self._wire_out(column, y)
        if self.spec.proj_size:
            self._projection(y)
        for shift, lane, color in self.directions:
            self._states(y + lane, shift, color, reverse=color == REVERSE)

    def _wire_in(self, layer: int, column: int, below: float, y: float) -> None:
        dropped = layer > 0 and self.spec.dropout > 0
        middle = (below + y - _TALL / 2) / 2
        tail = below - 0.02  # a little overlap: no gap between a wire and its arrow
        for shift, lane, _ in self.directions:
            self._arrow((column + shift, tail), (column + shift, y + lane - _TALL / 2), WIRE)
        if self.both:
            self._line([(column - self.shift, below), (column + self.shift, below)], WIRE)
        if dropped:
            for shift in {-self.shift, self.shift}:
                self._text(column + shift, middle, "<b>×</b>", size=_TEXT + 4)
        if column == 0:
            width = self.spec.num_directions * self.spec.h_size if layer else self.input_size
            name = f"{width}<br>dropout {self.spec.dropout:g}" if dropped else f"{width}"
            self._text(-self.shift - 0.08, middle, name, anchor="right", size=_SMALL)

    def _wire_out(self, column: int, y: float) -> None:
        """From the cells up to the bar where both directions' h_t lie side by side."""
        for shift, lane, color in self.directions:
            cell_top, bar = y + lane + _TALL / 2, y + self.lane + _TALL / 2 + 0.28
            self._line([(column + shift, cell_top), (column + shift, bar)], color)

    def _projection(self, y: float) -> None:
        sizes = f"{self.spec.hidden_size} → {self.spec.proj_size}"
        if self.both:
            self._text(-self.shift - 0.08, y + 0.42, f"weight_hr<br>{sizes}", anchor="right", size=_SMALL)
        else:
            self._text(0.06, y + 0.37, f"weight_hr {sizes}", anchor="left", size=_SMALL)

    def _states(self, y: float, shift: float, color: str, reverse: bool) -> None:
        """The arrows that carry h, and an LSTM's c, from step to step, in at one end and out at the other."""
        h, c, edge = self.spec.h_size, self.spec.hidden_size, self.half
        ends = [-0.75, *(column + shift for column in range(self.last + 1)), self.last + 0.75]
        for left, right in pairwise(ends):
            a = left + (0 if left == ends[0] else edge)
            b = right - (0 if right == ends[-1] else edge)
            self._arrow((b, y), (a, y), color) if reverse else self._arrow((a, y), (b, y), color)
        middle = (0.59 if reverse else 0.41) if self.both else 0.5  # where no vertical wire crosses
        self._text(middle, y + 0.13, f"h {h}", size=_SMALL)
        first, final = "h₀", "hₙ"
        if self.spec.cell == "lstm":
            self._text(middle, y - 0.13, f"c {c}", size=_SMALL)
            first, final = f"{first}, c₀", f"{final}, cₙ"
        self._text(ends[0] - 0.05, y, final if reverse else first, anchor="right")
        self._text(ends[-1] + 0.05, y, first if reverse else final, anchor="left")

    def _skipped(self, y: float, final: int) -> None:
        for column, step in enumerate(self.steps):
            if step is not None:
                self._text(column, y - 0.3, "⋮", size=_TEXT + 6)
        self._text(-1.9, y - 0.3, f"layers 2 … {final - 1}", anchor="left", size=_SMALL)

    def _head(self, top: float, y: float) -> None:
        """The linear head: over every step, or over the last step, where it reads h_n."""
        per_step = self.spec.head == "per_step"
        width = self.spec.num_directions * self.spec.h_size
        self._text(-1.9, y, "<b>head</b>", anchor="left")
        for column, step in enumerate(self.steps):
            if step is None:
                if per_step:
                    self._text(column, y, "…", size=_TEXT + 4)
            elif per_step or column == self.last:
                self._box(column, y, 0.3, _TALL, HEAD, "Linear")
                self._arrow((column, y + _TALL / 2), (column, y + 0.55), HEAD)
                self._text(column + 0.06, y + 0.38, f"{self.output_size}", anchor="left", size=_SMALL)
                self._text(column, y + 0.7, "y" if not per_step else f"y{subscript(step)}", size=_TEXT + 2)
        if per_step:
            self._bars_to_head(top, y)
        else:
            self._last_to_head(top, y)
        name = f"{width}" if per_step else f"hₙ {width}"
        column = 0 if per_step else self.last
        self._text(column - self.shift - 0.06, y - 0.36, name, anchor="right", size=_SMALL)

    def _skip(self, y: float) -> None:
        """The linear skip, from the whole window past the layers to the prediction."""
        x, top = self.last + _SKIP, y + 0.7
        self._line([(self.last + 0.2, 0), (x, 0), (x, 0.02)], WIRE)
        self._arrow((x, 0), (x, y - _TALL / 2), WIRE)
        self._box(x, y, 0.4, _TALL, HEAD, "linear skip")
        self._line([(x, y + _TALL / 2), (x, top), (x - 0.02, top)], WIRE)
        self._arrow((x, top), (self.last + 0.12, top), WIRE)
        self._text(x + 0.06, y - 0.36, f"{self.seq_len * self.input_size:,}", anchor="left", size=_SMALL)

    def _bars_to_head(self, top: float, y: float) -> None:
        for column, step in enumerate(self.steps):
            if step is not None:
                self._line([(column - self.shift, top + 0.28), (column + self.shift, top + 0.28)], WIRE)
                self._arrow((column, top + 0.26), (column, y - _TALL / 2), WIRE)

    def _last_to_head(self, top: float, y: float) -> None:
        """Forward h_n comes from the last step, reverse h_n from the first: it has read down to there."""
        low = top - self.lane
        self._arrow((self.last - self.shift, low), (self.last - self.shift, y - _TALL / 2), FORWARD)
        if self.both:
            bend, right = top + 0.22, self.last + self.shift
            self._line([(self.shift, top), (self.shift, bend), (right, bend), (right, bend + 0.02)], REVERSE)
            self._arrow((right, bend), (right, y - _TALL / 2), REVERSE)

    def _text(self, x: float, y: float, text: str, anchor: str = "center", size: int = _TEXT) -> None:
        self.notes.append(label(x, y, text, size, xanchor=anchor, yanchor="middle", align=anchor))

    def _box(self, x: float, y: float, half: float, tall: float, color: str, text: str) -> None:
        edges = (x - half, x + half), (y - tall / 2, y + tall / 2)
        self.shapes.append(box(*edges, color, fillcolor=color + "33"))
        self._text(x, y, text, size=_SMALL)

    def _line(self, points: list[tuple[float, float]], color: str) -> None:
        self.shapes.append(wire(points, color))

    def _arrow(self, tail: tuple[float, float], tip: tuple[float, float], color: str) -> None:
        self.notes.append(arrow(tail, tip, color))

    def _finish(self, height: float) -> go.Figure:
        hidden = {"visible": False, "fixedrange": True}
        right = self.last + (_SKIP + 0.45 if self.spec.linear_skip else 1.35)
        figure = go.Figure()
        figure.update_layout(
            shapes=self.shapes,
            annotations=self.notes,
            xaxis={**hidden, "range": [-1.95, right]},
            yaxis={**hidden, "range": [-0.25, height + 0.2]},
            height=round(_UNIT * (height + 0.45)),
            margin={"l": 0, "r": 0, "t": 0, "b": 0},
            paper_bgcolor="rgba(0,0,0,0)",
            plot_bgcolor="rgba(0,0,0,0)",
        )
        return figure
