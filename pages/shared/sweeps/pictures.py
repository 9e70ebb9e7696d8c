"""The pictures of a sweep. Each is drawn anew only when a trial has ended, and not too often: then it flickers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from lstm_core.data.number_format import format_significant
from lstm_core.figures.parallel import parallel_figure
from lstm_core.figures.sweep import SeedLosses, TrialMark, finalists_figure, importance_figure, losses_figure
from lstm_core.figures.theme import plain_label
from lstm_core.runs.sweeps.progress import params_text
from lstm_core.runs.sweeps.shelf import SweepSummary
from pages.shared.session import state

FIGURE_SECONDS = 3.0  # between two drawings while it is at work
LIVE, END = 350, 330  # heights in CSS pixels
STYLE = f"""<style>
:is(.st-key-sweep_losses_place, .st-key-sweep_parallel_place) {{ min-height: {LIVE}px; }}
.st-key-sweep_end_place {{ min-height: {END}px; }}
.st-key-sweep_parallel_place .annotation text {{
  paint-order: stroke; stroke: light-dark(#FFFFFF, #171614); stroke-width: 5px; stroke-linejoin: round;
}}
.st-key-sweep_importance_place .bartext {{ fill: currentColor !important; }}
</style>"""
MAX_HOVER = 160  # characters of a line
_SHOWN = "_sweep_figures"


@dataclass(frozen=True, eq=False)
class Drawn:
    """What the pictures show; key: another one for other pictures, time: of time.monotonic."""

    key: tuple
    progress: dict[str, Any]
    time: float
    figures: dict[str, go.Figure] = field(default_factory=dict)  # by their keys, made once


def show(one: SweepSummary) -> None:
    st.html(STYLE)
    drawn = _steady(one)
    progress = drawn.progress
    trials = [mark(trial) for trial in progress["tried"] if trial["state"] != "running"]
    winner = (progress.get("winner") or {}).get("trial")
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left:
        st.markdown("#### Loss by trial")
        with st.container(key="sweep_losses_place"):
            _plot(drawn, "sweep_losses", lambda: losses_figure(trials, one.study.trials, winner, LIVE))
    with right:
        st.markdown("#### Which settings lead to a low loss")
        with st.container(key="sweep_parallel_place"):
            _parallel(one, drawn, trials, winner)
    if progress["finalists"]:
        _end(drawn, winner)


def _parallel(one: SweepSummary, drawn: Drawn, trials: list[TrialMark], winner: int | None) -> None:
    if all(trial.loss is None for trial in trials):
        st.caption("Each trial becomes a line through its settings to its loss as soon as it has ended.")
        return
    _plot(drawn, "sweep_parallel", lambda: parallel_figure(trials, one.study.search, winner, LIVE))
    st.caption(
        "A line a trial, from its settings to its validation loss: blue is low, red is high, pruned ones are "
        f"dotted. The wide line is {'the winner' if winner is not None else 'the best so far'}."
    )


def mark(trial: dict[str, Any]) -> TrialMark:
    if trial["state"] == "failed":
        told = f"failed: {trial['message']}"
    else:
        told = f"{trial['state']}, loss {format_significant(trial['loss'], 4)}, {trial['epochs']:,} epochs"
    text = f"trial {trial['trial']}: {plain_label(told, MAX_HOVER)}<br>{_settings(trial['params'])}"
    return TrialMark(trial["trial"], trial["state"], trial["loss"], text, trial["params"])


def _end(drawn: Drawn, winner: int | None) -> None:
    progress = drawn.progress
    importance = progress.get("importance") or {}
    left, right = st.columns(2, gap="medium") if importance else (st.container(), None)
    with left:
        st.markdown(f"#### The best {len(progress['finalists'])}, from {progress['seeds']} seeds each")
        with st.container(key="sweep_end_place"):
            finalists = [_seeds(one) for one in progress["finalists"]]
            _plot(drawn, "sweep_finalists", lambda: finalists_figure(finalists, winner, END))
    if right is not None:
        with right:
            st.markdown("#### Importance of each setting")
            with st.container(key="sweep_importance_place"):
                _plot(drawn, "sweep_importance", lambda: importance_figure(importance))
            st.caption("Its share in what distinguishes the best trials from the others (PED-ANOVA).")


def _seeds(finalist: dict[str, Any]) -> SeedLosses:
    losses, median = tuple(finalist["losses"]), finalist["median"]
    return SeedLosses(finalist["trial"], losses, median, _settings(finalist["params"]))


def _settings(params: dict[str, Any]) -> str:
    """As plotly may show them."""
    return plain_label(params_text(params), MAX_HOVER)


def _steady(one: SweepSummary) -> Drawn:
    """What is drawn: progress.json as it is, or as it was a moment ago."""
    progress = one.progress
    ended = [trial["state"] for trial in progress["tried"]], progress["finalists"], progress.get("winner")
    key, before, now = (one.id, ended, one.is_live), state.get_state(_SHOWN), time.monotonic()
    if before is not None and before.key[0] == one.id:
        is_soon = one.is_live and now < before.time + FIGURE_SECONDS
        if before.key == key or is_soon:
            return before
    drawn = Drawn(key, progress, now)
    state.set_state(_SHOWN, drawn)
    return drawn


def _plot(drawn: Drawn, key: str, make: Callable[[], go.Figure]) -> None:
    if key not in drawn.figures:
        drawn.figures[key] = make()
    st.plotly_chart(drawn.figures[key], key=key, config={"displayModeBar": False})
