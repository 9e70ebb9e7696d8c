"""Model: the cell and its arguments, with what follows from them: diagram, shapes, counts, memory, code."""

import pandas as pd
import streamlit as st

from lstm_core.architecture import shapes
from lstm_core.architecture.advice import advise
from lstm_core.architecture.code import model_code
from lstm_core.architecture.memory import check_memory, estimate_training_bytes
from lstm_core.architecture.script_zip import script_zip
from lstm_core.architecture.skip_limits import check_skip
from lstm_core.architecture.training_script import training_script
from lstm_core.data.number_format import format_bytes
from lstm_core.experiment import PlaygroundError
from lstm_core.figures.network_diagram import network_figure
from lstm_core.model.devices import free_memory
from pages.shared.components.download import download_when_made
from pages.shared.data.source_picker import has_n_features
from pages.shared.session import state
from pages.shared.session.fields import change_field, field, widget_value
from pages.shared.session.messages import draw_messages, errors_here, escape_markdown, show_info
from pages.shared.shape_table import draw_shapes
from pages.shared.theme import fields_in_row, next_page

QUICK_ROWS = 5000  # of a data.csv that is written while the page is drawn
SHOW = {"info": st.info, "warning": st.warning, "error": st.error}

workspace = state.workspace()


def choose_cell() -> None:
    """Change the cell, and in the same step reset what only nn.LSTM has: else the model would be invalid."""
    cell, spec = widget_value("cell"), state.workspace().experiment.model
    defaults = {} if cell == "lstm" else {"proj_size": 0, "forget_bias": None, "chrono_t_max": None}
    reset = {name: none for name, none in defaults.items() if getattr(spec, name) != none}
    change_field("model", cell=cell, **reset)
    if reset:
        show_info(f"Only nn.LSTM has {' and '.join(reset)}: switched off with it.")


def arguments(windows) -> None:
    spec = workspace.experiment.model
    only_lstm = {"disabled": True, "help": f"Only nn.LSTM has this: nn.{spec.module_name} does not"}
    of_lstm = {} if spec.cell == "lstm" else only_lstm
    of_forget_gate = {"disabled": not spec.bias} | of_lstm
    draw_input_size(windows.input_size, windows.input_names)
    field(st, "model", "cell", widget="segmented_control", required=True, on_change=choose_cell, args=())
    first, second = fields_in_row()
    field(first, "model", "hidden_size")
    field(second, "model", "num_layers")
    first, second = fields_in_row()
    field(first, "model", "dropout", step=0.05)
    field(second, "model", "proj_size", **of_lstm)
    field(st, "model", "bidirectional")
    field(st, "model", "batch_first")
    field(st, "model", "bias")
    field(st, "model", "head", widget="segmented_control", required=True)
    field(st, "model", "zero_head")
    field(st, "model", "linear_skip")
    first, second = fields_in_row()
    field(first, "model", "forget_bias", step=0.5, placeholder="auto", **of_forget_gate)
    field(second, "model", "chrono_t_max", placeholder="off", **of_forget_gate)
    field(fields_in_row()[0], "model", "seed", key="model_seed")
    field(st, "model", "frozen", widget="pills", selection_mode="multi")


def draw_input_size(input_size: int, inputs: tuple[str, ...]) -> None:
    """The one argument that the data decides, read-only, with where it comes from and the way to change it."""
    data = workspace.experiment.data
    names = ", ".join(f"**{escape_markdown(name[:40])}**" for name in inputs[:3])
    more = f" and {input_size - 3} more" if input_size > 3 else ""
    st.markdown(
        f"`input_size` **{input_size}**: {'the input' if input_size == 1 else 'the inputs'} {names}{more}.",
        help="One number for each input at every step: the data decides it. Where a forecast has a start, the model "
        "reads how wrong the start was one step ago, and the change, in place of the target's own value",
    )
    label = "Change n_features" if has_n_features(data) else "Change the features"
    st.page_link("pages/data.py", label=label, icon=":material/edit:")


def facts(windows) -> None:
    """Parameter counts and memory in one line, and an error if the model would not fit."""
    sizes = (workspace.experiment.model, windows.input_size, windows.output_size)
    batch, seq_len = workspace.batch_size, windows.spec.seq_len
    counts = shapes.parameter_count(*sizes, seq_len)
    texts = [f"**{sum(counts.values()):,} parameters**"]
    texts += [f"{name} {count:,}" for name, count in list(counts.items())[:4]]
    if len(counts) > 4:
        texts.append("…")
    memory = estimate_training_bytes(*sizes, batch, seq_len)
    st.markdown(" · ".join(texts) + f" · about **{format_bytes(memory)}** of memory to train")
    with errors_here(":material/memory:"):
        check_skip(workspace.experiment.model, windows)
        check_memory(workspace.experiment, windows, free_memory())


def details(windows) -> None:
    spec, batch = workspace.experiment.model, workspace.experiment.train.batch_size
    seq_len, sizes = windows.spec.seq_len, (spec, windows.input_size, windows.output_size)
    drawing, table, code, counts = st.tabs(["Drawing", "Every shape", "PyTorch code", "Parameters by layer"])
    with drawing:
        st.plotly_chart(network_figure(*sizes, seq_len), key="stack")
    with table:
        draw_shapes(shapes.shape_table(*sizes, batch, seq_len), "shapes", max_height=700)
    with code:
        code_views(windows, sizes)
    with counts:
        by_layer = shapes.parameter_count(*sizes, seq_len).items()
        st.dataframe(pd.DataFrame(by_layer, columns=["layer", "parameters"]), hide_index=True)


def code_views(windows, sizes) -> None:
    """The model alone, and the whole training as a script with its data."""
    alone, script = st.tabs(["Model only", "Script that trains it"])
    alone.code(model_code(*sizes, windows.spec.seq_len), language="python")
    with script, errors_here(":material/info:"):
        st.code(training_script(workspace.experiment, windows), language="python", height=500)
        st.caption(
            "It reads data.csv beside it, trains from the same seeds, prints the same test score and the forecast. "
            "The ZIP file has it as a Jupyter notebook, too."
        )
        download_when_made(
            "Script, notebook and data.csv as ZIP",
            lambda: script_zip(workspace.experiment, windows),
            "train_lstm.zip",
            "application/zip",
            key="script_zip",
            of=(id(windows), workspace.experiment),
            now=windows.rows <= QUICK_ROWS,
        )


st.title("Model")
draw_messages("model")
try:
    windows = workspace.windows()
except PlaygroundError as error:
    st.error(escape_markdown(f"The data is not ready: {error}"))
    st.page_link("pages/data.py", label="Go to Data", icon=":material/arrow_forward:")
else:
    left, right = st.columns([0.3, 0.7], gap="medium")
    with left:
        arguments(windows)
    with right:
        facts(windows)
        details(windows)
        for item in advise(workspace.experiment.data, workspace.experiment.model, windows.task):
            SHOW[item.level](escape_markdown(item.text))
    next_page("train", "Train")
