"""Pictures of a sweep: losses by trial, the importance of settings, the finalists' seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.figures.theme import BRICK, GREY, LIME, VIOLET, figure_layout, plain_label

MAX_LABEL = 26
LOSS = "validation loss"
_FINE = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)  # digits beside an axis that is short


@dataclass(frozen=True)
class TrialMark:
    """One trial that has ended. state: "complete", "pruned" or "failed"; loss: None where it failed; text: on hover."""

    number: int
    state: str
    loss: float | None
    text: str
    params: Mapping[str, Any]


def losses_figure(trials: Sequence[TrialMark], total: int, winner: int | None = None, height: int = 300) -> go.Figure:
    """Each trial's loss, those that were pruned or failed marked, and the best one so far; total: trials there will be.

    A failed trial has no loss: it lies at the upper end.
    """
    figure = go.Figure()
    done = [one for one in trials if one.state == "complete"]
    known = [one.loss for one in trials if one.loss is not None]
    best = np.minimum.accumulate([one.loss for one in done]) if done else []
    last = max((one.number for one in trials), default=0)
    if done:
        line = {"color": VIOLET, "width": 3, "shape": "hv"}
        x, y = [*(one.number for one in done), last], [*best, best[-1]]
        figure.add_scatter(x=x, y=y, name="best so far", mode="lines", line=line, hoverinfo="skip")
    top = max(known, default=1.0)
    for state, color, symbol in (
        ("complete", VIOLET, "circle"),
        ("pruned", GREY, "x-thin-open"),
        ("failed", BRICK, "triangle-up"),
    ):
        chosen = [one for one in trials if one.state == state]
        if chosen:
            figure.add_scatter(
                x=[one.number for one in chosen],
                y=[top if one.loss is None else one.loss for one in chosen],
                text=[one.text for one in chosen],
                name=state,
                mode="markers",
                marker={"color": color, "symbol": symbol, "size": 10, "line": {"width": 2, "color": color}},
                hovertemplate="%{text}<extra></extra>",
            )
    chosen = [one for one in done if one.number == winner]
    if chosen:
        marker = {"color": LIME, "symbol": "star", "size": 19}
        text = [one.text for one in chosen]
        figure.add_scatter(
            x=[winner],
            y=[chosen[0].loss],
            text=text,
            name="winner",
            mode="markers",
            marker=marker,
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_xaxes(title="trial", range=[-0.6, max(total, last + 1) - 0.4], zeroline=False)
    figure.update_yaxes(title=LOSS, zeroline=False, **_loss_axis(known))
    return figure_layout(figure, height).update_layout(hovermode="closest", showlegend=True)


def _loss_axis(losses: Sequence[float]) -> dict[str, Any]:
    """A log scale where it can be, with all losses in view and a few round numbers beside it."""
    if not losses:
        return {"range": [0, 1], "showticklabels": False}
    if min(losses) <= 0:
        return {}
    low, high = math.log10(min(losses)), math.log10(max(losses))
    margin = max(0.05, 0.07 * (high - low))
    low, high = low - margin, high + margin
    digits = (1,) if high - low > 3 else (1, 3) if high - low > 1.2 else (1, 2, 3, 5) if high - low > 0.5 else _FINE
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in digits]
    ticks = [tick for tick in ticks if low <= math.log10(tick) <= high]
    return {
        "type": "log",
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [format_significant(tick, 2 if digits is _FINE else 1) for tick in ticks],
    }


def importance_figure(importance: Mapping[str, float], height: int | None = None) -> go.Figure:
    """Each setting's share, the largest on top."""
    names = list(importance)[::-1]
    figure = go.Figure()
    figure.add_bar(
        x=[importance[name] for name in names],
        y=[plain_label(name.partition(".")[2], MAX_LABEL) for name in names],
        orientation="h",
        marker={"color": VIOLET},
        text=[format_percent(importance[name], 0) for name in names],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure.update_xaxes(visible=False, range=[0, max(1e-9, *importance.values()) * 1.2])
    figure.update_yaxes(type="category")
    return figure_layout(figure, height or 60 + 34 * len(names)).update_layout(showlegend=False)


@dataclass(frozen=True)
class SeedLosses:
    """A finalist. losses: of each seed that has ended, None where it failed; median: None before the first."""

    number: int
    losses: tuple[float | None, ...]
    median: float | None
    text: str


def finalists_figure(
    finalists: Sequence[SeedLosses], winner: int | None = None, height: int | None = None
) -> go.Figure:
    """Each finalist's loss from every seed as a dot, its median as a bar across; the best median on top."""
    ranked = sorted(finalists, key=lambda one: (one.median is None, one.median or 0.0, one.number))[::-1]
    names = [f"trial {one.number}{' ★' if one.number == winner else ''}" for one in ranked]
    dots = [
        (loss, name, one.text)
        for one, name in zip(ranked, names, strict=True)
        for loss in one.losses
        if loss is not None
    ]
    medians = [(one.median, name, one.text) for one, name in zip(ranked, names, strict=True) if one.median is not None]
    figure = go.Figure()
    for values, name, marker in (
        (medians, "median", {"symbol": "line-ns-open", "size": 26, "color": LIME, "line": {"width": 5}}),
        (dots, "one seed", {"size": 11, "color": VIOLET, "opacity": 0.85}),
    ):
        figure.add_scatter(
            x=[value for value, _, _ in values],
            y=[place for _, place, _ in values],
            text=[text for _, _, text in values],
            name=name,
            mode="markers",
            marker=marker,
            hovertemplate="%{x:.4~g}<br>%{text}<extra></extra>",
        )
    losses = [loss for loss, _, _ in dots]
    figure.update_xaxes(title=LOSS, zeroline=False, **_loss_axis(losses))
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=names)
    size = height or 130 + 40 * len(names)
    return figure_layout(figure, size).update_layout(hovermode="closest", showlegend=True)
