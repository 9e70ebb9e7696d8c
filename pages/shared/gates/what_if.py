"""The view "What if?": one prediction and the gates that made it, before and after some of them are altered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from lstm_core.analysis.gate_importance import predict_with
from lstm_core.experiment import GATES, STATES
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from lstm_core.forecasting.predict import predict
from lstm_core.trace.gate_trace import GateTrace
from lstm_core.trace.interventions import INPUT, Edit, trace_with
from pages.shared import session
from pages.shared.components.gate_heatmaps import Map, UnitLine, UnitPanel, gate_map, gate_view
from pages.shared.gates import gate_importance, intervention_controls, selection
from pages.shared.gates.selection import ALL, Look

SHOWN = ("before", "after", "difference")
Pairs = dict[str, list[np.ndarray]]  # gate or state → [before, after], each (units, seq_len)
ROUNDING = 1e-5  # of the larger number: the step loop and the native kernel round differently


def show(look: Look) -> None:
    look = replace(look, unit=_selected(look))
    edits = intervention_controls.choose_edits(look)
    altered, was, said = _altered(look, edits)
    sentence = f"{selection.sentence(look)} {_sentence(look, edits, was, said)}"
    before_after = [selection.trace_of(look), altered]
    pair = {
        name: [selection.units_by_steps(trace, name, look) for trace in before_after] for name in GATE_NAMES
    }
    if look.gate == ALL:
        left, right = st.columns([0.7, 0.3], vertical_alignment="center")
        left.markdown(sentence)
        shown = right.segmented_control("heatmaps", SHOWN, default="difference", key="what_shown", required=True,
                                        label_visibility="collapsed", persist_state="session")  # fmt: skip
        maps, panels = _maps_of_six(pair, shown), _curves_of_six(pair)
    else:
        st.markdown(sentence)
        maps, panels = _maps_of_one(look.gate, *pair[look.gate]), _curves_of_one(look.gate, pair)
    if note := _where(look, edits):
        st.caption(note)
    unit = gate_view("what_view", maps, unit=look.unit, units=panels, series=_inputs(look, edits))
    session.remember("unit", unit)
    gate_importance.show(look)


def _selected(look: Look) -> int:
    """The unit selected in the picture, before that is drawn: an edit may be of it."""
    picture = session.widget_value("what_view")
    wanted = look.unit if picture is None else int(picture["unit"])
    return max(0, min(wanted, look.run.experiment.model.hidden_size - 1))


def _altered(look: Look, edits: tuple[Edit, ...]) -> tuple[GateTrace, np.ndarray, np.ndarray]:
    """The altered run of the window, and the prediction before and after it.

    Predictions: (ahead, targets) in the table's own units, or class probabilities (classes,).
    """
    moment, windows, starts = look.moment, look.run.windows, np.array([look.start])

    def run() -> tuple:
        x = moment.model.lstm_input(selection.inputs_of(look))
        trace = trace_with(moment.model.lstm, x, edits)
        was = predict(moment.model, windows, starts)[0]
        said = predict_with(moment.model, windows, starts, edits)[0]
        return trace, was, said

    return look.run.remembered("altered", (moment, look.start, edits), run)


def _sentence(look: Look, edits: Sequence[Edit], was: np.ndarray, said: np.ndarray) -> str:
    """What the altered model says instead, as Markdown."""
    if not edits:
        return "Nothing is altered."
    words = [intervention_controls.words_of(edit, look) for edit in edits]
    words = " and ".join(words) if len(words) < 3 else f"these {len(words)} edits"
    if classes := look.run.windows.classes:
        guess = int(said.argmax())
        still = "still " if guess == was.argmax() else ""
        return (
            f"With {words} it {still}says **{session.plain(classes[guess])}** ({said[guess]:.0%} sure; "
            f"before: {was[guess]:.0%})."
        )
    was, said = was[0, 0], said[0, 0]
    if f"{was:.4g}" == f"{said:.4g}":
        return f"With {words} it still says the same."
    after, change = (number.replace("-", "−") for number in (f"{said:.4g}", f"{said - was:+.4g}"))
    return f"With {words} it says **{after}** ({change})."


def _where(look: Look, edits: Sequence[Edit]) -> str:
    """How the layer and direction in the picture stand to the altered ones, where they are others."""
    places = {edit.place for edit in edits}
    reaches_all = not edits or any(edit.gate == INPUT for edit in edits)
    if reaches_all or (look.layer, look.direction) in places:
        return ""
    lowest = min(layer for layer, _ in places)
    if look.layer > lowest:
        return f"The picture shows layer {look.layer}, which reads what the altered layer {lowest} says."
    if look.layer < lowest:
        return (
            f"The picture shows layer {look.layer}, below the altered layer {lowest}: nothing changes there. "
            "Choose a higher layer above."
        )
    return "The picture shows the other direction of the altered layer: the two do not read each other."


def _maps_of_one(gate: str, before: np.ndarray, after: np.ndarray) -> list[Map]:
    """Three maps of one gate, before and after on one scale."""
    scale = gate_map(gate, before, common=[after])
    return [
        Map("before", before, scale.title, scale.low, scale.high, scale.signed),
        Map("after", after, scale.title, scale.low, scale.high, scale.signed, scale.color),
        _difference("after − before", "", before, after),
    ]


def _maps_of_six(pair: Pairs, shown: str) -> list[Map]:
    """Each gate's and state's map before, after, or of the difference."""
    if shown == "difference":
        return [_difference(name, GATE_NAMES[name], *both) for name, both in pair.items()]
    k = SHOWN.index(shown)
    return [gate_map(name, both[k], common=both) for name, both in pair.items()]


def _curves_of_six(pair: Pairs) -> list[UnitPanel]:
    """The selected unit's gates and its states after, and dashed before."""
    panels = []
    for title, names, span in (("gates", GATES, (0.0, 1.0)), ("states", STATES, None)):
        after = [UnitLine(name, pair[name][1], GATE_COLORS[name]) for name in names]
        before = [UnitLine("", pair[name][0], GATE_COLORS[name], dashed=True) for name in names]
        panels.append(UnitPanel(f"{title}, dashed before", [*after, *before], span))
    return panels


def _curves_of_one(gate: str, pair: Pairs) -> list[UnitPanel]:
    """The gate beside what comes of it: h, or c where h is the gate."""
    return [
        UnitPanel(
            f"{GATE_NAMES[name]} {name}",
            (
                UnitLine("after", pair[name][1], GATE_COLORS[name]),
                UnitLine("before", pair[name][0], None, dashed=True),
            ),
            (0.0, 1.0) if name in ("i", "f", "o") else None,
        )
        for name in (gate, "h" if gate != "h" else "c")
    ]


def _difference(name: str, title: str, before: np.ndarray, after: np.ndarray) -> Map:
    """after − before on a scale centred on 0; where rounding is all there is, none and a note."""
    difference = after - before
    peak, largest = (
        float(np.abs(v[np.isfinite(v)]).max(initial=0.0)) for v in (difference, np.stack([before, after]))
    )
    if peak <= ROUNDING * max(1.0, largest):
        return Map(
            name, np.zeros_like(difference), title, -1.0, 1.0, True, GATE_COLORS.get(name), "no difference"
        )
    return Map(name, difference, title, -peak, peak, True, GATE_COLORS.get(name))


def _inputs(look: Look, edits: Sequence[Edit]) -> dict[str, np.ndarray]:
    """The altered columns of the window before and after: in the table's units if it is one, else scaled."""
    windows = look.run.windows
    before = windows.inputs(np.array([look.start]))[0]  # (seq_len, input_size)
    after, features = before.copy(), []
    for edit in edits:
        if edit.gate != INPUT:
            continue
        steps = slice(None) if edit.steps is None else list(edit.steps)
        (feature,) = edit.units
        after[steps, feature] = edit.value + (after[steps, feature] if edit.kind == "input_add" else 0)
        features += [feature] * (feature not in features)
    found = {}
    for feature in features:
        name, scale, center = windows.spec.features[feature], 1.0, 0.0
        if len(features) == 1:
            scale, center = windows.x_scale[feature], windows.x_center[feature]
        for what, values in (("", before), (", altered", after)):
            found[name + what] = values[:, feature] * scale + center
    return found
