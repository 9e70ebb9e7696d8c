"""The text of a training script up to its windows; training_script.py puts the parts together.

Every part is plain code as one would write it by hand for this experiment alone, at most 120 columns wide.
"""

from __future__ import annotations

from dataclasses import dataclass

from lstm_core.architecture import script_starts
from lstm_core.architecture.script_training import keeps_weights
from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS, Experiment

DATA_FILE = "data.csv"
FILE = f'"{DATA_FILE}"'  # in the script
_WIDTH = 120


@dataclass(frozen=True)
class Columns:
    """Names in data.csv."""

    features: list[str]
    targets: list[str]
    time: str
    sequence: str
    split: str
    classes: list[str]


def read_data(experiment: Experiment, windows: Windows, names: Columns) -> str:
    """Imports and the names of the columns; table, sequence, split and is_train."""
    return f"{imports_and_names(experiment, windows, names)}\n\n{read_rows(windows, names, FILE)}"


def imports_and_names(experiment: Experiment, windows: Windows, names: Columns) -> str:
    is_class, smooth = bool(windows.classes), experiment.data.start == "smooth"
    standard = ["import copy"] * keeps_weights(experiment) + ["from itertools import pairwise"] * smooth
    lines = [
        *([*standard, ""] if standard else []),
        "import numpy as np",
        "import pandas as pd",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
        "",
        "torch.set_num_threads(1)  # more threads round differently",
        "",
        _assignment("FEATURES", names.features),
        f"TARGET = {names.targets[0]!r}" if is_class else _assignment("TARGETS", names.targets),
        *([_assignment("CLASSES", names.classes)] if is_class else []),
        *(
            []
            if is_class or not experiment.data.horizon
            else [f"HORIZON = {windows.output_steps}  # rows that are forecast at once"]
        ),
    ]
    return "\n".join(lines)


def read_rows(windows: Windows, names: Columns, file: str) -> str:
    """table, sequence, split and is_train; file: the code of a name or a file."""
    arguments = "dtype={TARGET: str}, " * bool(windows.classes) + 'keep_default_na=False, na_values=[""]'
    lines = [
        "# One row a step, in order of time, one sequence below the other; its split is train, valid or test",
        f"table = pd.read_csv({file}, {arguments})",
        f"sequence, split = table[{names.sequence!r}].to_numpy(), table[{names.split!r}].to_numpy()",
        'is_train = split == "train"',
    ]
    return "\n".join(lines)


def scale(windows: Windows) -> str:
    """x, what the model reads of each row, and y, and for numbers u, what it predicts of y; scaled."""
    fits = script_starts.scalers(windows)
    functions = [text for text in (script_starts.BEFORE if _looks_around(windows) else "", fits) if text]
    begin = "".join(f"{text}\n\n\n" for text in functions)
    if windows.classes:
        return f"{begin}{_read_classes()}\n{_inputs(windows)}"
    y = f'y = np.array(table[TARGETS].to_numpy(np.float64), order="C")  # (rows, {windows.y.shape[1]})'
    if windows.target is not None:
        return f"{begin}{y}\n\n{script_starts.start(windows)}\n\n{_inputs(windows)}"
    scaling = windows.spec.scaling
    fitted = "0.0, 1.0" if scaling == "none" else f"{script_starts.FITS[scaling]}(y[is_train])"
    target = (
        f"y_center, y_scale = {fitted}\nu = ((y - y_center) * (1 / y_scale)).astype(np.float32)  # y in scaled units"
    )
    return f"{begin}{_inputs(windows)}\n{y}\n{target}"


def _looks_around(windows: Windows) -> bool:
    return windows.target is not None or bool(script_starts.reads_ahead(windows))


def _read_classes() -> str:
    return "y = pd.Categorical(table[TARGET], CLASSES).codes.astype(np.int64)  # (rows,), -1 where missing"


def _inputs(windows: Windows) -> str:
    if _looks_around(windows):
        return script_starts.inputs(windows)
    spec = windows.spec
    filled, why = (".groupby(sequence).ffill()", ", gaps filled with the last value before")
    filled, why = (filled, why) if spec.missing == "forward_fill" else ("", "")
    x = f"""\
# What the model reads of each row{why}
x = np.array(table[FEATURES]{filled}.to_numpy(np.float64), order="C")  # (rows, {windows.input_size})"""
    if spec.scaling == "none":
        return f"{x}\nx = x.astype(np.float32)"
    return f"""\
{x}
x_center, x_scale = {script_starts.FITS[spec.scaling]}(x[is_train])
x = ((x - x_center) * (1 / x_scale)).astype(np.float32)"""


def cut_windows(experiment: Experiment, windows: Windows) -> str:
    spec = windows.spec
    offsets = windows.offsets.tolist()
    ahead = offsets if len(offsets) <= 8 else f"range({offsets[0]}, {offsets[-1] + 1})"
    scaled = "" if windows.classes else "u = torch.from_numpy(u)\n"
    started = ""
    if windows.target is not None:
        started = "usable &= np.isfinite(base).all((1, 2))[rows[:, -1]]  # where there is a start\n"
        scaled += "base, u_scale = torch.from_numpy(base), torch.from_numpy(u_scale)\n"
        if windows.target.series is not None:
            scaled += "z_center, z_scale = torch.from_numpy(z_center), torch.from_numpy(z_scale)\n"
    missing = "(y < 0)" if windows.classes else "np.isnan(y).any(1)"
    return f"""\
SEQ_LEN = {spec.seq_len}  # rows that the model reads
AHEAD = torch.tensor({ahead})  # how many rows after a step its targets lie

first = np.arange(len(table) - {spec.seq_len + spec.horizon - 1})  # the first row of each window
rows = first[:, None] + np.arange(SEQ_LEN)  # (windows, seq_len)
target_rows = rows[:, -1:] + AHEAD.numpy()  # (windows, {windows.output_steps})
usable = sequence[first] == sequence[target_rows[:, -1]]
usable &= split[target_rows[:, 0]] == split[target_rows[:, -1]]  # a window belongs to the split of its targets
usable &= ~np.isnan(x).any(1)[rows].any(1) & ~{missing}[target_rows].any(1)
{started}split_of_window = np.where(usable, split[target_rows[:, -1]], "")
starts = {{name: torch.from_numpy(first[split_of_window == name]) for name in {SPLITS!r}}}

x, y, steps = torch.from_numpy(x), torch.from_numpy(y), torch.arange(SEQ_LEN)
{scaled}{_batch(experiment, windows)}"""


def _batch(experiment: Experiment, windows: Windows) -> str:
    count, number = windows.output_steps, "" if windows.classes else f", {windows.y.shape[1]}"
    shape = "" if windows.classes else f", {count}"
    if experiment.model.head == "last":
        targets = "y[rows[:, -1] + AHEAD]" if windows.classes else "u[rows[:, -1:] + AHEAD]"
        if windows.target is not None:
            targets = "u[rows[:, -1]]"
        return f"""

def batch_of(first):  # (batch,) first rows
    rows = first[:, None] + steps
    return x[rows], {targets}  # (batch, seq_len, {windows.input_size}), (batch{shape}{number})

"""
    targets = "y[target_rows[..., 0]].masked_fill(other[..., 0], -1)"
    if not windows.classes:
        read = "u[rows]" if windows.target is not None else "u[target_rows]"
        targets = f'{read}.masked_fill(other[..., None], float("nan"))'
    return f"""split_of_row = torch.from_numpy(pd.Categorical(split).codes.astype(np.int64))


def batch_of(first):  # (batch,) first rows
    rows = first[:, None] + steps
    target_rows = rows[..., None] + AHEAD  # (batch, seq_len, {count})
    other = split_of_row[target_rows] != split_of_row[target_rows[:, -1:, -1:]]  # an earlier split: not scored
    return x[rows], {targets}  # (batch, seq_len{shape}{number})

"""


def _assignment(name: str, texts: list[str]) -> str:
    """name = [...], the texts as repr(), on as many lines as 120 columns need."""
    line = f"{name} = {texts!r}"
    if len(line) <= _WIDTH:
        return line
    lines = [""]
    for text in texts:
        item = f"{text!r}, "
        if len(lines[-1]) + len(item) > _WIDTH - 4:
            lines.append("")
        lines[-1] += item
    return "\n".join([f"{name} = [", *(f"    {line.rstrip()}" for line in lines if line), "]"])
