"""The winner of a sweep: its test score beside the best simple answer's, its settings, its run."""

from __future__ import annotations

import streamlit as st

from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.runs.compare import best_baseline, measure_of, test_score
from lstm_core.runs.sweeps.shelf import SweepSummary
from pages.shared.runs.run_line import beside
from pages.shared.session.messages import escape_markdown
from pages.shared.sweeps.shelf import can_open, open_run, use_settings, winners_experiment


def show(one: SweepSummary) -> None:
    winner = one.progress["winner"]
    name = f"the winner, trial {winner['trial']}"
    text = test_text(winner["score"]) or "The winner has no test score: there are no test windows."
    experiment = winners_experiment(one)
    with st.container(border=True, key="sweep_winner", horizontal=True, vertical_alignment="center"):
        st.container(width="stretch").markdown(escape_markdown(text))
        st.button(
            "Use these settings",
            key="sweep_use_winner",
            type="primary",
            icon=":material/check:",
            disabled=experiment is None,
            on_click=use_settings,
            args=(one, experiment, name),
            help="Puts the winner's settings and the sweep's data on the table; Train trains a model with them",
        )
        st.button(
            "Open the winner's run",
            key="sweep_open_winner",
            icon=":material/open_in_new:",
            disabled=not can_open(winner["run"]),
            on_click=open_run,
            args=(winner["run"], name[0].upper() + name[1:]),
            help="The trained model, on Train, Gates, Stage and Forecast. It is on Runs, too",
        )


def test_text(score: dict) -> str:
    """The winner, on 43 test windows that no trial has seen: RMSE 14.2, 24 % below persistence (18.7)."""
    value, best = test_score(score), best_baseline(score)
    if value is None:
        return ""
    is_share = measure_of(score) == "accuracy"
    told = f"{format_percent(value)} right" if is_share else f"RMSE {format_significant(value, 4)}"
    if best is not None:
        told += f"; {beside(value, *best, is_share)}" if is_share else f", {beside(value, *best, is_share)}"
    count = score["test"].get("windows")
    where = f"{count:,} test windows" if isinstance(count, int) else "the test windows"
    return f"The winner, on {where} that no trial has seen: {told}."
