"""Gates: what every gate and state of the model does at every step of one window."""

import streamlit as st

from lstm_core.experiment import SPLITS, PlaygroundError
from lstm_core.export import trace_csv, trace_npz
from lstm_core.figures import GATE_NAMES, SPLIT_NAMES, horizon_figure
from lstm_core.saturation import CLOSED, OPEN, saturation
from pages.shared import gates_view, run_panel, session
from pages.shared.gate_view import gate_view

run = session.workspace().run
live = run.live
windows, model = run.trainer.windows, run.experiment.model
ALL = "all six"
KEEP = {"persist_state": "session"}  # what was chosen is still chosen after a look at another page


def choose_window(part: str, which: str) -> None:
    session.remember("window", gates_view.find_window(run, part, which))


def controls() -> tuple[int, int, int, str]:
    """(first row of the window, layer, direction, gate or ALL), as the person chose them."""
    parts = [part for part in SPLITS if len(windows.starts[part])]
    first, second, third, fourth, fifth = st.columns([1.2, 2.4, 2.3, 0.8, 1.5], vertical_alignment="bottom")
    part = first.selectbox("part", parts, index=len(parts) - 1, format_func=SPLIT_NAMES.get, key="part", **KEEP,
                           help="The model was trained on the training windows only")  # fmt: skip
    starts = windows.starts[part]
    session.clamp("window", 0, len(starts) - 1)
    if len(starts) > 1:
        place = second.slider("window", 0, len(starts) - 1, key="window", **KEEP,
                              help="Windows in order of time; the gates below are of this one")  # fmt: skip
    else:
        place = 0
    with third, st.container(horizontal=True, gap="small"):
        for which, help_text in gates_view.FINDS.items():
            st.button(which, key=f"find_{which}", help=help_text, on_click=choose_window, args=(part, which))
    layer = fourth.selectbox(
        "layer", range(model.num_layers), key="layer", **KEEP, help="0 is next to the input"
    )
    gate = fifth.selectbox("gate", [ALL, *GATE_NAMES], key="gate", **KEEP,
                           format_func=lambda g: g if g == ALL else f"{g} · {GATE_NAMES[g]}",
                           help="All six pictures, or one of them large")  # fmt: skip
    direction = 0
    if model.bidirectional:
        direction = st.segmented_control("direction", [0, 1], default=0, key="direction", required=True, **KEEP,
                                         format_func=("forward", "reverse").__getitem__)  # fmt: skip
    return int(starts[place]), layer, direction, gate


def pictures(start: int, layer: int, direction: int, gate: str) -> None:
    if session.workspace().run is not run:  # another tab trains another model: other windows, other layers
        st.rerun()
    trace, step = gates_view.trace_of(run, start)
    difference = trace.max_difference
    said, badge = st.columns([0.62, 0.38], vertical_alignment="center")
    said.markdown(gates_view.sentence(run, start))
    with badge.container(key="parity", horizontal_alignment="right"):
        st.badge(f"largest difference from nn.LSTM: {difference:.1e}", icon=":material/verified:",
                 color="green" if difference < 1e-5 else "red",
                 help="Every h and the last c of this trace, worked out from the gates below, against what "
                      f"torch.nn.LSTM itself computed. Weights of step {step:,}.")  # fmt: skip
    maps = {name: getattr(trace, name)[layer, direction, 0].float().cpu().numpy().T for name in GATE_NAMES}
    series = gates_view.input_series(windows, start)
    unit = min(session.recall("unit", 0), model.hidden_size - 1)
    shares = saturation(trace, layer, direction)
    curves = {
        "All units · mean": shares["mean"],
        f"Share below {CLOSED:g}": shares["closed"],
        f"Share above {OPEN:g}": shares["open"],
    }
    chosen = gate_view("gate_view", maps, unit=unit, series=series, curves=curves,
                       large=None if gate == ALL else gate)  # fmt: skip
    session.remember("unit", chosen)
    st.caption("A gate that sits near 0 or 1 at every step is saturated: it learns slowly.")
    if st.toggle("How far back does it look?", key="how_far", persist_state="session",
                 help="The gradient of this prediction with respect to every step, exact, backwards through "
                      "time"):  # fmt: skip
        horizon = gates_view.horizon_of(run, start)
        st.markdown(gates_view.horizon_sentence(horizon))
        st.plotly_chart(horizon_figure(horizon, layer, direction), key="horizon_figure")
    if run.live != live:
        st.rerun()  # polling follows


def exports(start: int) -> None:
    name = f"trace_row_{start}"
    with st.container(horizontal=True):
        st.download_button("Trace as CSV", lambda: trace_csv(gates_view.trace_of(run, start)[0]), f"{name}.csv",
                           "text/csv", icon=":material/download:", key="trace_csv")  # fmt: skip
        st.download_button("Trace as NPZ", lambda: trace_npz(gates_view.trace_of(run, start)[0]), f"{name}.npz",
                           "application/octet-stream", icon=":material/download:", key="trace_npz",
                           help="Every layer and direction, for numpy.load")  # fmt: skip


st.title("Gates")
session.show_messages("gates")
try:
    choice = controls()
    st.fragment(pictures, run_every=run_panel.SLOW_TICK / 2 if live else None)(*choice)
    exports(choice[0])
except PlaygroundError as error:
    st.error(session.plain(str(error)))
