"""Start: a trained LSTM on a real series, its gates at work at once; one's own CSV in, trained while one watches."""

import streamlit as st

from pages.shared import start_stage
from pages.shared.data.source_picker import dataset_title, upload
from pages.shared.data.target_chips import target_chips
from pages.shared.lessons import gallery
from pages.shared.session import state
from pages.shared.session.messages import draw_messages, errors_here, escape_markdown
from pages.shared.theme import wide_button
from pages.shared.training import loss_curves, run_status
from pages.shared.training.live import RUN_SECONDS, poll
from pages.shared.training.train_button import pause_button, train_button

MORE = {  # what each of the other pages has more of
    "data": ("Data", "table_chart", "Columns, splits, built-in series"),
    "model": ("Model", "account_tree", "Every argument of nn.LSTM"),
    "train": ("Train", "show_chart", "Learning rate, epochs, scores, save"),
    "gates": ("Gates", "grid_on", "Every gate of every window"),
    "stage": ("Stage", "play_circle", "The cell, step by step"),
}
HEIGHT = 250  # of the two plots under the gates, in CSS pixels
# Beside a narrow window's sidebar the picture lies below what starts it, whose two halves lie side by side.
STYLE = """<style>
.st-key-start_page h1 { font-size: 1.75rem; white-space: nowrap; }
.st-key-mini_stage_place { min-height: 352px; }
.st-key-start_page :is(.st-key-train, .st-key-pause) button { min-height: 2.9rem; }
.st-key-start_page .st-key-train button p { font-size: 1.1rem; font-weight: 600; }
@media (max-width: 1100px) {
  .st-key-start_page > * > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-start_page > * > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { min-width: 100%; }
}
@media (min-width: 800px) and (max-width: 1100px) {
  .st-key-start_controls { flex-direction: row; align-items: end; gap: 1.25rem; }
  .st-key-start_controls > * { flex: 1 1 0; min-width: 0; }
}
</style>"""

workspace = state.workspace()
run = workspace.loaded_run  # none before the first curve is drawn: its module imports torch
drawn, active = (run and run.id, run and run.status), workspace.is_active
scoring = run is not None and run.is_scoring


def is_new_data() -> bool:
    """Whether the data is not what the model in front of the visitor was trained on."""
    loaded = workspace.loaded_run
    return workspace.table is not workspace.run_table or (
        loaded is not None and workspace.experiment.data != loaded.experiment.data
    )


def controls() -> None:
    with st.container(key="start_controls"):
        with st.container():
            st.title("LSTM Playground")
            st.markdown("Train an LSTM and watch **every gate of it**: the real numbers of the model in front of you.")
            draw_messages("start")  # beside the upload, where the reader of a refused file looks
            upload("Drop a CSV or Excel file")
        with st.container():
            title = dataset_title(workspace.experiment.data, workspace.table)
            st.markdown(f"Current dataset: **{escape_markdown(title)}**")
            target_chips()
            train_buttons()


def train_buttons() -> None:
    changed = workspace.changed_settings() if run is not None else []
    if active and not changed:
        train, pause = st.columns(2)
        train_button(train, disabled=True)
        pause_button(pause, active=True, disabled=False)
    elif run is not None and run.status == "paused" and not changed:
        train, pause = st.columns(2)
        train_button(train, disabled=False)
        pause_button(pause, active=False, disabled=False)
    elif changed:
        train_button(st, disabled=False)
        undo = "Back to the trained model" if run.step else "Undo the changes"
        wide_button(st, undo, "undo", workspace.revert_settings, key="undo", help="And to its data and settings")
    else:
        train_button(st, "Train it from scratch", "replay", disabled=False)


def live_panel() -> None:
    """The gates, the loss and the prediction, each in its place; drawn in the order in which they can be."""
    workspace = state.workspace()
    place = st.container(key="mini_stage_place")
    left, right = st.columns(2)
    with left:
        loss_curves.loss_curves(workspace, log_y=True, height=HEIGHT, brief=True)  # before torch has loaded
    run = workspace.run
    with place:
        start_stage.gates(run)
    with right:
        loss_curves.forecast(run, height=HEIGHT)
    if run.is_active or run.message:
        run_status.progress(run)
    from pages.shared.training import score_panel  # which imports torch: the curve above needs none of it

    score_panel.score_text(run)


def untrained() -> None:
    """New data: what Train would learn from."""
    with st.container(key="mini_stage_place"), errors_here():
        start_stage.series(workspace.windows())
    st.markdown("Press **Train**: the loss, the prediction and the gates appear here as it learns.")


def has_changed() -> bool:
    now = workspace.run
    replaced = run is not None and (now.id, now.status) != drawn
    return replaced or (now.is_active, now.is_scoring) != (active, scoring)


st.html(STYLE)
with st.container(key="start_page"):
    left, right = st.columns([0.29, 0.71], gap="medium")
    with left:
        controls()
    with right:
        if is_new_data():
            untrained()
        else:
            poll(live_panel, seconds=RUN_SECONDS, active=active or scoring, has_changed=has_changed)
for column, (page, (title, icon, text)) in zip(st.columns(len(MORE)), MORE.items(), strict=True):
    with column:
        st.page_link(f"pages/{page}.py", label=f"**{title}**", icon=f":material/{icon}:", help=text)
        st.caption(text)
st.subheader("Lessons", anchor=False)
gallery.show()
