"""Which gate a model needs most: a table of every gate frozen at its mean in turn, under the view "What if?"."""

from __future__ import annotations

import streamlit as st

from lstm_core.analysis.gate_importance import Importance, gate_importance
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES, SPLIT_NAMES
from lstm_core.runs.run import Run
from lstm_core.training.snapshots import Moment
from pages.shared.gates.selection import Look

BY_ITSELF = 5e8  # multiplications of a table that comes unasked: well under 0.1 s on two cores
AT_MOST = 4e11  # beyond about ten seconds fewer windows are taken
PARTS = ("valid", "test", "train")  # the first that has windows
MOST_WINDOWS, FEWEST_WINDOWS = 256, 8
BAR = 220  # CSS pixels of the most harmful gate's


def show(look: Look) -> None:
    """The table for the weights that are looked at, and a button where it would take long."""
    st.subheader("Which gate does this model need most?")
    run, moment = look.run, look.moment
    part = next(part for part in PARTS if len(run.windows.starts[part]))
    limit, work = _size(run, part, moment)
    known = run.memo.get("importance", {})
    follows = run.live and look.step is None  # other weights at every tick: a table lasts until a click
    if (moment,) in known or (work <= BY_ITSELF and not follows):
        _table(run, part, *_found(look, part, limit))
        return
    place = st.empty()
    again = follows and bool(known)
    if place.button("Freeze each gate again" if again else "Freeze each gate in turn", key="what_gates",
                    icon=":material/ac_unit:", help="Each gate is held at its mean over the windows, and the model's "
                                                    "score is taken again"):  # fmt: skip
        with place, st.spinner("Freezing each gate in turn…"):
            found = _found(look, part, limit)
        _table(run, part, *found)
    elif again:
        _table(run, part, *list(known.values())[-1])


def _size(run: Run, part: str, moment: Moment) -> tuple[int, float]:
    """How many windows to take, and about how many multiplications that makes."""
    windows, spec = run.windows, run.experiment.model
    weights = sum(parameter.numel() for parameter in moment.model.parameters())
    each = windows.spec.seq_len * weights * (1 + 4 * spec.num_layers * spec.num_directions)
    limit = int(min(MOST_WINDOWS, max(FEWEST_WINDOWS, AT_MOST // each)))
    return limit, each * min(limit, len(windows.starts[part]))


def _found(look: Look, part: str, limit: int) -> tuple[list[Importance], int, Moment]:
    moment, windows = look.moment, look.run.windows
    starts = windows.starts[part]

    def find() -> tuple:
        found = gate_importance(moment.model, windows, starts, limit)
        return found, min(limit, len(starts)), moment

    return look.run.remembered("importance", (moment,), find)


def _table(run: Run, part: str, found: list[Importance], count: int, moment: Moment) -> None:
    """The winner in one sentence, and a line for every gate."""
    spec, worst = run.experiment.model, found[0]
    several = spec.num_layers * spec.num_directions > 1
    where = _place(worst, spec.bidirectional) if several else ""
    if worst.harm > 0:
        st.markdown(
            f"Freezing the **{GATE_NAMES[worst.edit.gate]}**{f' of {where}' * several} hurts most: {_scores(worst)}."
        )
    else:
        st.markdown("No gate is missed: frozen at its mean, none makes this model worse.")
    widest = max(abs(one.harm) for one in found) or 1.0
    rows = [_row(one, widest, _place(one, spec.bidirectional) if several else "") for one in found]
    st.html(
        f'<table class="gate-worth" style="border-collapse:collapse"><tbody>{"".join(rows)}</tbody></table>'
    )
    which = "" if count == len(run.windows.starts[part]) else ", evenly spread"
    st.caption(
        f"Over {count:,} {SPLIT_NAMES[part]} windows{which}; each gate is held at its mean, unit by unit, while the "
        f"others go on. Weights of step {moment.step:,}."
    )


def _place(one: Importance, bidirectional: bool) -> str:
    direction = (" forward", " reverse")[one.edit.direction] if bidirectional else ""
    return f"layer {one.edit.layer}{direction}"


def _scores(one: Importance) -> str:
    if one.measure == "accuracy":
        return f"accuracy {one.before:.1%} → {one.after:.1%}"
    return f"RMSE {one.before:.4g} → {one.after:.4g}"


def _row(one: Importance, widest: float, place: str) -> str:
    """One line of the table as HTML; nothing in it comes from a file."""
    gate, color = one.edit.gate, GATE_COLORS[one.edit.gate]
    mark = f'<span style="display:inline-block;width:.8em;height:.8em;border-radius:2px;background:{color}"></span>'
    width = round(BAR * max(0.0, one.harm) / widest)
    bar = f'<div style="width:{width}px;height:.9em;border-radius:2px;background:{color}"></div>'
    harm = bar if one.harm >= 0 else "better when frozen"
    cells = [
        f"{mark}&ensp;<b>{gate}</b> · {GATE_NAMES[gate]}",
        *([place] if place else []),
        _scores(one),
        harm,
    ]
    style = "padding:.15rem 1.4rem .15rem 0;border:0"
    return "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell in cells) + "</tr>"
