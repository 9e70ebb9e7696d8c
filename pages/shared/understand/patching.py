"""The instrument "Patching": what carries the difference between a window and its twin, cell by cell."""

from __future__ import annotations

import dataclasses

import numpy as np
import streamlit as st

from lstm_core.analysis.attribution.explain import output_name, step_names
from lstm_core.analysis.patching.effects import exact_effects
from lstm_core.analysis.patching.run_pair import PATCHABLE
from lstm_core.analysis.patching.study import CELL_SECONDS, PatchStudy, exact_map, exact_seconds, patch_study
from lstm_core.analysis.patching.twin import twin_kinds
from lstm_core.analysis.patching.unit_sets import BestUnits, best_units, set_effect
from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.figures.patching import effect_map, units_figure
from lstm_core.figures.symbols import symbol_texts
from lstm_core.figures.theme import GATE_NAMES
from pages.shared.gates.selection import Selection
from pages.shared.session.fields import clamp_widget, set_widget
from pages.shared.session.messages import escape_markdown
from pages.shared.session.state import get_state, set_state
from pages.shared.theme import segments
from pages.shared.understand.computed import Report, draw_computed
from pages.shared.understand.outputs import choose_output

KINDS = {"symbol": "another symbol", "value": "another value", "window": "the most similar window"}
KIND_HELP = (
    "What the window is compared with: itself with one symbol or one value changed, found so that the prediction moves "
    "most, or the most similar window of the data that is predicted otherwise"
)
AT_HELP = "The step at which the symbol or the value is exchanged. 0: the one that tells most is found"
TENSOR_HELP = "Which of the top layer's values are taken from the twin's run, one at a time"
MAP = "patch_map"
EXACT_SECONDS = 4.0  # up to so long a map is made exactly without asking
MOST_SECONDS = 60.0  # of a longer one so many steps are made as fit in this
BEST = 8  # units patched together
GREEDY_SECONDS = 0.5  # up to so long they are searched for one after the other


def show(selection: Selection) -> None:
    run, model = selection.run, selection.snapshot.model
    windows, spec = run.windows, run.experiment.model
    kinds = twin_kinds(windows, selection.start)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    visible = {"label_visibility": "visible"}
    kind = segments(
        row, "compared with", list(kinds), f"patch_kind_{kinds[0]}", format_func=KINDS.get, help=KIND_HELP, **visible
    )
    at = None
    if kind != "window":
        clamp_widget("patch_at", 0, windows.spec.seq_len, 0)
        chosen = row.number_input("at step", 0, windows.spec.seq_len, key="patch_at", help=AT_HELP, width=110)
        at = chosen - 1 if chosen else None
    tensor = segments(row, "patched", list(PATCHABLE), "patch_tensor", help=TENSOR_HELP, **visible)
    direction = 0
    if spec.bidirectional:
        help = "Which direction's values are patched; the other one stays as it is"
        names = ("forward", "reverse")
        direction = segments(row, "direction", [0, 1], "patch_direction", format_func=names.__getitem__, help=help)
    output, step = choose_output(selection, "patch", row)
    seconds = exact_seconds(windows.spec.seq_len if step is None else step + 1, spec.hidden_size)

    def compute(report: Report) -> PatchStudy:
        report(0.0, "Looking for a twin")
        study = patch_study(model, windows, selection.start, kind, tensor, output, step, direction, at)
        if seconds > EXACT_SECONDS:
            return study
        return dataclasses.replace(study, exact=exact_map(study, 1, lambda share: report(share, "Patching every cell")))

    key = (selection.start, kind, tensor, output, step, direction, at)

    def draw(study: PatchStudy) -> None:
        _draw(selection, study, key)
        if study.exact is None:
            _offer_exact(selection, study, key, seconds)

    draw_computed(selection, "patching", key, compute, draw)


def _offer_exact(selection: Selection, study: PatchStudy, key: tuple, seconds: float) -> None:
    """A button for a map that takes long, and what came of it."""
    stride = int(np.ceil(seconds / MOST_SECONDS))

    def compute(report: Report) -> PatchStudy:
        exact = exact_map(study, stride, lambda share: report(share, "Patching every cell"))
        return dataclasses.replace(study, exact=exact)

    which = "every cell" if stride == 1 else f"every {stride}th step"
    help = f"The map above is a linear estimate; this runs the LSTM on from each cell, about {seconds / stride:.0f} s"
    offer = f"Patch {which} exactly"
    draw_computed(selection, "patching_exact", key, compute, lambda one: _draw_map(selection, one), offer, help)


def _draw(selection: Selection, study: PatchStudy, key: tuple) -> None:
    windows = selection.run.windows
    names, twin, pair = step_names(windows, selection.start), study.twin, study.pair
    compared = escape_markdown(output_name(windows, twin.output))
    compared = f"the {compared}" if windows.classes else f"the prediction of {compared}" + "," * ("," in compared)
    shown_b, shown_a = (f"**{format_significant(y, 4)}**" for y in (twin.shown_b, twin.shown_a))
    st.markdown(
        f"The twin is {'' if twin.start is not None else 'this window with '}**{escape_markdown(twin.difference)}**. "
        f"Here {compared} is {shown_b}, there {shown_a}."
    )
    of = (selection.step, key)
    step, unit = _choose_cell(study, of)
    effect = float(exact_effects(pair, study.tensor, (step,))[0, unit])
    best = _best_units(selection, study, key, step)
    whole = set_effect(pair, (step,))
    name, what = escape_markdown(names[step]), GATE_NAMES[study.tensor]
    st.markdown(
        f"Put the twin's {what} of unit **{unit}** at {name} into this window's run, and the answer goes "
        f"**{_percent(effect)}** of the way to the twin's. {_units_sentence(best)} All of c and h of this "
        f"layer there: **{_percent(whole)}**."
    )
    left, right = st.columns([0.64, 0.36])
    with left:
        _draw_map(selection, study, (step, unit), of)
    right.plotly_chart(units_figure(best), key="patch_units")
    right.caption(f"Units of {what} at {name}, patched together.")
    st.caption(caption(selection, study))


def _draw_map(
    selection: Selection, study: PatchStudy, cell: tuple[int, int] | None = None, of: tuple | None = None
) -> None:
    """cell: that is marked; of: what a click is about, None where cells cannot be clicked."""
    windows, start = selection.run.windows, selection.start
    names = symbol_texts(windows, start) or step_names(windows, start)
    figure = effect_map(study.effects, names, cell, study.twin.steps)
    if of is None:
        st.plotly_chart(figure, key=f"{MAP}_exact")
    else:
        st.plotly_chart(figure, key=MAP, on_select=lambda: _clicked(of), selection_mode="points")


def _clicked(of: tuple) -> None:
    """A cell of the map was clicked: it becomes the chosen one."""
    points = get_state(MAP, {}).get("selection", {}).get("points", [])
    if points:
        set_widget("patch_cell_step", int(points[0]["x"]), of)
        set_widget("patch_cell_unit", int(points[0]["y"]), of)


def _choose_cell(study: PatchStudy, of: tuple) -> tuple[int, int]:
    """The chosen step, from 0, and unit; of another map, which differs in `of`, the best one."""
    seq_len, units = study.effects.shape
    if get_state("patch_cell_of") != of or get_state("patch_cell_step") is None:
        step, unit = study.best_cell
        set_state("patch_cell_of", of)
        set_widget("patch_cell_step", step + 1, of)
        set_widget("patch_cell_unit", unit, of)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    help = "The step at which it is patched; or click a cell of the map"
    step = row.number_input("step", 1, seq_len, key="patch_cell_step", help=help, width=120)
    help = "The unit that is patched; or click a cell of the map"
    unit = row.number_input("unit", 0, units - 1, key="patch_cell_unit", help=help, width=120)
    return step - 1, unit


def _best_units(selection: Selection, study: PatchStudy, key: tuple, step: int) -> dict[str, BestUnits]:
    """By the way they are chosen; a greedy search only where it is quick."""
    pair, tensor = study.pair, study.tensor

    def compute() -> dict[str, BestUnits]:
        curves = {"by rank": best_units(pair, step, tensor, BEST, "rank")}
        units = study.effects.shape[1]
        if BEST * units * units * pair.seq_len * CELL_SECONDS <= GREEDY_SECONDS:
            curves = {"greedy": best_units(pair, step, tensor, BEST)} | curves
        return curves

    return selection.run.cached("patch_best", (selection.snapshot, key, step), compute)


def _units_sentence(curves: dict[str, BestUnits]) -> str:
    best = next(iter(curves.values()))
    count = best.needed()
    if count is None:
        together = _percent(best.effects[-1])
        return f"The **{len(best.units)}** best units there carry **{together}** together: no few units hold it."
    units = ", ".join(f"{unit}" for unit in best.units[:count])
    if count == 1:
        return f"Unit **{units}** alone carries **{_percent(best.effects[0])}** there."
    return f"**{count}** units there carry **{_percent(best.effects[count - 1])}** together: {units}."


def _percent(share: float) -> str:
    return format_percent(round(share, 2) + 0.0, 0)  # without a sign where that leaves zero


def caption(selection: Selection, study: PatchStudy) -> str:
    """What is exact and what is a convention, as Markdown."""
    exact = (
        "Each cell is exact: the LSTM is run on from it, with this window's own inputs."
        if study.exact is not None
        else "The map is a linear estimate, gradient × difference; the chosen cell and the curve are exact."
    )
    model, more = selection.run.experiment.model, ""
    if model.num_layers > 1:
        more = " Only the top layer is patched: what the layers below send up stays this window's own."
    if model.linear_skip:
        more += " The linear skip reads the inputs alone, so it is left out."
    return (
        f"{exact} Colour: how far the prediction goes from this window's to the twin's, blue the other way. Triangles: "
        f"where the inputs differ. Effects of several cells need not add up.{more}"
    )
