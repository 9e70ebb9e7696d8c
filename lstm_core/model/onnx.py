"""A trained model as an ONNX file: raw rows in, the forecast in the target's units out, with a batch of any size.

The file says how it is used in its metadata, under METADATA: columns, rows, names of series, and for the start
"smooth", whose state is a whole past, that state before the last rows of each series. Needs optional packages.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from lstm_core.data.series_rows import series_names
from lstm_core.data.start import DAMPING, rows_before, smooth_states
from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.model.raw_forecast import RawForecast
from lstm_core.model.recurrent import SequenceModel

METADATA = "lstm_playground"
INSTALL = "python -m pip install -r requirements-extras.txt"
_MEANING = {
    "rows": "float64 (batch, {history}, {columns}): the last rows of the columns, the latest one last, none missing",
    "ahead": "float64 (batch, {ahead_rows}, {known}): the rows to come of the columns known_ahead",
    "series": "int64 (batch,): the place of its series in series_names, from 0",
    "level": "float64 (batch, {targets}): the smoothed level before the first of the rows",
    "slope": "float64 (batch, {targets}): the slope of that level",
    "season": "float64 (batch, {season}, {targets}): the smoothed season of the rows before the first, oldest first",
    "error": "float64 (batch, {season}, {targets}): the error of the start of the rows before the first, oldest first",
    "forecast": "float64 (batch, {steps}, {targets}): the rows to come, in the targets' units",
    "probabilities": "float32 (batch, {classes}): of each class",
}


def has_onnx() -> bool:
    """Whether the packages are installed that an ONNX file is written with."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        return False
    return True


def onnx_model(model: SequenceModel, windows: Windows) -> bytes:
    """The bytes of an ONNX file of this model, which was trained on these windows.

    Raises:
        PlaygroundError: the packages are not installed, or the model has a projection, which ONNX does not know.
    """
    if not has_onnx():
        raise PlaygroundError(
            f"An ONNX file needs packages that are not installed: run {INSTALL}, or pip install onnx onnxscript."
        )
    if model.spec.proj_size:
        raise PlaygroundError(
            f"ONNX knows no LSTM with a projection, and proj_size is {model.spec.proj_size}: set it to 0 and train "
            "again to export the model."
        )
    module = RawForecast(_copy(model), windows).eval()
    example = {name: tensor for name, tensor in zip(module.input_names, example_inputs(module), strict=True)}
    with _one_cudnn_precision(), warnings.catch_warnings():  # of PyTorch's own code
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(example.values()),
            dynamo=True,
            verbose=False,
            input_names=list(example),
            output_names=module.output_names,
            dynamic_shapes=(tuple({0: torch.export.Dim.AUTO} for _ in example),),  # a named one would be fixed
        )
    program.model.metadata_props[METADATA] = json.dumps(about(module), ensure_ascii=False)
    return program.model_proto.SerializeToString()


@contextmanager
def _one_cudnn_precision() -> Iterator[None]:
    """PyTorch's export asks a flag that raises where cuDNN's LSTMs have another precision than its convolutions, as
    they do once a card has trained (devices.resolve_device)."""
    cudnn = torch.backends.cudnn
    precision = cudnn.rnn.fp32_precision
    cudnn.rnn.fp32_precision = cudnn.conv.fp32_precision
    try:
        yield
    finally:
        cudnn.rnn.fp32_precision = precision


def _copy(model: SequenceModel) -> SequenceModel:
    """On the CPU: the export moves a module's weights about."""
    copy = SequenceModel(model.spec, *model.sizes)
    copy.load_state_dict(model.state_dict())
    return copy.eval()


def example_inputs(module: RawForecast) -> tuple[Tensor, ...]:
    """Of three rows of a batch, all of them ones."""
    targets, batch = len(module.windows.spec.targets), 3
    shapes = {
        "rows": (module.history, len(module.columns)),
        "ahead": (module.ahead_rows, len(module.known)),
        "series": (),
        "level": (targets,),
        "slope": (targets,),
        "season": (module.season, targets),
        "error": (module.season, targets),
    }
    number = {"series": torch.zeros(batch, dtype=torch.int64)}
    return tuple(number.get(name, torch.ones(batch, *shapes[name], dtype=torch.float64)) for name in module.input_names)


def about(module: RawForecast) -> dict:
    """What a user of the file needs to know, as JSON holds it."""
    windows = module.windows
    sizes = {
        "history": module.history,
        "columns": len(module.columns),
        "ahead_rows": module.ahead_rows,
        "known": len(module.known),
        "targets": len(windows.spec.targets),
        "season": module.season,
        "steps": windows.output_steps,
        "classes": len(windows.classes),
    }
    names = [name.removeprefix("next_") for name in module.output_names]
    meaning = {
        output: _MEANING[name].format(**sizes) if name == output else f"{name} after the first of the rows"
        for output, name in zip(module.output_names, names, strict=True)
    }
    found = {
        "inputs": {name: _MEANING[name].format(**sizes) for name in module.input_names},
        "outputs": meaning,
        "columns": list(module.columns),
        "targets": list(windows.spec.targets),
        "rows_ahead": windows.offsets.tolist(),
    }
    if windows.classes:
        found["classes"] = list(windows.classes)
    if module.ahead_rows:
        found["known_ahead"] = list(module.known)
    grouped = windows.spec.group is not None and len(windows.groups) > 2
    series = series_names(windows.table, windows.spec.group) if grouped else [""]
    if module.per_series:
        found["series_names"] = series
    if module.kind == "smooth":
        found["about_state"] = (
            "state: of each series, the inputs that go with its last rows. A call returns what goes with rows that "
            "begin one row later. Before the third season of a series its state is not the app's."
        )
        found["state"] = last_states(module, series)
    return found


def last_states(module: RawForecast, series: list[str]) -> dict[str, dict[str, list]]:
    """Of each series that is long enough, the state before its last `history` rows."""
    ends, states = module.windows.groups[1:], smooth_state(module, module.windows.groups[1:] - module.history)
    known = [np.isfinite(values).reshape(len(ends), -1).all(1) for values in states.values()]
    return {
        name: {key: values[k].tolist() for key, values in states.items()}
        for k, name in enumerate(series)
        if np.logical_and.reduce(known)[k]
    }


def smooth_state(module: RawForecast, first: np.ndarray) -> dict[str, np.ndarray]:
    """The state of "smooth" before these rows (batch,) of the windows, as RawForecast takes it; NaN where there is
    none."""
    windows, m = module.windows, module.season
    sequence = np.searchsorted(windows.groups, np.maximum(first, 0), side="right") - 1
    columns = []
    for start, z in zip(module.starts, windows.target.known.T, strict=True):
        weights = np.array([[start.level_weight], [start.season_weight], [start.slope_weight]])
        level, season, slope = (one[:, 0] for one in smooth_states(z, windows.groups, start.season, *weights))
        expected = rows_before(level + DAMPING * slope, windows.groups, 1)
        error = z - expected - (rows_before(season, windows.groups, m) if m else 0.0)
        columns.append((level, slope, season, error))
    level, slope, season, error = (np.stack(values, axis=1) for values in zip(*columns, strict=True))

    def at(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        inside = rows >= windows.groups[sequence].reshape(-1, *[1] * (rows.ndim - 1))
        return np.where(inside[..., None], values[np.maximum(rows, 0)], np.nan)

    season_rows = first[:, None] + np.arange(-m, 0)
    state = {"level": at(level, first - 1), "slope": at(slope, first - 1)}
    state |= {"season": at(season, season_rows), "error": at(error, season_rows)}
    return {name: values for name, values in state.items() if name in module.input_names}
