"""Which tensors a model file must hold, and of what shapes: checked before one of them is made."""

from __future__ import annotations

import math

from lstm_core.architecture.shapes import optimizer_shapes, parameter_shapes, state_shapes
from lstm_core.experiment import MAX_SNAPSHOTS, Experiment, PlaygroundError

GENERATOR_STATE = 5056  # bytes of a CPU generator of PyTorch
_SNAPSHOTS = ("state/snapshots/steps", "state/snapshots/weights")


def check_tensors(header: dict, experiment: Experiment, input_size: int, output_size: int) -> None:
    """Refuse a safetensors header whose tensors are not those of this model.

    Raises:
        PlaygroundError: one is missing, too many, or of another shape or type.
    """
    shapes = parameter_shapes(experiment.model, input_size, output_size, experiment.data.seq_len)
    generator = [GENERATOR_STATE]
    expected_shapes = {"state/dropout": generator} | _order_shapes(header, experiment, generator)
    expected_shapes |= {name.removeprefix(f"{experiment.model.cell}."): shape for name, shape in shapes.items()}
    expected_shapes |= {f"state/best/{name}": shape for name, shape in shapes.items()}
    if any(name.startswith("state/optimizer/") for name in header):  # all of it, or none before the first step
        state = optimizer_shapes(experiment.train, shapes)
        expected_shapes |= {f"state/optimizer/{name}": shape for name, shape in state.items()}
    if "state/gradients" in header:
        expected_shapes["state/gradients"] = [sum(math.prod(shape) for shape in shapes.values())]
    for name, shape in expected_shapes.items():
        _check_entry(header, name, shape, "U8" if shape is generator else "F32")
    for name in header:
        if name not in expected_shapes and name not in _SNAPSHOTS:
            raise PlaygroundError(f"it holds a tensor {name[:60]!r} that does not belong there.")
    count = _snapshots_in(header)
    width = sum(math.prod(shape) for shape in shapes.values()) if count else 0
    for name, shape, dtype in zip(_SNAPSHOTS, ([count], [count, width]), ("I64", "F32"), strict=True):
        _check_entry(header, name, shape, dtype)


def _order_shapes(header: dict, experiment: Experiment, generator: list[int]) -> dict[str, list[int]]:
    """What goes on in the middle of an epoch: the order of its windows, or the state between two batches."""
    if experiment.train.initial_state != "stateful":
        return {"state/order": generator}
    if not any(name.startswith("state/carried/") for name in header):  # saved between two epochs
        return {}
    shapes = state_shapes(experiment.model, experiment.train.batch_size)
    return {f"state/carried/{name}": shape for name, shape in shapes.items()}


def _check_entry(header: dict, name: str, shape: list[int], dtype: str) -> None:
    entry = header.get(name)
    if not isinstance(entry, dict):
        raise PlaygroundError(f"the tensor {name} is missing.")
    if entry.get("shape") != shape or entry.get("dtype") != dtype:
        raise PlaygroundError(f"{name} should be {dtype} of shape {tuple(shape)}.")


def _snapshots_in(header: dict) -> int:
    """The number of snapshots in the file; an invalid one counts as none, and is then refused."""
    entry = header.get(_SNAPSHOTS[0])
    shape = entry.get("shape") if isinstance(entry, dict) else None
    count = shape[0] if isinstance(shape, list) and len(shape) == 1 else 0
    return count if isinstance(count, int) and 0 <= count <= MAX_SNAPSHOTS else 0
