"""Which window of the run's data is looked at: the same controls, and the same choice, on every page that shows one."""

from __future__ import annotations

import streamlit as st

from lstm_core.experiment import SPLITS
from lstm_core.figures.theme import SPLIT_NAMES
from lstm_core.runs.run import Run
from pages.shared import session
from pages.shared.gates import selection

_PART, _WINDOW = "_part", "_window"  # what the widgets say: their own values do not outlive their page


def choose_window(page: str, run: Run, columns: list, step: int | None = None) -> tuple[int, str, int]:
    """Draw the controls into three columns: (first row of the window, its part, its place in the part).

    page: its name; step: the optimiser step whose weights decide which window is worst and best; None: those of now.
    """
    windows = run.windows
    parts = [part for part in SPLITS if len(windows.starts[part])]
    wanted = session.recall(_PART) or session.linked("part")
    session.mirror("part", wanted if wanted in parts else parts[-1], (page, *parts))
    part = columns[0].selectbox("part", parts, format_func=SPLIT_NAMES.get, key="part", on_change=_take_part,
                                help="The model was trained on the training windows only")  # fmt: skip
    last = len(windows.starts[part]) - 1
    place = min(session.recall(_WINDOW, _number(session.linked("window"), last)), last)
    session.remember(_WINDOW, place)
    if last:
        session.mirror("window", place, (page, last))
        place = columns[1].slider("window", 0, last, key="window", on_change=_take_window,
                                  help="Windows in order of time; the pictures below are of this one")  # fmt: skip
    with columns[2], st.container(horizontal=True, gap="small"):
        for which, help_text in selection.FINDS.items():
            st.button(
                which, key=f"find_{which}", help=help_text, on_click=_find, args=(run, part, which, step)
            )
    return int(windows.starts[part][place]), part, place


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else otherwise


def _take_part() -> None:
    session.remember(_PART, session.widget_value("part"))


def _take_window() -> None:
    session.remember(_WINDOW, session.widget_value("window"))


def _find(run: Run, part: str, which: str, step: int | None) -> None:
    session.remember(_WINDOW, selection.find_window(run, part, which, step))
