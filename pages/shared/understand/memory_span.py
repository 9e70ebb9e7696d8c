"""The instrument "Memory": how many rows back it uses, how long it holds them, and how many units that takes."""

from __future__ import annotations

import numpy as np
import safetensors.torch
import streamlit as st

from lstm_core.analysis.memory_span import (
    MemorySpan,
    rows_to_try,
    score_with_idle_rows,
    score_with_last_rows,
    span_sentence,
)
from lstm_core.analysis.unit_removal import CANDIDATES, UnitRemoval, removal_sentence, remove_greedily, smaller_model
from lstm_core.figures.memory import removal_figure, span_figure
from lstm_core.figures.theme import SPLIT_NAMES
from pages.shared.components.download import download
from pages.shared.gates.gate_importance import EVALUATION_SPLITS
from pages.shared.gates.selection import Selection, weights_moment
from pages.shared.theme import segments
from pages.shared.understand.computed import draw_computed
from pages.shared.understand.sentences import bold_numbers

CUT, IDLE, UNITS = "Shorter windows", "Waiting", "Fewer units"
WINDOWS = {CUT: 512, IDLE: 512, UNITS: 256}  # that are scored
BY_ITSELF = 4e10  # multiplications: about a second or two; what takes more waits for a click
MAX_MULTIPLICATIONS = 1e12  # beyond it fewer windows are scored
MIN_WINDOWS = 32
IDLE_POINTS = 12
MAX_IDLE = 2000


def show(selection: Selection) -> None:
    """One of three questions, chosen above."""
    kind = segments(st, "question", [CUT, IDLE, UNITS], "memory_kind", help="What is taken from the model")
    split = next(split for split in EVALUATION_SPLITS if len(selection.run.windows.starts[split]))
    {CUT: _cut, IDLE: _idle, UNITS: _units}[kind](selection, split, selection.run.windows.starts[split])


def _cost(selection: Selection, forwards: float, kind: str) -> tuple[int, str]:
    """How many windows to score, and the label of a button if that takes long."""
    weights = sum(parameter.numel() for parameter in selection.snapshot.model.parameters())
    each = forwards * weights * selection.run.windows.spec.seq_len
    limit = int(np.clip(MAX_MULTIPLICATIONS // each, MIN_WINDOWS, WINDOWS[kind]))
    return limit, "Compute it" if each * limit > BY_ITSELF else ""


def _cut(selection: Selection, split: str, starts: np.ndarray) -> None:
    model, windows = selection.snapshot.model, selection.run.windows
    limit, offer = _cost(selection, 8, CUT)
    draw_computed(
        selection,
        "memory_cut",
        (split,),
        lambda report: score_with_last_rows(
            model, windows, starts, limit=limit, progress=lambda share: report(share, "Scoring shorter windows")
        ),
        lambda span: _draw_span(
            selection, split, span, "Only the last rows of each window are read, from a zero state"
        ),
        offer,
        "One run of the model for each number of rows",
    )


def _idle(selection: Selection, split: str, starts: np.ndarray) -> None:
    model, windows, seq_len = selection.snapshot.model, selection.run.windows, selection.run.windows.spec.seq_len
    most, before = st.columns(2, vertical_alignment="bottom")
    idle = int(
        most.number_input(
            "idle rows at most",
            1,
            MAX_IDLE,
            min(MAX_IDLE, max(20, 2 * seq_len)),
            key=f"memory_idle_{selection.run.id}",
            help="Up to so many rows in which every input is 0 as the model reads it are put in",
        )
    )
    row = int(
        before.number_input(
            "before row",
            1,
            seq_len,
            seq_len,
            key=f"memory_before_{selection.run.id}",
            help="They are put in before this row of each window; rows count from 1",
        )
    )
    limit, offer = _cost(selection, IDLE_POINTS * (1 + idle / (3 * seq_len)), IDLE)
    draw_computed(
        selection,
        "memory_idle",
        (split, idle, row),
        lambda report: score_with_idle_rows(
            model,
            windows,
            starts,
            (0, *rows_to_try(idle, IDLE_POINTS)),
            row - 1,
            limit=limit,
            progress=lambda share: report(share, "Scoring windows with idle rows"),
        ),
        lambda span: _draw_span(
            selection,
            split,
            span,
            "In an idle row every input is 0 as the model reads it (with standard scaling the training mean), which is "
            "a choice: the model may never have seen such rows",
        ),
        offer,
        "One run of the model for each number of rows",
    )


def _draw_span(selection: Selection, split: str, span: MemorySpan, what: str) -> None:
    st.markdown(bold_numbers(span_sentence(span)))
    st.plotly_chart(span_figure(span), key=f"memory_{span.kind}_figure")
    st.caption(f"{what}; {_scored(selection, split, span.windows)} The score is of the prediction at the window's end.")


def _scored(selection: Selection, split: str, count: int) -> str:
    moment = weights_moment(selection.run, selection.snapshot.step)
    return f"scored on {count:,} {SPLIT_NAMES[split]} windows. Weights of {moment}."


def _units(selection: Selection, split: str, starts: np.ndarray) -> None:
    model, windows, spec = selection.snapshot.model, selection.run.windows, selection.run.experiment.model
    forwards = spec.hidden_size * min(CANDIDATES, spec.hidden_size) * spec.num_layers * spec.num_directions
    limit, offer = _cost(selection, forwards, UNITS)
    draw_computed(
        selection,
        "memory_units",
        (split,),
        lambda report: remove_greedily(
            model, windows, starts, limit=limit, progress=lambda share: report(share, "Taking units out")
        ),
        lambda removal: _draw_removal(selection, split, removal),
        "Take units out, one by one" if offer else "",
        f"About {forwards:,} runs of the model; the curve is drawn at the end",
    )


def _draw_removal(selection: Selection, split: str, removal: UnitRemoval) -> None:
    st.markdown(bold_numbers(removal_sentence(removal)))
    st.plotly_chart(removal_figure(removal), key="memory_units_figure")
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    units = left.select_slider(
        "units of the smaller model",
        list(removal.units[::-1]),
        removal.units_needed if removal.scale.has_lead else removal.units[0],
        key=f"memory_units_left_{selection.run.id}",
        help="How many units each layer and direction of the model that is downloaded has",
    )
    smaller = smaller_model(selection.snapshot.model, removal, units)
    weights = {name: weight.cpu().contiguous() for name, weight in smaller.state_dict().items()}
    download(
        right,
        "Save the smaller model",
        safetensors.torch.save(weights),
        f"lstm_{units}_units.safetensors",
        key="memory_save",
        help="The state_dict of an ordinary nn.LSTM (lstm.…) and its nn.Linear (head.…), as safetensors",
    )
    st.caption(
        "A unit that is taken out is frozen at the mean of its h, which goes into the biases of what reads it: what is "
        "left is an ordinary, smaller nn.LSTM, exact to rounding. Each time that of the candidates leaves which raises "
        f"the loss least, so a better choice of units may exist; {_scored(selection, split, removal.windows)}"
    )
