"""Start: a trained LSTM on a real series, at once; from here to an upload or to training from scratch."""

import streamlit as st

from pages.shared.lessons import gallery
from pages.shared.session import state
from pages.shared.session.messages import draw_messages, escape_markdown
from pages.shared.theme import wide_button
from pages.shared.training import loss_curves
from pages.shared.training.live import CURVES_SECONDS, poll

workspace = state.workspace()
active = workspace.is_active
scoring = workspace.loaded_run is not None and workspace.loaded_run.is_scoring

st.title("LSTM Playground")
draw_messages("start")
about, again, own = st.columns([0.56, 0.22, 0.22], vertical_alignment="center")
about.markdown(
    "Train an LSTM here and see every gate of it, step by step: the real numbers of the model in front of you. "
    f"Current dataset: **{escape_markdown(workspace.run_table.name)}**."
)
watch = "Draws new weights and trains them while you watch"
if wide_button(again, "Train it from scratch", "replay", type="primary", help=watch):
    workspace.revert_settings()
    state.start_training()
    st.switch_page("pages/train.py")
if wide_button(own, "Use my CSV", "upload_file", help="Upload or paste a table of your own"):
    st.switch_page("pages/data.py")


def live_panel() -> None:
    workspace = state.workspace()
    left, right = st.columns(2)
    with left:
        st.markdown("**How it learned:** the loss, batch by batch")
        loss_curves.loss_curves(workspace, log_y=True, height=240)  # before torch has loaded
    run = workspace.run
    with right:
        st.markdown("**What it predicts,** beside the actual values")
        loss_curves.forecast(run, height=240)
    from pages.shared.training import score_panel  # which imports torch: the curve above needs none of it

    score_panel.score_text(run)


def gates() -> None:
    from lstm_core.figures.gates import gate_heatmap
    from pages.shared.gates import selection

    if workspace.run.experiment.model.cell != "lstm":
        return  # a GRU or RNN has no such gates
    trace = selection.window_trace(selection.Selection(workspace.run, selection.last_window(workspace.run)))
    st.markdown(
        "**What its forget gates do** in the last window: bright is open and remembers, dark is closed and forgets. "
        "All gates are on the page Gates."
    )
    st.plotly_chart(gate_heatmap(trace, "f", layer=0, height=230), key="start_heatmap")


def has_changed() -> bool:
    return (workspace.is_active, workspace.run.is_scoring) != (active, scoring)


poll(live_panel, seconds=CURVES_SECONDS, active=active or scoring, has_changed=has_changed)
st.subheader("Lessons", anchor=False)
gallery.show()
gates()
