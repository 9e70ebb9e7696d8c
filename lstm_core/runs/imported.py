"""An LSTM from elsewhere as a run, so that every page and instrument works on it; it was never trained here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.architecture.memory import check_memory
from lstm_core.data.table import Table
from lstm_core.data.windows import Scaler, Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.model.devices import free_memory
from lstm_core.model.import_weights import ImportedLstm
from lstm_core.runs.run import Run

IMPORTED = "imported"  # in Run.about


@dataclass(frozen=True)
class KnownScaling:
    """The scaling that the weights were trained with: scaled = (value − center) / scale, of each input and target."""

    x_center: tuple[float, ...]
    x_scale: tuple[float, ...]
    y_center: tuple[float, ...] = (0.0,)
    y_scale: tuple[float, ...] = (1.0,)


def imported_run(
    imported: ImportedLstm,
    table: Table,
    data: DataSpec,
    unit: int | None = None,
    scaling: KnownScaling | None = None,
    **about: Any,
) -> Run:
    """A run whose model is this LSTM, on windows of a table. Its inputs are data.features, in this order.

    unit: None: the prediction is that of the linear layer in the file. Else it is h of this unit at the last step, as
    it is; those of the reverse direction count on. scaling: what the weights were trained with; None: data.scaling,
    fitted on the training rows. The data has no start, and nothing but its features is read. about: as Run's;
    IMPORTED is added to it.

    Raises:
        PlaygroundError: the data cannot be cut into windows, has not as many features, targets or classes as the LSTM
            and the linear layer, there is no such unit, or the model does not fit in memory.
    """
    lstm, plain = imported.lstm, _only_features(data, scaling is not None)
    width = (2 if lstm.bidirectional else 1) * (lstm.proj_size or lstm.hidden_size)
    if lstm.input_size != len(plain.features):
        raise PlaygroundError(
            f"The LSTM reads {lstm.input_size} inputs, and {len(plain.features)} columns are chosen: choose "
            f"{lstm.input_size}, in the order in which it was trained."
        )
    windows = make_windows(table, plain)
    head = _file_head(imported, windows) if unit is None else _unit_head(unit, width, windows)
    if scaling is not None:
        windows = windows.with_scaler(_scaler(scaling, windows))
    if unit is not None:
        windows = windows.with_scaler(dataclasses.replace(windows.scaler, y_center=np.zeros(1), y_scale=np.ones(1)))
    spec = ModelSpec(
        hidden_size=lstm.hidden_size,
        num_layers=lstm.num_layers,
        bias=lstm.bias,
        bidirectional=lstm.bidirectional,
        proj_size=lstm.proj_size,
    )
    experiment = Experiment(plain, spec, TrainSpec(device="cpu"))
    check_memory(experiment, windows, free_memory())
    run = Run.new(windows, experiment, table, **{IMPORTED: True} | about)
    run.set_weights(head | {f"lstm.{name}": weight.detach() for name, weight in lstm.named_parameters()})
    return run


def _only_features(data: DataSpec, is_scaled: bool) -> DataSpec:
    """The data without what adds inputs of its own, or has the target predicted as something else."""
    plain = {
        "start": "none",
        "known_future": (),
        "calendar": (),
        "holidays": None,
        "series_id_input": False,
        "scale_per_series": False,
    }
    return dataclasses.replace(data, **plain | ({"scaling": "none"} if is_scaled else {}))


def _file_head(imported: ImportedLstm, windows: Windows) -> dict[str, Tensor]:
    head = imported.head
    if head is None:
        raise PlaygroundError("The file has no linear layer that fits this LSTM: predict h of one of its units.")
    if head.out_features != windows.output_size:
        what = f"{len(windows.classes)} classes" if windows.classes else f"{windows.output_size} numbers"
        raise PlaygroundError(
            f"The file's linear layer has {head.out_features} outputs, and the target takes {what}: choose another "
            "target or horizon, or h of a unit."
        )
    bias = head.weight.new_zeros(head.out_features) if head.bias is None else head.bias.detach()
    return {"head.weight": head.weight.detach(), "head.bias": bias}


def _unit_head(unit: int, width: int, windows: Windows) -> dict[str, Tensor]:
    if not 0 <= unit < width:
        raise PlaygroundError(f"There is no unit {unit} in what the LSTM puts out: choose 0 to {width - 1}.")
    if windows.classes or windows.output_size > 1:
        raise PlaygroundError("h of a unit is one number: choose a single target with numbers, and horizon 0 or 1.")
    weight = torch.zeros(1, width)
    weight[0, unit] = 1.0
    return {"head.weight": weight, "head.bias": torch.zeros(1)}


def _scaler(scaling: KnownScaling, windows: Windows) -> Scaler:
    targets = 1 if windows.classes else windows.y.shape[1]
    sizes = {"x_center": windows.input_size, "x_scale": windows.input_size, "y_center": targets, "y_scale": targets}
    arrays = {}
    for name, size in sizes.items():
        values = np.array(getattr(scaling, name), np.float64)
        if values.shape != (size,) or not np.isfinite(values).all() or (name.endswith("scale") and (values == 0).any()):
            what = "input" if name.startswith("x") else "target"
            raise PlaygroundError(
                f"The {name[2:]} of the {what}s is {list(values)[:6]}: give one number for each {what}, {size} in all, "
                "none of a scale 0."
            )
        arrays[name] = values
    return Scaler(**arrays)
