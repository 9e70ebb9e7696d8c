"""The view "Learning": when in the training a unit learned what it does, and the model its answer for this window."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.analysis.learning_dynamics import settled_at, unit_over_training
from lstm_core.figures.lines import Line
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES, SAID, TRUTH
from lstm_core.forecasting.predict import predict
from lstm_core.training.snapshots import Moment
from pages.shared import session
from pages.shared.components.gate_heatmaps import gate_map, gate_view
from pages.shared.components.live_plot import live_plot
from pages.shared.gates import selection
from pages.shared.gates.selection import ALL, Look

MEAN = "the mean of all units"
HALF = 0.5  # of the way from what it was to what it is

# What one moment comes to: i, f, g, o, c, h of the unit, each (seq_len,), and what the model said.
Row = tuple[dict[str, np.ndarray], float]


def show(look: Look) -> None:
    unit = _choose_unit(look)
    rows = _rows(look, unit)
    steps = list(rows)
    names = [f"epoch {_epoch(look, step)}" for step in steps]
    maps = {
        name: np.stack([found[name] for found, _ in rows.values()]) for name in next(iter(rows.values()))[0]
    }
    said = np.array([answer for _, answer in rows.values()])
    st.markdown(_sentence(look, unit, maps, said, names))
    now = look.moment.step
    chosen = int(np.argmin(np.abs(np.array(steps) - now)))
    gate_view("learning_map", [gate_map(name, values) for name, values in maps.items()], unit=chosen, rows=names,
              series=selection.input_series(look.run.windows, look.start),
              large=None if look.gate == ALL or look.gate not in maps else look.gate)  # fmt: skip
    st.caption(
        "Each row is one moment of the training, spaced evenly on a log scale: the first steps change most. The row "
        "that is marked is the slider's."
    )
    _answers(look, np.array(steps) / look.run.steps_per_epoch, said)


def _choose_unit(look: Look) -> int | None:
    """The unit whose learning is drawn, the one that was selected on "Gates" at first; None: the mean of all."""
    units = look.run.experiment.model.hidden_size
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        mean = st.toggle(MEAN, key="learning_mean", persist_state="session",
                         help="What the layer does as a whole, instead of one unit")  # fmt: skip
        session.mirror("learning_unit", look.unit, units)
        st.number_input("unit", 0, units - 1, key="learning_unit", disabled=mean, width=160, on_change=_take_unit,
                        help="The same unit as in the other views")  # fmt: skip
    return None if mean else look.unit


def _take_unit() -> None:
    value = session.widget_value("learning_unit")
    if value is not None:
        session.remember("unit", value)


def _rows(look: Look, unit: int | None) -> dict[int, Row]:
    """By step, of every moment that weights were kept of and of now; each is worked out once."""
    run = look.run
    key = look.start, look.layer, look.direction, unit
    known_key, known = run.memo.get("learning", (None, {}))
    known = known if known_key == key else {}
    found = {
        step: known.get(step) or _row(look, unit, run.moment(step)) for step in run.snapshots.steps
    }
    run.memo["learning"] = (key, found)
    now = Look(run, look.start).moment
    return found | {now.step: _row(look, unit, now)}


def _row(look: Look, unit: int | None, moment: Moment) -> Row:
    windows = look.run.windows
    maps = unit_over_training([moment], selection.inputs_of(look), look.layer, look.direction, unit)
    starts = np.array([look.start])
    said = predict(moment.model, windows, starts)[0]
    answer = said[windows.truth(starts)[0]] if windows.classes else said[0, 0]
    return {name: values[0] for name, values in maps.items()}, float(answer)


def _epoch(look: Look, step: int) -> str:
    return f"{step / look.run.steps_per_epoch:.3g}"


def _sentence(look: Look, unit: int | None, maps: dict, said: np.ndarray, names: list[str]) -> str:
    """When each gate, and the answer, had come half of its way to what it is now."""
    if len(names) < 2:
        return "There is one moment only so far: train, and its learning can be followed here."
    when = {name: names[settled_at(maps[name], HALF)] for name in maps if name in "ifgo"}
    who = "On average over the units each gate" if unit is None else f"In unit {unit} each gate"
    parts = ", ".join(f"the {GATE_NAMES[name]} by **{epoch}**" for name, epoch in when.items())
    return (
        f"{who} had come half of its way to what it does now in this window: {parts}; the model's answer by "
        f"**{names[settled_at(said, HALF)]}**."
    )


def _answers(look: Look, epochs: np.ndarray, said: np.ndarray) -> None:
    """What the model said of this window along the training, beside the truth."""
    windows = look.run.windows
    truth = windows.truth(np.array([look.start]))[0]
    level, name = (1.0, "a sure and right answer") if windows.classes else (float(truth[0, 0]), "truth")
    cell = look.run.experiment.model.module_name
    what = "probability of the true class" if windows.classes else windows.spec.targets[0]
    lines = [
        Line(name, epochs[[0, -1]], np.full(2, level), TRUTH, "dash", width=3),
        Line(f"what the {cell} says of this window", epochs, said, SAID, width=2.5),
    ]
    if look.step is not None:
        ends = np.array([min(said.min(), level), max(said.max(), level)])
        at = look.moment.step / look.run.steps_per_epoch
        lines.append(Line("the moment above", np.full(2, at), ends, GATE_COLORS["h"], "dot"))
    live_plot("learning_answers", lines, x_title="epoch", y_title=what, height=260,
              revision=f"{look.run.number} {look.start}")  # fmt: skip
