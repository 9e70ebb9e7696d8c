"""An experiment as a script that trains: data.csv, windows, model, loop and test score, with numpy, pandas and torch.

It draws the same numbers in the same order as the training here does, and so ends with the same score. Names from a
user's file enter it as repr() only. Here is what the script reads; script_parts.py has its text.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lstm_core.architecture import script_parts, script_results, script_skip, script_training
from lstm_core.architecture.code import model_definition
from lstm_core.architecture.script_parts import Columns
from lstm_core.architecture.skip_limits import check_skip
from lstm_core.data.split import reorder, row_order
from lstm_core.data.spreadsheet import unique_texts
from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS, Experiment, PlaygroundError

SCRIPT_FILE = "train_lstm.py"


def script_data(windows: Windows) -> bytes:
    """The columns in use as CSV, as they were read here: rows by sequence, then time, each with its split."""
    names, spec, groups = columns_of(windows), windows.spec, windows.groups
    order = row_order(windows.table, spec)
    columns: dict[str, np.ndarray] = {}
    if windows.time is not None:
        columns[names.time] = windows.time
    columns[names.sequence] = np.repeat(np.arange(len(groups) - 1), np.diff(groups))
    columns[names.split] = np.array(SPLITS)[windows.split_of_row]
    for name, feature in zip(names.features, windows.feature_names, strict=True):
        columns[name] = reorder(windows.table.column(feature).values, order)
    if windows.classes:
        columns[names.targets[0]] = np.array([*names.classes, ""], dtype=object)[windows.y]  # of -1, no class, the last
    else:
        columns |= {name: windows.y[:, k] for k, name in enumerate(names.targets)}
    return pd.DataFrame(columns).to_csv(index=False, float_format="%.17g").encode()


def training_script(experiment: Experiment, windows: Windows) -> str:
    """A Python script that reads data.csv beside it, trains the experiment's model and prints its test score.

    Raises:
        PlaygroundError: as script_sections does.
    """
    code = "\n\n\n".join(text for _, text in script_sections(experiment, windows))
    return f'"""{about(experiment)}\n"""\n\n{code}\n'


def about(experiment: Experiment) -> str:
    """What the script does, and what it needs: two lines with an empty one between."""
    forecast = f" and its forecast, as {script_results.FORECAST_FILE}, too" if experiment.data.horizon else ""
    return (
        f"Train an {experiment.model.module_name} as LSTM Playground does, from the same seeds; print its score"
        f"{forecast}.\n\nNeeds {script_parts.DATA_FILE} in the folder it is started in, numpy, pandas and torch."
    )


def script_sections(experiment: Experiment, windows: Windows) -> list[tuple[str, str]]:
    """Each part's title and its code, which needs those before it.

    windows: of the experiment's data. Without test windows the script scores the last split that has some.

    Raises:
        PlaygroundError: the initial state is stateful, frozen parameters meet weight decay, or a linear skip does not
            fit the windows.
    """
    model, train = experiment.model, experiment.train
    if train.initial_state == "stateful":
        raise PlaygroundError(
            "The script cannot pass the state on from batch to batch: for a script choose another initial state than "
            "stateful on Train."
        )
    if model.frozen and train.weight_decay:
        raise PlaygroundError(
            "The script cannot keep frozen parameters from weight decay: for a script set weight_decay to 0 on Train."
        )
    names = columns_of(windows)
    check_skip(model, windows)
    sections = (
        ("Read the data", script_parts.read_data(experiment, windows, names)),
        ("Scale it" if windows.target is None else "Start, and what it leaves", script_parts.scale(windows)),
        ("Cut windows", script_parts.cut_windows(experiment, windows)),
        ("Model", model_definition(model, *windows.model_sizes, with_state=train.initial_state == "random")),
        ("Linear skip", script_skip.fit(experiment, windows) if model.linear_skip else ""),
        ("Loss", script_training.loss(experiment, windows)),
        ("Train", script_training.loop(experiment, windows)),
        ("Score", script_results.score(experiment, windows)),
        ("Forecast", script_results.forecast(experiment, windows, names)),
    )
    return [(title, code.strip("\n")) for title, code in sections if code]


def columns_of(windows: Windows) -> Columns:
    """The names of data.csv's columns, and of its classes."""
    spec = windows.spec
    own = list(dict.fromkeys((*windows.feature_names, *spec.targets)))
    added = [spec.time or "time", "sequence", "split"]
    names = unique_texts([*own, *added])
    of = dict(zip(own, names, strict=False))
    time, sequence, split = names[len(own) :]
    features, targets = [of[name] for name in windows.feature_names], [of[name] for name in spec.targets]
    return Columns(features, targets, time, sequence, split, unique_texts(list(windows.classes)))
