"""The part of a page that is drawn again by itself while something trains."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st

from pages.shared.session import state

CURVES_SECONDS = 0.25  # between two drawings of the curves on Start and Train
RECORDS_SECONDS = 1.0  # the same where the browser reads the curves by itself: a drawing costs it 80 ms of a core
LESSON_SECONDS = 0.5  # of a lesson, and of a cell comparison
WINDOW_SECONDS = 1.0  # of one window's gates, on Gates and Stage
STATUS_SECONDS = 2.0  # of the run's status in the sidebar


def poll(draw: Callable[..., Any], *args: Any, seconds: float, active: bool, has_changed: Callable[[], bool]) -> None:
    """Call draw(*args) as a fragment: now and, while something is active, every so many seconds.

    has_changed: whether the rest of the page is out of date, as when the run has ended since it was drawn. Then the
    whole page is run again, once: its buttons follow, and the polling starts or stops.
    """

    @wraps(draw)  # Streamlit tells fragments apart by their name
    def draw_or_rerun() -> None:
        state.workspace()  # of this fragment's own thread
        draw(*args)
        if has_changed():
            st.rerun()

    st.fragment(draw_or_rerun, run_every=seconds if active else None)()
