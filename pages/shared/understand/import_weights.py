"""The instrument "Weights from elsewhere": an LSTM that another program trained becomes this page's model."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

import streamlit as st

from lstm_core.data.number_format import format_significant
from lstm_core.data.table import Table
from lstm_core.experiment import SCALINGS, DataSpec, PlaygroundError
from lstm_core.model.import_weights import ImportedLstm, check_parity, import_lstms
from lstm_core.runs.imported import KnownScaling, imported_run
from pages.shared.gates.selection import Selection
from pages.shared.gates.snapshot_picker import choose_snapshot
from pages.shared.session import state
from pages.shared.session.messages import errors_here, errors_on_top, escape_markdown, show_info
from pages.shared.theme import segments

FILE_TYPES = ("safetensors", "keras", "h5", "onnx", "pt", "pth")  # the last two to be told why not
HEAD, UNIT = "the file's linear layer", "h of a unit"
OWN = "my own numbers"
SAME = 1e-5  # of the largest value: rounding in float32
SCALING_TEXTS = {
    OWN: "my own numbers: those of the scaler it was trained with",
    "none": "not at all: the values as they are in the table",
    "standard": "(x − mean) / standard deviation of the training rows here",
    "minmax": "(x − minimum) / range of the training rows here",
}
_READ = "_imported_weights"  # (SHA-256 and name of a file, what was read of it)
_ROW = {"vertical_alignment": "bottom"}


@dataclass(frozen=True)
class Choice:
    """What is to be made of the file."""

    imported: ImportedLstm
    file: str
    data: DataSpec
    unit: int | None
    scaling: KnownScaling | None


def show(selection: Selection) -> None:
    """The upload, and once there is a file: which LSTM, on which columns, scaled how, and what it predicts."""
    file = st.file_uploader(
        "Weights",
        list(FILE_TYPES),
        key="import_file",
        help="A safetensors state_dict of PyTorch, a .keras, .weights.h5 or .h5 file of Keras, or an ONNX model. "
        "Nothing in it is run",
    )
    if file is None:
        st.markdown(
            "Give the weights of an LSTM that PyTorch, Keras or another program has trained, and every page works on "
            "it: gates, stage and the instruments here. Its data is the table on Data."
        )
        st.caption(
            "From PyTorch: `safetensors.torch.save_file(model.state_dict(), 'model.safetensors')`. A .pt or .pth file "
            "is a pickle, which could run any program when it is read: it is refused."
        )
        return
    with errors_here():
        found = _read(file.getvalue(), file.name)
        at = _choose_lstm(found, file.name)
        _show_parity(found, at)
        choice = _choose(found[at], at, file.name)
        _offer(choice)


def _read(data: bytes, name: str) -> list[ImportedLstm]:
    """Once for each file; what is refused is read again, which takes no time."""
    key, kept = (hashlib.sha256(data).hexdigest(), name), state.get_state(_READ)
    if kept is None or kept[0] != key:
        with st.spinner("Reading the weights…"):
            kept = (key, import_lstms(data, name))
        state.set_state(_READ, kept)
    return kept[1]


def _of_file(file: str) -> str:
    return hashlib.sha256(file.encode()).hexdigest()[:8]


def _choose_lstm(found: list[ImportedLstm], file: str) -> int:
    """Which of the file's LSTMs, and what is known of it."""
    at = 0
    if len(found) > 1:
        at = st.selectbox(
            "LSTM",
            range(len(found)),
            format_func=lambda k: _described(found[k]),
            key=f"import_lstm_{_of_file(file)}",
            help="Which of the file's LSTMs; of several on top of each other the first reads the data",
        )
    imported = found[at]
    st.markdown(f"**{escape_markdown(imported.name)}**: {_described(imported, named=False)}.")
    for note in imported.notes:
        st.caption(escape_markdown(note))
    return at


def _show_parity(found: list[ImportedLstm], at: int) -> None:
    """An input and an output of the other program, beside what this LSTM makes of the input."""
    with st.expander("Does it compute what its own program does?", key="import_parity"):
        file = st.file_uploader(
            "An input and its output",
            ["json", "safetensors"],
            key="import_pair",
            help="x, (seq_len, input_size) or a batch of them, and y, what the other program gave for it: the output "
            "at every step or the last one, or that of the linear layer behind it",
        )
        if file is None:
            st.caption(
                'Drop both in one file, `{"x": [[…], …], "y": [[…], …]}` in JSON or tensors x and y in safetensors: '
                "the largest difference is shown."
            )
            return
        with errors_here():
            parity = check_parity(found, at, file.getvalue(), file.name)
            is_same = parity.difference <= SAME * max(1.0, parity.largest)
            difference, largest = (format_significant(value, 2) for value in (parity.difference, parity.largest))
            st.markdown(
                f"The file's y is nearest to {parity.what} here: max |Δ| = **{difference}**, of values up to {largest}"
                + (": the same but for rounding." if is_same else ".")
            )
            if not is_same:
                st.warning(
                    "That is more than rounding: another order of the gates, a dropped bias, another activation, or "
                    "an x that was scaled otherwise."
                )


def _choose(imported: ImportedLstm, at: int, file: str) -> Choice | None:
    """The controls; None where something is still to be said."""
    of_file = _of_file(file)
    workspace = state.workspace()
    table = workspace.table
    numbers = [name for name in table.column_names("number") if name != workspace.experiment.data.time]
    size = imported.lstm.input_size
    if len(numbers) < size:
        raise PlaygroundError(
            f"This LSTM reads {size} inputs, and {table.name!r} has {len(numbers)} number columns: open the data that "
            "it was trained on on Data first."
        )
    of_lstm = f"{of_file}_{at}_{table.sha256[:8]}"
    data, unit = _choose_data(imported, table, numbers, workspace.experiment.data, of_lstm)
    scaling = _choose_scaling(of_lstm, size)
    if scaling is None:
        return None
    data = replace(data, scaling=scaling if scaling in SCALINGS else "none")
    known = _known_numbers(of_lstm, size, unit is None and data.targets[0] in numbers) if scaling == OWN else None
    return Choice(imported, file, data, unit, known)


def _described(imported: ImportedLstm, named: bool = True) -> str:
    lstm = imported.lstm
    text = f"nn.LSTM({lstm.input_size}, {lstm.hidden_size}"
    text += f", num_layers={lstm.num_layers}" * (lstm.num_layers > 1) + ", bidirectional=True" * lstm.bidirectional
    text += f", proj_size={lstm.proj_size}" * bool(lstm.proj_size) + ", bias=False" * (not lstm.bias) + ")"
    outputs = 0 if imported.head is None else imported.head.out_features
    head = f", then nn.Linear with {outputs} output" + "s" * (outputs > 1) if outputs else ""
    return f"{imported.name}: {text}{head}" if named else f"{text}{head}"


def _choose_data(
    imported: ImportedLstm, table: Table, numbers: list[str], data: DataSpec, key: str
) -> tuple[DataSpec, int | None]:
    """The data without its scaling, and the unit whose h is predicted, None for the linear layer's output."""
    size = imported.lstm.input_size
    used = [name for name in data.features if name in numbers]
    features = st.multiselect(
        f"its {size} inputs, in the order in which it was trained" if size > 1 else "its input",
        numbers,
        used if len(used) == size else numbers[:size],
        key=f"import_features_{key}",
        format_func=escape_markdown,
        help="The order counts: the first column is multiplied by the first column of weight_ih",
    )
    ways = [HEAD, UNIT] if imported.head is not None else [UNIT]
    row = st.columns([2, 2, 1, 1], **_ROW)
    with row[0]:
        way = segments(
            st, "prediction", ways, f"import_way_{key}", help="What counts as the prediction, and as what it is drawn"
        )
    targets = [*numbers, *(table.column_names("category") if way == HEAD else [])]
    target = row[1].selectbox(
        "target",
        targets,
        targets.index(data.targets[0]) if data.targets and data.targets[0] in targets else 0,
        key=f"import_target_{key}_{way}",
        format_func=escape_markdown,
        help="The column that the prediction is compared with",
    )
    seq_len = row[2].number_input(
        "seq_len", 1, 10_000, data.seq_len, key=f"import_seq_len_{key}", help="Rows of a window, as it was trained"
    )
    horizon = row[3].number_input(
        "horizon", 0, 1000, min(1, data.horizon), key=f"import_horizon_{key}", help="How many rows ahead it predicts"
    )
    unit = None
    if way == UNIT:
        width = imported.lstm.proj_size or imported.lstm.hidden_size
        width *= 2 if imported.lstm.bidirectional else 1
        unit = int(
            st.number_input(
                "unit", 0, width - 1, key=f"import_unit_{key}", width=160, help="Whose h at the last step is drawn"
            )
        )
    chosen = {"features": tuple(features), "targets": (target,), "seq_len": int(seq_len), "horizon": int(horizon)}
    return replace(data, **chosen, start="none"), unit


def _choose_scaling(key: str, size: int) -> str | None:
    """Never guessed: wrongly scaled inputs give a picture that looks right and is not."""
    return st.selectbox(
        "How were its inputs scaled?" if size > 1 else "How was its input scaled?",
        list(SCALING_TEXTS),
        None,
        format_func=SCALING_TEXTS.get,
        placeholder="Choose",
        key=f"import_scaling_{key}",
        help="The file does not say it, and with another scaling its gates would do something else",
    )


def _known_numbers(key: str, size: int, with_target: bool) -> KnownScaling:
    """The numbers of the user's own scaler: scaled = (value − center) / scale."""
    left, right = st.columns(2, **_ROW)
    several = f"{size} numbers in the order of the columns" if size > 1 else "one number"
    texts = {
        "x_center": left.text_input(
            "center of each input", key=f"import_x_center_{key}", help=f"{several}: what is subtracted, as its mean"
        ),
        "x_scale": right.text_input(
            "scale of each input", key=f"import_x_scale_{key}", help=f"{several}: what is divided by, as its deviation"
        ),
    }
    if with_target:
        texts["y_center"] = left.text_input(
            "center of the target", "0", key=f"import_y_center_{key}", help="Added to the output times the scale"
        )
        texts["y_scale"] = right.text_input(
            "scale of the target", "1", key=f"import_y_scale_{key}", help="The linear layer's output is times this"
        )
    return KnownScaling(**{name: _numbers(text) for name, text in texts.items()})


def _numbers(text: str) -> tuple[float, ...]:
    """Numbers as a scaler prints them: separated by spaces or commas, in brackets or not."""
    words = re.split(r"[\s,;\[\]()]+", text.replace("−", "-"))
    try:
        return tuple(float(word) for word in words if word)
    except ValueError:
        raise PlaygroundError(
            f"{text[:40]!r} is not a list of numbers: write them with decimal points, separated by spaces or commas."
        ) from None


def _offer(choice: Choice | None) -> None:
    st.button(
        "Look into this LSTM",
        key="import_use",
        type="primary",
        icon=":material/visibility:",
        disabled=choice is None,
        on_click=_use,
        args=(choice,),
        help="It becomes the model of every page; the one that is there now stays on Runs if it was trained",
    )
    if choice is None:
        st.caption("Say how its inputs were scaled: that is not in the file, and is not guessed.")


def _use(choice: Choice) -> None:
    with errors_on_top():
        workspace = state.workspace()
        about = {"name": f"{choice.imported.name} of {choice.file}"[:60]}
        run = imported_run(choice.imported, workspace.table, choice.data, choice.unit, choice.scaling, **about)
        workspace.show_run(run)
        choose_snapshot(run, None)
        show_info(
            f"{choice.imported.name} of {choice.file} is the model of every page now, with its weights as they are in "
            "the file. On Train, Step trains it on, and Train begins anew with a model of its size."
        )
