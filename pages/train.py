"""Train: the settings of training, the transport buttons, and the run as it goes."""

import streamlit as st

from lstm_core.data.windows import make_windows
from lstm_core.experiment import PlaygroundError
from lstm_core.model.devices import devices
from lstm_core.training.checkpoint import load_checkpoint
from pages.shared import session
from pages.shared.session_fields import field
from pages.shared.training import loss_curves, run_status

here = session.workspace()
run = here.run
live, drawn = run.live, (run.number, run.status)  # one look: the buttons and the polling must agree


def settings() -> None:
    field(st, "train", "optimizer")
    left, right = st.columns(2)
    field(left, "train", "lr", step=0.001, format="%g")
    field(right, "train", "batch_size")
    left, right = st.columns(2, vertical_alignment="bottom")  # a long label may take two lines
    field(left, "train", "epochs")
    field(right, "train", "max_grad_norm", step=0.5)
    found = devices()
    field(st, "train", "device", options=list(found), format_func=found.get)
    with st.expander("More"):
        if here.experiment.train.optimizer == "SGD":
            field(st, "train", "momentum", step=0.05)
        field(st, "train", "initial_state")
        field(st, "train", "weight_decay", step=0.0001, format="%g")
        field(st, "train", "patience")
        field(st, "train", "loss")
        field(st, "train", "seed", key="train_seed")


# What the buttons do is done to the run of the moment of the click: another tab may have replaced the one drawn here.


def pause() -> None:
    here.run.pause()


def resume_run() -> None:
    here.run.play()


def step() -> None:
    if session.widget_value("step_by") == "batch":
        here.run.play(1)
    else:
        here.run.play_epoch()


def stop() -> None:
    here.run.stop()


def transport() -> None:
    stale = here.changed()
    columns = st.columns([1.25, 1.15, 0.9, 1.35, 0.9, 0.95], vertical_alignment="center")
    columns[0].button("Train", key="train", type="primary", icon=":material/play_arrow:", width="stretch",
                      on_click=session.start_fresh, disabled=live and not stale,
                      help="Train a fresh model of the settings as they are now")  # fmt: skip
    over = run.finished or run.status == "failed"
    untrained = run.status == "ready"
    columns[1].button("Pause" if live else "Resume", key="pause", width="stretch",
                      on_click=pause if live else resume_run,
                      icon=":material/pause:" if live else ":material/resume:", disabled=(over or untrained) and not live,
                      help="The weights stay; Resume goes on with the next batch")  # fmt: skip
    columns[2].button("Step", key="step", icon=":material/skip_next:", width="stretch", on_click=step,
                      disabled=live or over,
                      help="Train one epoch, or one batch, and pause")  # fmt: skip
    columns[3].segmented_control("step by", ["epoch", "batch"], default="epoch", key="step_by", required=True,
                                 persist_state="session",
                                 label_visibility="collapsed")  # fmt: skip
    columns[4].button("Stop", key="stop", icon=":material/stop:", width="stretch", on_click=stop,
                      disabled=not live, help="End the run; what it has learned stays")  # fmt: skip
    columns[5].button("Reset", key="reset", icon=":material/restart_alt:", width="stretch", on_click=reset,
                      help="Back to fresh, untrained weights")  # fmt: skip
    if stale:
        say_stale(stale)


def say_stale(stale: list[str]) -> None:
    text, undo = st.columns([0.8, 0.2], vertical_alignment="center")
    names = ", ".join(f"`{name}`" for name in stale)
    text.info(f"Changed since this model was made: {names}. **Train** starts a fresh model with that; the "
              "trained one stays until then.", icon=":material/info:")  # fmt: skip
    undo.button("Undo the changes", on_click=here.undo_changes, width="stretch")


def reset() -> None:
    session.start_fresh(play=False)


def panel() -> None:
    # one fragment: two of them, the second at a slower rate, cost the training a third of its speed
    here = session.workspace()
    run = here.run
    run_status.progress(run)
    loss_curves.losses(here, bool(session.recall("log_scale", True)))
    found = loss_curves.prediction(run)
    loss_curves.verdict(run, found)
    loss_curves.gradient_norm(run)
    if (run.number, run.status) != drawn:
        st.rerun()  # once: the buttons outside this fragment follow, and polling stops


def files() -> None:
    with st.expander("Save or load the trained model", icon=":material/save:"):
        save, load = st.columns(2)
        with save:
            st.markdown(
                "One file: safetensors weights with `nn.LSTM`'s own names, the settings, the scaler, the curves."
            )
            st.download_button("Save this model", run.checkpoint, "lstm.safetensors",
                               "application/octet-stream", icon=":material/download:", key="save_model")  # fmt: skip
        with load:
            file = st.file_uploader("Load a model file", ["safetensors"], key="model_file")
            if file is not None and session.recall("_loaded") != file.file_id:
                session.remember("_loaded", file.file_id)
                load_model(file.getvalue())
                st.rerun()


def load_model(data: bytes) -> None:
    session.clear_messages()
    try:
        checkpoint = load_checkpoint(data)
        table = session.table_for(checkpoint.experiment.data)
        windows = make_windows(table, checkpoint.experiment.data)
        here.load(checkpoint, windows, table)
    except PlaygroundError as error:
        session.report(str(error))
        return
    session.notify(
        f"The model is loaded: {checkpoint.progress['step']:,} steps trained. Resume goes on from there."
    )


st.title("Train")
session.show_messages("train")
transport()
left, right = st.columns([0.27, 0.73], gap="medium")
with left:
    settings()
    st.toggle(
        "log scale",
        value=True,
        key="log_scale",
        persist_state="session",
        help="Each line of the grid is ten times the last",
    )
    if run.windows.ahead > 1:
        st.number_input("steps ahead drawn", 1, run.windows.ahead, key="ahead", persist_state="session",
                        help="Which of the predicted rows the forecast shows")  # fmt: skip
with right:
    st.fragment(panel, run_every=run_status.TICK if live else None)()
files()
