"""Shapes: the lab, where any nn.LSTM call is really run, and three figures of what output and h_n are."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from lstm_core.data.number_format import format_significant, minus_sign
from lstm_core.lessons.catalog.tutorials.shapes.call import DTYPES, STATES, LSTMCall, parse_lengths, parse_shape
from lstm_core.lessons.catalog.tutorials.shapes.drawing import outputs_figure, packing_figure
from lstm_core.lessons.catalog.tutorials.shapes.outputs import compare_outputs, compare_packed, compare_stepwise
from lstm_core.lessons.catalog.tutorials.shapes.run_call import PRESETS, CallReport, run_call
from pages.shared.session import state
from pages.shared.session.fields import widget_value
from pages.shared.session.messages import errors_here, escape_markdown
from pages.shared.shape_table import draw_shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_core.runs.run import Run

_TEXTS = ("x", "h_0", "c_0", "lengths")  # fields of LSTMCall that are typed


def show(runs: dict[str, Run]) -> None:
    names = list(VIEWS)
    requested = state.get_query("shapes")
    view = st.segmented_control(
        "view",
        names,
        default=requested if requested in names else names[0],
        required=True,
        key="shapes_view",
        label_visibility="collapsed",
    )
    state.set_query("shapes", view)
    with errors_here():
        VIEWS[view]()


def _key(field: str) -> str:
    return f"lab_{field}"


def _fill(setup: LSTMCall, only_missing: bool = False) -> None:
    """Let the lab's widgets show this call."""
    for field, value in vars(setup).items():
        text = ", ".join(map(str, value)) if field in _TEXTS else value
        if not only_missing or state.get_state(_key(field)) is None:
            state.set_state(_key(field), text)


def _lab() -> None:
    _fill(LSTMCall(), only_missing=True)
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left:
        st.selectbox(
            "Begin with", list(PRESETS), key="lab_preset", on_change=lambda: _fill(PRESETS[widget_value("lab_preset")])
        )
        typed = _settings()  # all are drawn before one is read: a widget left out would forget its value
    with right, errors_here():
        _report(run_call(_setup(typed)))


def _setup(typed: dict) -> LSTMCall:
    shapes = {"x": "The shape of the input", "h_0": "The shape of h_0", "c_0": "The shape of c_0"}
    unused = {"none": ("h_0", "c_0"), "h_0 alone": ("c_0",)}.get(typed["states"], ())
    shapes_read = {
        name: () if name in unused else parse_shape(typed[name], subject) for name, subject in shapes.items()
    }
    return LSTMCall(**typed | shapes_read | {"lengths": parse_lengths(typed["lengths"])})


def _settings() -> dict:
    """The widgets; their values by Setup's fields, shapes still as text."""
    typed = {}
    for column, name in zip(st.columns(3), ("input_size", "hidden_size", "num_layers"), strict=True):
        typed[name] = column.number_input(name, 0, 100_000, key=_key(name))
    for column, name in zip(st.columns([1.1, 1.2, 0.7]), ("batch_first", "bidirectional", "bias"), strict=True):
        typed[name] = column.toggle(name, key=_key(name))
    x, states = st.columns([0.42, 0.58])
    typed["x"] = x.text_input("shape of the input", key=_key("x"), max_chars=60)
    typed["states"] = states.selectbox("initial state", STATES, key=_key("states"))
    h, c = st.columns(2)
    none, pair = typed["states"] == "none", typed["states"] == "(h_0, c_0)"
    typed["h_0"] = h.text_input("shape of h_0", key=_key("h_0"), max_chars=60, disabled=none)
    typed["c_0"] = c.text_input("shape of c_0", key=_key("c_0"), max_chars=60, disabled=not pair)
    with st.expander("dropout, proj_size, packing, dtype"):
        dropout, proj = st.columns(2)
        typed["dropout"] = dropout.number_input("dropout", -1.0, 2.0, step=0.1, key=_key("dropout"))
        typed["proj_size"] = proj.number_input("proj_size", -1, 100_000, key=_key("proj_size"))
        lengths, ordered = st.columns(2, vertical_alignment="bottom")
        typed["lengths"] = lengths.text_input(
            "lengths, to pack", key=_key("lengths"), max_chars=200, placeholder="5, 4, 2"
        )
        typed["enforce_sorted"] = ordered.toggle("enforce_sorted", key=_key("enforce_sorted"))
        module, data = st.columns(2)
        typed["dtype"] = module.selectbox("dtype of the module", DTYPES, key=_key("dtype"))
        typed["x_dtype"] = data.selectbox("dtype of the input", DTYPES, key=_key("x_dtype"))
    return typed


def _report(report: CallReport) -> None:
    st.code("\n".join(report.code), language="python")
    if (problem := report.problem) is not None:
        st.error(f"**{problem.kind}** in the last line. PyTorch's message:", icon=":material/error:")
        st.code(problem.text, language=None, wrap_lines=True)
        unexplained = "The playground has no explanation of this error: PyTorch's message is all there is."
        st.info(escape_markdown(problem.meaning or unexplained), icon=":material/lightbulb:")
    for note in report.notes:
        if note.text:
            st.warning("PyTorch warns:", icon=":material/warning:")
            st.code(note.text, language=None, wrap_lines=True)
        meant = escape_markdown(note.meaning or "The playground has no explanation of this warning.")
        (st.info if note.text else st.warning)(meant, icon=":material/lightbulb:")
    if report.rows:
        draw_shapes(report.rows, "lab_shapes", max_height=400)


def _ends() -> None:
    layers, steps, seed, two, first = st.columns([1, 1, 1, 1, 1], vertical_alignment="bottom")
    outputs = compare_outputs(
        seed.number_input("seed", 0, 9999, 0, key="ends_seed"),
        layers.number_input("num_layers", 1, 3, 2, key="ends_layers"),
        two.toggle("bidirectional", True, key="ends_bidirectional"),
        first.toggle("batch_first", False, key="ends_batch_first"),
        steps.number_input("steps", 2, 10, 6, key="ends_steps"),
    )
    st.plotly_chart(outputs_figure(outputs), key="blocks")
    equal = [
        f"{end.code:<20} == h_n[{end.row}]  # largest difference {format_significant(end.difference, 1)}"
        for end in outputs.final_states
        if end.code
    ]
    st.code("\n".join(equal), language="python")
    st.markdown(
        "Blue and red are the computed values of h. **output** holds the top layer's h at every step; **h_n** every "
        "layer's, where its direction ends. Highlighted: the same numbers on both sides. The reverse direction reads "
        "from the last step to the first, so it ends at the **first step**, index 0."
    )


def _ways() -> None:
    seed, steps, _ = st.columns([1, 1, 3])
    comparison = compare_stepwise(
        seed.number_input("seed", 0, 9999, 0, key="ways_seed"), steps.number_input("steps", 1, 20, 5, key="ways_steps")
    )
    one, all_of_it = st.columns(2)
    one.code(
        "state = None\nfor x in inputs.split(1):  # (1, 1, 3) each\n    output, state = lstm(x, state)",
        language="python",
    )
    count = len(comparison.at_once)
    all_of_it.code(f"# the whole sequence, ({count}, 1, 3)\noutput, state = lstm(inputs)", language="python")
    st.success(
        f"nn.LSTM(3, 3), {count} steps: the largest difference between the two ways, h_n and c_n "
        f"included, is **{format_significant(comparison.difference, 1)}**.",
        icon=":material/check_circle:",
    )
    table = pd.DataFrame(
        {
            "": [f"step {t + 1}" for t in range(count)],
            "one at a time": [_numbers(row) for row in comparison.one_by_one],
            "all at once": [_numbers(row) for row in comparison.at_once],
            "one at a time, state forgotten": [_numbers(row) for row in comparison.without_state],
        }
    )
    st.table(table.set_index(""), border="horizontal")
    st.markdown(
        "Step by step is for when the next input is not known yet, such as the model's own prediction. Hand the "
        "**state** on: the last column is what comes out when each step begins with zeros. All at once is much faster."
    )


def _numbers(row) -> str:
    return ", ".join(minus_sign(f"{value:+.4f}") for value in row)


def _packed() -> None:
    lengths, seed, _ = st.columns([1.4, 0.8, 3])
    typed = parse_shape(lengths.text_input("lengths", "3, 5, 2", key="pack_lengths", max_chars=40), "The lengths")
    comparison = compare_packed(seed.number_input("seed", 0, 9999, 0, key="pack_seed"), typed)
    st.plotly_chart(packing_figure(comparison), key="packing")
    errors = {"h_n, off by": ["packed", "padded only"]}
    pairs = zip(comparison.lengths, comparison.packed_error, comparison.padded_error, strict=True)
    for letter, (length, packed, padded) in zip(string.ascii_uppercase, pairs, strict=False):
        padded_text = f"{padded:.4f}" if padded > 1e-6 else format_significant(padded, 1)
        errors[f"{letter} ({length} steps)"] = [format_significant(packed, 1), padded_text]
    st.table(pd.DataFrame(errors).set_index("h_n, off by"), border="horizontal")
    st.markdown(
        "Compared with each sequence run alone. Packed, **h_n** is each sequence's state at its last step (blue "
        "frame). Padded only, the LSTM continues over the zeros, and h_n is the state after them (dotted). "
        "**packed.data** holds all first steps, then all second ones; **batch_sizes** counts the sequences that still "
        "run. Without packing, `output[k, length_k − 1]` fixes it for one direction (difference "
        f"{format_significant(comparison.gathered_error, 1)}), but not for the reverse."
    )


VIEWS: dict[str, Callable[[], None]] = {
    "Shape lab": _lab,
    "output and h_n": _ends,
    "Two ways to run it": _ways,
    "Padding and packing": _packed,
}
