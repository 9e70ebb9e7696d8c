"""Gate importance: a table of every gate frozen at its mean in turn, under the view "What if?"."""

from __future__ import annotations

import streamlit as st

from lstm_core.analysis.gate_importance import Importance, gate_importance
from lstm_core.data.number_format import format_percent, minus_sign
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES, SPLIT_NAMES
from lstm_core.runs.run import Run
from lstm_core.training.snapshots import ModelSnapshot
from pages.shared.gates.selection import Selection, weights_moment

BY_ITSELF = 5e8  # multiplications of a table computed without a click: well under 0.1 s on two cores
MAX_MULTIPLICATIONS = 4e11  # about ten seconds; beyond it fewer windows are used
EVALUATION_SPLITS = ("valid", "test", "train")  # the first that has windows
MAX_WINDOWS, MIN_WINDOWS = 256, 8
BAR_WIDTH = 220  # CSS pixels of the most important gate's bar


def show(selection: Selection) -> None:
    """The table for the selected weights, or a button where it would take long."""
    st.subheader("Which gate does this model need most?")
    run, snapshot = selection.run, selection.snapshot
    split = next(split for split in EVALUATION_SPLITS if len(run.windows.starts[split]))
    limit, work = _size(run, split, snapshot)
    cached = run.cache.get("importance", {})
    follows = run.is_active and selection.step is None  # new weights at every poll: a table stays until a click
    if (snapshot,) in cached or (work <= BY_ITSELF and not follows):
        _table(run, split, *_importances(selection, split, limit))
        return
    place = st.empty()
    again = follows and bool(cached)
    if place.button(
        "Freeze each gate again" if again else "Freeze each gate in turn",
        key="what_gates",
        icon=":material/ac_unit:",
        help="Each gate in turn is fixed at its mean over these windows, and the model is scored again",
    ):
        with place, st.spinner("Freezing each gate in turn…"):
            result = _importances(selection, split, limit)
        _table(run, split, *result)
    elif again:
        _table(run, split, *list(cached.values())[-1])


def _size(run: Run, split: str, snapshot: ModelSnapshot) -> tuple[int, float]:
    """How many windows to use, and about how many multiplications that takes."""
    windows, spec = run.windows, run.experiment.model
    weights = sum(parameter.numel() for parameter in snapshot.model.parameters())
    cost_per_window = windows.spec.seq_len * weights * (1 + 4 * spec.num_layers * spec.num_directions)
    limit = int(min(MAX_WINDOWS, max(MIN_WINDOWS, MAX_MULTIPLICATIONS // cost_per_window)))
    return limit, cost_per_window * min(limit, len(windows.starts[split]))


def _importances(selection: Selection, split: str, limit: int) -> tuple[list[Importance], int, ModelSnapshot]:
    snapshot, windows = selection.snapshot, selection.run.windows
    starts = windows.starts[split]

    def compute() -> tuple:
        importances = gate_importance(snapshot.model, windows, starts, limit)
        return importances, min(limit, len(starts)), snapshot

    return selection.run.cached("importance", (snapshot,), compute)


def _table(run: Run, split: str, importances: list[Importance], count: int, snapshot: ModelSnapshot) -> None:
    """The most important gate in one sentence, and a row for every gate."""
    spec, worst = run.experiment.model, importances[0]
    several = spec.num_layers * spec.num_directions > 1
    where = _layer_text(worst, spec.bidirectional) if several else ""
    if worst.score_drop > 0:
        st.markdown(
            f"Freezing the **{GATE_NAMES[worst.intervention.gate]}**{f' of {where}' * several} hurts most: "
            f"{_scores(worst)}."
        )
    else:
        st.markdown("Freezing no gate hurts: with any one of them fixed at its mean, this model is no worse.")
    max_drop = max(abs(importance.score_drop) for importance in importances) or 1.0
    rows = [
        _row(importance, max_drop, _layer_text(importance, spec.bidirectional) if several else "")
        for importance in importances
    ]
    st.html(f'<table class="gate-worth" style="border-collapse:collapse"><tbody>{"".join(rows)}</tbody></table>')
    sampling = "" if count == len(run.windows.starts[split]) else ", evenly spread"
    st.caption(
        f"Over {count:,} {SPLIT_NAMES[split]} windows{sampling}; each gate is fixed at its mean, unit by unit, while "
        f"the others run as usual. Weights of {weights_moment(run, snapshot.step)}."
    )


def _layer_text(importance: Importance, bidirectional: bool) -> str:
    direction = (" forward", " reverse")[importance.intervention.direction] if bidirectional else ""
    return f"layer {importance.intervention.layer}{direction}"


def _scores(importance: Importance) -> str:
    if importance.measure == "accuracy":
        return f"accuracy {format_percent(importance.score, 1)} → {format_percent(importance.frozen_score, 1)}"
    return f"RMSE {minus_sign(f'{importance.score:.4g}')} → {minus_sign(f'{importance.frozen_score:.4g}')}"


def _row(importance: Importance, max_drop: float, label: str) -> str:
    """One row of the table as HTML; nothing in it comes from a file."""
    gate, color = importance.intervention.gate, GATE_COLORS[importance.intervention.gate]
    mark = f'<span style="display:inline-block;width:.8em;height:.8em;border-radius:2px;background:{color}"></span>'
    width = round(BAR_WIDTH * max(0.0, importance.score_drop) / max_drop)
    bar = f'<div style="width:{width}px;height:.9em;border-radius:2px;background:{color}"></div>'
    drop_text = bar if importance.score_drop >= 0 else "better when frozen"
    cells = [
        f"{mark}&ensp;<b>{gate}</b> · {GATE_NAMES[gate]}",
        *([label] if label else []),
        _scores(importance),
        drop_text,
    ]
    style = "padding:.15rem 1.4rem .15rem 0;border:0"
    return "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell in cells) + "</tr>"
