"""Understand: what the model has learned, by instruments that answer one question each, at any step of its training."""

from collections.abc import Callable

import streamlit as st

from pages.shared.gates.run_picker import pick_run, runs_on_offer, shown_run
from pages.shared.gates.selection import Selection, cell_name
from pages.shared.gates.snapshot_picker import chosen_snapshot, pick_snapshot
from pages.shared.gates.window_picker import pick_window
from pages.shared.session.messages import draw_messages, errors_here
from pages.shared.theme import segments
from pages.shared.training.live import WINDOW_SECONDS, poll
from pages.shared.understand import (
    automaton,
    fixed_points,
    import_weights,
    ledger,
    memory_span,
    patching,
    pattern_search,
)

INSTRUMENTS: dict[str, tuple[str, Callable[[Selection], None]]] = {  # name → its question, what draws it
    "Ledger": ("Which inputs made this prediction?", ledger.show),
    "Patching": ("Which units carry the answer, and since when?", patching.show),
    "Automaton": ("Which automaton has it learned?", automaton.show),
    "Resting states": ("Where does its state come to rest?", fixed_points.show),
    "Patterns": ("Where else do these units go on and off together?", pattern_search.show),
    "Memory": ("How long does it remember, and how many units does that take?", memory_span.show),
    "Weights from elsewhere": ("What does an LSTM do that another program has trained?", import_weights.show),
}
ONLY_LSTM = ("lstm",)

run = shown_run()
active = run.is_active  # asked once: the page and its polling must agree


def controls() -> int:
    """The first row of the window."""
    columns = st.columns([1.2, 3.2, 2.6], vertical_alignment="bottom")
    start, *_ = pick_window("understand", run, columns, chosen_snapshot(run))
    return start


def draw_instrument(start: int) -> None:
    if shown_run() is not run:  # another tab trains another model
        st.rerun()
    run.heartbeat()
    question, show = INSTRUMENTS[segments(st, "instrument", list(INSTRUMENTS), "instrument")]
    left, right = st.columns([0.6, 0.4], vertical_alignment="center")
    left.markdown(f"#### {question}")
    with right:
        step = pick_snapshot(run)
    with errors_here(icon=None):
        show(Selection(run, start, step=step))


row = st.container(horizontal=True, vertical_alignment="center")
row.container(width="stretch").title("Understand")
pick_run("understand", row, 180, label=False)
draw_messages("understand")
if run.experiment.model.cell in ONLY_LSTM:
    poll(
        draw_instrument, controls(), seconds=WINDOW_SECONDS, active=active, has_changed=lambda: run.is_active != active
    )
else:
    way = "choose the LSTM above" if runs_on_offer(ONLY_LSTM) else "choose LSTM on Model and train"
    st.info(f"This model is {cell_name(run.experiment.model.cell)}, and these instruments read an LSTM: {way}.")
