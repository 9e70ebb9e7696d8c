"""The unit by hand: twelve sliders, both companies unrolled over four days, and the way through a checkpoint.

Here live the buttons and Python's half of by_hand.js, which draws what it is told and tells which number moved. All
arithmetic is lstm_core.lessons.catalog.by_hand.scalar_lstm's.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.experiment import GATES, PlaygroundError
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from lstm_core.lessons.catalog.by_hand.scalar_lstm import (
    NEAR,
    SQUASH,
    TUTORIAL_END,
    TUTORIAL_START,
    Step,
    Unit,
    check_one_unit,
    distance_from_lstm,
    number,
    sequences_of,
    unit_of,
)
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.workspace import Workspace
from pages.shared import session
from pages.shared.components.wire import text

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

TICK = 0.5  # seconds between two looks at the numbers while they train
FIRST, ALL = 2000, 5000  # epochs, as in the tutorial
PROVED = 100  # steps that the resumed and the uninterrupted run are compared over
COMPANIES = "AB"
KEY = "by_hand"
_FILE, _PROOF = "_by_hand_file", "_by_hand_proof"

_mount = st.components.v2.component(
    "by_hand",
    html='<div class="by-hand"></div>',
    js=text("unit_sliders.js"),
    css=text("unit_sliders.css"),
    isolate_styles=False,
)


def show(here: Workspace, runs: dict[str, Run]) -> None:
    """Buttons, sliders and the arithmetic of runs["hand"], which is the workspace's own run."""
    run = runs["hand"]
    try:
        check_one_unit(run)
    except PlaygroundError as error:
        st.info(session.plain(str(error)), icon=":material/info:")
        return
    live = run.live
    _course(here, run, live)
    st.fragment(_unrolled, run_every=TICK if live else None)(here, live)
    _choices(here)


def _course(here: Workspace, run: Run, live: bool) -> None:
    """Train, save, resume: the tutorial's course in three clicks."""
    saved = session.recall(_FILE)
    train, save, load, go_on = st.columns(4)
    train.button(f"1. Train {FIRST:,} epochs", key="hand_train", icon=":material/play_arrow:", width="stretch",
                 disabled=live, on_click=_train, args=(here,),
                 help="From these numbers if they are untrained, else from fresh ones of the seed above")  # fmt: skip
    save.button("2. Save checkpoint", key="hand_save", icon=":material/save:", width="stretch",
                disabled=live or not run.step, on_click=_save, args=(here,),
                help="Weights, Adam's memory, and the state of the random order")  # fmt: skip
    load.download_button("Download it", saved or b"", "lstm_by_hand.safetensors", "application/octet-stream",
                         key="hand_file", icon=":material/download:", width="stretch", disabled=saved is None,
                         help="Load it on Train, on any day")  # fmt: skip
    go_on.button(f"3. Resume to {ALL:,}", key="hand_resume", icon=":material/resume:", width="stretch",
                 disabled=live or saved is None, on_click=_resume, args=(here,),
                 help="A new run, made from the saved file alone, goes on")  # fmt: skip
    for_run, words = session.recall(_PROOF, (None, ""))
    if for_run == run.number:
        st.caption(words)


def _choices(here: Workspace) -> None:
    untrained, start, end = st.columns(3)
    untrained.button("Untrained numbers", key="hand_untrained", icon=":material/casino:", width="stretch",
                     on_click=_fresh, args=(here,), help="Fresh ones of the seed above, at epoch 0")  # fmt: skip
    start.button("The tutorial's start", key="hand_start", icon=":material/flag:", width="stretch",
                 on_click=_fresh, args=(here, TUTORIAL_START),
                 help="Seed 42: weights from a normal distribution, biases 0. Then train: its numbers come out")  # fmt: skip
    end.button("The tutorial's numbers", key="hand_end", icon=":material/star:", width="stretch",
               on_click=_put, args=(here, TUTORIAL_END), help="What it has after 5,000 epochs")  # fmt: skip


def _train(here: Workspace) -> None:
    run = here.run if here.run.step == 0 else _fresh(here)
    run.play(FIRST * run.steps_per_epoch)


def _fresh(here: Workspace, unit: Unit | None = None) -> Run:
    """An untrained run of the lesson's own experiment, from the page's seed or from these numbers."""
    from lstm_core.lessons.runs import prepare, with_seed

    session.clear_messages()
    opened = here.lesson
    opened.seed, opened.change = session.recall(f"seed_{opened.lesson.name}", opened.seed), {}
    experiment = with_seed(opened.lesson.experiments["hand"], opened.seed)
    windows = prepare(experiment.data)[1]
    run = here.fresh_run(windows, dataclasses.replace(experiment, data=windows.spec))
    if unit is not None:
        _put(here, unit)
    return run


def _put(here: Workspace, unit: Unit) -> None:
    """Pause, and let the model have these numbers."""
    run = here.run
    run.pause()
    run.set_weights(unit.tensors())
    here.lesson.change = {"weights": {"by hand": True}}  # the page says so beside the result


def _save(here: Workspace) -> None:
    session.remember(_FILE, here.run.checkpoint())


def _resume(here: Workspace) -> None:
    """Go on from the file; the run that it was saved from takes the first steps beside it, as the proof."""
    checkpoint = load_checkpoint(session.recall(_FILE))
    before = here.run
    run = here.load(checkpoint, before.windows, before.table)
    run.change(epochs=ALL)
    same = before.step == run.step and unit_of(before) == unit_of(run)
    run.train_here(PROVED)
    if same:
        session.remember(_PROOF, (run.number, _proof(before, run)))
    run.play()


def _proof(before: Run, run: Run) -> str:
    before.change(epochs=ALL)
    steps = before.train_here(PROVED)
    pairs = zip(unit_of(before).numbers, unit_of(run).numbers, strict=True)
    furthest = max(abs(one - other) for one, other in pairs)
    how = "bit for bit the same" if furthest == 0 else f"apart by {furthest:.0e} at most"
    return (
        f"Resumed from the file, and beside it the run that never stopped: {steps} steps on, their twelve numbers "
        f"are **{how}**."
    )


def _unrolled(here: Workspace, was_live: bool) -> None:
    run = here.run
    unit = unit_of(run)
    sequences, targets = sequences_of(run)
    known = session.widget_value(KEY)
    result = _mount(
        key=KEY,
        data={
            "gates": [_gate(gate) for gate in GATES],
            "numbers": unit.numbers,
            "tables": [_table(*one, unit) for one in zip(COMPANIES, sequences.tolist(), targets.tolist(), strict=True)],
            "told": known["moved"]["told"] if known else 0,  # the answer that the browser waits for
        },
        default={"moved": {"told": 0, "numbers": {}}},
        on_moved_change=_moved,
        on_settled_change=_nothing,
    )  # fmt: skip
    off = distance_from_lstm(unit, sequences)
    st.caption(
        f"`nn.LSTM(1, 1)` with these twelve numbers says the same: the largest difference in any h or c is {off:.0e}, "
        "float32's rounding."
    )
    if run.live != was_live or result.settled:
        st.rerun()  # the buttons, the pictures and the polling follow


def _nothing() -> None:
    """A component's trigger exists only if it has a callback; the rerun itself is all we need."""


def _moved() -> None:
    """A slider was moved: its number, and no other, goes into the model."""
    here = session.workspace()
    here.run.pause()
    numbers = list(unit_of(here.run).numbers)
    for place, value in session.widget_value(KEY)["moved"]["numbers"].items():
        numbers[int(place)] = value
    _put(here, Unit.of(numbers))


def _gate(gate: str) -> dict:
    return {"name": gate, "title": GATE_NAMES[gate], "color": GATE_COLORS[gate], "squash": SQUASH[gate]}


def _table(name: str, sequence: list[float], target: float, unit: Unit) -> dict:
    """One company's four days, in words."""
    steps = unit.unroll(sequence)
    said = steps[-1].h
    return {
        "name": f"Company {name}",
        "sequence": ", ".join(f"{x:g}" for x in sequence),
        "target": f"{target:g}",
        "said": number(said, 3),
        "right": abs(said - target) < NEAR,
        "days": [_day(step) for step in steps],
    }


def _day(step: Step) -> dict:
    return {
        "x": f"{step.x:g}",
        "h": number(step.h_before, 3) if step.h_before else "0",
        "gates": [
            [f"{SQUASH[gate]}({step.sum_words(gate)})", f"= {SQUASH[gate]}({number(step.sums[gate])})",
             number(step.gates[gate], 3)] for gate in GATES
        ],
        "c": [step.c_words(), "", number(step.c, 3)],
        "h_next": [step.h_words(), "", number(step.h, 3)],
    }  # fmt: skip
