"""What can be done with one run of the list: name, note and pin it, stop it, write its TensorBoard files, delete it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lstm_core.runs.home import home
from lstm_core.runs.shelf import MAX_NAME, MAX_NOTE, RunSummary, change_about
from lstm_core.runs.tensorboard import write_event_file
from lstm_core.runs.trash import TRASH_DAYS
from pages.shared.runs.shelf import delete, opened
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value
from pages.shared.session.messages import errors_on_top
from pages.shared.theme import wide_button


def details(run: RunSummary, on_delete: Callable[[RunSummary], None]) -> None:
    """Draw it under the run's row."""
    left, right = st.columns([0.62, 0.38], gap="medium")
    with left:
        _text_field(st.text_input, run, "name", MAX_NAME, placeholder=run.title)
        _text_field(st.text_area, run, "note", MAX_NOTE, height=100)
    with right:
        pin, pin_icon = ("Unpin", "keep_off") if run.is_pinned else ("Pin", "keep")
        help = "Pinned runs stand first and are never cleaned up"
        wide_button(st, pin, pin_icon, _change, run.id, "pinned", not run.is_pinned, key=f"pin_{run.id}", help=help)
        if run.is_active:
            help = "End the run; the trained weights stay"
            wide_button(st, "Stop", "stop", _stop, run.id, key=f"stop_{run.id}", help=help)
        help = "An event file in the run's folder, for tensorboard --logdir"
        write = "Write TensorBoard files"
        wide_button(st, write, "monitoring", _write_events, run.id, key=f"events_{run.id}", help=help)
        help = "Stop it first" if run.is_active else f"To the trash; it can be restored for {TRASH_DAYS} days"
        wide_button(
            st, "Delete", "delete", _delete, run, on_delete, key=f"delete_{run.id}", disabled=run.is_active, help=help
        )
    written = state.get_state(f"_events_{run.id}")
    if written:
        st.markdown("Written. With TensorBoard installed, this shows it beside all other runs that have such a file:")
        st.code(f'tensorboard --logdir "{home() / "runs"}"', language=None, wrap_lines=True)
    st.caption("The file" if written else "The run's folder")
    st.code(written or str(run.folder.path), language=None, wrap_lines=True)


def _text_field(widget: Callable, run: RunSummary, name: str, size: int, **more: object) -> None:
    key = f"run_{name}_{run.id}"
    set_widget(key, getattr(run, name))
    arguments = {"key": key, "max_chars": size, "on_change": lambda: _change(run.id, name, widget_value(key))}
    widget(name.title(), **arguments, **more)


def _change(id: str, name: str, value: object) -> None:
    with errors_on_top():
        change_about(id, state.owner(), **{name: value})


def _stop(id: str) -> None:
    with errors_on_top():
        opened(id).stop()


def _write_events(id: str) -> None:
    from lstm_core.lessons.catalog.tutorials.by_hand.scalar_lstm import outputs_by_step

    with errors_on_top():
        run = opened(id)
        state.set_state(f"_events_{id}", str(write_event_file(run.folder, outputs_by_step(run))))


def _delete(run: RunSummary, on_delete: Callable[[RunSummary], None]) -> None:
    with errors_on_top():
        delete(run.id)
        on_delete(run)
