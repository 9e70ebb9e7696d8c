"""The choice of a window of the run's data: the same controls and the same choice on every page that shows one."""

from __future__ import annotations

import streamlit as st

from lstm_core.figures.theme import SPLIT_NAMES
from lstm_core.runs.run import Run
from pages.shared.gates import selection
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value

_SPLIT, _WINDOW = "_part", "_window"  # what was chosen: a widget's value does not outlive its page


def pick_window(page: str, run: Run, columns: list, step: int | None = None) -> tuple[int, str, int]:
    """Draw the controls into three columns: (first row of the window, its split, its index in the split).

    page: its name; step: the optimiser step whose weights decide which window is worst and best; None: the current.
    """
    windows = run.windows
    splits = run.shown_splits
    requested = state.get_state(_SPLIT) or state.get_query("part")
    set_widget("part", requested if requested in splits else splits[-1], (page, *splits))
    split = columns[0].selectbox(
        "split",
        splits,
        format_func=SPLIT_NAMES.get,
        key="part",
        on_change=lambda: state.set_state(_SPLIT, widget_value("part")),
        help="The model was trained on the training windows only",
    )
    last = len(windows.starts[split]) - 1
    index = min(state.get_state(_WINDOW, _number(state.get_query("window"), last)), last)  # the address counts from 0
    state.set_state(_WINDOW, index)
    if last:
        set_widget("window", index + 1, (page, last))
        number = columns[1].slider(
            "window",
            1,
            last + 1,
            key="window",
            on_change=lambda: state.set_state(_WINDOW, widget_value("window") - 1),
            help="Windows in order of time; everything below shows this one",
        )
        index = number - 1
    with columns[2], st.container(horizontal=True, gap="small"):
        searched = "" if last < selection.MAX_SEARCHED else f", of {selection.MAX_SEARCHED:,} spread over the split"
        for search, help_text in selection.WINDOW_SEARCHES.items():
            help_text += searched if search != "random" else ""
            st.button(search, key=f"find_{search}", help=help_text, on_click=_find, args=(run, split, search, step))
    return int(windows.starts[split][index]), split, index


def choose_window(split: str, index: int) -> None:
    """Choose a window for every page that shows one."""
    state.set_state(_SPLIT, split)
    state.set_state(_WINDOW, index)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else otherwise


def _find(run: Run, split: str, search: str, step: int | None) -> None:
    state.set_state(_WINDOW, selection.find_window(run, split, search, step))
