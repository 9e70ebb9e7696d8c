"""Train: the training settings, the transport buttons, and the live run."""

import streamlit as st

from lstm_core.data.windows import make_windows
from lstm_core.experiment import PlaygroundError
from lstm_core.model.devices import available_devices
from lstm_core.training.checkpoint import load_checkpoint
from pages.shared.components.download import download, download_when_made
from pages.shared.session import state
from pages.shared.session.fields import field, widget_value
from pages.shared.session.messages import clear_messages, draw_messages, escape_markdown, show_info
from pages.shared.theme import next_page, segments, wide_button
from pages.shared.training import loss_curves, run_status, score_panel
from pages.shared.training.live import RUN_SECONDS, poll
from pages.shared.training.take_along import archive
from pages.shared.training.train_button import pause_button, train_button

_NEW_WEIGHTS = "trains a new model: this one began from a saved one, or its weights were set by hand"

workspace = state.workspace()
run = workspace.run
drawn, active = (run.id, run.status), run.is_active  # asked once: the buttons and the polling must agree
scoring = run.is_scoring


def settings() -> None:
    field(st, "train", "optimizer")
    left, right = st.columns(2)
    field(left, "train", "lr", step=0.001, format="%g")
    field(right, "train", "batch_size")
    left, right = st.columns(2, vertical_alignment="bottom")  # a long label may take two lines
    field(left, "train", "epochs")
    field(right, "train", "max_grad_norm", step=0.5)
    field(st, "train", "patience")
    left, right = st.columns(2)
    field(left, "train", "shrink")
    field(right, "train", "refit")
    devices = available_devices()
    field(st, "train", "device", options=list(devices), format_func=devices.get)
    with st.expander("More"):
        if workspace.experiment.train.optimizer == "SGD":
            field(st, "train", "momentum", step=0.05)
        field(st, "train", "initial_state")
        field(st, "train", "weight_decay", step=0.0001, format="%g")
        field(st, "train", "loss")
        field(st, "train", "threads")
        field(st, "train", "seed", key="train_seed")


def step() -> None:
    if widget_value("step_by") == "batch":
        workspace.run.start(1)
    else:
        workspace.run.run_epoch()


def transport() -> None:
    """The buttons; each acts on the run at the time of the click: another tab may have replaced the one drawn here."""
    stale = workspace.changed_settings()
    train, pause, one_step, step_by, stop, reset = st.columns(
        [1.25, 1.15, 0.9, 1.35, 0.9, 0.95], vertical_alignment="center"
    )
    ended = run.finished or run.status in ("failed", "stopped") or run.watch_only
    at_rest = run.watch_only or (not active and (ended or run.status == "ready"))  # neither trains nor is paused
    train_button(train, disabled=active and not stale)
    pause_button(pause, active=active, disabled=at_rest)
    step_help = "Train one epoch, or one batch, and pause"
    wide_button(one_step, "Step", "skip_next", step, key="step", disabled=active or ended, help=step_help)
    segments(step_by, "step by", ["epoch", "batch"], "step_by")
    stop_help = "End the run: the weights of its best epoch come back, and its place is free for another"
    wide_button(stop, "Stop", "stop", lambda: workspace.run.stop(), key="stop", disabled=at_rest, help=stop_help)
    reset_help = "Back to new, untrained weights"
    wide_button(reset, "Reset", "restart_alt", state.start_training, False, key="reset", help=reset_help)
    if stale:
        stale_notice(stale)


def stale_notice(stale: list[str]) -> None:
    text, undo = st.columns([0.8, 0.2], vertical_alignment="center")
    names = ", ".join(f"`{name}`" for name in stale)
    text.info(
        f"Settings changed since this model was created: {names}. **Train** starts a new model with them; the "
        "current one stays until then.",
        icon=":material/info:",
    )
    undo.button("Undo the changes", on_click=workspace.revert_settings, width="stretch")


def live_panel() -> None:
    # one fragment: a second one, at a slower rate, costs the training a third of its speed
    workspace = state.workspace()
    run = workspace.run
    run_status.progress(run)
    loss_curves.loss_curves(workspace, bool(state.get_state("log_scale", True)))
    loss_curves.forecast(run)
    score_panel.score_text(run)
    loss_curves.gradient_norm(run)


def has_changed() -> bool:
    """Whether the buttons belong to another run or status, or the score is there."""
    return (workspace.run.id, workspace.run.status) != drawn or workspace.run.is_scoring != scoring


def files() -> None:
    with st.expander("Save or load the trained model", icon=":material/save:"):
        save, load = st.columns(2)
        with save:
            st.markdown(
                "One file: safetensors weights with `nn.LSTM`'s own names, the settings, the scaler, the curves."
            )
            save_model()
            download(
                st,
                "Experiment file",
                run.experiment_file().encode(),
                "experiment.json",
                key="experiment_file",
                help="All settings as JSON, live changes with their steps: python -m lstm_core train experiment.json "
                + ("trains it again to the same weights" if run.is_repeatable else _NEW_WEIGHTS),
            )
            take_it_all()
        with load:
            why_not = st.container()  # above the upload, where its reader looks: below, it might be out of sight
            file = st.file_uploader("Load a model file", ["safetensors"], key="model_file")
            if file is not None and state.get_state("_loaded") != file.file_id:
                state.set_state("_loaded", file.file_id)
                state.set_state("_load_error", load_model(file.getvalue()))
                st.rerun()
            if file is not None and state.get_state("_load_error"):
                why_not.error(escape_markdown(state.get_state("_load_error")), icon=":material/error:")
            if workspace.upload is not None and workspace.experiment.data.source != "csv":
                st.button(
                    f"Use my table {escape_markdown(workspace.upload[0].name)} again",
                    key="own_table",
                    icon=":material/undo:",
                    on_click=workspace.restore_upload,
                    help="The file as you left it",
                )


def take_it_all() -> None:
    """Everything of the run, made on a click: the scores and the ONNX file take seconds."""
    download_when_made(
        "Take it all",
        lambda: archive(workspace.run),
        "lstm_playground.zip",
        "application/zip",
        key="take_it_all",
        of=(run.id, run.weights_key, run.train_spec),
        now=False,
        disabled=active or not run.step or run.is_unscored,
        help="One ZIP file: data, experiment, model, scores, forecast, pictures, the script and notebook that train it "
        "again, and the model as ONNX where that is installed. Ready when the training pauses or ends",
    )


def save_model() -> None:
    label, name = "Save this model", "lstm.safetensors"
    if run.is_active:  # another model after every step
        download_when_made(label, workspace.run.checkpoint, name, key="save_model", of=run.id, now=False)
    else:
        data = run.cached("file", (run.weights_key, run.train_spec), run.checkpoint)
        download(st, label, data, name, key="save_model")


def load_model(data: bytes) -> str | None:
    """Make the file's model this workspace's run; else the sentence that says why not."""
    clear_messages()
    try:
        checkpoint = load_checkpoint(data)
        table = state.table_for(checkpoint.experiment.data)
        windows = make_windows(table, checkpoint.experiment.data)
        loaded = workspace.load(checkpoint, windows, table)
    except PlaygroundError as error:
        return str(error)
    go_on = loaded.step and not loaded.finished
    text = f"The model is loaded: {loaded.step:,} steps trained."
    text += " Resume goes on from there." if go_on else " Its training has ended." if loaded.finished else ""
    if checkpoint.is_old and loaded.windows.drawn:
        text += (
            " An earlier version saved it, which split sequences in the order of their names: the model may have been "
            "trained on some that validate or test now. Train a new one before you compare scores."
        )
    if workspace.upload is not None and workspace.experiment.data.source != "csv":
        text += f" Your table {workspace.upload[0].name} is still here: the button beside the upload uses it again."
    show_info(text)
    return None


st.title("Train")
draw_messages("train")
with st.container():  # which may have a notice or not
    transport()
left, right = st.columns([0.27, 0.73], gap="medium")
with left:
    settings()
    st.toggle(
        "log scale",
        value=True,
        key="log_scale",
        persist_state="session",
        help="Each gridline is ten times the one below",
    )
    if run.windows.output_steps > 1:
        st.number_input(
            "horizon step to plot",
            1,
            run.windows.output_steps,
            key="ahead",
            persist_state="session",
            help="Which of the predicted rows is plotted",
        )
with right:
    poll(live_panel, seconds=RUN_SECONDS, active=active or scoring, has_changed=has_changed)
    if not active:
        score_panel.best_epoch_note(run)
        score_panel.score_table(run)
files()
next_page("gates", "Gates")
