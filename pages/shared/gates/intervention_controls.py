"""The controls of the view "What if?": what a person chooses becomes edits of the LSTM's run, and those become words.

Nothing is run here: interventions.py does that, and what_if_view.py shows what comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import streamlit as st

from lstm_core.data.windows import Windows
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.figures.theme import GATE_NAMES
from lstm_core.trace.interventions import ACTS_ON, INPUT, Edit, check_edit
from pages.shared import session
from pages.shared.gates.selection import Look
from pages.shared.session_fields import clamp

KEEP = {"persist_state": "session"}
NOTHING = "nothing"  # is altered, beyond what was kept
PRESETS = {
    "Forget gate stuck open (f = 1)": ("f", 1.0),
    "Forget everything (f = 0)": ("f", 0.0),
    "Input gate shut (i = 0)": ("i", 0.0),
    "Output gate shut (o = 0)": ("o", 0.0),
}
HOW = {
    "clamp": "held at", "scale": "scaled by", "add": "shifted by", "zero": "switched off",
    "input_set": "set to", "input_add": "shifted by",
}  # fmt: skip
# a gate's value: lowest, highest, at first
RANGES = {"clamp": (0.0, 1.0, 1.0), "scale": (0.0, 2.0, 0.5), "add": (-1.0, 1.0, 0.5)}
MOST_KEPT = 5
SLIDER_STEPS = 100  # about so many places on the slider of an input
UNITS_HELP = "Empty is all. “selected” is the one marked in the picture; or list them: 0-3, 7"


def choose_edits(look: Look) -> tuple[Edit, ...]:
    """Draw the controls; the edits that they stand for, those kept earlier first."""
    bar = st.container(horizontal=True, gap="small")
    for words, (gate, value) in PRESETS.items():
        bar.button(words, key=f"what_preset_{gate}{value:g}", on_click=_preset, args=(look, gate, value))
    edit = _chosen(look)
    kept, others = _kept(look)
    bar.button("Add another", key="what_keep", icon=":material/add:", on_click=_keep, args=(edit,),
               disabled=edit is None or len(kept) + others >= MOST_KEPT,
               help="Keep this edit, and choose another one beside it")  # fmt: skip
    _list_kept(look, kept, others)
    return (*kept, edit) if edit else kept


def words_of(edit: Edit, look: Look) -> str:
    """What an edit does, as Markdown: "the forget gate held at 1 in units 0–3 at steps 5–9"."""
    windows, spec = look.run.windows, look.run.experiment.model
    if edit.gate == INPUT:
        (feature,) = edit.units
        value = _shown(windows, edit.kind, feature, edit.value)
        words = [f"{session.plain(windows.spec.features[feature])} {HOW[edit.kind]} {value:.4g}"]
    else:
        value = "" if edit.kind == "zero" else f" {edit.value:g}".replace("-", "−")
        words = [f"the {GATE_NAMES[edit.gate]} {HOW[edit.kind]}{value}"]
        if edit.units is not None:
            words.append(f"in unit{'s' * (len(edit.units) > 1)} {_listed(edit.units)}")
        if len(_places(spec)) > 1:
            words.append(f"in layer {_places(spec)[edit.layer * spec.num_directions + edit.direction]}")
    if edit.steps is not None:
        words.append(f"at step{'s' * (len(edit.steps) > 1)} {_listed(edit.steps)}")
    return " ".join(words)


def read_units(text: str, count: int, selected: int) -> tuple[int, ...] | None:
    """The units that a text such as "0-3, 7" names, of `count`; None for all.

    Raises:
        PlaygroundError: it cannot be read, or names a unit that is not there.
    """
    text = text.strip().lower()
    if text in ("", "all"):
        return None
    found = set()
    for part in [str(selected)] if text == "selected" else text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,9})\s*(?:[-–]\s*([0-9]{1,9})\s*)?", part)
        if match is None:
            raise PlaygroundError(
                f"“{text:.40}” names no units: write all, selected, or numbers and ranges such as 0-3, 7."
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if max(first, last) >= count:
            raise PlaygroundError(
                f"There is no unit {max(first, last)} here: choose from 0 to {count - 1}, such as 0-{count - 1}."
            )
        found.update(range(min(first, last), max(first, last) + 1))
    return tuple(sorted(found))


def _chosen(look: Look) -> Edit | None:
    """The edit that the widgets stand for; None for nothing."""
    windows, spec = look.run.windows, look.run.experiment.model
    places = _places(spec)
    several = len(places) > 1
    columns = st.columns(
        [1.6, 1.3, 1.5, 1.15, 1.7, *([1.25] if several else [])], vertical_alignment="bottom"
    )
    gate = _select(columns[0], "what if", "alter", [*GATE_NAMES, INPUT, NOTHING], "f",
                   lambda g: {INPUT: "x · the input", NOTHING: NOTHING}.get(g) or f"{g} · {GATE_NAMES[g]}")  # fmt: skip
    if gate == NOTHING:
        return None
    kinds = [kind for kind, gates in ACTS_ON.items() if gate in gates]
    kind = _select(columns[1], "were", f"how_{kinds[0]}", kinds, kinds[0], HOW.get)
    if gate == INPUT:
        names = windows.spec.features
        feature = _select(columns[3], "column", "feature", range(len(names)), 0, names.__getitem__)
        value = _input_value(columns[2], windows, kind, feature)
        return Edit(kind, INPUT, value, units=(feature,), steps=_steps(columns[4], windows))
    place = 0
    if several:
        place = _select(columns[5], "in layer", "place", range(len(places)), 0, places.__getitem__)
    value = 0.0 if kind == "zero" else _gate_value(columns[2], kind, gate)
    units = _units(columns[3], spec.h_size if gate == "h" else spec.hidden_size, look.unit)
    return Edit(kind, gate, value, *divmod(place, spec.num_directions), units, _steps(columns[4], windows))


def _places(spec: ModelSpec) -> list[str]:
    """The layers and directions in the order of nn.LSTM's weights, in words."""
    directions = (" forward", " reverse") if spec.bidirectional else ("",)
    return [f"{layer}{direction}" for layer in range(spec.num_layers) for direction in directions]


def _select(column, label: str, key: str, options: Sequence, first: object, show) -> object:
    """A select box that falls back to `first` where another model has fewer options."""
    key = f"what_{key}"
    if session.recall(key) not in options:
        session.remember(key, first)
    return column.selectbox(label, options, key=key, format_func=show, **KEEP)


def _gate_value(column, kind: str, gate: str) -> float:
    low, high, first = RANGES[kind]
    if (kind, gate) == ("clamp", "g"):
        low, first = -1.0, 0.0  # tanh's range
    key = f"what_value_{kind}_{gate}"
    clamp(key, low, high, first)
    return column.slider("value", low, high, step=0.05, format="%g", key=key, **KEEP)


def _input_value(column, windows: Windows, kind: str, feature: int) -> float:
    """What the slider says in the column's own units, as the model sees it."""
    values = windows.x[:, feature]
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    step = 10.0 ** np.floor(np.log10(max(high - low, 1e-6) / SLIDER_STEPS))
    low, high = np.floor(low / step) * step, np.ceil(high / step) * step + step
    if kind == "input_add":
        low, high = low - high, high - low
    first = high if kind == "input_set" else high / 2
    key = f"what_value_{kind}"
    clamp(key, float(low), float(high), float(first))
    shown = column.slider("value", float(low), float(high), step=float(step), format="%.5g", key=key, **KEEP)
    center = windows.x_center[feature] if kind == "input_set" else 0.0
    return float((shown - center) / windows.x_scale[feature])


def _shown(windows: Windows, kind: str, feature: int, value: float) -> float:
    """The inverse: what the model sees, in the column's own units."""
    center = windows.x_center[feature] if kind == "input_set" else 0.0
    return float(value * windows.x_scale[feature] + center)


def _units(column, count: int, selected: int) -> tuple[int, ...] | None:
    """What the field says; a text that cannot be read is complained about, and the last one that could rules on."""
    text = column.text_input(
        "units", key="what_units", placeholder="all", help=UNITS_HELP, max_chars=200, **KEEP
    )
    try:
        found = read_units(text, count, selected)
    except PlaygroundError as error:
        st.error(session.plain(str(error)), icon=":material/error:")
        try:
            return read_units(session.recall("what_units_read", ""), count, selected)
        except PlaygroundError:  # another model has fewer units
            return None
    session.remember("what_units_read", text)
    return found


def _steps(column, windows: Windows) -> range | None:
    """The steps between the two handles; None is the whole window."""
    last = windows.spec.seq_len - 1
    if last == 0:
        return None
    low, high = session.recall("what_steps") or (0, last)
    if session.recall("what_last_step") != last or high > last:  # another window: as a whole, at first
        low, high = 0, last
    session.remember("what_last_step", last)
    session.mirror("what_steps", (low, high), last)
    low, high = column.slider("steps", 0, last, key="what_steps", **KEEP)
    return None if (low, high) == (0, last) else range(low, high + 1)


def _preset(look: Look, gate: str, value: float) -> None:
    session.remember("what_alter", gate)
    session.remember("what_how_clamp", "clamp")
    session.remember(f"what_value_clamp_{gate}", value)
    session.remember("what_units", "")
    session.remember("what_last_step", None)


def _keep(edit: Edit) -> None:
    session.remember("what_kept", (*session.recall("what_kept", ()), edit))
    session.remember("what_alter", NOTHING)


def _drop(edit: Edit) -> None:
    kept = list(session.recall("what_kept", ()))
    kept.remove(edit)
    session.remember("what_kept", tuple(kept))


def _kept(look: Look) -> tuple[tuple[Edit, ...], int]:
    """The kept edits that fit this model and its windows, and how many others there are."""
    lstm, seq_len = look.moment.model.lstm, look.run.windows.spec.seq_len
    kept, fitting = session.recall("what_kept", ()), []
    for edit in kept:
        try:
            check_edit(edit, lstm, seq_len)
        except PlaygroundError:
            continue
        fitting.append(edit)
    return tuple(fitting), len(kept) - len(fitting)


def _list_kept(look: Look, kept: tuple[Edit, ...], others: int) -> None:
    if kept:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown("and", width="content")
            for k, edit in enumerate(kept):
                st.button(words_of(edit, look), key=f"what_drop_{k}", icon=":material/close:", on_click=_drop,
                          args=(edit,), help="Undo this edit")  # fmt: skip
    if others:
        st.caption(f"{others} of the kept edits do not fit this model and are left out.")


def _listed(numbers: Sequence[int]) -> str:
    """Rising numbers with their runs as ranges: "0–3, 7"."""
    cuts = [k + 1 for k, (a, b) in enumerate(pairwise(numbers)) if b != a + 1]
    runs = [numbers[a:b] for a, b in pairwise([0, *cuts, len(numbers)])]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
