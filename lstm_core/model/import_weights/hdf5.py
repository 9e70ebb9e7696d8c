"""The data sets of an HDF5 file, read in a process of its own.

HDF5's library was written for files of one's own: a few bytes altered by chance make it loop for ever or end its
process. So it never runs in the app's: hdf5_process.py runs it, with little time and memory.
"""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lstm_core.experiment import PlaygroundError
from lstm_core.model.onnx import INSTALL

HDF5 = b"\x89HDF\r\n\x1a\n"
SECONDS = 10  # of the processor: 200 MB take one
MAX_WAIT = 60  # seconds
NEEDS_H5PY = f"reading a Keras file needs the package h5py, which is not installed: run {INSTALL}, or pip install h5py."
DAMAGED = "it is damaged as an HDF5 file, and reading it did not come to an end: download or save it again."
_PROCESS = Path(__file__).with_name("hdf5_process.py")


@dataclass(frozen=True)
class Hdf5:
    """What was read: arrays by path, such as "layers/lstm/cell/vars/0"; names: of the groups called vars; config: the
    JSON of a model, if it is there."""

    arrays: dict[str, Tensor]
    names: dict[str, str]
    config: str | None


def read_hdf5(data: bytes) -> Hdf5:
    """All floating-point data sets of a file but those of an optimiser.

    Raises:
        PlaygroundError: h5py is not installed; the file is damaged, too large, refers to other files or holds
            something else.
    """
    if importlib.util.find_spec("h5py") is None:
        raise PlaygroundError(NEEDS_H5PY)
    command = [sys.executable, "-I", str(_PROCESS), str(SECONDS)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=MAX_WAIT, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise PlaygroundError(DAMAGED) from None
    size = 8 + int.from_bytes(done.stdout[:8], "little")
    about, at = json.loads(done.stdout[8:size]), size
    if "refused" in about:
        raise PlaygroundError(about["refused"])
    arrays = {}
    for path, kind, shape in about["arrays"]:
        values = np.frombuffer(done.stdout, kind, math.prod(shape), at)
        arrays[path] = torch.from_numpy(values.astype(values.dtype.newbyteorder("="), copy=True).reshape(shape))
        at += values.nbytes
    return Hdf5(arrays, about["names"], about["config"])
