"""The slider over a run's epochs, which the whole Gates page follows: Python's half of epoch_slider.js.

Streamlit's own slider tells the server 0.2 s after the last move; this one at every move, once the page has
drawn the previous one, and it can play.
"""

from __future__ import annotations

from pages.shared.components.wire import mount
from pages.shared.session.fields import widget_value

_draw = mount("epoch_slider", results=["step"])


def epoch_slider(
    key: str,
    steps: list[int],
    current_step: int,
    steps_per_epoch: int,
    step: int | None = None,
    best_epoch: int | str | None = None,
) -> int | None:
    """Draw a slider over `steps`, those of the snapshots, and "now", and return the chosen step; None is now.

    steps: optimiser steps, rising; current_step: how many were made. `step` is where a newly mounted slider starts;
    then the user's choice holds, and moves to the nearest snapshot where its own was dropped. best_epoch: whose weights
    are those of now, if they are not the last step's; "refit" for those of a refit.
    """
    chosen = widget_value(key)
    received = step if chosen is None else chosen["step"]  # the answer that the browser waits for
    header = {"steps": steps, "now": current_step, "stepsPerEpoch": steps_per_epoch, "received": received}
    header |= {"best": best_epoch}
    result = _draw(key, header, default={"step": step})
    return None if result.step is None else int(result.step)
