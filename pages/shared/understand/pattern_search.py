"""The instrument "Patterns": where else do the units that are on in a span of the window go on and off together?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from lstm_core.analysis.attribution.explain import step_names
from lstm_core.analysis.pattern_labels import (
    WHERE,
    LabelColumn,
    searched_starts,
    shared_labels,
    shared_sentence,
    window_labels,
)
from lstm_core.analysis.pattern_search import (
    Match,
    UnitPattern,
    find_patterns,
    suggest_span,
    suggest_threshold,
    unit_pattern,
    units_on,
)
from lstm_core.analysis.unit_search import trace_windows
from lstm_core.data.number_format import format_percent
from lstm_core.figures.patterns import DrawnPlace, around, lift_figure, places_figure, series_figure, window_figure
from lstm_core.figures.symbols import symbol_texts
from lstm_core.trace.gate_trace import GateTrace
from lstm_core.training.snapshots import ModelSnapshot
from pages.shared.gates.selection import Selection
from pages.shared.session.fields import set_widget
from pages.shared.session.state import get_state
from pages.shared.theme import segments
from pages.shared.understand.computed import draw_computed, shown_snapshot
from pages.shared.understand.sentences import bold_numbers

MAX_WINDOWS = 200  # that are searched
MAX_TRACED = 1 << 25  # numbers in their trace: 128 MB
SHOWN = 12  # places drawn
WINDOW = "pattern_window"  # the map on which the span is dragged
KIND = "patterns"
FOUND = 50  # places whose labels are compared


@dataclass(frozen=True, eq=False)
class Found:
    """What one search has found."""

    starts: np.ndarray  # of the searched windows; the selected one first
    span: tuple[int, int]
    pattern: UnitPattern
    matches: list[Match]
    on: np.ndarray  # (windows, seq_len): units of the pattern that are on
    labels: list[LabelColumn]


def show(selection: Selection) -> None:
    """The controls of the span, the places like it, and what they share."""
    run, windows, layers = selection.run, selection.run.windows, selection.run.experiment.model.num_layers
    if windows.spec.seq_len < 2:
        st.info("A window of one row has no pattern in time: choose a longer seq_len on Data and train again.")
        return
    starts = searched_starts(windows, selection.start, _most_windows(selection))
    trace = _trace_of(selection, shown_snapshot(selection, KIND), starts)
    row = st.columns([2.2, 1.6, 1.2] if layers > 1 else [2.2, 1.6], vertical_alignment="bottom")
    layer = segments(row[2], "layer", range(layers), "pattern_layer", help="0 reads the input") if layers > 1 else 0
    of_this = f"{run.id}_{selection.start}_{layer}"
    t0, t1 = _choose_span(row[0], trace, layer, of_this)
    drag = st.container()
    threshold = row[1].slider(
        "threshold",
        0.05,
        0.95,
        suggest_threshold(trace, 0, t0, t1, layer),
        0.05,
        key=f"pattern_threshold_{of_this}_{t0}_{t1}",
        help="A unit counts as on where tanh of its cell state is beyond this, on the side it is on in the span. It "
        "begins where three to eight units are on in the span and off around it",
    )
    _draw_window(drag, selection, trace, layer, (t0, t1), f"pattern_span_{of_this}")
    draw_computed(
        selection,
        KIND,
        (selection.start, layer, t0, t1, threshold),
        _search(selection, starts, (t0, t1), layer, threshold),
        lambda found: _draw(selection, found),
    )


def _trace_of(selection: Selection, snapshot: ModelSnapshot, starts: np.ndarray) -> GateTrace:
    run = selection.run
    key = snapshot, selection.start
    return run.cached("pattern_trace", key, lambda: trace_windows(snapshot.model, run.windows, starts))


def _most_windows(selection: Selection) -> int:
    spec = selection.run.experiment.model
    numbers = 6 * spec.hidden_size * spec.num_layers * spec.num_directions * selection.run.windows.spec.seq_len
    return max(2, min(MAX_WINDOWS, MAX_TRACED // numbers))


def _choose_span(place, trace: GateTrace, layer: int, of_this: str) -> tuple[int, int]:
    """The first and the last step, from 0; on the screen they count from 1."""
    key = f"pattern_span_{of_this}"
    if get_state(key) is None:
        t0, t1 = suggest_span(trace, 0, layer)
        set_widget(key, (t0 + 1, t1 + 1))
    first, last = place.slider(
        "steps of this window",
        1,
        trace.c.shape[3],
        key=key,
        help="The span whose pattern is searched: drag here, or across the map. It begins at the one in which most "
        "units go on and off together",
    )
    return first - 1, last - 1


def _draw_window(place, selection: Selection, trace: GateTrace, layer: int, span: tuple[int, int], slider: str) -> None:
    """The window's states, on which a drag chooses the span."""
    windows, start = selection.run.windows, selection.start
    names = symbol_texts(windows, start) or step_names(windows, start)
    figure = window_figure(trace.c[layer, 0, 0].tanh().numpy(), span, names)
    place.plotly_chart(figure, key=WINDOW, on_select=lambda: _dragged(slider), selection_mode="box")
    place.caption("Drag across some steps: the places are searched where the units go on and off as in these.")


def _dragged(slider: str) -> None:
    """Steps of the map were selected: they become the span."""
    steps = [int(point["x"]) for point in get_state(WINDOW, {}).get("selection", {}).get("points", [])]
    if steps:
        set_widget(slider, (min(steps), max(steps)))


def _search(selection: Selection, starts: np.ndarray, span: tuple[int, int], layer: int, threshold: float) -> Callable:
    windows, model = selection.run.windows, selection.snapshot.model

    def compute(report) -> Found:
        report(0.1, "Searching the windows")
        trace = _trace_of(selection, selection.snapshot, starts)
        pattern = unit_pattern(trace, 0, *span, layer, threshold)
        matches = find_patterns(trace, 0, *span, layer, threshold, FOUND)
        report(0.6, "Comparing what they share")
        labels = window_labels(windows, starts, model)
        return Found(starts, span, pattern, matches, units_on(trace, pattern, layer), labels)

    return compute


def _draw(selection: Selection, found: Found) -> None:
    windows, matches = selection.run.windows, found.matches
    st.markdown(bold_numbers(_sentence(found)))
    if not matches:
        st.info("No other place has these units on: choose fewer steps, or a lower threshold.")
        return
    places = [Match(0, *found.span, 1.0), *matches[: SHOWN - 1]]
    drawn = [_drawn(selection, found, match, k == 0) for k, match in enumerate(places)]
    st.plotly_chart(places_figure(drawn, len(found.pattern.units)), key="pattern_places")
    if drawn[0].values is not None:
        st.plotly_chart(series_figure(drawn, windows.feature_names[0]), key="pattern_series")
    where = segments(
        st,
        "where",
        list(WHERE),
        "pattern_where",
        format_func={
            "step": "all steps",
            "before": "step before",
            "first": "first step",
            "last": "last step",
            "after": "step after",
        }.get,
        help="Which steps of the places found are compared with all steps",
    )
    lifts = shared_labels(matches, found.labels, where)
    st.markdown(bold_numbers(shared_sentence(lifts, matches)))
    if lifts:
        st.plotly_chart(lift_figure(lifts), key="pattern_lifts")
    st.caption(
        f"Searched: {len(found.starts):,} windows of all splits that share no row. The places are ranked by how "
        "far the units that go on and off there are the span's own (Jaccard index), then by length, as LSTMVis does; "
        "that a unit is on where tanh of its cell state is beyond the threshold is a convention. The labels are of up "
        f"to {FOUND} places."
    )


def _sentence(found: Found) -> str:
    (t0, t1), pattern, count = found.span, found.pattern, len(found.pattern.units)
    steps = f"step {t0 + 1}" if t0 == t1 else f"steps {t0 + 1} to {t1 + 1}"
    units = f"{count} unit{'s are' if count != 1 else ' is'} on at {steps} of this window"
    units += " and off before and after" if pattern.bounded else ", whatever they are around it"
    if not found.matches:
        return f"{units}."
    best = sum(match.score == 1 for match in found.matches)
    exactly = (
        f"at {best} of them exactly these go on and off"
        if best
        else (f"the most similar has a Jaccard index of {format_percent(found.matches[0].score, 0)}")
    )
    places = f"{len(found.matches)} other place" + "s" * (len(found.matches) != 1)
    return f"{units}; {places} found: {exactly}."


def _drawn(selection: Selection, found: Found, match: Match, is_selected: bool) -> DrawnPlace:
    windows, start = selection.run.windows, int(found.starts[match.sequence])
    first, end = around(match.t0, match.t1, windows.spec.seq_len)
    symbols = symbol_texts(windows, start)
    label = windows.label(start + match.t0)
    return DrawnPlace(
        f"{label} (selected)" if is_selected else label,
        first,
        (match.t0 - first, match.t1 - first),
        found.on[match.sequence, first:end],
        tuple(symbols[first:end]) if symbols else (),
        None if symbols else windows.features[start + first : start + end, 0],
    )
