"""Under "How far back?": the run's rivals, the other cells of the same size, and one picture of all gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st
import torch

from lstm_core.analysis.gradient_horizon import Horizon, memory_horizon, steps_back
from lstm_core.experiment import CELLS, PlaygroundError
from lstm_core.figures.gradients import cells_figure
from lstm_core.model.recurrent import SequenceLSTM
from lstm_core.runs.cell_comparison import MOST_STEPS, Rivals, validation_loss
from lstm_core.runs.run import Run
from pages.shared import session
from pages.shared.gates.selection import Look

TICK = 0.5  # seconds between two drawings while the rivals train
SHARE = 0.01  # of its largest: below it a gradient counts as gone
MOST_COMPARED = 16  # windows that the cells' gradients are averaged over
OF = {"x": "the input x", "h": "the hidden state h"}


def show(look: Look, output: int) -> None:
    """A button that trains the rivals, their progress, and at last one picture; output: which one's gradient."""
    rivals = look.run.memo.get("rivals")
    live = rivals is not None and rivals.live
    st.fragment(_compare, run_every=TICK if live else None)(look, output, live)


def _compare(look: Look, output: int, was_live: bool) -> None:
    run = look.run
    rivals: Rivals | None = run.memo.get("rivals")
    others = " and ".join(_named(cell) for cell in CELLS if cell != run.experiment.model.cell)
    st.markdown(f"#### Compare with {others} of the same size")
    if rivals is not None and rivals.live:
        rivals.touch()
        _progress(run, rivals)
    else:
        if rivals is not None:
            try:
                _picture(look, output, rivals)
            except PlaygroundError as error:
                st.error(session.plain(str(error)))
        _offer(run, others, again=rivals is not None)
    if (rivals is not None and rivals.live) != was_live:
        st.rerun()  # polling follows


def _named(cell: str) -> str:
    return f"a {cell.upper()}" if cell == "gru" else f"an {cell.upper()}"


def _offer(run: Run, others: str, again: bool) -> None:
    steps = min(run.step, MOST_STEPS)
    every = "as many as this model has had" if steps == run.step else "the most that rivals get"
    st.button(f"Train them {'again ' if again else ''}for {steps:,} steps", on_click=_start, args=(run,),
              disabled=not steps, key="rivals_train", icon=":material/model_training:",
              help=f"Trains {others} on the same windows, with the same settings and seeds, for {steps:,} steps, "
                   f"{every}. This model is left alone." if steps else
                   "Train this model first: the others get as many steps as it has had.")  # fmt: skip
    if refused := run.memo.get("rivals_refused"):
        st.error(session.plain(refused))


def _start(run: Run) -> None:
    run.memo.pop("rivals_refused", None)
    try:
        run.memo["rivals"] = Rivals(run, session.run_manager().slots)
    except PlaygroundError as error:
        run.memo["rivals_refused"] = str(error)


def _cancel(run: Run) -> None:
    if (rivals := run.memo.pop("rivals", None)) is not None:
        rivals.stop()


def _progress(run: Run, rivals: Rivals) -> None:
    for rival in rivals.runs:
        done, wait = rival.step, rival.status == "waiting"
        rate = f" · {rival.steps_per_second:,.0f} steps/s" if rival.status == "running" else ""
        words = "waits for a free place" if wait else f"step **{done:,}** of {rivals.steps:,}{rate}"
        st.progress(min(1.0, done / rivals.steps), f"{rival.experiment.model.module_name}: {words}")
    st.button("Cancel", on_click=_cancel, args=(run,), key="rivals_cancel", icon=":material/close:")


def _picture(look: Look, output: int, rivals: Rivals) -> None:
    for rival in rivals.runs:
        if rival.status == "failed":
            st.warning(session.plain(f"The {rival.experiment.model.module_name} stopped: {rival.message}"))
    starts = _several(look.run)
    horizons = _horizons(look, output, rivals, starts)
    of = st.segmented_control("gradient with respect to", list(OF), format_func=OF.get, default="x", required=True,
                              key="rivals_of", persist_state="session",
                              help="Every cell reads the same x, so that comparison is the fairest. An LSTM's h is "
                                   "only half of what it carries: its c is drawn beside it")  # fmt: skip
    curves, through_c = {cell: horizon.d_x.mean(0) for cell, horizon in horizons.items()}, None
    if of == "h":
        place = look.layer, look.direction
        turn = -1 if look.direction else 1  # the reverse direction has read all at the window's first step
        curves = {cell: horizon.d_h[place].mean(0)[::turn] for cell, horizon in horizons.items()}
        through_c = horizons["lstm"].d_c[place].mean(0)[::turn]
    said = cells_sentence(curves)
    left, right = st.columns([0.62, 0.38], vertical_alignment="center")
    left.plotly_chart(cells_figure(curves, through_c), key="cells_figure")
    right.dataframe(_table(look, rivals), hide_index=True, key="cells_table",
                    column_config={"validation loss": st.column_config.NumberColumn(format="%.4g")})  # fmt: skip
    right.caption(f"Mean over {len(starts)} windows, evenly spread. Each line is divided by its own largest value: "
                  f"what counts is how fast it falls.{_unlike(look, rivals)}")  # fmt: skip
    st.markdown(said)


def _unlike(look: Look, rivals: Rivals) -> str:
    """What to do where the model has been trained for longer, or less long, than its rivals."""
    step = look.moment.step
    if abs(step - rivals.steps) <= 0.1 * rivals.steps:
        return ""
    return (
        f" The model above is of step {step:,}, its rivals of step {rivals.steps:,}: the slider over the training "
        "takes it to where they are."
    )


def _several(run: Run) -> np.ndarray:
    """First rows of some validation windows, or of training windows if there is no validation part."""
    starts = run.windows.starts
    part = starts["valid"] if len(starts["valid"]) else starts["train"]
    return part[np.unique(np.linspace(0, len(part) - 1, MOST_COMPARED).astype(int))]


def _horizons(look: Look, output: int, rivals: Rivals, starts: np.ndarray) -> dict[str, Horizon]:
    """Of every cell, over these windows."""
    moment = look.moment
    x = torch.from_numpy(look.run.windows.inputs(starts))

    def of(cell: str, key: tuple, model: Callable[[], SequenceLSTM]) -> Horizon:
        return look.run.remembered(
            f"horizons_{cell}", (*key, output), lambda: memory_horizon(model(), x, output)
        )

    own = look.run.experiment.model.cell
    found = {own: of(own, (moment,), lambda: moment.model)}
    for rival in rivals.runs:
        cell = rival.experiment.model.cell
        found[cell] = of(cell, (rival.number, rival.step), rival.model)
    return {cell: found[cell] for cell in CELLS}


def _table(look: Look, rivals: Rivals) -> pd.DataFrame:
    moment = look.moment
    rows = {look.run.experiment.model.cell: (look.run, moment.step)}
    rows |= {rival.experiment.model.cell: (rival, rival.step) for rival in rivals.runs}
    found = [(cell.upper(), run.parameter_count, step, validation_loss(run, step))
             for cell, (run, step) in ((cell, rows[cell]) for cell in CELLS)]  # fmt: skip
    return pd.DataFrame(found, columns=["cell", "parameters", "steps", "validation loss"])


def cells_sentence(curves: dict[str, np.ndarray]) -> str:
    """After how many steps each cell's gradient has faded, the shortest memory first; curves as in cells_figure."""
    reach = {cell: steps_back(curve, SHARE) for cell, curve in curves.items()}
    seq_len = len(next(iter(curves.values())))
    never = f"within the window's **{seq_len}** steps"
    if min(reach.values()) >= seq_len:
        return f"No cell's gradient falls below 1 % of its largest {never}."
    first, *others = sorted(reach, key=reach.get)
    parts = [f"The {first.upper()}'s gradient falls below 1 % of its largest after **{reach[first]}** steps"]
    parts += [
        f"the {cell.upper()}'s " + (f"after **{reach[cell]}**" if reach[cell] < seq_len else f"not {never}")
        for cell in others
    ]
    return ", ".join(parts) + "."
