"""Which sweep is shown, or the form of a new one; and those in the trash."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.runs.sweeps.shelf import SweepSummary
from lstm_core.runs.trash import TRASH_DAYS
from pages.shared.runs.run_line import when
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value
from pages.shared.session.messages import clear_messages, escape_markdown
from pages.shared.sweeps.shelf import NEW, choose, deleted, restore, sweep_shelf

SHOWN = 20  # of the trash


def pick(row: DeltaGenerator, mine: list[SweepSummary], one: SweepSummary | None) -> None:
    """Draw the choice into the row of the title; nothing where there is none."""
    others = [one] if one is not None and one.id not in {other.id for other in mine} else []
    listed = {other.id: f"{other.title}, {when(other.created)}" for other in [*others, *mine]}
    if not listed:
        return
    options = [NEW, *listed]

    def change() -> None:
        clear_messages()
        picked = widget_value("sweep_pick")
        choose(None if picked == NEW else picked)

    set_widget("sweep_pick", NEW if one is None else one.id, tuple(listed.items()))
    row.container(width=330).selectbox(
        "Sweep",
        options,
        format_func=lambda id: listed.get(id, "a new sweep"),
        key="sweep_pick",
        on_change=change,
        label_visibility="collapsed",
    )
    if one is not None:
        row.button("New sweep", key="sweep_new", icon=":material/add:", on_click=_new)


def _new() -> None:
    clear_messages()
    choose(None)


def undo_deletion() -> None:
    """What was deleted last in this tab, and the way back."""
    if (last := deleted()) is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="deleted_sweep"):
        st.markdown(f"Deleted: **{escape_markdown(last[1])}**", width="content")
        st.button("Undo", key="undo_delete_sweep", icon=":material/undo:", on_click=restore, args=(last[0],))


def trash() -> None:
    found = sweep_shelf().trashed(state.owner())
    if not found:
        return
    with st.expander(f"Trash ({len(found)})", icon=":material/delete:"):
        st.caption(f"Deleted sweeps can be restored for {TRASH_DAYS} days.")
        for one in found[:SHOWN]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{escape_markdown(one.title)}, begun {when(one.created)}")
                st.button("Restore", key=f"restore_sweep_{one.id}", on_click=restore, args=(one.id,))
