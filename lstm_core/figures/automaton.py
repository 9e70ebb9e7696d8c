"""A finite automaton as a graph: states as circles, arrows with their symbols, and how it differs from the true one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from lstm_core.analysis.automaton.machine import DFA, Differences, Walkable
from lstm_core.figures.diagram import label
from lstm_core.figures.graph_layout import bent, free_direction, layout, looped
from lstm_core.figures.theme import COMPARED_COLORS, FONT_SIZE, GREY, LIME, VIOLET, figure_layout, plain_label

STATE_COLOR, ARROW_COLOR, CURRENT_COLOR, DIFFERENCE_COLOR = VIOLET, GREY, LIME, COMPARED_COLORS[5]
RADIUS = 0.24  # of a state; joined states stand about 1 apart
STUB = 0.55  # length of an arrow that is missing, and of the one that shows the start
MAX_SYMBOLS = 4  # written on one arrow
TIP = 13  # pixels of an arrow's head
BESIDE = 0.13  # from an arrow to the middle of its name
ROOM = 0.1  # around a name: more is no better
STATE_NOTE = "state"  # name of the annotation that numbers a state
WIDTH, MIN_HEIGHT, MAX_HEIGHT = 900, 240, 560  # pixels: the height suits a page about so wide


@dataclass(frozen=True)
class _ArrowStyle:
    """How one kind of arrow is drawn; the name stands in the legend, "" keeps it out."""

    name: str
    color: str
    dash: str = "solid"
    width: float = 1.8
    sign: str = ""  # before its symbols


PLAIN = _ArrowStyle("", ARROW_COLOR)
START = _ArrowStyle("", ARROW_COLOR, width=3)
TAKEN = _ArrowStyle("the last step", CURRENT_COLOR, width=4)
EXTRA = _ArrowStyle("not in the true automaton (+)", DIFFERENCE_COLOR, "dash", 2.4, "+ ")
MISSING = _ArrowStyle("missing (−)", DIFFERENCE_COLOR, "dot", 2.4, "− ")


def automaton_figure(
    machine: Walkable,
    symbols: Sequence[str],
    differences: Differences | None = None,
    at: int | None = None,
    taken: tuple[int, int] | None = None,
) -> go.Figure:
    """The graph of a DFA, a NextSymbolAutomaton or a StateSketch.

    symbols: their names; at: the state where a walk stands, filled; taken: (state, symbol) of the arrow that led there.
    Accepting states have a second circle. With `differences` an arrow that the truth lacks is dashed and signed +, one
    that is missing is a dotted stub signed −, a state that stands for several true ones has a broken edge and says how
    many (×2), and one that answers wrongly is marked ≠. The customdata of the points are the states' numbers.
    """
    drawing = _Graph(machine, [plain_label(name, 12) for name in symbols], differences)
    drawing.draw_arrows(taken)
    drawing.draw_states(at)
    return drawing.finish()


class _Graph:
    def __init__(self, machine: Walkable, symbols: list[str], differences: Differences | None) -> None:
        self.machine, self.symbols, self.differences = machine, symbols, differences
        self.places = layout(machine.n_states, [(a, b) for a, _, b in machine.arrows], machine.start)
        self.shapes: list[dict] = []
        self.notes: list[dict] = []
        self.name_places: list[np.ndarray] = []
        self.curves: dict[_ArrowStyle, list[np.ndarray]] = {}
        self.figure = go.Figure()

    def draw_arrows(self, taken: tuple[int, int] | None) -> None:
        extra = set(self.differences.extra) if self.differences else set()
        groups: dict[tuple[_ArrowStyle, int, int], list[int]] = {}  # arrows of one look between two states are one
        for state, symbol, to in self.machine.arrows:
            style = TAKEN if (state, symbol) == taken else EXTRA if (state, symbol) in extra else PLAIN
            groups.setdefault((style, state, to), []).append(symbol)
        self._add_start()
        beside: dict[tuple[int, int], int] = {}
        for style, state, to in sorted(groups, key=lambda group: group[1] == group[2]):  # loops find what room is left
            turn = beside[state, to] = beside.get((state, to), -1) + 1  # a second look between the same two states
            curve = self._curve(state, to, turn)
            self._take(style, curve, style.sign + self._names(groups[style, state, to]))
        for state, symbol in self.differences.missing if self.differences else []:
            away = free_direction(self._obstacles(state), self.places[state], RADIUS + STUB)
            ends = self.places[state] + np.outer(np.linspace(RADIUS, RADIUS + STUB, 8), away)
            self._take(MISSING, ends, MISSING.sign + self.symbols[symbol])
        for style, parts in self.curves.items():
            self._add_curves(style, parts)

    def draw_states(self, at: int | None) -> None:
        merged = self.differences.merged if self.differences else {}
        wrong = self.differences.wrong if self.differences else []
        accepting = self.machine.accepting if isinstance(self.machine, DFA) else ()
        hover = []
        for state, place in enumerate(self.places):
            is_marked = state in merged or state in wrong
            color = DIFFERENCE_COLOR if is_marked else CURRENT_COLOR if state == at else STATE_COLOR
            fill = (CURRENT_COLOR + "AA") if state == at else color + "22"
            line = {"color": color, "width": 4 if is_marked or state == at else 2}
            line["dash"] = "dash" if state in merged else "solid"
            self._circle(place, RADIUS, line, fill)
            if state in accepting:
                self._circle(place, 0.76 * RADIUS, {**line, "width": 2}, "rgba(0,0,0,0)")
            marks = [f"×{len(merged[state])}"] if state in merged else []
            marks += ["≠"] if state in wrong else []
            text = "<br>".join([f"<b>{state}</b>", *marks])
            self.notes.append(label(float(place[0]), float(place[1]), text, FONT_SIZE, name=STATE_NOTE))
            hover.append(self._told(state, merged, wrong, accepting))
        self.figure.add_scatter(
            x=self.places[:, 0],
            y=self.places[:, 1],
            customdata=list(range(len(hover))),
            hovertext=hover,
            hoverinfo="text",
            mode="markers",
            marker={"size": 34, "color": "rgba(0,0,0,0)"},
            showlegend=False,
        )
        marks = {
            "stands for several true states (×)": ("dash", bool(merged)),
            "answers wrongly (≠)": ("solid", bool(wrong)),
        }
        for name, (dash, is_there) in marks.items():
            if is_there:
                line = {"color": DIFFERENCE_COLOR, "width": 4, "dash": dash}
                self.figure.add_scatter(x=[None], y=[None], mode="lines", line=line, name=name)

    def finish(self) -> go.Figure:
        low, high = self.places.min(axis=0) - 1.0, self.places.max(axis=0) + 1.0
        hidden = {"visible": False, "fixedrange": True}
        height = int(np.clip(WIDTH * (high[1] - low[1]) / (high[0] - low[0]), MIN_HEIGHT, MAX_HEIGHT))
        figure = figure_layout(self.figure, height)
        figure.update_layout(shapes=self.shapes, annotations=self.notes, hovermode="closest", dragmode=False)
        figure.update_xaxes(**hidden, range=[low[0], high[0]])
        return figure.update_yaxes(**hidden, range=[low[1], high[1]], scaleanchor="x", scaleratio=1)

    def _curve(self, state: int, to: int, turn: int) -> np.ndarray:
        if state != to:
            return bent(self.places, state, to, RADIUS, least=0.3 * turn)
        away = free_direction(self._obstacles(state), self.places[state], 2 * RADIUS)
        return looped(self.places[state], away, RADIUS)

    def _obstacles(self, state: int) -> np.ndarray:
        """(n, 2): points of all that is drawn so far, but the state itself."""
        drawn = [curve for curves in self.curves.values() for curve in curves]
        return np.concatenate([np.delete(self.places, state, axis=0), *drawn])

    def _take(self, style: _ArrowStyle, curve: np.ndarray, name: str) -> None:
        self.curves.setdefault(style, []).append(curve)
        self._name_arrow(curve, name, style.color)

    def _names(self, found: list[int]) -> str:
        names = [self.symbols[symbol] for symbol in found[:MAX_SYMBOLS]]
        return ", ".join(names) + (f" +{len(found) - MAX_SYMBOLS}" if len(found) > MAX_SYMBOLS else "")

    def _name_arrow(self, curve: np.ndarray, text: str, color: str) -> None:
        """Beside the curve, on its outer side, where most room is left by states and by other names."""
        chord = curve[-1] - curve[0]
        out = np.array([-chord[1], chord[0]]) / max(np.linalg.norm(chord), 1e-9)
        bulge = curve[len(curve) // 2] - (curve[0] + curve[-1]) / 2
        places = [
            curve[int(share * (len(curve) - 1))] + side * BESIDE * out
            for side in ((1, -1) if bulge @ out >= 0 else (-1, 1))
            for share in (0.5, 0.38, 0.62)
        ]
        taken = np.concatenate([self.places, *(name[None] for name in self.name_places)])
        reach = np.r_[np.full(len(self.places), RADIUS), np.full(len(self.name_places), 0.08)]
        room = [min(ROOM, float((np.linalg.norm(taken - place, axis=1) - reach).min())) for place in places]
        place = places[int(np.argmax(room))]
        self.name_places.append(place)
        bold = f"<b>{text}</b>" if color == DIFFERENCE_COLOR else text
        self.notes.append(label(float(place[0]), float(place[1]), bold, FONT_SIZE))

    def _add_curves(self, style: _ArrowStyle, curves: list[np.ndarray]) -> None:
        """All arrows of one look as one line, with a head where each of them ends."""
        gap = np.full((1, 2), np.nan)
        points = np.concatenate([part for curve in curves for part in (curve, gap)])
        sizes = np.concatenate([np.r_[np.zeros(len(curve) - 1), TIP, 0] for curve in curves])
        self.figure.add_scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="lines+markers",
            line={"color": style.color, "width": style.width, "dash": style.dash},
            marker={"symbol": "arrow", "angleref": "previous", "size": sizes, "color": style.color, "opacity": 1},
            name=style.name,
            showlegend=bool(style.name),
            hoverinfo="skip",
        )

    def _add_start(self) -> None:
        tip = self.places[self.machine.start]
        ends = tip + np.stack([np.linspace(-RADIUS - STUB, -RADIUS, 8), np.zeros(8)], axis=1)
        self.curves[START] = [ends]
        self.notes.append(label(float(ends[0, 0]), float(tip[1]), "start", FONT_SIZE, xanchor="right"))

    def _circle(self, place: np.ndarray, radius: float, line: dict, fill: str) -> None:
        (x0, y0), (x1, y1) = (place - radius).tolist(), (place + radius).tolist()
        self.shapes.append(
            {
                "type": "circle",
                "x0": x0,
                "y0": y0,
                "x1": x1,
                "y1": y1,
                "line": line,
                "fillcolor": fill,
                "layer": "below",
            }
        )

    def _told(self, state: int, merged: dict, wrong: list[int], accepting: Sequence[int] | set[int]) -> str:
        parts = [f"state {state}"]
        if isinstance(self.machine, DFA):
            parts.append("accepts" if state in accepting else "rejects")
        if state in merged:
            parts.append(f"stands for {len(merged[state])} true states: {', '.join(map(str, merged[state]))}")
        if state in wrong:
            parts.append("the true automaton answers the other way")
        return "<br>".join(parts)
