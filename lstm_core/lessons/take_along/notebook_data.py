"""A lesson's data in a notebook: the generator's own source, or, of a file, its columns in use within the notebook."""

from __future__ import annotations

import base64
import textwrap
import zlib

import numpy as np

from lstm_core.architecture.script_parts import Columns, read_rows
from lstm_core.architecture.training_script import script_data
from lstm_core.data.generators import GENERATORS, SEQUENCE_SETS
from lstm_core.data.split import row_order
from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS, Experiment, PlaygroundError
from lstm_core.lessons.take_along.source import source_of

MAX_TEXT = 2_000_000  # characters of data in a notebook
# What the generators have from LSTM Playground's tables, as short as a notebook needs it
_BEGIN = """\
PlaygroundError = ValueError


def validated_rng(length, seq_len, n_features, noise, seed, **limits):
    return np.random.default_rng(seed)"""
_SERIES = """\
class Table:
    def from_columns(name, columns, roles):  # one row a step, all of one sequence
        return pd.DataFrame({"sequence": 0, **columns})


def ColumnRoles(targets, features, **window):
    return targets, features"""
_SEQUENCES = """\
Column = namedtuple("Column", "name kind values classes")


def sequence_table(name, features, seq_len, target):  # one row a step; a number stands in its sequence's last row
    rows = len(next(iter(features.values())))
    table = pd.DataFrame({"sequence": np.arange(rows) // seq_len, **features})
    if isinstance(target, Column):
        return table.assign(**{target.name: np.array([*target.classes, None], dtype=object)[target.values]})
    if isinstance(target, dict):  # numbers at every step
        return table.assign(**target)
    table["target"] = np.nan
    table.loc[seq_len - 1 :: seq_len, "target"] = target
    return table


def symbol_table(name, symbols, names, target, explanatory=None):  # one-hot, zeros in front of a short sequence
    features = {symbol: (symbols.ravel() == k).astype(float) for k, symbol in enumerate(names)}
    return sequence_table(name, features, symbols.shape[1], target)"""
_KNOWN = {"Column", "ColumnRoles", "Table", "PlaygroundError", "validated_rng", "sequence_table", "symbol_table"}
IMPORTS = {True: ("from collections import namedtuple",), False: ("import base64", "import io", "import zlib")}


def data_cells(experiment: Experiment, windows: Windows, names: Columns) -> tuple[list[str], set[str]]:
    """The code of the cells that make table, sequence, split and is_train; and the names of what they define.

    Raises:
        PlaygroundError: the data are a file that is too large to be part of a notebook.
    """
    if is_generated(experiment):
        return _generated(experiment, windows, names)
    text = base64.b85encode(zlib.compress(script_data(windows), 9)).decode()
    if len(text) > MAX_TEXT:
        raise PlaygroundError("This lesson's data are too large for a notebook.")
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(text, 112, break_on_hyphens=False))
    read = "file = io.BytesIO(zlib.decompress(base64.b85decode(DATA)))"
    return [f"DATA = (  # a CSV file, compressed\n{lines}\n)", f"{read}\n{read_rows(windows, names, 'file')}"], set()


def is_generated(experiment: Experiment) -> bool:
    """Whether the notebook makes the data by itself."""
    return experiment.data.source == "generator"


def _generated(experiment: Experiment, windows: Windows, names: Columns) -> tuple[list[str], set[str]]:
    spec = experiment.data
    generator = GENERATORS[spec.name]
    source, defined = source_of([generator], _KNOWN)
    if row_order(windows.table, windows.spec) is not None:
        raise PlaygroundError("This lesson's rows are in another order than they were made in.")
    ends = np.flatnonzero(np.diff(windows.split_of_row, append=-1)) + 1
    parts = [SPLITS[windows.split_of_row[end - 1]] for end in ends]
    sizes = np.diff(ends, prepend=0).tolist()
    arguments = f"length={spec.length}, seq_len={spec.seq_len}, n_features={spec.n_features}, noise={spec.noise}"
    make = f"""\
# One row a step, one sequence below the other
table = {generator.__name__}({arguments}, seed={spec.seed})
sequence, split = table[{names.sequence!r}].to_numpy(), np.repeat({parts!r}, {sizes!r})
is_train = split == "train"
print(f"{{len(table):,}} rows, {{sequence[-1] + 1:,}} sequences")
table.head()"""
    stand_ins = _SEQUENCES if spec.name in SEQUENCE_SETS else _SERIES
    return [f"{_BEGIN}\n\n\n{stand_ins}", source, make], defined | _KNOWN
