"""The view "What if?": one prediction and its gates, before and after an intervention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from lstm_core.analysis.gate_importance import predict_with_interventions
from lstm_core.data.number_format import format_percent, minus_sign
from lstm_core.experiment import GATES, STATES
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from lstm_core.forecasting.predict import predict
from lstm_core.trace.gate_trace import GateTrace
from lstm_core.trace.interventions import INPUT, Intervention, trace_with
from pages.shared.components.gate_heatmaps import Heatmap, UnitLine, UnitPanel, gate_heatmaps, heatmap_of
from pages.shared.gates import gate_importance, intervention_controls
from pages.shared.gates.selection import ALL, Selection, activations, prediction_text, window_input, window_trace
from pages.shared.session import state
from pages.shared.session.fields import widget_value
from pages.shared.session.messages import escape_markdown
from pages.shared.theme import segments

SHOWN = ("before", "after", "difference")
Pairs = dict[str, list[np.ndarray]]  # gate or state → [before, after], each (units, seq_len)
ROUNDING = 1e-5  # of the larger number: the step loop and the native kernel round differently


def show(selection: Selection) -> None:
    selection = replace(selection, unit=_selected(selection))
    interventions = intervention_controls.choose_interventions(selection)
    altered, before, prediction = _with_interventions(selection, interventions)
    text = f"{prediction_text(selection)} {_sentence(selection, interventions, before, prediction)}"
    before_after = [window_trace(selection), altered]
    pair = {name: [activations(trace, name, selection) for trace in before_after] for name in GATE_NAMES}
    if selection.gate == ALL:
        left, right = st.columns([0.7, 0.3], vertical_alignment="center")
        left.markdown(text)
        choice = segments(right, "heatmaps", SHOWN, "what_shown", default="difference")
        maps, panels = _maps_of_six(pair, choice), _curves_of_six(pair)
    else:
        st.markdown(text)
        maps, panels = (_maps_of_one(selection.gate, *pair[selection.gate]), _curves_of_one(selection.gate, pair))
    if note := _where(selection, interventions):
        st.caption(note)
    unit = gate_heatmaps("what_view", maps, unit=selection.unit, units=panels, series=_inputs(selection, interventions))
    state.set_state("unit", unit)
    gate_importance.show(selection)


def _selected(selection: Selection) -> int:
    """The unit selected in the heatmaps, before they are drawn: an intervention may be on it."""
    view = widget_value("what_view")
    selected = selection.unit if view is None else int(view["unit"])
    return max(0, min(selected, selection.run.experiment.model.hidden_size - 1))


def _with_interventions(
    selection: Selection, interventions: tuple[Intervention, ...]
) -> tuple[GateTrace, np.ndarray, np.ndarray]:
    """The trace of the window with the interventions, and the prediction without and with them.

    Predictions: (output_steps, targets) in the table's own units, or class probabilities (classes,).
    """
    snapshot, windows, starts = selection.snapshot, selection.run.windows, np.array([selection.start])

    def run() -> tuple:
        x = snapshot.model.to_module_layout(window_input(selection))
        trace = trace_with(snapshot.model.lstm, x, interventions)
        before = predict(snapshot.model, windows, starts)[0]
        prediction = predict_with_interventions(snapshot.model, windows, starts, interventions)[0]
        return trace, before, prediction

    return selection.run.cached("altered", (snapshot, selection.start, interventions), run)


def _sentence(
    selection: Selection, interventions: Sequence[Intervention], before: np.ndarray, prediction: np.ndarray
) -> str:
    """The prediction with the interventions, as Markdown."""
    if not interventions:
        return "No intervention."
    descriptions = [intervention_controls.describe(intervention, selection) for intervention in interventions]
    descriptions = " and ".join(descriptions) if len(descriptions) < 3 else f"these {len(descriptions)} interventions"
    if classes := selection.run.windows.classes:
        guess = int(prediction.argmax())
        still = "still " if guess == before.argmax() else ""
        return (
            f"With {descriptions}, it {still}predicts **{escape_markdown(classes[guess])}** "
            f"({format_percent(prediction[guess], 0)}, before: {format_percent(before[guess], 0)})."
        )
    before, prediction = before[0, 0], prediction[0, 0]
    after, change = minus_sign(f"{prediction:.4g}"), minus_sign(f"{prediction - before:+.4g}")
    if minus_sign(f"{before:.4g}") == after:
        return f"With {descriptions}, it still predicts the same."
    return f"With {descriptions}, it predicts **{after}** ({change})."


def _where(selection: Selection, interventions: Sequence[Intervention]) -> str:
    """How the layer and direction in the heatmaps relate to the altered ones, where they differ."""
    layer_directions = {intervention.layer_direction for intervention in interventions}
    reaches_all = not interventions or any(intervention.gate == INPUT for intervention in interventions)
    if reaches_all or (selection.layer, selection.direction) in layer_directions:
        return ""
    lowest = min(layer for layer, _ in layer_directions)
    if selection.layer > lowest:
        return f"The heatmaps show layer {selection.layer}, whose input is the output of the altered layer {lowest}."
    if selection.layer < lowest:
        return (
            f"The heatmaps show layer {selection.layer}, below the altered layer {lowest}: nothing changes there. "
            "Choose a higher layer above."
        )
    return "The heatmaps show the other direction of the altered layer: the two do not read each other."


def _maps_of_one(gate: str, before: np.ndarray, after: np.ndarray) -> list[Heatmap]:
    """Three heatmaps of one gate, before and after on one scale."""
    scale = heatmap_of(gate, before, common=[after])
    return [
        Heatmap("before", before, scale.title, scale.minimum, scale.maximum, scale.signed),
        Heatmap("after", after, scale.title, scale.minimum, scale.maximum, scale.signed, scale.color),
        _difference("after − before", "", before, after),
    ]


def _maps_of_six(pair: Pairs, choice: str) -> list[Heatmap]:
    """The heatmap of each gate and state, before, after, or of the difference."""
    if choice == "difference":
        return [_difference(name, GATE_NAMES[name], *both) for name, both in pair.items()]
    k = SHOWN.index(choice)
    return [heatmap_of(name, both[k], common=both) for name, both in pair.items()]


def _curves_of_six(pair: Pairs) -> list[UnitPanel]:
    """The selected unit's gates and its states after, and dashed before."""
    panels = []
    for title, names, span in (("gates", GATES, (0.0, 1.0)), ("states", STATES, None)):
        after = [UnitLine(name, pair[name][1], GATE_COLORS[name]) for name in names]
        before = [UnitLine("", pair[name][0], GATE_COLORS[name], dashed=True) for name in names]
        panels.append(UnitPanel(f"{title}, dashed before", [*after, *before], span))
    return panels


def _curves_of_one(gate: str, pair: Pairs) -> list[UnitPanel]:
    """The gate beside h, or h beside c."""
    return [
        UnitPanel(
            f"{GATE_NAMES[name]} {name}",
            (UnitLine("after", pair[name][1], GATE_COLORS[name]), UnitLine("before", pair[name][0], None, dashed=True)),
            (0.0, 1.0) if name in ("i", "f", "o") else None,
        )
        for name in (gate, "h" if gate != "h" else "c")
    ]


def _difference(name: str, title: str, before: np.ndarray, after: np.ndarray) -> Heatmap:
    """after − before on a scale centred on 0; a difference of rounding only is shown as 0, with a note."""
    difference = after - before
    peak, largest = (float(np.abs(v[np.isfinite(v)]).max(initial=0.0)) for v in (difference, np.stack([before, after])))
    if peak <= ROUNDING * max(1.0, largest):
        return Heatmap(name, np.zeros_like(difference), title, -1.0, 1.0, True, GATE_COLORS.get(name), "no difference")
    return Heatmap(name, difference, title, -peak, peak, True, GATE_COLORS.get(name))


def _inputs(selection: Selection, interventions: Sequence[Intervention]) -> dict[str, np.ndarray]:
    """The altered columns of the window before and after: in the table's units if there is one, else scaled."""
    windows = selection.run.windows
    before = windows.inputs(np.array([selection.start]))[0]  # (seq_len, input_size)
    after, features = before.copy(), []
    for intervention in interventions:
        if intervention.gate != INPUT:
            continue
        steps = slice(None) if intervention.steps is None else list(intervention.steps)
        (feature,) = intervention.units
        after[steps, feature] = intervention.value + (after[steps, feature] if intervention.kind == "input_add" else 0)
        features += [feature] * (feature not in features)
    series = {}
    for feature in features:
        name, scale, center = windows.input_names[feature], 1.0, 0.0
        if len(features) == 1:
            scale, center = windows.x_scale[feature], windows.x_center[feature]
        for suffix, values in (("", before), (", altered", after)):
            series[name + suffix] = values[:, feature] * scale + center
    return series
