"""Keras: .keras, .weights.h5 and .h5 files.

Keras has the gates in the order i, f, c, o, which is nn.LSTM's i, f, g, o, as columns where nn.LSTM has rows, and one
bias where nn.LSTM adds two.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass

from torch import Tensor

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights.hdf5 import HDF5, Hdf5, read_hdf5
from lstm_core.model.import_weights.keras_config import Config, read_config
from lstm_core.model.import_weights.state_dict import natural
from lstm_core.model.import_weights.weights import MAX_BYTES, FoundLinear, FoundLstm, parameter_names, quoted

PICKLED = (
    "it is a pickle, as torch.save writes it, and reading one could run any program: write the weights again with "
    "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')."
)
NO_CONFIG = (
    "The file does not say which activations its layers have, nor whether the LSTM reads backwards: tanh and sigmoid, "
    "forwards, and a linear layer after it are assumed."
)
MAX_ENTRIES = 4096
MAX_CONFIG = 16 << 20
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_KINDS = {"kernel": 0, "recurrent_kernel": 1, "bias": 2}  # and their numbers in the newer files
_DIRECTIONS = {"forward": 0, "backward": 1}
_CELL = re.compile(r"lstm_cell(_\d+)?")
_LAYERS = re.compile(r"(lstm|bidirectional|rnn)(_\d+)?")  # what Keras itself calls a layer that can hold an LSTM


def read_archive(data: bytes) -> list[FoundLstm]:
    """The LSTMs of a .keras file, a zip archive.

    Raises:
        PlaygroundError: it is another archive (one of PyTorch's is a pickle), damaged, or too large when unpacked.
    """
    if data.count(b"PK\x01\x02") > MAX_ENTRIES:  # before zipfile lists them
        raise PlaygroundError(f"the archive has more than {MAX_ENTRIES:,} files: save the weights alone.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if any(name.endswith(".pkl") for name in names):
                raise PlaygroundError(PICKLED)
            if _CONFIG not in names or _WEIGHTS not in names:
                raise PlaygroundError(f"the archive lacks {_CONFIG} or {_WEIGHTS}: choose a .keras file of Keras 3.")
            config = _unpacked(archive, _CONFIG, MAX_CONFIG)
            weights = _unpacked(archive, _WEIGHTS, MAX_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, KeyError):
        raise PlaygroundError("it is damaged as a zip archive: download or save it again.") from None
    if weights[:8] != HDF5:
        raise PlaygroundError(f"{_WEIGHTS} in it is damaged: download or save it again.")
    described = read_config(config.decode("utf-8", "replace"), by_name=False)
    return _lstms(read_hdf5(weights), described)


def _unpacked(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """One file of an archive; zipfile never unpacks more of it than file_size."""
    about = archive.getinfo(name)
    if about.file_size > limit or about.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PlaygroundError(
            f"{name} in it would be {about.file_size:,} bytes when unpacked, or is packed in an unusual way: save the "
            "weights alone."
        )
    return archive.read(name)


def read_keras_hdf5(data: bytes) -> list[FoundLstm]:
    """The LSTMs of a .weights.h5 or an .h5 file.

    Raises:
        PlaygroundError: h5py is not installed, the file is damaged or too large, or refers to other files.
    """
    content = read_hdf5(data)
    return _lstms(content, Config() if content.config is None else read_config(content.config, by_name=True))


@dataclass(frozen=True)
class _Place:
    """Where a matrix belongs; layer: its path in newer files, its name in .h5 files."""

    layer: str
    direction: int
    kind: int  # 0: kernel, 1: recurrent kernel, 2: bias


def _place(path: str) -> _Place | None:
    """The place of a data set of a cell; None: it is not of a cell."""
    *parts, last = path.split("/")
    kind = _KINDS.get(last.split(":")[0])
    if kind is not None:  # [model_weights/]…/<layer>/[forward_lstm/][lstm_cell/]kernel:0
        if parts and _CELL.fullmatch(parts[-1]):
            parts = parts[:-1]
        direction = _DIRECTIONS.get(parts[-1].split("_")[0]) if len(parts) > 1 else None
        parts = parts if direction is None else parts[:-1]
        return _Place(parts[-1], direction or 0, kind) if parts else None
    if not last.isdecimal() or len(last) > 3 or parts[-2:] != ["cell", "vars"]:
        return None
    direction = _DIRECTIONS.get(parts[-3].removesuffix("_layer")) if len(parts) > 3 else None  # …/<layer>/cell/vars/0
    return _Place("/".join(parts[: -2 if direction is None else -3]), direction or 0, int(last))


def _lstms(content: Hdf5, config: Config) -> list[FoundLstm]:
    cells: dict[str, dict[int, dict[int, Tensor]]] = {}  # layer → direction → kind → its matrix
    for path, tensor in content.arrays.items():
        place = _place(path)
        if place is None:
            continue
        cell = cells.setdefault(place.layer, {}).setdefault(place.direction, {})
        if place.kind in cell:
            raise PlaygroundError(
                f"its {quoted(place.layer)} stacks several cells in one layer: build it of one keras.layers.LSTM after "
                "the other."
            )
        cell[place.kind] = tensor
    recurrent = {
        layer: directions for layer, directions in cells.items() if any(1 in cell for cell in directions.values())
    }
    names = {layer: content.names.get(f"{layer}/vars") or layer.rpartition("/")[2] for layer in recurrent}
    config.check(recurrent)
    found = [layer for layer in recurrent if not _is_other(recurrent[layer])]
    if not found:
        seen = (
            f"its {quoted(names[next(iter(recurrent))])} has the weights of another cell"
            if recurrent
            else "no layer of one cell"
        )
        raise PlaygroundError(f"it holds no LSTM ({seen}): choose a model with a layer keras.layers.LSTM.")
    linears = _linears(content, config)
    order = sorted(found, key=lambda layer: (config.order(layer), natural(layer)))
    doubles = {name for name in names.values() if list(names.values()).count(name) > 1}
    return [
        FoundLstm(
            layer if names[layer] in doubles else names[layer],
            _parameters(recurrent[layer], layer, config),
            config.notes(layer) if config.knows(layer) else (NO_CONFIG,),
            linears,
        )
        for layer in order
    ]


def _is_other(directions: dict[int, dict[int, Tensor]]) -> bool:
    """Whether the recurrent kernel is that of a GRU or a SimpleRNN."""
    kernel = next((cell[1] for cell in directions.values() if 1 in cell), None)
    return kernel is not None and kernel.dim() == 2 and kernel.shape[1] in (3 * len(kernel), len(kernel))


def _parameters(directions: dict[int, dict[int, Tensor]], layer: str, config: Config) -> dict[str, Tensor]:
    """By nn.LSTM's names; what is missing is found out by weights.built."""
    *above, own = layer.split("/")
    if above[-1:] == ["layers"] and not _LAYERS.fullmatch(own):
        raise PlaygroundError(f"its {quoted(own)} is a custom layer, which may compute anything: import a plain LSTM.")
    parameters = {}
    for direction, cell in directions.items():
        if max(cell) > 2:
            raise PlaygroundError(
                f"{quoted(layer)} has more weights than an LSTM (peepholes, or a custom cell): import a plain LSTM."
            )
        names = list(parameter_names(0, direction))
        for kind, tensor in cell.items():
            parameters[names[kind]] = tensor.T if kind < 2 else tensor
        if 2 in cell:
            parameters[names[3]] = cell[2].new_zeros(cell[2].shape)
    return parameters


def _linears(content: Hdf5, config: Config) -> list[FoundLinear]:
    """The dense layers whose output, before a softmax or a sigmoid, is linear."""
    found = []
    for path, tensor in sorted(content.arrays.items(), key=lambda item: natural(item[0])):
        layer, _, last = path.rpartition("/")
        newer = last == "0" and layer.endswith("/vars") and not layer.endswith("cell/vars")
        legacy = last.split(":")[0] == "kernel" and f"{layer}/recurrent_{last}" not in content.arrays
        bias = content.arrays.get(f"{layer}/1" if newer else f"{layer}/{last.replace('kernel', 'bias')}")
        owner = layer.removesuffix("/vars") if newer else layer.removeprefix("model_weights/").split("/")[0]
        if (newer or legacy) and tensor.dim() == 2 and config.is_linear(owner):
            found.append(FoundLinear(owner, tensor.T, bias))
    return found
