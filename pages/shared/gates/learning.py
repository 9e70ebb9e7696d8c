"""The view "Learning": when in the training a unit learned its gates, and the model its prediction for this window."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.analysis.learning_dynamics import settling_index, unit_history
from lstm_core.figures.lines import Line
from lstm_core.figures.theme import ACTUAL_COLOR, GATE_COLORS, GATE_NAMES, PREDICTION_COLOR
from lstm_core.forecasting.predict import predict
from lstm_core.training.snapshots import ModelSnapshot
from pages.shared.components.gate_heatmaps import gate_heatmaps, heatmap_of
from pages.shared.components.live_plot import live_plot
from pages.shared.gates.selection import ALL, Selection, by_snapshot, window_input, window_read
from pages.shared.session import state
from pages.shared.session.fields import set_widget, widget_value

MEAN = "average over units"
HALF = 0.5  # of the change from the first snapshot to the selected weights

# Of one snapshot: i, f, g, o, c, h of the unit, each (seq_len,), and the prediction.
Row = tuple[dict[str, np.ndarray], float]


def show(selection: Selection) -> None:
    unit = _choose_unit(selection)
    rows = _rows(selection, unit)
    steps = list(rows)
    names = [f"epoch {step / selection.run.steps_per_epoch:.3g}" for step in steps]
    maps = {
        name: np.stack([activations[name] for activations, _ in rows.values()]) for name in next(iter(rows.values()))[0]
    }
    predictions = np.array([prediction for _, prediction in rows.values()])
    st.markdown(_sentence(unit, maps, predictions, names))
    now = selection.snapshot.step
    chosen = int(np.argmin(np.abs(np.array(steps) - now)))
    gate_heatmaps(
        "learning_map",
        [heatmap_of(name, values) for name, values in maps.items()],
        unit=chosen,
        rows=names,
        **window_read(selection.run.windows, selection.start),
        large=None if selection.gate == ALL or selection.gate not in maps else selection.gate,
    )
    st.caption(
        "Each row is one snapshot of the training, evenly spaced on a log scale, since the first steps change most. "
        "The marked row is the slider's."
    )
    _predictions(selection, np.array(steps) / selection.run.steps_per_epoch, predictions)


def _choose_unit(selection: Selection) -> int | None:
    """The unit whose learning is drawn, at first the one selected on "Gates"; None: the mean over all units."""
    units = selection.run.experiment.model.hidden_size
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        mean = st.toggle(MEAN, key="learning_mean", persist_state="session", help="The whole layer instead of one unit")
        set_widget("learning_unit", selection.unit, units)
        st.number_input(
            "unit",
            0,
            units - 1,
            key="learning_unit",
            disabled=mean,
            width=160,
            on_change=_take_unit,
            help="The same unit as in the other views",
        )
    return None if mean else selection.unit


def _take_unit() -> None:
    value = widget_value("learning_unit")
    if value is not None:
        state.set_state("unit", value)


def _rows(selection: Selection, unit: int | None) -> dict[int, Row]:
    """By step, for every snapshot and for the current weights; each is computed once."""
    run, key = selection.run, (selection.start, selection.layer, selection.direction, unit)
    rows = by_snapshot(run, "learning", key, lambda kept: _row(selection, unit, run.snapshot_at(kept.step)))
    current = Selection(run, selection.start).snapshot
    return {kept.step: row for kept, row in rows.items()} | {current.step: _row(selection, unit, current)}


def _row(selection: Selection, unit: int | None, snapshot: ModelSnapshot) -> Row:
    windows = selection.run.windows
    maps = unit_history([snapshot], window_input(selection), selection.layer, selection.direction, unit)
    starts = np.array([selection.start])
    prediction = predict(snapshot.model, windows, starts)[0]
    value = prediction[windows.targets(starts)[0]] if windows.classes else prediction[0, 0]
    return {name: values[0] for name, values in maps.items()}, float(value)


def _sentence(unit: int | None, maps: dict, predictions: np.ndarray, names: list[str]) -> str:
    """When each gate, and the prediction, reached half of its final change."""
    if len(names) < 2:
        return "There is only one snapshot so far: train the model to see how it learns."
    when = {name: names[settling_index(maps[name], HALF)] for name in maps if name in "ifgo"}
    subject = "On average over units, each gate" if unit is None else f"In unit {unit}, each gate"
    parts = ", ".join(f"the {GATE_NAMES[name]} by **{epoch}**" for name, epoch in when.items())
    return (
        f"{subject} reached half of its final change in this window: {parts}; the prediction by "
        f"**{names[settling_index(predictions, HALF)]}**."
    )


def _predictions(selection: Selection, epochs: np.ndarray, predictions: np.ndarray) -> None:
    """The prediction for this window along the training, beside the target."""
    windows = selection.run.windows
    targets = windows.targets(np.array([selection.start]))[0]
    level, name = (1.0, "certain and correct") if windows.classes else (float(targets[0, 0]), "actual")
    cell = selection.run.experiment.model.module_name
    label = "probability of the true class" if windows.classes else windows.spec.targets[0]
    lines = [
        Line(name, epochs[[0, -1]], np.full(2, level), ACTUAL_COLOR, "dash", width=3),
        Line(f"prediction of the {cell}", epochs, predictions, PREDICTION_COLOR, width=2.5),
    ]
    if selection.step is not None:
        ends = np.array([min(predictions.min(), level), max(predictions.max(), level)])
        at = selection.snapshot.step / selection.run.steps_per_epoch
        lines.append(Line("selected step", np.full(2, at), ends, GATE_COLORS["h"], "dot"))
    live_plot(
        "learning_predictions",
        lines,
        x_title="epoch",
        y_title=label,
        height=260,
        revision=f"{selection.run.id} {selection.start}",
    )
