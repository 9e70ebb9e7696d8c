"""The slider over a run's epochs that every picture of the Gates page obeys: Python's half of epoch_slider.js.

Streamlit's own slider tells the server 0.2 s after the last move; this one at every move, as soon as the page has
drawn the last one, and it can play.
"""

from __future__ import annotations

import streamlit as st

from pages.shared import session
from pages.shared.components.wire import text

_mount = st.components.v2.component(
    "epoch_slider",
    html='<div class="epoch-slider"></div>',
    js=text("epoch_slider.js"),
    css=text("epoch_slider.css"),
    isolate_styles=False,
)


def epoch_slider(
    key: str, steps: list[int], now: int, steps_per_epoch: int, step: int | None = None
) -> int | None:
    """Draw a slider over `steps`, at which weights were kept, and "now", and return the chosen one; None is now.

    steps: optimiser steps, rising; now: how many were made. `step` is where a newly mounted slider starts; from
    then on the user's choice rules, and becomes the nearest one where it is no longer kept.
    """
    known = session.widget_value(key)
    told = step if known is None else known["step"]  # the answer that the browser waits for
    result = _mount(
        key=key,
        data={"steps": steps, "now": now, "steps_per_epoch": steps_per_epoch, "told": told},
        default={"step": step},
        on_step_change=_nothing,
    )
    return None if result.step is None else int(result.step)


def _nothing() -> None:
    """A component's state exists only if it has a callback; the rerun itself is all we need."""
