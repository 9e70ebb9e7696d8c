"""Parallel coordinates: the trials of a sweep as lines through their settings to their losses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_core.data.number_format import format_significant
from lstm_core.figures.sweep import MAX_LABEL, TrialMark
from lstm_core.figures.theme import FONT_SIZE, GREY, HIGH_COLOR, LOW_COLOR, figure_layout, plain_label
from lstm_core.runs.sweeps.progress import value_text
from lstm_core.runs.sweeps.study import Range, Values

MAX_LINES = 150  # the best ones
FEW = 12  # whole numbers: lines with the same one are drawn apart
SPREAD = 0.04  # of an axis's height, up and down, over which they lie


@dataclass(frozen=True)
class ParallelAxis:
    """One vertical axis. places: (trials,) from 0 to 1; ticks: place → its text."""

    label: str
    places: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]


def setting_axis(name: str, values: Values, trials: Sequence[TrialMark]) -> ParallelAxis:
    """Where the trials' values of a searched setting lie; of a list each value has a place of its own."""
    label = plain_label(name.partition(".")[2], MAX_LABEL)
    chosen = [one.params.get(name) for one in trials]
    if isinstance(values, Range):
        is_whole = all(isinstance(value, int) for value in chosen)
        scale = _Scale(values.low, values.high, values.log)
        places = [scale.place(float(value)) for value in chosen]
        if is_whole and values.high - values.low < FEW:
            places = _apart(places)
        shown = dict.fromkeys(round(value) if is_whole else value for value in (scale.value(k / 2) for k in range(3)))
        ticks = ((scale.place(value), f"{value:,}" if is_whole else _short(value)) for value in shown)
        return ParallelAxis(label, tuple(places), tuple(ticks))
    keys = [_key(value) for value in values]
    step = 1 / max(1, len(keys) - 1)
    found = [keys.index(key) if (key := _key(value)) in keys else 0 for value in chosen]
    texts = (plain_label(_choice_text(value), MAX_LABEL) for value in values)
    ticks = tuple((index * step, text) for index, text in enumerate(texts))
    return ParallelAxis(label, tuple(_apart([index * step for index in found])), ticks)


def _short(value: float) -> str:
    """To two digits, or one where the second is 0."""
    return format_significant(value, 1 if f"{value:.1e}"[2] == "0" else 2)


def _apart(places: Sequence[float]) -> list[float]:
    """Lines with one and the same value, a little apart."""
    spread = np.linspace(-SPREAD, SPREAD, len(places)) if len(places) > 1 else np.zeros(len(places))
    return [float(np.clip(place + off, 0, 1)) for place, off in zip(places, spread, strict=True)]


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    log: bool

    def place(self, value: float) -> float:
        """From 0 at the low end to 1 at the high one."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = (math.log(one) for one in (value, low, high))
        return (value - low) / ((high - low) or 1.0)

    def value(self, place: float) -> float:
        if self.log:
            return math.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low)))
        return self.low + place * (self.high - self.low)


def _key(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _choice_text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return value_text(value)


def _axis_of_losses(losses: Sequence[float]) -> ParallelAxis:
    low, high = float(min(losses)), float(max(losses))
    scale = _Scale(low, high, low > 0)
    places = tuple(float(scale.place(loss)) for loss in losses)
    ticks = [(k / 2, scale.value(k / 2)) for k in range(3)] if high > low else [(0.0, low)]
    return ParallelAxis("loss", places, tuple((place, format_significant(value, 3)) for place, value in ticks))


def parallel_figure(
    trials: Sequence[TrialMark], search: Mapping[str, Values], winner: int | None = None, height: int = 380
) -> go.Figure:
    """A line a trial through its settings to its loss, the blue ones low; the winner's, or the best one's, is wide.

    Pruned trials are dotted. At least one trial must have a loss.
    """
    drawn = sorted((one for one in trials if one.loss is not None), key=lambda one: one.loss)[:MAX_LINES]
    axes = [setting_axis(name, values, drawn) for name, values in search.items()]
    axes.append(_axis_of_losses([one.loss for one in drawn]))
    best = winner if winner is not None else next((one.number for one in drawn if one.state == "complete"), None)
    figure, x = go.Figure(), list(range(len(axes)))
    for place, one in reversed(list(enumerate(drawn))):  # the best ones above the others
        is_best = one.number == best
        figure.add_scatter(
            x=x,
            y=[axis.places[place] for axis in axes],
            mode="lines",
            line={
                "color": _color(axes[-1].places[place]),
                "width": 5 if is_best else 2,
                "dash": "dot" if one.state == "pruned" else "solid",
            },
            opacity=1 if is_best else 0.4 if one.state == "pruned" else 0.7,
            text=[one.text] * len(x),
            hovertemplate="%{text}<extra></extra>",
        )
    for index, axis in enumerate(axes):
        figure.add_shape(type="line", x0=index, x1=index, y0=0, y1=1, line={"color": GREY, "width": 2}, layer="below")
        for place, text in axis.ticks:
            figure.add_annotation(
                x=index,
                y=place,
                text=text,
                showarrow=False,
                xanchor="right" if index else "left",
                xshift=-6 if index else 6,
                yshift=9,
                font={"size": FONT_SIZE - 2},
            )
    labels = [axis.label for axis in axes]
    figure.update_xaxes(
        tickvals=x, ticktext=labels, side="top", range=[-0.12, len(axes) - 0.75], showgrid=False, zeroline=False
    )
    figure.update_yaxes(visible=False, range=[-0.08, 1.1])
    return figure_layout(figure, height).update_layout(hovermode="closest", showlegend=False)


def _color(place: float) -> str:
    """From blue at the lowest loss through grey to red at the highest."""
    ends = (LOW_COLOR, GREY) if place < 0.5 else (GREY, HIGH_COLOR)
    share = 2 * place if place < 0.5 else 2 * place - 1
    channels = ([int(end[k : k + 2], 16) for k in (1, 3, 5)] for end in ends)
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in zip(*channels, strict=True))
