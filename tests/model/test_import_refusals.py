"""Files that are damaged, hostile or of another kind: each is refused with one sentence, in bounded time and memory."""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import event, given
from hypothesis import strategies as st
from torch import nn

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights import hdf5, read_lstms
from lstm_core.model.import_weights.protobuf import MAX_FIELDS
from tests.conftest import examples

FOLDER = Path(__file__).parents[1] / "fixtures/imported"
h5py = pytest.importorskip("h5py", reason="h5py is not installed (requirements-extras.txt)")
onnx = pytest.importorskip("onnx", reason="onnx is not installed (requirements-extras.txt)")
MAX_OBJECTS = pytest.importorskip("lstm_core.model.import_weights.hdf5_process").MAX_OBJECTS
pytestmark = pytest.mark.extra


def state(**changes: torch.Tensor | None) -> bytes:
    """The state_dict of an nn.LSTM with some tensors replaced, or left out."""
    tensors = nn.LSTM(2, 3).state_dict() | changes
    return safetensors.torch.save({name: tensor for name, tensor in tensors.items() if tensor is not None})


def header(text: str, size: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if size is None else size) + text.encode() + b"\0" * 8


def torch_file() -> bytes:
    file = io.BytesIO()
    torch.save(nn.LSTM(2, 3).state_dict(), file)
    return file.getvalue()


def node(inputs=("X", "W", "R", "B"), tensors: dict | None = None, **attributes) -> bytes:
    """An ONNX file of one LSTM node."""
    values = {"W": np.ones((1, 8, 3)), "R": np.ones((1, 8, 2)), "B": np.ones((1, 16)), "P": np.ones((1, 6))}
    values = {name: np.asarray(value, np.float32) for name, value in (values | (tensors or {})).items()}
    parts = [onnx.numpy_helper.from_array(value, name) for name, value in values.items()]
    lstm = onnx.helper.make_node("LSTM", inputs, ["Y"], "reader", hidden_size=2, **attributes)
    return onnx.helper.make_model(onnx.helper.make_graph([lstm], "g", [], [], parts)).SerializeToString()


def external() -> bytes:
    model = onnx.load_model_from_string(node())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return model.SerializeToString()


def keras(alter: Callable[[dict], None] | None = None, weights: bytes | None = None) -> bytes:
    """stack.keras with its config or its weights altered."""
    with zipfile.ZipFile(FOLDER / "stack.keras") as archive:
        config, kept = json.loads(archive.read("config.json")), archive.read("model.weights.h5")
    if alter:
        alter(config)
    return archive_of({"config.json": json.dumps(config).encode(), "model.weights.h5": weights or kept})


def archive_of(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def resized(archive: bytes, size: int, told: int) -> bytes:
    """An archive that says another size of the file of this size."""
    assert archive.count(struct.pack("<I", size)) == 2
    return archive.replace(struct.pack("<I", size), struct.pack("<I", told))


def second_layer(**settings) -> bytes:
    return keras(lambda config: config["config"]["layers"][2]["config"].update(settings))


def make_custom(config: dict) -> None:
    config["config"]["layers"][2] |= {"module": "mine", "class_name": "Peepholes", "registered_name": "Mine>Peepholes"}


def hdf5_file(build: Callable[[object, object], None]) -> bytes:
    """An HDF5 file with the weights of a good LSTM, then altered: build(file, group of its weights)."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        weights = root.create_group("layers/lstm/cell/vars")
        for name, shape in {"0": (3, 8), "1": (2, 8), "2": (8,)}.items():
            weights[name] = np.ones(shape, np.float32)
        build(root, weights)
    return file.getvalue()


def replaced(name: str, **create) -> Callable[[object, object], None]:
    def build(_root, weights) -> None:
        del weights[name]
        weights.create_dataset(name, **create)

    return build


def external_storage(_root, weights) -> None:
    del weights["0"]
    weights.create_dataset("0", (3, 8), "f4", external=[("/etc/passwd", 0, 96)])


def virtual(_root, weights) -> None:
    del weights["0"]
    layout = h5py.VirtualLayout((3, 8), "f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "secret", (3, 8))
    weights.create_virtual_dataset("0", layout)


def linked(link: object) -> Callable[[object, object], None]:
    def build(_root, weights) -> None:
        del weights["0"]
        weights["0"] = link

    return build


def circle(root, _weights) -> None:
    root["layers/again"] = root["layers"]


def doubling(root, _weights) -> None:
    """Each group holds the next one twice: 2²² ways through."""
    below = root.create_group("end")
    for k in range(20):
        group = root.create_group(f"g{k}")
        group["a"], group["b"] = below, below
        below = group


def never_written(_root, weights) -> None:
    """A data set of 8 GB that takes no room in the file."""
    del weights["0"]
    space = h5py.h5s.create_simple((1 << 15, 1 << 16))
    h5py.h5d.create(weights.id, b"0", h5py.h5t.NATIVE_FLOAT, space)


def two_cells(root, _weights) -> None:
    """As the older files have keras.layers.RNN([LSTMCell(2), LSTMCell(2)])."""
    for cell in ("lstm_cell", "lstm_cell_1"):
        for name, shape in {"kernel": (3, 8), "recurrent_kernel": (2, 8), "bias": (8,)}.items():
            root[f"rnn/stack/{cell}/{name}"] = np.ones(shape, np.float32)


NAN = torch.full((12, 2), torch.nan)
BOMB = resized(archive_of({"config.json": b"{}", "model.weights.h5": bytes(54_321)}), 54_321, 300 << 20)
LIAR = resized(archive_of({"config.json": b"{}", "model.weights.h5": bytes(54_321)}), 54_321, 99)
MANY_FILES = archive_of({"a.pkl": b""}) + b"PK\x01\x02" * 5000
NODES = b"\x08\x08\x3a" + b"\x80\x92\xf4\x01" + b"\x0a\x00" * 2_000_000  # a graph of two million empty nodes

HOSTILE = {  # what → (bytes, file's name, words of the sentence)
    "nothing": (b"", "a.safetensors", "neither a safetensors nor"),
    "text": (b"hello, world, hello", "a.onnx", "damaged as an ONNX"),
    "pickle": (pickle.dumps({"weight_ih_l0": [1.0]}), "weights.h5", "a pickle.*safetensors.torch.save_file"),
    "torch.save": (torch_file(), "model.pt", "a pickle"),
    "old pickle by its name": (b"cos\nsystem\n", "model.pth", "a pickle"),
    "header too long": (header("{}", 1 << 40), "a", "header is longer"),
    "header not JSON": (header("{nonsense"), "a", "damaged"),
    "tensor outside": (header('{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'), "a", "damaged"),
    "huge shape": (header('{"a":{"dtype":"F32","shape":[1099511627776,9],"data_offsets":[0,8]}}'), "a", "damaged"),
    "cut off": (state()[:-40], "a", "damaged"),
    "no LSTM": (safetensors.torch.save(nn.Linear(2, 3).state_dict()), "a", "none of its 2 tensors"),
    "a GRU": (safetensors.torch.save(nn.GRU(2, 3).state_dict()), "a", "an nn.GRU"),
    "missing matrix": (state(weight_hh_l0=None), "a", "weight_hh_l0 of 'lstm' is missing"),
    "missing bias": (state(bias_hh_l0=None), "a", "bias_hh_l0 of 'lstm' is missing"),
    "wrong shape": (state(bias_ih_l0=torch.ones(11)), "a", "bias_ih_l0 of 'lstm' is 11 and would have to be 12"),
    "not four blocks": (state(weight_ih_l0=torch.ones(10, 2)), "a", "10 rows"),
    "no matrix": (state(weight_ih_l0=torch.ones(12)), "a", "no matrices"),
    "empty": (state(weight_ih_l0=torch.ones(12, 0)), "a", "no matrices"),
    "NaN": (state(weight_ih_l0=NAN), "a", "NaN or infinite"),
    "too large for float32": (state(weight_ih_l0=torch.full((12, 2), 1e300, dtype=torch.float64)), "a", "infinite"),
    "whole numbers": (state(weight_ih_l0=torch.ones(12, 2, dtype=torch.int8)), "a", "quantisation"),
    "absurd layers": (state(weight_ih_l99999=torch.ones(12, 3)), "a", "100,000 layers"),
    "projection that is none": (state(weight_hr_l0=torch.ones(3, 3)), "a", "not to fewer"),
    "zip bomb": (BOMB, "a.keras", "314,572,800 bytes when unpacked"),
    "zip that lies": (LIAR, "a.keras", "damaged as a zip"),
    "zip of many files": (MANY_FILES, "a.keras", "more than 4,096 files"),
    "zip of something": (archive_of({"readme.txt": b"hi"}), "a.keras", "lacks config.json"),
    "zip cut off": (keras()[:-30], "a.keras", "damaged as a zip"),
    "config not JSON": (archive_of({"config.json": b"[" * 90000, "model.weights.h5": b""}), "a.keras", "damaged"),
    "weights not HDF5": (keras(weights=b"\x80pickle"), "a.keras", "model.weights.h5 in it is damaged"),
    "relu": (second_layer(activation="relu"), "a.keras", "has activation 'relu'"),
    "own activation": (second_layer(recurrent_activation={"config": "mine"}), "a.keras", "activation 'mine'"),
    "go_backwards": (second_layer(go_backwards=True), "a.keras", "reads its input backwards"),
    "custom layer": (keras(make_custom), "a.keras", "'lstm_1' is a custom one"),
    "fewer weights": (keras(weights=hdf5_file(lambda *_: None)), "a.keras", "'bidirectional' are missing"),
    "external storage": (hdf5_file(external_storage), "a.h5", "lies in another file, which is never opened"),
    "virtual data set": (hdf5_file(virtual), "a.h5", "lies in another file, which is never opened"),
    "external link": (hdf5_file(linked(h5py.ExternalLink("/etc/other.h5", "/x"))), "a.h5", "a link to somewhere else"),
    "soft link": (hdf5_file(linked(h5py.SoftLink("/layers/lstm/cell/vars/1"))), "a.h5", "a link to somewhere else"),
    "circle of groups": (hdf5_file(circle), "a.h5", "without end"),
    "doubling groups": (hdf5_file(doubling), "a.h5", f"more than {MAX_OBJECTS:,} parts"),
    "compressed": (hdf5_file(replaced("0", data=np.ones((3, 8), "f4"), compression="gzip")), "a.h5", "compressed"),
    "never written": (hdf5_file(never_written), "a.h5", "larger than what the file holds"),
    "texts": (hdf5_file(replaced("0", data=[b"a", b"b"])), "a.h5", "no floating-point"),
    "peepholes of Keras": (
        hdf5_file(lambda _, weights: weights.create_dataset("3", data=np.ones(2))),
        "a.h5",
        "peepholes",
    ),
    "custom cell": (
        hdf5_file(lambda root, _: root.move("layers/lstm", "layers/my_lstm")),
        "a.h5",
        "'my_lstm' is a custom",
    ),
    "stacked cells": (hdf5_file(two_cells), "a.h5", "'stack' stacks several cells in one layer"),
    "GRU of Keras": (hdf5_file(replaced("1", data=np.ones((2, 6), "f4"))), "a.h5", "no LSTM"),
    "HDF5 cut off": ((FOLDER / "legacy.h5").read_bytes()[:9000], "a.h5", "damaged as an HDF5"),
    "peepholes": (node(("X", "W", "R", "B", "", "", "", "P")), "a.onnx", "has peepholes"),
    "clip": (node(clip=3.0), "a.onnx", "clips its gates"),
    "activations": (node(activations=["Sigmoid", "Relu", "Tanh"]), "a.onnx", "other activations"),
    "input_forget": (node(input_forget=1), "a.onnx", "couples its input and forget gates"),
    "no direction": (node(direction="sideways"), "a.onnx", "direction"),
    "computed weights": (node(("X", "V", "R", "B")), "a.onnx", "W of 'reader' are computed"),
    "wrong W": (node(tensors={"W": np.ones((2, 8, 3))}), "a.onnx", "not those of an LSTM"),
    "external data": (external(), "a.onnx", "external data"),
    "ONNX cut off": (node()[:-9], "a.onnx", "damaged as an ONNX"),
    "ONNX of nodes": (NODES, "a.onnx", f"more than {MAX_FIELDS:,} parts"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_it_is_refused_with_one_sentence(what):
    data, name, words = HOSTILE[what]
    with pytest.raises(PlaygroundError, match=words) as caught:
        read_lstms(data, name)
    sentence = str(caught.value)
    assert sentence.startswith(f"The weights in {name!r} cannot be used: ")
    assert sentence.endswith((".", ").")) and "\n" not in sentence and len(sentence) < 400


GREEDY = (  # what asks for far more time or memory than its bytes
    "header too long",
    "huge shape",
    "absurd layers",
    "zip bomb",
    "zip that lies",
    "zip of many files",
    "config not JSON",
    "doubling groups",
    "never written",
    "ONNX of nodes",
)
LIMITED = """
import resource, sys, torch
from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights import read_lstms
read = {name: open(name, "rb").read() for name in sys.argv[1:]}
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20), resource.RLIM_INFINITY))
resource.setrlimit(resource.RLIMIT_CPU, (40, 40))
for name, data in read.items():
    try:
        read_lstms(data, name)
    except PlaygroundError as error:
        print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limits are those of Linux")
def test_greedy_files_take_little_time_and_memory(tmp_path):
    """All of them in one process that may use 40 seconds of the processor and 300 MB more than it begins with."""
    files = []
    for k, what in enumerate(GREEDY):
        data, name, _ = HOSTILE[what]
        files.append(tmp_path / f"{k}{Path(name).suffix}")
        files[-1].write_bytes(data)
    command = [sys.executable, "-c", LIMITED, *map(str, files)]
    done = subprocess.run(command, cwd=FOLDER.parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.count("cannot be used") == len(GREEDY), done.stderr


@pytest.mark.parametrize(("name", "at", "byte"), [("encoder.weights.h5", 2136, 0), ("legacy.h5", 1009, 255)])
def test_a_byte_on_which_the_library_loops_or_crashes_ends_a_process_of_its_own(name, at, byte, monkeypatch):
    monkeypatch.setattr(hdf5, "SECONDS", 1)
    data = bytearray((FOLDER / name).read_bytes())
    data[at] = byte
    with pytest.raises(PlaygroundError, match="did not come to an end"):
        read_lstms(bytes(data), name)


def test_a_file_larger_than_the_limit_is_not_looked_into(monkeypatch):
    monkeypatch.setattr("lstm_core.model.import_weights.read.MAX_BYTES", 100)
    with pytest.raises(PlaygroundError, match="larger than"):
        read_lstms(state(), "a.safetensors")


FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".keras", ".h5", ".onnx", ".safetensors"})


@examples(60)
@given(st.sampled_from(FILES), st.data())
def test_a_damaged_file_is_read_or_refused_but_nothing_else(path, data):
    """A few bytes overwritten, then cut off anywhere."""
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hdf5, "SECONDS", 1)
            found = read_lstms(bytes(content[:cut]), path.name)
    except PlaygroundError:
        event("refused")
    else:
        event("read")
        assert all(parameter.isfinite().all() for lstm in found.values() for parameter in lstm.parameters())
