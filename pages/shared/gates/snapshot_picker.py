"""The choice of a step of the training: the epoch slider, and the same choice on every page that shows its weights."""

from __future__ import annotations

from lstm_core.runs.run import Run
from pages.shared.components.epoch_slider import epoch_slider
from pages.shared.gates.selection import best_epoch_shown
from pages.shared.session import state


def chosen_snapshot(run: Run) -> int | None:
    """The step whose weights are shown; None: the current ones."""
    return state.get_state(f"snapshot_{run.id}")


def choose_snapshot(run: Run, step: int | None) -> None:
    """Choose it on every page."""
    state.set_state(f"snapshot_{run.id}", step)


def pick_snapshot(run: Run) -> int | None:
    """Draw the slider; the step."""
    progress = run.snapshots.steps, run.step, run.steps_per_epoch
    step = epoch_slider(f"epoch_{run.id}", *progress, chosen_snapshot(run), best_epoch_shown(run))
    choose_snapshot(run, step)
    return step
