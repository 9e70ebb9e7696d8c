"""The choice among a lesson's runs: the same control and the same choice on Gates and on the Stage."""

from __future__ import annotations

from collections.abc import Collection

from streamlit.delta_generator import DeltaGenerator

from lstm_core.experiment import CELLS
from lstm_core.lessons.lesson import run_name
from lstm_core.runs.run import Run
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value

_KEY = "lesson_run"  # of the widget, and of the address: the label of a run that is not the page's usual one


def shown_run(cells: Collection[str] = CELLS) -> Run | None:
    """The run to show: of a lesson the chosen one, else the first that has one of these cells; None if none has."""
    runs = runs_on_offer(cells)
    return runs.get(_chosen(runs))


def run_label(run: Run) -> str:
    """What a lesson calls this run, on screen; "" if it is the workspace's own, of which the sidebar speaks."""
    lesson = state.workspace().lesson
    if lesson is None or run is state.workspace().run:
        return ""
    return next((run_name(label) for label, one in lesson.own_runs.items() if one is run), "")


def runs_on_offer(cells: Collection[str] = CELLS) -> dict[str, Run]:
    """By their labels in the lesson, in its order; without a lesson the workspace's run alone."""
    current = state.workspace()
    runs = {"": current.run} if current.lesson is None else current.lesson.own_runs
    return {label: run for label, run in runs.items() if run.experiment.model.cell in cells}


def pick_run(page: str, row: DeltaGenerator, width: int, cells: Collection[str] = CELLS, label: bool = True) -> None:
    """Draw the choice into the row, so wide, if there is one, and keep it in the address.

    label: whether it stands over the choice; else it is only read aloud.
    """
    runs = runs_on_offer(cells)
    chosen = _chosen(runs)
    state.set_query(_KEY, None if chosen == next(iter(runs), "") else chosen)
    if len(runs) < 2:
        return
    set_widget(_KEY, chosen, (page, *runs))
    row.container(width=width).selectbox(
        "run",
        list(runs),
        format_func=run_name,
        key=_KEY,
        on_change=lambda: state.set_state(_state_key(), widget_value(_KEY)),
        help="Which of the lesson's runs is shown",
        label_visibility="visible" if label else "collapsed",
    )


def _chosen(runs: Collection[str]) -> str:
    """The label of the chosen run: this tab's choice, else the address's, else the first one's."""
    chosen = state.get_state(_state_key()) or state.get_query(_KEY)
    return chosen if chosen in runs else next(iter(runs), "")


def _state_key() -> str:
    lesson = state.workspace().lesson
    return f"_run_of_{lesson.lesson.name if lesson is not None else ''}"
