"""The instrument "Ledger": one prediction as a sum over the window's steps and inputs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from lstm_core.analysis.attribution.explain import Ledger, explain
from lstm_core.analysis.attribution.sentences import cancelling_sentence, ledger_sentence
from lstm_core.data.number_format import THIN_SPACE, format_percent, format_significant
from lstm_core.figures.ledger import ledger_figure
from lstm_core.figures.symbols import symbol_texts
from pages.shared.gates.selection import Selection
from pages.shared.session.messages import escape_markdown
from pages.shared.theme import segments
from pages.shared.understand.computed import Report, draw_computed
from pages.shared.understand.outputs import choose_output

METHODS = {"ledger": "What each input added", "writes": "When it was written", "gradients": "Integrated gradients"}
HELP = (
    "What each input added: gates and slopes are kept at their values, and the rest is a sum. When it was written: at "
    "which step the cell state received what the head reads at the end. Integrated gradients: the mean gradient on the "
    "way from inputs of 0 to these"
)
MAX_ROWS = 500  # of the table


def show(selection: Selection) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    labels = {"format_func": METHODS.get, "help": HELP, "label_visibility": "visible"}
    method = segments(row, "divided by", list(METHODS), "ledger_method", **labels)
    output, step = choose_output(selection, "ledger", row)

    def compute(report: Report) -> Ledger:
        model, windows = selection.snapshot.model, selection.run.windows
        progress = partial(_report, report)
        progress(0.0)
        return explain(model, windows, selection.start, output, step, method, progress)

    def draw(ledger: Ledger) -> None:
        _draw(selection, ledger, method)

    draw_computed(selection, "ledger", (selection.start, output, step, method), compute, draw)


def _report(report: Report, share: float) -> None:
    report(share, "Dividing the prediction")


def _draw(selection: Selection, ledger: Ledger, method: str) -> None:
    st.markdown(ledger_sentence(ledger, escape_markdown, "**{}**".format))
    if warning := cancelling_sentence(ledger):
        st.warning(warning, icon=":material/balance:")
    signs = symbol_texts(selection.run.windows, selection.start)
    st.plotly_chart(ledger_figure(ledger, signs), key="ledger_figure")
    st.caption(caption(selection, ledger, method))
    with st.expander("The parts as a table"):
        st.dataframe(_table(ledger), hide_index=True, height="content" if len(ledger.fixed) > 8 else 320)


def caption(selection: Selection, ledger: Ledger, method: str) -> str:
    """What is exact and what is a convention, as Markdown."""
    the = "the " if selection.run.windows.classes else ""
    what = f"The prediction here is {the}{escape_markdown(ledger.predicted)}"
    exact = f"the parts sum to it but for {format_significant(abs(ledger.error))}, which is rounding"
    zero = " Inputs count from 0 in the model's own scale" + (
        ", that is from their mean in the training rows." if selection.run.windows.spec.scaling == "standard" else "."
    )
    if method == "gradients":
        span = ledger.prediction - ledger.fixed_total
        share = format_percent(abs(ledger.error / span), 2) if span else f"0{THIN_SPACE}%"
        return (
            f"{what}. Gradients at {ledger.points:,} points were averaged; the parts miss the difference of the two "
            f"predictions by {share}, and points are doubled until that is below 0.1{THIN_SPACE}%, as long as there "
            f"are no more than 4,096. The way from 0 to the inputs is a convention.{zero}"
        )
    if method == "writes":
        return (
            f"{what}; {exact}. A step has what it wrote into c, as far as the forget gates have kept it. Written at a "
            "step is not caused by its input: what was written depends on h, and so on all inputs before."
        )
    skip = " The linear skip's share of each input is in its part." if ledger.skip is not None else ""
    return (
        f"{what}; {exact}. How it is divided is a convention: the gates i, f and o are kept at their values, and tanh "
        f"at its slope from 0. What an input did by moving a gate is not told apart.{skip}{zero}"
    )


def _table(ledger: Ledger) -> pd.DataFrame:
    """The constants, then the steps' parts that are not 0, in order; of very many the largest."""
    rows = [(name, "", value) for name, value in ledger.fixed.items()]
    if ledger.constants.any():
        rows.append(("biases of the candidate gate, all steps", "", float(ledger.constants.sum())))
    at = np.argwhere(ledger.inputs)
    if len(at) > MAX_ROWS:
        largest = np.argsort(-np.abs(ledger.inputs[tuple(at.T)]), kind="stable")[:MAX_ROWS]
        at = at[np.sort(largest)]
    rows += [(ledger.step_names[t], ledger.input_names[k], float(ledger.inputs[t, k])) for t, k in at]
    return pd.DataFrame(rows, columns=["part", "input", "added"])
