"""One sweep, live while it is at work: how far it is in a sentence, its pictures, its winner, its trials."""

from __future__ import annotations

import streamlit as st

from lstm_core.runs.sweeps.cost import trainings_of
from lstm_core.runs.sweeps.shelf import SweepSummary
from lstm_core.runs.sweeps.verdict import verdict
from pages.shared.runs.run_line import when
from pages.shared.session import state
from pages.shared.session.messages import escape_markdown
from pages.shared.sweeps import pictures, trials, winner
from pages.shared.sweeps.shelf import delete, edit, go_on, pause, sweep_shelf, was_clicked
from pages.shared.training.live import poll

SECONDS = 1.0  # between two looks at progress.json
COLORS = {
    "Starting": "orange",
    "Running": "green",
    "Pausing": "orange",
    "Paused": "orange",
    "Interrupted": "orange",
    "Finished": "blue",
    "Failed": "red",
}


def show(one: SweepSummary) -> None:
    _controls(one)
    if one.message and (one.state != "Interrupted" or one.may_be_changed_by(state.owner())):  # a log may name folders
        st.warning(escape_markdown(one.message), icon=":material/info:")
    if one.study is None:
        return

    def has_changed() -> bool:
        now = sweep_shelf().sweep(one.id)
        return was_clicked() or now is None or now.state != one.state

    poll(_draw, one.id, seconds=SECONDS, active=one.is_live, has_changed=has_changed)
    if one.may_be_changed_by(state.owner()):
        _files(one)


def _controls(one: SweepSummary) -> None:
    is_own = one.may_be_changed_by(state.owner())
    row = st.container(horizontal=True, vertical_alignment="center", key="sweep_controls")
    title = f":{COLORS[one.state]}-badge[{one.state}] **{escape_markdown(one.title)}** · begun {when(one.created)}"
    row.container(width="stretch").markdown(title)
    if not is_own:
        row.markdown("somebody else's sweep: you can watch it", width="content")
    elif one.is_live:
        help_text = "Its trials are paused as they are; Go on continues with them"
        busy = one.state != "Running"
        row.button(
            "Pause",
            key="sweep_pause",
            icon=":material/pause:",
            on_click=pause,
            args=(one.id,),
            disabled=busy,
            help=help_text,
        )
    elif one.may_go_on:
        row.button("Go on", key="sweep_go_on", icon=":material/play_arrow:", on_click=go_on, args=(one.id,))
    if one.study is not None:
        row.button(
            "Edit as a new study",
            key="sweep_edit",
            icon=":material/edit:",
            on_click=edit,
            args=(one,),
            help="Fills the form in with this study, and puts its experiment and data on the table",
        )
    if is_own:
        help_text = "Pause it first" if one.is_live else "With its trials, to the trash. The winner's run stays on Runs"
        row.button(
            "Delete",
            key="sweep_delete",
            icon=":material/delete:",
            on_click=delete,
            args=(one,),
            disabled=one.is_live,
            help=help_text,
        )


def _draw(id: str) -> None:
    one = sweep_shelf().sweep(id)
    if one is None or one.study is None:
        return
    progress, study = one.progress, one.study
    st.markdown(f"**{escape_markdown(verdict(progress, study.trials))}**")
    if one.state != "Finished":
        _progress_bar(one)
    if progress.get("winner"):
        winner.show(one)
    pictures.show(one)
    trials.show(one)


def _progress_bar(one: SweepSummary) -> None:
    total = trainings_of(one.study)
    tried, finalists = one.progress["tried"], one.progress["finalists"]
    ended = sum(trial["state"] != "running" for trial in tried)
    done = ended + sum(max(0, len(finalist["losses"]) - 1) for finalist in finalists)
    text = f"**{done:,}** of at most {total:,} trainings"
    running = [trial for trial in tried if trial["state"] == "running"]
    if running and one.is_live:
        parts = (f"trial {trial['trial']} at epoch {trial['epochs']:,}" for trial in running)
        text += f" · {', '.join(parts)}"
    elif one.state == "Starting":
        text += " · its process starts, which takes a few seconds"
    st.progress(min(1.0, done / total), text)


def _files(one: SweepSummary) -> None:
    with st.expander("Folder and command line", icon=":material/terminal:"):
        st.caption("The sweep's folder: its study, its trials as Optuna has them, its log, and the winner's experiment")
        st.code(str(one.folder.path), language=None, wrap_lines=True)
        st.caption("Without a page")
        st.code(f'python -m lstm_core sweep "{one.folder.path}"', language=None, wrap_lines=True)
