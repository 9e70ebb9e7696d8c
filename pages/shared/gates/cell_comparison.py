"""The cell comparison under "How far back?": the other two cells of the same size, and the gradients of all three."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st
import torch

from lstm_core.analysis.gradient_horizon import GradientHorizon, memory_horizon, steps_until_faded
from lstm_core.data.number_format import THIN_SPACE
from lstm_core.experiment import CELLS, PlaygroundError
from lstm_core.figures.gradients import cells_figure
from lstm_core.model.recurrent import SequenceModel
from lstm_core.runs.cell_comparison import MAX_STEPS, CellComparison, validation_loss_at
from lstm_core.runs.run import Run
from pages.shared.gates.selection import Selection, cell_name
from pages.shared.session.messages import errors_here, escape_markdown
from pages.shared.theme import segments
from pages.shared.training.live import LESSON_SECONDS, poll

SHARE = 0.01  # of its largest: below it a gradient counts as vanished
MAX_COMPARED = 16  # windows that the cells' gradients are averaged over
OF = {"x": "the input x", "h": "the hidden state h"}


def show(selection: Selection, output: int) -> None:
    """A button that trains the other cells, their progress, and then the figure; output: whose gradient."""

    def is_active() -> bool:
        comparison = selection.run.cache.get("comparison")
        return comparison is not None and comparison.is_active

    active = is_active()
    compared = selection, output
    poll(_compare, *compared, seconds=LESSON_SECONDS, active=active, has_changed=lambda: is_active() != active)


def _compare(selection: Selection, output: int) -> None:
    run = selection.run
    comparison: CellComparison | None = run.cache.get("comparison")
    others = " and ".join(cell_name(cell) for cell in CELLS if cell != run.experiment.model.cell)
    st.markdown(f"#### Compare with {others} of the same size")
    if comparison is not None and comparison.is_active:
        comparison.heartbeat()
        _progress(run, comparison)
    else:
        if comparison is not None:
            with errors_here(icon=None):
                _figure(selection, output, comparison)
        _offer(run, others, again=comparison is not None)


def _offer(run: Run, others: str, again: bool) -> None:
    steps = min(run.step, MAX_STEPS)
    explanation = "as many as this model" if steps == run.step else "the most that a comparison trains"
    st.button(
        f"Train them {'again ' if again else ''}for {steps:,} steps",
        on_click=_start,
        args=(run,),
        disabled=not steps,
        key="comparison_train",
        icon=":material/model_training:",
        help=f"Trains {others} on the same windows, with the same settings and seeds, for {steps:,} steps, "
        f"{explanation}. This model stays as it is."
        if steps
        else "Train this model first: the other cells get as many steps as it had.",
    )
    if refused := run.cache.get("comparison_refused"):
        st.error(escape_markdown(refused))


def _start(run: Run) -> None:
    run.cache.pop("comparison_refused", None)
    try:
        run.cache["comparison"] = CellComparison(run)
    except PlaygroundError as error:
        run.cache["comparison_refused"] = str(error)


def _cancel(run: Run) -> None:
    if (comparison := run.cache.pop("comparison", None)) is not None:
        comparison.stop()


def _progress(run: Run, comparison: CellComparison) -> None:
    for other in comparison.runs:
        done, wait = other.step, other.status == "waiting"
        rate = f" · {other.steps_per_second:,.0f} steps/s" if other.status == "running" else ""
        text = "queued" if wait else f"step **{done:,}** of {comparison.steps:,}{rate}"
        st.progress(min(1.0, done / comparison.steps), f"{other.experiment.model.module_name}: {text}")
    st.button("Cancel", on_click=_cancel, args=(run,), key="comparison_cancel", icon=":material/close:")


def _figure(selection: Selection, output: int, comparison: CellComparison) -> None:
    for other in comparison.runs:
        if other.status == "failed":
            st.warning(escape_markdown(f"The {other.experiment.model.module_name} stopped: {other.message}"))
    starts = _comparison_windows(selection.run)
    horizons = _horizons(selection, output, comparison, starts)
    of = segments(
        st,
        "gradient with respect to",
        list(OF),
        "comparison_of",
        format_func=OF.get,
        label_visibility="visible",
        help="Every cell reads the same x, so that comparison is the fairest. An LSTM's h is "
        "only half of its state: its c is drawn beside it",
    )
    curves, through_c = {cell: horizon.d_x.mean(0) for cell, horizon in horizons.items()}, None
    if of == "h":
        index = selection.layer, selection.direction
        order = -1 if selection.direction else 1  # the reverse direction ends at the window's first step
        curves = {cell: horizon.d_h[index].mean(0)[::order] for cell, horizon in horizons.items()}
        through_c = horizons["lstm"].d_c[index].mean(0)[::order]
    text = cells_sentence(curves)
    left, right = st.columns([0.62, 0.38], vertical_alignment="center")
    left.plotly_chart(cells_figure(curves, through_c), key="cells_figure")
    right.dataframe(
        _table(selection, comparison),
        hide_index=True,
        key="cells_table",
        column_config={"validation loss": st.column_config.NumberColumn(format="%.4g")},
    )
    right.caption(
        f"Mean over {len(starts)} windows, evenly spread. Each line is divided by its largest value: "
        f"what counts is how fast it falls.{_step_hint(selection, comparison)}"
    )
    st.markdown(text)


def _step_hint(selection: Selection, comparison: CellComparison) -> str:
    """What to do where the model has been trained for more, or fewer, steps than the other cells."""
    step = selection.snapshot.step
    if abs(step - comparison.steps) <= 0.1 * comparison.steps:
        return ""
    return (
        f" The model above is of step {step:,}, the other cells of step {comparison.steps:,}: move the epoch slider to "
        "theirs for a fair comparison."
    )


def _comparison_windows(run: Run) -> np.ndarray:
    """First rows of some validation windows, or of training windows if there is no validation set."""
    starts = run.windows.starts
    split_starts = starts["valid"] if len(starts["valid"]) else starts["train"]
    return split_starts[np.unique(np.linspace(0, len(split_starts) - 1, MAX_COMPARED).astype(int))]


def _horizons(
    selection: Selection, output: int, comparison: CellComparison, starts: np.ndarray
) -> dict[str, GradientHorizon]:
    """The horizon of every cell over these windows."""
    snapshot = selection.snapshot
    x = torch.from_numpy(selection.run.windows.inputs(starts))

    def of(cell: str, key: tuple, model: Callable[[], SequenceModel]) -> GradientHorizon:
        return selection.run.cached(f"horizons_{cell}", (*key, output), lambda: memory_horizon(model(), x, output))

    own_cell = selection.run.experiment.model.cell
    horizons = {own_cell: of(own_cell, (snapshot,), lambda: snapshot.model)}
    for other in comparison.runs:
        cell = other.experiment.model.cell
        horizons[cell] = of(cell, (other.id, other.step), other.current_model)
    return {cell: horizons[cell] for cell in CELLS}


def _table(selection: Selection, comparison: CellComparison) -> pd.DataFrame:
    snapshot = selection.snapshot
    rows = {selection.run.experiment.model.cell: (selection.run, snapshot.step)}
    rows |= {other.experiment.model.cell: (other, other.step) for other in comparison.runs}
    records = [
        (cell.upper(), run.parameter_count, step, validation_loss_at(run, step))
        for cell, (run, step) in ((cell, rows[cell]) for cell in CELLS)
    ]
    return pd.DataFrame(records, columns=["cell", "parameters", "steps", "validation loss"])


def cells_sentence(curves: dict[str, np.ndarray]) -> str:
    """After how many steps each cell's gradient has faded, the shortest memory first; curves as in cells_figure."""
    steps_by_cell = {cell: steps_until_faded(curve, SHARE) for cell, curve in curves.items()}
    seq_len = len(next(iter(curves.values())))
    never = f"within the window's **{seq_len}** steps"
    if min(steps_by_cell.values()) >= seq_len:
        return f"No cell's gradient falls below 1{THIN_SPACE}% of its largest {never}."
    first, *other_cells = sorted(steps_by_cell, key=steps_by_cell.get)
    parts = [
        f"The {first.upper()}'s gradient falls below 1{THIN_SPACE}% of its largest after "
        f"**{steps_by_cell[first]}** steps"
    ]
    parts += [
        f"the {cell.upper()}'s "
        + (f"after **{steps_by_cell[cell]}**" if steps_by_cell[cell] < seq_len else f"not {never}")
        for cell in other_cells
    ]
    return ", ".join(parts) + "."
