"""The unit by hand: twelve sliders, both companies unrolled over four days, and buttons to save and resume.

The arithmetic is lstm_core.lessons.catalog.tutorials.by_hand.scalar_lstm's.
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.analysis.step_arithmetic import ACTIVATIONS
from lstm_core.data.number_format import format_number, format_significant
from lstm_core.experiment import GATES, PlaygroundError
from lstm_core.lessons.catalog.tutorials.by_hand.scalar_lstm import (
    TOLERANCE,
    TUTORIAL_END,
    TUTORIAL_START,
    ScalarLSTM,
    ScalarStep,
    check_scalar_lstm,
    max_difference_from_lstm,
    scalar_lstm_of,
    training_sequences,
)
from lstm_core.lessons.runs import load_windows, with_seed
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.workspace import Workspace
from pages.shared.components.download import download
from pages.shared.components.unit_sliders import moved_numbers, unit_sliders
from pages.shared.session import state
from pages.shared.session.messages import clear_messages, escape_markdown
from pages.shared.theme import wide_button
from pages.shared.training.live import LESSON_SECONDS, poll

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

FIRST, ALL = 2000, 5000  # epochs, as in the tutorial
COMPARED_STEPS = 100  # of the resumed and of the uninterrupted run
PROOF_SECONDS = 5.0  # for them, after which nothing is claimed
COMPANIES = "AB"
KEY = "by_hand"
_FILE, _PROOF = "_by_hand_file", "_by_hand_proof"


def show(runs: dict[str, Run]) -> None:
    """Buttons, sliders and the arithmetic of runs["hand"], which is the workspace's own run."""
    workspace, run = state.workspace(), runs["hand"]
    try:
        check_scalar_lstm(run)
    except PlaygroundError as error:
        st.info(escape_markdown(str(error)), icon=":material/info:")
        return
    active = run.is_active
    _course(workspace, run, active)
    poll(
        _unrolled,
        workspace,
        seconds=LESSON_SECONDS,
        active=active,
        has_changed=lambda: workspace.run.is_active != active,
    )
    _choices(workspace)


def _course(workspace: Workspace, run: Run, active: bool) -> None:
    """Train, save, resume: the tutorial's course in three clicks."""
    saved = state.get_state(_FILE)
    train, save, load, go_on = st.columns(4)
    wide_button(
        train,
        f"1. Train {FIRST:,} epochs",
        "play_arrow",
        _train,
        workspace,
        key="hand_train",
        disabled=active,
        help="From these parameters if they are untrained, else from new ones of the seed above",
    )
    wide_button(
        save,
        "2. Save checkpoint",
        "save",
        lambda: state.set_state(_FILE, workspace.run.checkpoint()),
        key="hand_save",
        disabled=active or not run.step,
        help="Weights, Adam's running means, and the state of the random generator",
    )
    download(
        load,
        "Download it",
        saved or b"",
        "lstm_by_hand.safetensors",
        key="hand_file",
        width="stretch",
        disabled=saved is None,
        help="Load it on Train at any time",
    )
    wide_button(
        go_on,
        f"3. Resume to {ALL:,}",
        "resume",
        _resume,
        workspace,
        key="hand_resume",
        disabled=active or saved is None,
        help="A new run, made from the saved file alone, continues",
    )
    for_run, text = state.get_state(_PROOF, (None, ""))
    if for_run == run.id:
        st.caption(text)


def _choices(workspace: Workspace) -> None:
    untrained, start, end = st.columns(3)
    new_help = "New ones of the seed above, at epoch 0"
    wide_button(untrained, "Untrained parameters", "casino", _fresh, workspace, key="hand_untrained", help=new_help)
    wide_button(
        start,
        "The tutorial's start",
        "flag",
        _fresh,
        workspace,
        TUTORIAL_START,
        key="hand_start",
        help="Seed 42: weights from a normal distribution, biases 0. Then train: the video's numbers come out",
    )
    end_help = "Its parameters after 5,000 epochs"
    wide_button(end, "The tutorial's result", "star", _put, workspace, TUTORIAL_END, key="hand_end", help=end_help)


def _train(workspace: Workspace) -> None:
    run = workspace.run if workspace.run.step == 0 else _fresh(workspace)
    run.start(FIRST * run.steps_per_epoch)


def _fresh(workspace: Workspace, unit: ScalarLSTM | None = None) -> Run:
    """An untrained run of the lesson's own experiment, from the page's seed or from these parameters."""
    clear_messages()
    opened = workspace.lesson
    opened.seed, opened.change = state.get_state(f"seed_{opened.lesson.name}", opened.seed), {}
    experiment = with_seed(opened.lesson.experiments["hand"], opened.seed)
    windows = load_windows(experiment.data)[1]
    run = workspace.new_run(windows, dataclasses.replace(experiment, data=windows.spec))
    if unit is not None:
        _put(workspace, unit)
    return run


def _put(workspace: Workspace, unit: ScalarLSTM) -> None:
    """Pause, and give the model these parameters."""
    run = workspace.run
    run.pause()
    run.set_weights(unit.to_tensors())
    workspace.lesson.change = {"weights": {"by hand": True}}  # the page says so beside the result


def _resume(workspace: Workspace) -> None:
    """Continue from the file; the run that it was saved from takes the same first steps, for comparison."""
    checkpoint = load_checkpoint(state.get_state(_FILE))
    before = workspace.run
    run = workspace.load(checkpoint, before.windows, before.table)
    run.change(epochs=ALL)
    same = before.step == run.step and scalar_lstm_of(before) == scalar_lstm_of(run)
    run.train_here(COMPARED_STEPS)
    if same:
        state.set_state(_PROOF, (run.id, _proof(before, run)))
    run.start()


def _proof(original: Run, run: Run) -> str:
    original.change(epochs=ALL)
    steps, give_up = run.step - original.step, time.monotonic() + PROOF_SECONDS
    original.start(steps)
    while original.is_active and time.monotonic() < give_up:
        time.sleep(0.01)
    if original.step != run.step:
        return ""  # its turn has not come: nothing is claimed
    pairs = zip(scalar_lstm_of(original).to_numbers(), scalar_lstm_of(run).to_numbers(), strict=True)
    max_difference = max(abs(one - other) for one, other in pairs)
    how = "bit for bit the same" if max_difference == 0 else f"apart by {format_significant(max_difference, 1)} at most"
    return (
        f"Resumed from the file, and beside it the run that it was saved from: {steps} steps on, their twelve "
        f"parameters are **{how}**."
    )


def _unrolled(workspace: Workspace) -> None:
    run = workspace.run
    unit = scalar_lstm_of(run)
    sequences, targets = training_sequences(run)
    examples = zip(COMPANIES, sequences.tolist(), targets.tolist(), strict=True)
    settled = unit_sliders(KEY, unit.to_numbers(), [_table(*example, unit) for example in examples], _moved)
    off = max_difference_from_lstm(unit, sequences)
    st.caption(
        "`nn.LSTM(1, 1)` with these twelve parameters computes the same: the largest difference in any h or c is "
        f"{format_significant(off, 1)}, float32's rounding."
    )
    if settled:
        st.rerun()  # the buttons and the pictures follow


def _moved() -> None:
    """A slider was moved: its parameter, and no other, goes into the model."""
    workspace = state.workspace()
    workspace.run.pause()
    numbers = list(scalar_lstm_of(workspace.run).to_numbers())
    for index, value in moved_numbers(KEY).items():
        numbers[index] = value
    _put(workspace, ScalarLSTM.from_numbers(numbers))


def _table(name: str, sequence: list[float], target: float, unit: ScalarLSTM) -> dict:
    """One company's four days, as text."""
    steps = unit.unroll(sequence)
    prediction = steps[-1].h
    return {
        "name": f"Company {name}",
        "sequence": ", ".join(f"{x:g}" for x in sequence),
        "target": f"{target:g}",
        "prediction": format_number(prediction, 3),
        "right": abs(prediction - target) < TOLERANCE,
        "days": [_day(step) for step in steps],
    }


def _day(step: ScalarStep) -> dict:
    return {
        "x": f"{step.x:g}",
        "h": format_number(step.h_before, 3) if step.h_before else "0",
        "gates": [
            [
                f"{ACTIVATIONS[gate]}({step.sum_text(gate)})",
                f"= {ACTIVATIONS[gate]}({format_number(step.gates[gate].total)})",
                format_number(step.gates[gate].value, 3),
            ]
            for gate in GATES
        ],
        "c": [step.c_text(), "", format_number(step.c, 3)],
        "h_next": [step.h_text(), "", format_number(step.h, 3)],
    }
