"""Weights from elsewhere: files of other programs give what those programs computed (tests/fixtures/imported)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights import import_lstms, read_lstms
from lstm_core.model.import_weights.onnx_graph import REVERSED
from lstm_core.trace import trace_lstm
from tests.conftest import examples
from tests.factories import saved, some

pytestmark = pytest.mark.extra  # some files alone, which are left out without their package
FOLDER = Path(__file__).parents[1] / "fixtures/imported"
PAIRS = json.loads((FOLDER / "pairs.json").read_text(encoding="utf-8"))
NEEDS = {".keras": "h5py", ".h5": "h5py"}
SHAPES = {  # file → of each of its LSTMs: name, input_size, hidden_size, num_layers, directions, bias
    "stack.keras": [("bidirectional", 3, 4, 1, 2, True), ("lstm_1", 8, 3, 1, 1, False), ("lstm_2", 3, 2, 1, 1, True)],
    "encoder.weights.h5": [("encoder", 3, 5, 1, 1, True)],
    "legacy.h5": [("both", 3, 3, 1, 2, True)],
    "torch.onnx": [("node_LSTM_65", 3, 4, 1, 1, True), ("node_LSTM_126", 4, 4, 1, 1, True)],
    "helper.onnx": [("reader", 3, 4, 1, 2, True)],
    "projected.safetensors": [("rnn", 3, 5, 2, 2, True)],
}


def read(name: str) -> bytes:
    if Path(name).suffix in NEEDS:
        pytest.importorskip(NEEDS[Path(name).suffix], reason="requirements-extras.txt")
    return (FOLDER / name).read_bytes()


def last_step(lstm: nn.LSTM, x: torch.Tensor) -> torch.Tensor:
    """What Keras and PyTorch read at the end of a layer: of the reverse direction its own last step."""
    return lstm(x)[1][0].transpose(0, 1).flatten(1)


@pytest.mark.parametrize("name", SHAPES)
def test_a_file_of_another_program_gives_what_that_program_computed(name):
    imported = import_lstms(read(name), name)
    x, y = (torch.tensor(PAIRS[name][key]) for key in ("x", "y"))
    with torch.no_grad():
        for one in imported[:-1]:
            x = one.lstm(x)[0]
        last = imported[-1]
        if name == "helper.onnx":  # Y itself: (seq_len, directions, batch, units)
            assert last.head is None and last.notes == (REVERSED,)
            given = last.lstm(x)[0]
            assert not given[..., :4].any()
            given = given[..., 4:].transpose(0, 1).unsqueeze(1)
        elif name == "projected.safetensors":
            given = last.head(last.lstm(x)[0][:, -1])
        else:
            given = last.head(last_step(last.lstm, x))
    assert given.shape == y.shape
    assert (given - y).abs().max() < 1e-6


@pytest.mark.parametrize("name", SHAPES)
def test_its_lstms_have_the_sizes_of_the_original_and_can_be_traced(name):
    found = read_lstms(read(name), name)
    assert [
        (key, m.input_size, m.hidden_size, m.num_layers, 1 + m.bidirectional, m.bias) for key, m in found.items()
    ] == SHAPES[name]
    for lstm in found.values():
        assert lstm.batch_first and not lstm.training
        assert trace_lstm(lstm, some(2, 4, lstm.input_size)).max_difference < 1e-6


@examples(20)
@given(
    st.fixed_dictionaries(
        {
            "input_size": st.integers(1, 4),
            "hidden_size": st.integers(2, 5),
            "num_layers": st.integers(1, 3),
            "bias": st.booleans(),
            "bidirectional": st.booleans(),
            "proj_size": st.integers(0, 1),
        }
    ),
    st.sampled_from(["", "lstm.", "model.encoder.rnn."]),
    st.sampled_from([torch.float32, torch.float64, torch.float16, torch.bfloat16]),
)
def test_every_nn_lstm_comes_back_from_its_state_dict(sizes, prefix, dtype):
    lstm = nn.LSTM(**sizes).to(dtype)
    data = safetensors.torch.save({f"{prefix}{name}": tensor for name, tensor in lstm.state_dict().items()})
    found = read_lstms(data, "weights.safetensors")
    assert list(found) == [prefix.rstrip(".") or "lstm"]
    (read_back,) = found.values()
    assert {name: getattr(read_back, name) for name in sizes} == sizes
    for name, parameter in lstm.named_parameters():
        assert torch.equal(parameter.float(), getattr(read_back, name))


def test_an_lstm_cell_and_an_lstm_among_other_modules_are_found():
    modules = nn.ModuleDict(
        {
            "cell": nn.LSTMCell(3, 4),
            "rnn": nn.RNN(3, 4),
            "gru": nn.GRU(3, 4),
            "lstm10": nn.LSTM(2, 3),
            "lstm2": nn.LSTM(2, 5),
            "embedding": nn.Embedding(7, 3),
            "out": nn.Linear(5, 2),
            "one": nn.Linear(4, 1),
            "other": nn.Linear(4, 1),
        }
    )
    found = import_lstms(safetensors.torch.save(modules.state_dict()), "a.safetensors")
    assert [one.name for one in found] == ["cell", "lstm2", "lstm10"]
    assert torch.equal(found[0].lstm.weight_hh_l0, modules["cell"].weight_hh)
    assert torch.equal(found[1].head.weight, modules["out"].weight)
    assert found[0].head is None and found[2].head is None  # two that fit; an embedding is none


def test_a_file_that_this_app_saved_is_read_without_what_resumes_its_training():
    data = saved(3)
    (one,) = import_lstms(data, "model.safetensors")
    assert (one.name, one.lstm.hidden_size, one.head.out_features) == ("lstm", 6, 1)


def test_what_was_read_is_the_callers_own_memory():
    lstm = nn.LSTM(2, 3)
    data = safetensors.torch.save(lstm.state_dict())
    first, second = (read_lstms(data, "a")["lstm"] for _ in range(2))
    with torch.no_grad():
        first.weight_ih_l0.zero_()
    assert torch.equal(second.weight_ih_l0, lstm.weight_ih_l0)


def test_without_h5py_one_sentence_tells_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(PlaygroundError, match=r"h5py, which is not installed: run .*requirements-extras\.txt"):
        read_lstms((FOLDER / "legacy.h5").read_bytes(), "legacy.h5")


def test_an_onnx_file_needs_no_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert list(read_lstms(read("helper.onnx"), "helper.onnx")) == ["reader"]


def test_an_lstm_of_half_precision_or_of_numbers_that_are_not_packed_is_read_from_onnx():
    onnx = pytest.importorskip("onnx", reason="requirements-extras.txt")
    rng = np.random.default_rng(0)
    shapes = {"W": (1, 8, 3), "R": (1, 8, 2), "B": (1, 16)}
    values = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    for dtype in (np.float32, np.float16, np.float64):
        tensors = [onnx.numpy_helper.from_array(value.astype(dtype), name) for name, value in values.items()]
        if dtype != np.float16:  # as lists of numbers, not as bytes
            kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
            tensors = [onnx.helper.make_tensor(n, kind, v.shape, v.ravel().tolist()) for n, v in values.items()]
        node = onnx.helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y"], hidden_size=2)
        model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], [], tensors))
        lstm = read_lstms(model.SerializeToString(), "a.onnx")["Y"]
        blocks = values["W"].reshape(4, 2, 3)[[0, 2, 3, 1]].reshape(8, 3)
        assert np.allclose(lstm.weight_ih_l0.detach().numpy(), blocks, atol=0 if dtype != np.float16 else 2e-3)
        assert np.allclose(lstm.bias_hh_l0.detach()[:2].numpy(), values["B"][0, 8:10], atol=2e-3)
