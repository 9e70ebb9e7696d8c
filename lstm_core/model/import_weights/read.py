"""Which kind of file this is, told by its bytes, and who reads it."""

from __future__ import annotations

from pathlib import PurePath

from torch import nn

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights import keras, onnx_graph, state_dict
from lstm_core.model.import_weights.hdf5 import HDF5
from lstm_core.model.import_weights.weights import MAX_BYTES, FoundLstm, ImportedLstm, built, quoted

PICKLE_SUFFIXES = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".bin")
_ZIP, _PICKLE, _ONNX = b"PK\x03\x04", b"\x80", b"\x08"  # an ONNX file begins with its ir_version, field 1


def read_lstms(data: bytes, name: str) -> dict[str, nn.LSTM]:
    """Every LSTM of a file as nn.LSTM, float32, batch_first, in eval mode, by its name in the file.

    data: the bytes of a safetensors state_dict, of a .keras, .weights.h5 or .h5 file of Keras, or of an ONNX model.
    name: of the file, for the sentences. Layers that Keras and ONNX stack are entries of their own; those of one
    nn.LSTM stay together. Gates: PyTorch and Keras have the blocks i, f, g, o (Keras calls g "c"), ONNX i, o, f, g;
    Keras has one bias, which becomes bias_ih.

    Raises:
        PlaygroundError: the file is a pickle or of no known kind, damaged or too large, needs a package that is not
            installed, holds no LSTM, or one that nn.LSTM cannot repeat exactly.
    """
    return {one.name: one.lstm for one in import_lstms(data, name)}


def import_lstms(data: bytes, name: str) -> list[ImportedLstm]:
    """The same with the linear layer after it, if there is a single one that fits, and what should be known.

    Raises:
        PlaygroundError: as read_lstms.
    """
    try:
        return built(_found(data, PurePath(name).suffix.lower()))
    except PlaygroundError as error:
        raise PlaygroundError(f"The weights in {quoted(name)} cannot be used: {error}") from None


def _found(data: bytes, suffix: str) -> list[FoundLstm]:
    if len(data) > MAX_BYTES:
        raise PlaygroundError(f"the file is larger than {MAX_BYTES >> 20} MB: save the LSTM's weights alone.")
    if data[:4] == _ZIP:
        return keras.read_archive(data)
    if data[:8] == HDF5:
        return keras.read_keras_hdf5(data)
    if data[8:9] == b"{":
        return state_dict.read_safetensors(data)
    if data[:1] == _PICKLE or suffix in PICKLE_SUFFIXES:
        raise PlaygroundError(keras.PICKLED)
    if data[:1] == _ONNX or suffix == ".onnx":
        return onnx_graph.read_onnx(data)
    raise PlaygroundError(
        "it is neither a safetensors nor a Keras nor an ONNX file, or its beginning is damaged: save the weights "
        "again in one of these formats."
    )
