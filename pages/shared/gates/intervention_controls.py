"""The controls of the view "What if?": they give Interventions, and describe each in words.

Nothing is computed here: lstm_core/trace/interventions.py does that, and what_if.py shows the result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import numpy as np
import streamlit as st

from lstm_core.data.number_format import minus_sign
from lstm_core.data.windows import Windows
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.figures.theme import GATE_NAMES
from lstm_core.trace.interventions import ALLOWED_TARGETS, INPUT, Intervention, check_intervention
from pages.shared.gates.selection import Selection
from pages.shared.session import state
from pages.shared.session.fields import clamp_widget, set_widget
from pages.shared.session.messages import escape_markdown

KEEP = {"persist_state": "session"}
NOTHING = "nothing"  # beyond the interventions that were kept
PRESETS = {
    "Forget gate stuck open (f = 1)": ("f", 1.0),
    "Forget everything (f = 0)": ("f", 0.0),
    "Input gate shut (i = 0)": ("i", 0.0),
    "Output gate shut (o = 0)": ("o", 0.0),
}
HOW = {
    "clamp": "clamped to",
    "scale": "scaled by",
    "add": "shifted by",
    "zero": "zeroed",
    "input_set": "set to",
    "input_add": "shifted by",
}
# of a gate's slider: minimum, maximum, default
RANGES = {"clamp": (0.0, 1.0, 1.0), "scale": (0.0, 2.0, 0.5), "add": (-1.0, 1.0, 0.5)}
MAX_C = 3.0  # beyond it tanh(c) hardly changes
MAX_KEPT = 5
SLIDER_STEPS = 100  # about as many positions on the slider of an input
UNITS_HELP = "Empty: all units. “selected”: the one selected in the heatmaps. Or list them: 0-3, 7"


def choose_interventions(selection: Selection) -> tuple[Intervention, ...]:
    """Draw the controls and return the chosen interventions, those kept earlier first."""
    bar = st.container(horizontal=True, gap="small")
    for label, (gate, value) in PRESETS.items():
        bar.button(label, key=f"what_preset_{gate}{value:g}", on_click=_preset, args=(gate, value))
    intervention = _chosen_intervention(selection)
    kept, others = _kept(selection)
    bar.button(
        "Add another",
        key="what_keep",
        icon=":material/add:",
        on_click=_keep,
        args=(intervention,),
        disabled=intervention is None or len(kept) + others >= MAX_KEPT,
        help="Keep this intervention, and choose another one beside it",
    )
    _list_kept(selection, kept, others)
    return (*kept, intervention) if intervention else kept


def describe(intervention: Intervention, selection: Selection) -> str:
    """An intervention as Markdown: "the forget gate clamped to 1 in units 0–3 at steps 5–9"."""
    windows, spec = selection.run.windows, selection.run.experiment.model
    if intervention.gate == INPUT:
        (feature,) = intervention.units
        value = _unscaled(windows, intervention.kind, feature, intervention.value)
        texts = [
            f"{escape_markdown(windows.input_names[feature])} {HOW[intervention.kind]} {minus_sign(f'{value:.4g}')}"
        ]
    else:
        value = "" if intervention.kind == "zero" else minus_sign(f" {intervention.value:g}")
        texts = [f"the {GATE_NAMES[intervention.gate]} {HOW[intervention.kind]}{value}"]
        if intervention.units is not None:
            texts.append(f"in unit{'s' * (len(intervention.units) > 1)} {_listed(intervention.units)}")
        if len(_layer_directions(spec)) > 1:
            texts.append(
                f"in layer {_layer_directions(spec)[intervention.layer * spec.num_directions + intervention.direction]}"
            )
    if intervention.steps is not None:
        numbers = [step + 1 for step in intervention.steps]
        texts.append(f"at step{'s' * (len(numbers) > 1)} {_listed(numbers)}")
    return " ".join(texts)


def parse_units(text: str, count: int, selected: int) -> tuple[int, ...] | None:
    """The units that a text such as "0-3, 7" names, of `count`; None for all.

    Raises:
        PlaygroundError: it cannot be read, or names a unit that is not there.
    """
    text = text.strip().lower()
    if text in ("", "all"):
        return None
    units = set()
    for item in [str(selected)] if text == "selected" else text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,9})\s*(?:[-–]\s*([0-9]{1,9})\s*)?", item)
        if match is None:
            raise PlaygroundError(
                f"“{text:.40}” names no units: write all, selected, or numbers and ranges such as 0-3, 7."
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if max(first, last) >= count:
            raise PlaygroundError(
                f"There is no unit {max(first, last)} here: choose from 0 to {count - 1}, such as 0-{count - 1}."
            )
        units.update(range(min(first, last), max(first, last) + 1))
    return tuple(sorted(units))


def _chosen_intervention(selection: Selection) -> Intervention | None:
    """The intervention that the widgets describe; None for none."""
    windows, spec = selection.run.windows, selection.run.experiment.model
    layer_directions = _layer_directions(spec)
    several = len(layer_directions) > 1
    columns = st.columns([1.6, 1.3, 1.5, 1.15, 1.7, *([1.25] if several else [])], vertical_alignment="bottom")
    gate = _select(
        columns[0],
        "gate, state or input",
        "alter",
        [*GATE_NAMES, INPUT, NOTHING],
        "f",
        lambda g: {INPUT: "x · the input", NOTHING: NOTHING}.get(g) or f"{g} · {GATE_NAMES[g]}",
    )
    if gate == NOTHING:
        return None
    kinds = [kind for kind, gates in ALLOWED_TARGETS.items() if gate in gates]
    kind = _select(columns[1], "intervention", f"how_{kinds[0]}", kinds, kinds[0], HOW.get)
    if gate == INPUT:
        names = windows.input_names
        feature = _select(columns[3], "column", "feature", range(len(names)), 0, names.__getitem__)
        value = _input_value(columns[2], windows, kind, feature)
        return Intervention(kind, INPUT, value, units=(feature,), steps=_steps(columns[4], windows))
    index = 0
    if several:
        index = _select(columns[5], "in layer", "place", range(len(layer_directions)), 0, layer_directions.__getitem__)
    value = 0.0 if kind == "zero" else _gate_value(columns[2], kind, gate)
    units = _units(columns[3], spec.h_size if gate == "h" else spec.hidden_size, selection.unit)
    return Intervention(kind, gate, value, *divmod(index, spec.num_directions), units, _steps(columns[4], windows))


def _layer_directions(spec: ModelSpec) -> list[str]:
    """Labels of the layers and directions, in the order of nn.LSTM's weights."""
    directions = (" forward", " reverse") if spec.bidirectional else ("",)
    return [f"{layer}{direction}" for layer in range(spec.num_layers) for direction in directions]


def _select(column, label: str, key: str, options: Sequence, first: object, show) -> object:
    """A select box that falls back to `first` where another model has fewer options."""
    key = f"what_{key}"
    if state.get_state(key) not in options:
        state.set_state(key, first)
    return column.selectbox(label, options, key=key, format_func=show, **KEEP)


def _gate_value(column, kind: str, gate: str) -> float:
    minimum, maximum, first = RANGES[kind]
    if kind == "clamp" and gate in ("g", "h", "c"):
        minimum, first = -1.0, 0.0  # tanh's range
    if (kind, gate) == ("clamp", "c"):
        minimum, maximum = -MAX_C, MAX_C
    key = f"what_value_{kind}_{gate}"
    clamp_widget(key, minimum, maximum, first)
    return column.slider("value", minimum, maximum, step=0.05, format="%g", key=key, **KEEP)


def _input_value(column, windows: Windows, kind: str, feature: int) -> float:
    """The slider's value, in the column's units, as the model's scaled input."""
    values = windows.x[:, feature]
    values = values[np.isfinite(values)]
    minimum, maximum = float(values.min()), float(values.max())
    step = 10.0 ** np.floor(np.log10(max(maximum - minimum, 1e-6) / SLIDER_STEPS))
    minimum, maximum = np.floor(minimum / step) * step, np.ceil(maximum / step) * step + step
    if kind == "input_add":
        minimum, maximum = minimum - maximum, maximum - minimum
    first = maximum if kind == "input_set" else maximum / 2
    key = f"what_value_{kind}"
    clamp_widget(key, float(minimum), float(maximum), float(first))
    value = column.slider("value", float(minimum), float(maximum), step=float(step), format="%.5g", key=key, **KEEP)
    center = windows.x_center[feature] if kind == "input_set" else 0.0
    return float((value - center) / windows.x_scale[feature])


def _unscaled(windows: Windows, kind: str, feature: int, value: float) -> float:
    """The inverse: a scaled input in the column's units."""
    center = windows.x_center[feature] if kind == "input_set" else 0.0
    return float(value * windows.x_scale[feature] + center)


def _units(column, count: int, selected: int) -> tuple[int, ...] | None:
    """The units in the field; an invalid text shows an error, and the last valid one stays in force."""
    text = column.text_input("units", key="what_units", placeholder="all", help=UNITS_HELP, max_chars=200, **KEEP)
    try:
        units = parse_units(text, count, selected)
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        try:
            return parse_units(state.get_state("what_units_read", ""), count, selected)
        except PlaygroundError:  # another model has fewer units
            return None
    state.set_state("what_units_read", text)
    return units


def _steps(column, windows: Windows) -> range | None:
    """The steps between the two handles, which count from 1; None is the whole window."""
    last = windows.spec.seq_len
    if last == 1:
        return None
    minimum, maximum = state.get_state("what_steps") or (1, last)
    if state.get_state("what_last_step") != last or maximum > last:  # another seq_len: all steps
        minimum, maximum = 1, last
    state.set_state("what_last_step", last)
    set_widget("what_steps", (minimum, maximum), last)
    minimum, maximum = column.slider("steps", 1, last, key="what_steps", **KEEP)
    return None if (minimum, maximum) == (1, last) else range(minimum - 1, maximum)


def _preset(gate: str, value: float) -> None:
    state.set_state("what_alter", gate)
    state.set_state("what_how_clamp", "clamp")
    state.set_state(f"what_value_clamp_{gate}", value)
    state.set_state("what_units", "")
    state.set_state("what_last_step", None)


def _keep(intervention: Intervention) -> None:
    state.set_state("what_kept", (*state.get_state("what_kept", ()), intervention))
    state.set_state("what_alter", NOTHING)


def _drop(intervention: Intervention) -> None:
    kept = list(state.get_state("what_kept", ()))
    kept.remove(intervention)
    state.set_state("what_kept", tuple(kept))


def _kept(selection: Selection) -> tuple[tuple[Intervention, ...], int]:
    """The kept interventions that fit this model and its windows, and how many do not."""
    lstm, seq_len = selection.snapshot.model.lstm, selection.run.windows.spec.seq_len
    kept, fitting = state.get_state("what_kept", ()), []
    for intervention in kept:
        with suppress(PlaygroundError):
            check_intervention(intervention, lstm, seq_len)
            fitting.append(intervention)
    return tuple(fitting), len(kept) - len(fitting)


def _list_kept(selection: Selection, kept: tuple[Intervention, ...], others: int) -> None:
    if kept:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown("and", width="content")
            for k, intervention in enumerate(kept):
                st.button(
                    describe(intervention, selection),
                    key=f"what_drop_{k}",
                    icon=":material/close:",
                    on_click=_drop,
                    args=(intervention,),
                    help="Undo this intervention",
                )
    if others:
        st.caption(f"{others} of the kept interventions do not fit this model and are left out.")


def _listed(numbers: Sequence[int]) -> str:
    """Rising numbers with their runs as ranges: "0–3, 7"."""
    cuts = [k + 1 for k, (a, b) in enumerate(pairwise(numbers)) if b != a + 1]
    runs = [numbers[a:b] for a, b in pairwise([0, *cuts, len(numbers)])]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
