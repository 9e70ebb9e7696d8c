"""A trained model as one file: safetensors weights, and everything else as JSON in the same file's header.

The weights bear nn.LSTM's own names (weight_ih_l0 …), so that `nn.LSTM(...).load_state_dict` takes them; the head's
are head.weight and head.bias, a linear skip's skip.weight and skip.bias, and what an exact resume needs is under
state/. Nothing is ever unpickled. Reading a file takes no torch: Start shows the example's curves before torch has
loaded.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy

from lstm_core.architecture.memory import check_memory
from lstm_core.data.table import Table
from lstm_core.data.windows import Scaler, Windows
from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.model.devices import available_devices, free_memory
from lstm_core.training.saved_tensors import check_tensors
from lstm_core.training.saved_values import checked_curves, checked_progress, checked_scaler, scaler_json, whole_number

if TYPE_CHECKING:
    from lstm_core.model.recurrent import SequenceModel
    from lstm_core.training.trainer import Trainer

FORMAT = "lstm-playground-1"
MAX_BYTES = 1 << 30
MAX_HEADER = 32 << 20
SAVED_SNAPSHOTS = 4 << 20  # bytes of the snapshots in a file
MAX_SIZE = 1_000_000  # inputs, and outputs
_NO_DIGEST = "0" * 64
_MARK = rb'"playground":"{\"digest\": \"'


@dataclass(frozen=True)
class Checkpoint:
    """What a model file holds."""

    experiment: Experiment
    input_size: int
    output_size: int
    classes: tuple[str, ...]
    scaler: Scaler
    curves: dict[str, tuple[list[float], list[float]]]  # name → (x, y), as the run drew them
    progress: dict
    weights: dict[str, np.ndarray]  # by SequenceModel's names
    state: dict[str, np.ndarray]  # what Trainer.load_state_dict takes
    is_old: bool = False  # from before sequences were drawn into the splits: the digest of its header is younger
    table_sha256: str = ""  # Table.sha256 of the data; "" in a file from before it was kept
    notes: dict = field(default_factory=dict)  # what the writer of a run's state keeps with it; unchecked

    def model(self) -> SequenceModel:
        """The trained model, on the CPU, in eval mode."""
        from lstm_core.model.recurrent import model_from_weights

        sizes = self.input_size, self.output_size, self.experiment.data.seq_len
        return model_from_weights(self.experiment.model, sizes, tensors_of(self.weights))


class ModelState(NamedTuple):
    """A trainer's state, copied: what a model file is made of, while the training goes on."""

    arrays: dict[str, np.ndarray]
    about: dict[str, Any]

    def to_bytes(self) -> bytes:
        return signed(safetensors.numpy.save(self.arrays, {"playground": json.dumps(self.about)}))


def save_checkpoint(
    trainer: Trainer,
    curves: dict[str, tuple[list[float], list[float]]],
    snapshot_bytes: int = SAVED_SNAPSHOTS,
    table_sha256: str = "",
) -> bytes:
    """The file of a trainer's model as it is now, with what resuming needs and as many snapshots as fit."""
    return copy_state(trainer, curves, snapshot_bytes, table_sha256).to_bytes()


def copy_state(
    trainer: Trainer,
    curves: dict[str, tuple[list[float], list[float]]],
    snapshot_bytes: int,
    table_sha256: str,
    notes: dict[str, Any] | None = None,
) -> ModelState:
    """What save_checkpoint writes; notes: JSON that load_checkpoint returns as it is, for a run's own state.

    With notes the last step's gradients are kept, too: who looks at the run shows them.
    """
    windows = trainer.windows
    weights = trainer.model.state_dict()
    state, progress = trainer.state_dict(snapshot_bytes, gradients=notes is not None)
    prefix = f"{trainer.experiment.model.cell}."
    tensors = {name.removeprefix(prefix): value for name, value in weights.items()}
    tensors |= {f"state/{name}": value for name, value in state.items()}
    arrays = {name: value.detach().cpu().clone().numpy() for name, value in tensors.items()}
    about = {
        "digest": _NO_DIGEST,
        "format": FORMAT,
        "experiment": json.loads(trainer.experiment.to_json()),
        "input_size": windows.input_size,
        "output_size": windows.output_size,
        "classes": list(windows.classes),
        "scaler": scaler_json(windows.scaler),
        "curves": curves,
        "progress": progress | {"best_loss": _json_number(progress["best_loss"])},
        "table_sha256": table_sha256,
        "notes": notes or {},
    }
    return ModelState(arrays, about)


def load_checkpoint(data: bytes) -> Checkpoint:
    """Read a model file; everything is checked before a tensor is made.

    Raises:
        PlaygroundError: not such a file, damaged, or its parts do not fit one another.
    """
    try:
        return _load(data)
    except PlaygroundError as error:
        raise PlaygroundError(f"This model file cannot be used: {error}") from None


def _load(data: bytes) -> Checkpoint:
    header, about = _read_header(data)
    _check_digest(data, about)
    experiment = Experiment.from_json(json.dumps(about.get("experiment")))
    sizes = [whole_number(about, "input_size", 1, MAX_SIZE), whole_number(about, "output_size", 1, MAX_SIZE)]
    classes = about.get("classes")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise PlaygroundError("classes is not a list of names.")
    if classes and len(classes) != sizes[1]:
        raise PlaygroundError(f"classes has {len(classes)} names, but output_size is {sizes[1]}.")
    targets = 1 if classes else len(experiment.data.targets)
    scaler = checked_scaler(about.get("scaler"), experiment, *sizes, targets)
    curves = checked_curves(about.get("curves"))
    check_tensors(header, experiment, *sizes)
    progress = checked_progress(about.get("progress"))
    try:
        arrays = safetensors.numpy.load(data)
    except safetensors.SafetensorError as error:
        raise PlaygroundError(f"its tensors are damaged ({error}).") from None
    state = {k.removeprefix("state/"): v for k, v in arrays.items() if k.startswith("state/")}
    weights = {_checkpoint_name(k, experiment.model.cell): v for k, v in arrays.items() if not k.startswith("state/")}
    best = [value for name, value in state.items() if name.startswith(("best/", "carried/"))]
    if not all(np.isfinite(value).all() for value in (*weights.values(), *best, state["snapshots/weights"])):
        raise PlaygroundError("some of its weights are NaN or infinite.")
    steps = state["snapshots/steps"].tolist()
    if steps != sorted(set(steps)) or not all(0 <= step <= progress["step"] for step in steps):
        raise PlaygroundError("its snapshots of earlier weights are not in order.")
    table_sha256, notes = about.get("table_sha256", ""), about.get("notes", {})
    if not isinstance(table_sha256, str) or not isinstance(notes, dict):
        raise PlaygroundError("its table_sha256 or its notes are of the wrong type.")
    return Checkpoint(
        experiment,
        *sizes,
        tuple(classes),
        scaler,
        curves,
        progress,
        weights,
        state,
        "digest" not in about,
        table_sha256,
        notes,
    )


def check_table(checkpoint: Checkpoint, table: Table) -> None:
    """Refuse to go on with other data: the result would be nobody's training.

    Raises:
        PlaygroundError: the table's values or columns are not those that the model was trained on.
    """
    if checkpoint.table_sha256 and checkpoint.table_sha256 not in (table.sha256, table.sha256_of_float32):
        raise PlaygroundError(
            f"The model was trained on {checkpoint.experiment.data.name!r} with the SHA-256 "
            f"{checkpoint.table_sha256[:12]}…, but the values of {table.name!r} are others ({table.sha256[:12]}…): "
            "put the very file on Data first, then load the model again."
        )


def resume_trainer(checkpoint: Checkpoint, windows: Windows, make: Callable[..., Trainer] | None = None) -> Trainer:
    """A trainer that goes on exactly where the saved one was.

    The windows are scaled as the file says, not as this table would be: the weights know no other scale.
    make: a new one, called as Trainer, where it is to be of another class.

    Raises:
        PlaygroundError: the windows' columns do not fit the model, training it would not fit in memory, or the
            generators' state is damaged.
    """
    from lstm_core.training.linear_skip import LEFT_OUT
    from lstm_core.training.trainer import Trainer

    actual = (windows.input_size, windows.output_size, windows.classes)
    if actual != (checkpoint.input_size, checkpoint.output_size, checkpoint.classes):
        raise PlaygroundError(
            f"The model reads {checkpoint.input_size} features and gives {checkpoint.output_size} outputs, but "
            f"{windows.table_name!r} gives {windows.input_size} and {windows.output_size} "
            "(or other classes): choose the data that it was trained on."
        )
    experiment = checkpoint.experiment
    check_memory(experiment, windows, free_memory())
    if experiment.train.device not in available_devices():  # it was trained on a machine that had another one
        experiment = dataclasses.replace(experiment, train=dataclasses.replace(experiment.train, device="auto"))
    make_trainer = make or Trainer
    trainer = make_trainer(
        windows.with_scaler(checkpoint.scaler), experiment, skip_choice=LEFT_OUT
    )  # its weights follow
    try:
        trainer.load_state_dict(tensors_of(checkpoint.weights), tensors_of(checkpoint.state), checkpoint.progress)
    except RuntimeError:  # all shapes fit: only a generator refuses a state that is none
        raise PlaygroundError("The model file's state of the random numbers is damaged.") from None
    return trainer


def _json_number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def tensors_of(arrays: dict[str, np.ndarray]) -> dict:
    """The same as tensors, copied."""
    import torch

    return {name: torch.from_numpy(value.copy()) for name, value in arrays.items()}


def _checkpoint_name(name: str, cell: str) -> str:
    return name if name.startswith(("head.", "skip.")) else f"{cell}.{name}"


def signed(data: bytes) -> bytes:
    """The file with the SHA-256 of all its bytes in its JSON, where 64 zeros stood: they are hashed as zeros."""
    at = _digest_at(data)
    return b"".join((data[:at], _digest(data).encode(), data[at + 64 :]))


def _check_digest(data: bytes, about: dict) -> None:
    if "digest" in about:
        intact = _digest_at(data) > 0 and _digest(data) == about["digest"]
    else:  # of an earlier version: only of the tensors, which follow the header
        header = 8 + int.from_bytes(data[:8], "little")
        intact = hashlib.sha256(memoryview(data)[header:]).hexdigest() == about.get("sha256")
    if not intact:
        raise PlaygroundError("it is damaged (its SHA-256 differs): save or download it again.")


def _digest_at(data: bytes) -> int:
    """Where the 64 digits stand; 0: nowhere. No text inside the JSON can look like the mark: its quotes are escaped."""
    header = data[8 : 8 + int.from_bytes(data[:8], "little")]
    return 8 + header.index(_MARK) + len(_MARK) if header.count(_MARK) == 1 else 0


def _digest(data: bytes) -> str:
    view, at = memoryview(data), _digest_at(data)
    sha256 = hashlib.sha256(view[:at])
    sha256.update(_NO_DIGEST.encode())
    sha256.update(view[at + 64 :])
    return sha256.hexdigest()


def _read_header(data: bytes) -> tuple[dict, dict]:
    """The safetensors header and our JSON in its metadata (format: 8 bytes of length, JSON, tensors)."""
    size = int.from_bytes(data[:8], "little") if len(data) > 8 else 0
    if len(data) > MAX_BYTES or not 2 <= size <= min(MAX_HEADER, len(data) - 8):
        raise PlaygroundError("it is not a safetensors file that this app wrote.")
    try:
        header = json.loads(data[8 : 8 + size])
        about = json.loads(header.pop("__metadata__")["playground"], parse_int=_bounded_int)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PlaygroundError("it is not a safetensors file that this app wrote.") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise PlaygroundError(f"it is not of the format {FORMAT}.")
    return header, about


def _bounded_int(digits: str) -> int:
    if len(digits) > 18:  # more would overflow where a float is expected, far from here
        raise ValueError(f"the number {digits[:18]}… is too large")
    return int(digits)
