"""Model: the cell and every argument of it, and at once what each means: drawing, shapes, counts, memory, code."""

import pandas as pd
import streamlit as st

from lstm_core.architecture import shapes
from lstm_core.architecture.advice import advice
from lstm_core.architecture.code import model_code
from lstm_core.architecture.memory import check_fits, in_words, training_bytes
from lstm_core.experiment import CELLS, PlaygroundError
from lstm_core.figures.network_diagram import stack_figure
from lstm_core.model.devices import free_memory
from pages.shared import session

LARGEST = {"hidden_size": 16_384, "num_layers": 64}
HEADS = {"last": "at the end", "every": "at every step"}
HOLDS = {"forget_gate": "f = 1", "bias_hh": "bias_hh = 0", "head": "head = h"}
SHOW = {"info": st.info, "warning": st.warning, "error": st.error}

here = session.workspace()


def choose_cell() -> None:
    """Take the cell over, and in the same step away what only nn.LSTM has: else the model would be refused."""
    cell, spec = session.widget_value("cell"), session.workspace().experiment.model
    off = {} if cell == "lstm" else {"proj_size": 0, "forget_bias": None, "chrono": None}
    taken = {name: none for name, none in off.items() if getattr(spec, name) != none}
    session.change("model", cell=cell, **taken)
    if taken:
        session.notify(f"Only nn.LSTM has {' and '.join(taken)}: switched off with it.")


def arguments(input_size: int) -> None:
    spec = here.experiment.model
    is_lstm = spec.cell == "lstm"
    session.mirror("cell", spec.cell)
    st.segmented_control("cell", CELLS, format_func=str.upper, required=True, key="cell", on_change=choose_cell,
                         help="What runs over the steps: nn.LSTM with its cell state and four gates, nn.GRU with "
                              "three and no cell state, or the plain nn.RNN with tanh and no gate")  # fmt: skip
    left, right = st.columns(2)
    left.number_input("hidden_size", 1, LARGEST["hidden_size"], **session.bind("model", "hidden_size"),
                      help="Units of each layer: how many numbers it can remember")  # fmt: skip
    right.number_input("num_layers", 1, LARGEST["num_layers"], **session.bind("model", "num_layers"),
                       help=f"{spec.cell_name}s on top of each other: each reads the h of the one below")  # fmt: skip
    left.number_input("dropout", 0.0, 1.0, step=0.05, **session.bind("model", "dropout"),
                      help="Share of h blanked between layers while training")  # fmt: skip
    right.number_input("proj_size", 0, LARGEST["hidden_size"], disabled=not is_lstm,
                       **session.bind("model", "proj_size"),
                       help="0: none. Else h is squeezed to this many numbers; c keeps hidden_size" if is_lstm else
                            f"Only nn.LSTM can squeeze its h: nn.{spec.cell_name} has no projection")  # fmt: skip
    st.toggle("bidirectional", **session.bind("model", "bidirectional"),
                help=f"A second {spec.cell_name} reads the window backwards; the head sees both")  # fmt: skip
    st.toggle("batch_first", **session.bind("model", "batch_first"),
                 help="(batch, seq_len, …) or (seq_len, batch, …): only the order of two axes")  # fmt: skip
    st.toggle("bias", **session.bind("model", "bias"), help="Two bias vectors a layer, which are added")
    st.segmented_control("output head", list(HEADS), format_func=HEADS.get, required=True,
                         **session.bind("model", "head"),
                         help="One answer after the last step, or an answer after each; steps without a "
                              "target are not scored")  # fmt: skip
    left, right = st.columns(2)
    only_lstm = f"Only nn.LSTM has a forget gate: nn.{spec.cell_name} has none"
    left.number_input("forget bias", -20.0, 20.0, step=0.5, placeholder="auto",
                      disabled=not (spec.bias and is_lstm), **session.bind("model", "forget_bias"),
                      help="Empty: drawn like all weights from U(−1/√hidden_size, 1/√hidden_size). 1 or 2 "
                           "lets the cell remember from the first step on" if is_lstm else only_lstm)  # fmt: skip
    right.number_input("chrono", 3, 1_000_000, placeholder="off",
                       disabled=not (spec.bias and is_lstm), **session.bind("model", "chrono"),
                       help="In place of one forget bias for all units: the longest time to remember, in steps. Each "
                            "unit gets a time of its own up to it: its forget bias is the log of a number drawn "
                            "between 1 and chrono − 1, its input bias the negative" if is_lstm else only_lstm)  # fmt: skip
    left.number_input("seed", 0, 2**31 - 1, **session.bind("model", "seed", key="model_seed"),
                       help="The same seed draws the same first weights")  # fmt: skip
    st.pills("held fixed", list(HOLDS), format_func=HOLDS.get, selection_mode="multi",
             **session.bind("model", "hold", read=tuple, show=list),
             help="What keeps a set value and never trains. The forget gate held open is the LSTM of 1997; one bias a "
                  "gate is what textbooks write; without a head the prediction is h itself, so there must be as many "
                  "targets as h has numbers")  # fmt: skip
    st.caption(f"input_size **{input_size}**: one number for each feature chosen on Data.")


def facts(windows) -> None:
    """Counts and memory in one line; a model that would not fit is refused here already."""
    sizes = (here.experiment.model, windows.input_size, windows.output_size)
    batch, seq_len = here.batch_size, windows.spec.seq_len
    counts = shapes.parameter_count(*sizes)
    parts = [f"**{sum(counts.values()):,} parameters**"]
    parts += [f"{name} {count:,}" for name, count in list(counts.items())[:4]]
    if len(counts) > 4:
        parts.append("…")
    memory = training_bytes(*sizes, batch, seq_len)
    st.markdown(" · ".join(parts) + f" · about **{in_words(memory)}** of memory to train")
    try:
        check_fits(*sizes, batch, seq_len, free_memory())
    except PlaygroundError as error:
        st.error(session.plain(str(error)), icon=":material/memory:")


def details(windows) -> None:
    spec, batch = here.experiment.model, here.experiment.train.batch_size
    sizes = (spec, windows.input_size, windows.output_size)
    drawing, table, code, counts = st.tabs(["Drawing", "Every shape", "PyTorch code", "Parameters by layer"])
    with drawing:
        st.plotly_chart(stack_figure(*sizes, windows.spec.seq_len), key="stack")
    with table:
        rows = shapes.shape_table(*sizes, batch, windows.spec.seq_len)
        st.dataframe(pd.DataFrame({"tensor": [row.name for row in rows], "shape": [str(row.shape) for row in rows],
                                   "what it is": [row.meaning for row in rows]}),
                     hide_index=True, height=min(36 * len(rows) + 40, 700), key="shapes",
                     column_config={"what it is": st.column_config.TextColumn(width="large")})  # fmt: skip
    with code:
        st.code(model_code(*sizes), language="python")
    with counts:
        found = shapes.parameter_count(*sizes)
        st.dataframe(pd.DataFrame({"part": list(found), "parameters": list(found.values())}), hide_index=True)


st.title("Model")
session.show_messages("model")
try:
    windows = here.windows()
except PlaygroundError as error:
    st.error(session.plain(f"The data is not ready: {error}"))
    st.page_link("pages/data.py", label="Go to Data", icon=":material/arrow_forward:")
else:
    left, right = st.columns([0.3, 0.7], gap="medium")
    with left:
        arguments(windows.input_size)
    with right:
        facts(windows)
        details(windows)
        for item in advice(here.experiment.data, here.experiment.model, windows.task):
            SHOW[item.level](session.plain(item.text))
