"""The instrument "Resting states": where the state settles at a constant input, and how long answers are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from lstm_core.analysis.fixed_points import (
    Connection,
    FixedPoint,
    Retention,
    StateProjection,
    find_fixed_points,
    measure_retention,
    project_states,
    saddle_connections,
)
from lstm_core.analysis.fixed_points.step_map import StepMap
from lstm_core.data.number_format import THIN_SPACE, format_percent, format_significant
from lstm_core.figures.resting_states import resting_states_figure, retention_figure, time_constants_of_points
from lstm_core.trace.gate_trace import trace_lstm
from pages.shared.gates.selection import Selection, window_input, window_trace
from pages.shared.theme import segments
from pages.shared.understand.computed import Report, draw_computed

ZERO, STEP = "zeros", "this window's last input"
MAX_WINDOWS, MAX_STATES = 200, 20_000  # whose states the search begins from
QUICK_UNITS = 48  # up to so many it takes a second or two
N_STARTS, FEW_STARTS = 1024, 256
MAX_CONNECTED = 100  # points up to which saddles are followed
INPUT_HELP = (
    "What the model reads all the time while its state settles; zeros are the mean of the training data where that is "
    "scaled to mean 0"
)
HELD = 0.995  # share of answers from which on nothing leaks
MAX_PATH = 200  # steps drawn of a window
STEP_HELP = f"So many steps of the window are drawn as a path, at most the last {MAX_PATH}; its end is marked"
SILENT = 100  # steps of the sentence


@dataclass(frozen=True, eq=False)
class _Found:
    points: list[FixedPoint]
    projection: StateProjection
    connections: list[Connection]
    kept: Retention | None  # None: no state runs on
    readouts: list[str]  # what the model answers at each point


def show(selection: Selection) -> None:
    StepMap(selection.snapshot.model.lstm)  # refuses what has no resting states before anything is offered
    left, right = st.columns([0.62, 0.38], vertical_alignment="bottom")
    with left:
        constant = segments(
            st, "constant input", [ZERO, STEP], "rest_input", label_visibility="visible", help=INPUT_HELP
        )
    slow = right.toggle(
        "slow points",
        key="rest_slow",
        help="Also states that are no resting states but hardly move: q = ½‖F(s) − s‖² from 10⁻¹² to 10⁻⁴",
    )
    x = window_input(selection)[0, -1].numpy() if constant == STEP else None
    key = (None if x is None else x.tobytes(), slow)
    is_slow = selection.run.experiment.model.hidden_size > QUICK_UNITS
    draw_computed(
        selection,
        "resting states",
        key,
        lambda report: _find(selection, x, slow, report),
        lambda found: _draw(selection, found),
        offer="Find resting states" if is_slow else "",
        help="A search from many states, which takes some seconds at this size",
    )


def _find(selection: Selection, x: np.ndarray | None, slow: bool, report: Report) -> _Found:
    report(0.05, "Running the model over windows")
    model, windows = selection.snapshot.model, selection.run.windows
    split = next(split for split in ("train", "valid", "test") if len(windows.starts[split]))
    count = max(1, min(MAX_WINDOWS, MAX_STATES // windows.spec.seq_len))
    starts = windows.starts[split]
    starts = starts[np.unique(np.linspace(0, len(starts) - 1, count).astype(int))]
    inputs = torch.from_numpy(windows.inputs(starts))
    trace = trace_lstm(model.lstm, model.to_module_layout(inputs))
    states = torch.cat([trace.h, trace.c], dim=-1)[-1, 0].flatten(0, 1)[:MAX_STATES]
    report(0.2, "Searching from many states")
    n_starts = N_STARTS if model.spec.hidden_size <= QUICK_UNITS else FEW_STARTS
    points = find_fixed_points(model.lstm, x, states, n_starts, slow=slow)
    report(0.7, "Following the saddles")
    connections = saddle_connections(model.lstm, points, x) if len(points) <= MAX_CONNECTED else []
    report(0.9, "Counting what is kept")
    kept = None if model.uses_skip else measure_retention(model, inputs, bool(windows.classes), constant=x)
    h = states[:, : model.spec.h_size].double().numpy()
    return _Found(points, project_states(h), connections, kept, _readouts(selection, points))


@torch.no_grad()
def _readouts(selection: Selection, points: list[FixedPoint]) -> list[str]:
    """What the model's head makes of h at each point, in words."""
    model, windows = selection.snapshot.model, selection.run.windows
    if not points or model.uses_skip:
        return []
    outputs = model.head(torch.from_numpy(np.stack([point.h for point in points])).float())
    if not windows.classes:
        return [f"answer, scaled: {format_significant(float(row[0]))}" for row in outputs]
    best = outputs.softmax(dim=1).max(dim=1)
    return [
        f"answer: {windows.classes[k]} ({format_percent(share, 0)})"
        for share, k in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


def _draw(selection: Selection, found: _Found) -> None:
    st.markdown(sentence(found.points, found.kept))
    seq_len = selection.run.windows.spec.seq_len
    step = None
    if seq_len > 1:
        step = st.slider(
            "step of this window", 1, seq_len, seq_len, key="rest_step", help="The state marked on the path"
        )
    path = window_trace(selection).h[-1, 0, 0, max(0, step - MAX_PATH) : step].float().numpy()
    figure = resting_states_figure(found.points, found.projection, path, found.connections, found.readouts)
    st.plotly_chart(figure, key="rest_figure")
    columns = st.columns(2)
    if found.points:
        columns[0].markdown("**How fast a small push dies out**")
        columns[0].plotly_chart(time_constants_of_points(found.points), key="rest_time_constants")
    if found.kept is not None:
        columns[1].markdown("**How long its answers are kept**")
        columns[1].plotly_chart(retention_figure(found.kept, longest_constant(found.points)), key="rest_retention")
    st.caption(
        "Axes: the principal components of h along windows of the data. A point rests if q = ½‖F(s) − s‖² is under "
        "10⁻¹² in float64; it is stable if all eigenvalues there are below 1. What is found is never known to be all. "
        "A number counts as kept while it has moved by less than the standard deviation of the answers, a class while "
        "it is the same. Point at one to read what the model answers there."
    )


def longest_constant(points: list[FixedPoint]) -> float | None:
    """The longest time constant of the stable points in steps, None without any."""
    constants = [point.time_constants.max(initial=0.0) for point in points if point.stable]
    return float(max(constants)) if constants else None


def sentence(points: list[FixedPoint], kept: Retention | None) -> str:
    """What was found, in plain words."""
    stable, saddles, slow = (sum(point.kind == kind for point in points) for kind in ("stable", "saddle", "slow"))
    if stable + saddles == 0:
        text = "With this input **no resting state** was found near the states of the windows: it always moves on."
    elif not stable:
        text = f"With this input **no stable state** was found: the slightest push leads away from {_saddles(saddles)}."
    else:
        text = f"With this input the state can rest in **{stable}** stable {'point' if stable == 1 else 'points'}"
        if stable > 1:
            text += f", room for **{math.log2(stable):.2g}** bit{'s' if stable > 2 else ''}"
        text += f", with {_saddles(saddles)} {'beside it' if stable == 1 else 'between them'}" if saddles else ""
        text += f"; a small push fades to 37{THIN_SPACE}% within {_steps(longest_constant(points))}."
    if slow:
        text += f" **{slow}** more hardly move{'s' if slow == 1 else ''}."
    if kept is not None and SILENT in kept.silent_steps:
        share = kept.share[kept.silent_steps.index(SILENT)]
        text += f" After {SILENT} such steps **{format_percent(share, 0)}** of its answers are what they were"
        if share >= HELD:
            return f"{text}."
        text += ": its memory **leaks**." if stable > 1 else "."
        text += f" One and the same answer for all windows would keep **{format_percent(kept.forgotten, 0)}**."
        if stable == 1:
            text += " From wherever it is, the state comes to the one place to rest: what was read fades."
    return text


def _saddles(count: int) -> str:
    return f"**{count}** saddle{'s' if count != 1 else ''}"


def _steps(value: float) -> str:
    return "less than a step" if value < 1 else f"**{format_significant(value)}** steps"
