"""Gates: the gates of the model at every step of one window, at any step of its training, in five views."""

import streamlit as st

from lstm_core.figures.theme import GATE_NAMES
from pages.shared.gates import gradient_horizon, heatmaps, learning, weights, what_if
from pages.shared.gates.run_picker import pick_run, runs_on_offer, shown_run
from pages.shared.gates.selection import ALL, Selection, cell_name
from pages.shared.gates.snapshot_picker import chosen_snapshot, pick_snapshot
from pages.shared.gates.window_picker import pick_window
from pages.shared.session import state
from pages.shared.session.messages import draw_messages, errors_here
from pages.shared.theme import next_page, segments
from pages.shared.training.live import WINDOW_SECONDS, poll

run = shown_run()
active = run.is_active  # asked once: the page and its polling must agree
model = run.experiment.model
VIEWS = {
    "Gates": heatmaps.show,
    "What if?": what_if.show,
    "How far back?": gradient_horizon.show,
    "Learning": learning.show,
    "Weights": weights.show,
}
KEEP = {"persist_state": "session"}  # a choice outlives a visit to another page
ANY_CELL_VIEWS = ("How far back?",)  # the others show an LSTM's gates


def controls() -> tuple[int, int, int, str]:
    """The controls: (first row of the window, layer, direction, gate or ALL)."""
    first, second, third, fourth, fifth = st.columns([1.2, 2.4, 2.3, 0.8, 1.5], vertical_alignment="bottom")
    start, *_ = pick_window("gates", run, [first, second, third], chosen_snapshot(run))
    layer = fourth.selectbox("layer", range(model.num_layers), key="layer", **KEEP, help="0 is next to the input")
    gate = fifth.selectbox(
        "gate",
        [ALL, *GATE_NAMES],
        key="gate",
        **KEEP,
        format_func=lambda g: g if g == ALL else f"{g} · {GATE_NAMES[g]}",
        help="All six heatmaps, or a large one",
    )
    direction = 0
    if model.bidirectional:
        names = ("forward", "reverse")
        direction = segments(
            st, "direction", [0, 1], "direction", format_func=names.__getitem__, label_visibility="visible"
        )
    return start, layer, direction, gate


def draw_view(start: int, layer: int, direction: int, gate: str) -> None:
    if shown_run() is not run:  # another tab trains another model: other windows, other layers
        st.rerun()
    run.heartbeat()
    left, right = st.columns([0.52, 0.48], vertical_alignment="center")
    with left:
        view = segments(st, "view", list(VIEWS) if model.cell == "lstm" else ANY_CELL_VIEWS, "view")
    with right:
        step = pick_snapshot(run)
    unit = min(state.get_state("unit", 0), model.hidden_size - 1)
    selection = Selection(run, start, layer, direction, gate, step, unit)
    with errors_here(icon=None):
        VIEWS[view](selection)


row = st.container(horizontal=True, vertical_alignment="center")
row.container(width="stretch").title("Gates")
pick_run("gates", row, 180, label=False)
draw_messages("gates")
if model.cell != "lstm":
    way = "choose the LSTM above" if runs_on_offer(("lstm",)) else "choose LSTM on Model and train"
    st.info(
        f"This model is {cell_name(model.cell)}, which lacks an LSTM's gates i, f, g and o: "
        f"only its gradients are shown. For the gates, {way}."
    )
choice = controls()
poll(draw_view, *choice, seconds=WINDOW_SECONDS, active=active, has_changed=lambda: run.is_active != active)
next_page("stage", "Stage")
