"""A model file that is damaged, forged or not one of ours is refused in one sentence, before anything is built."""

from __future__ import annotations

import hashlib
import io
import json
import math
import pickle
import resource
import struct

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import PlaygroundError
from lstm_core.model import devices
from lstm_core.training import checkpoint
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer
from tests.conftest import examples
from tests.factories import refused, saved, wave

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast")

GOOD = saved(5)
HEADER = int.from_bytes(GOOD[:8], "little")


def forged(about=None, tensors=None, header=None) -> bytes:
    """The good file with changes that a forger would make: the digest is right again."""
    size = int.from_bytes(GOOD[:8], "little")
    statement = json.loads(json.loads(GOOD[8 : 8 + size])["__metadata__"]["playground"])
    checkpoint = safetensors.torch.load(GOOD)
    if tensors:
        tensors(checkpoint)
    body = safetensors.torch.save(checkpoint)
    end = 8 + int.from_bytes(body[:8], "little")
    top, rest = json.loads(body[8:end]), body[end:]
    statement["sha256"] = hashlib.sha256(rest).hexdigest()
    statement = (about(statement) or statement) if about else statement
    top["__metadata__"] = {"playground": json.dumps(statement)}
    top = (header(top) or top) if header else top
    text = json.dumps(top).encode()
    return struct.pack("<Q", len(text)) + text + rest


def put(part: str, *path, value):
    """A change of one place in the JSON."""

    def change(statement: dict) -> None:
        location = statement
        for key in (part, *path)[:-1]:
            location = location[key]
        location[(part, *path)[-1]] = value

    return change


def test_the_forger_can_forge():
    assert load_checkpoint(forged()).progress == load_checkpoint(GOOD).progress


HUGE = 10**400


PLACES = {
    "format": (put("format", value="lstm-playground-0"), "not of the format lstm-playground-1"),
    "no object": (lambda statement: [statement], "not of the format"),
    "no experiment": (put("experiment", value=None), "experiment must be a JSON object"),
    "unknown field": (put("experiment", "model", "evil", value=1), "unknown fields: 'evil'"),
    "hidden_size": (put("experiment", "model", "hidden_size", value=7), "weight_ih_l0 should be F32 of shape"),
    "huge hidden_size": (put("experiment", "model", "hidden_size", value=16_384), "should be F32 of shape (65536, 1)"),
    "huger hidden_size": (put("experiment", "model", "hidden_size", value=10**12), "choose a whole number"),
    "num_layers": (put("experiment", "model", "num_layers", value=2), "the tensor weight_ih_l1 is missing"),
    "bias": (put("experiment", "model", "bias", value=False), "that does not belong there"),
    "optimizer": (put("experiment", "train", "optimizer", value="SGD"), "momentum_buffer/lstm.weight_ih_l0 is missing"),
    "input_size": (put("input_size", value=2), "scaler does not fit its input_size"),
    "input_size -1": (put("input_size", value=-1), "not a sensible number"),
    "input_size true": (put("input_size", value=True), "not a sensible number"),
    "input_size huge": (put("input_size", value=10**12), "not a sensible number"),
    "huge whole number": (put("input_size", value=HUGE), "not a safetensors file that this app wrote"),
    "output_size": (put("output_size", value=2), "head.weight should be F32 of shape (2, 6)"),
    "classes": (put("classes", value=["a", "b"]), "classes do not fit its output_size"),
    "classes 3": (put("classes", value=3), "list of classes is damaged"),
    "classes [3]": (put("classes", value=[3]), "list of classes is damaged"),
    "scaler": (put("scaler", value=[]), "scaler is damaged"),
    "scaler NaN": (put("scaler", "x_center", value=[float("nan")]), "scaler is damaged"),
    "scaler 0": (put("scaler", "x_scale", value=[0.0]), "scaler is damaged"),
    "scaler 1e300": (put("scaler", "x_scale", value=[1e300]), "scaler is damaged"),
    "scaler text": (put("scaler", "x_scale", value=["1"]), "scaler is damaged"),
    "scaler size": (put("scaler", "y_center", value=[0.0, 0.0]), "scaler does not fit its targets"),
    "scaler huge": (put("scaler", "y_center", value=[HUGE]), "not a safetensors file that this app wrote"),
    "curves": (put("curves", value=[]), "curves are damaged"),
    "curves uneven": (put("curves", "train_loss", value=[[1], []]), "curves are damaged"),
    "curves text": (put("curves", "train_loss", value=[["1"], [2]]), "curves are damaged"),
    "progress": (put("progress", value={}), "record of progress is damaged"),
    "progress step": (put("progress", "step", value=-1), "record of progress is damaged"),
    "progress text": (put("progress", "epoch_loss", value="0"), "record of progress is damaged"),
    "digest": (put("sha256", value="0" * 64), "weights are damaged (the SHA-256 differs)"),
    "no digest": (put("sha256", value=None), "weights are damaged (the SHA-256 differs)"),
}


@pytest.mark.parametrize("location", PLACES)
def test_a_false_statement_is_refused(location):
    change, says = PLACES[location]
    assert says in refused(forged(change))


def fill(name: str, value: float):
    return lambda tensors: tensors[name].fill_(value)


def drop(name: str):
    return lambda tensors: tensors.pop(name)


def add(name: str, value: torch.Tensor):
    return lambda tensors: tensors.__setitem__(name, value)


TENSORS = {
    "no weight": (drop("weight_hh_l0"), "the tensor weight_hh_l0 is missing"),
    "no head": (drop("head.bias"), "the tensor head.bias is missing"),
    "no order": (drop("state/order"), "the tensor state/order is missing"),
    "no best": (drop("state/best/lstm.bias_ih_l0"), "the tensor state/best/lstm.bias_ih_l0 is missing"),
    "half an optimiser": (drop("state/optimizer/exp_avg_sq/head.bias"), "exp_avg_sq/head.bias is missing"),
    "no step": (drop("state/optimizer/step"), "the tensor state/optimizer/step is missing"),
    "one more": (add("weight_ih_l1", torch.zeros(3)), "it holds a tensor 'weight_ih_l1' that does not belong there"),
    "a long name": (add("x" * 5000, torch.zeros(3)), "that does not belong there"),
    "more state": (add("state/optimizer/step/x", torch.zeros(3)), "that does not belong there"),
    "other shape": (add("bias_ih_l0", torch.zeros(4, 6)), "bias_ih_l0 should be F32 of shape (24,)"),
    "other type": (add("bias_ih_l0", torch.zeros(24, dtype=torch.float64)), "bias_ih_l0 should be F32"),
    "whole numbers": (add("state/optimizer/exp_avg/head.bias", torch.zeros(1, dtype=torch.int64)), "should be F32"),
    "NaN": (fill("weight_hh_l0", float("nan")), "some of its weights are NaN or infinite"),
    "infinite": (fill("head.bias", float("inf")), "some of its weights are NaN or infinite"),
    "NaN kept as best": (fill("state/best/head.bias", float("nan")), "some of its weights are NaN or infinite"),
}


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_are_not_the_models_are_refused(case):
    change, says = TENSORS[case]
    assert says in refused(forged(tensors=change))


@pytest.mark.parametrize("name", ["state/order", "state/dropout"])
def test_a_state_that_no_generator_takes_is_refused_before_anything_is_trained(name):
    checkpoint = load_checkpoint(forged(tensors=fill(name, 255)))
    with pytest.raises(PlaygroundError, match="state of the random numbers is damaged"):
        resume_trainer(checkpoint, wave())


@pytest.mark.parametrize(
    "entry", [3, None, {}, {"dtype": "F32", "shape": [1], "data_offsets": [0, 10**15]}, {"dtype": "F32", "shape": [1]}]
)
def test_a_header_entry_that_lies_is_refused(entry):
    refused(forged(header=put("head.bias", value=entry)))


@pytest.mark.parametrize(
    "metadata", [None, 3, {}, {"playground": 3}, {"playground": "{"}, {"playground": "[" * 10_000}, {"playground": "3"}]
)
def test_metadata_that_is_not_ours_is_refused(metadata):
    refused(forged(header=put("__metadata__", value=metadata)))


@pytest.mark.parametrize("depth", range(900, 1000, 7))
def test_deep_nesting_is_refused(depth):
    deep = json.loads("[" * 300 + "]" * 300)
    refused(forged(put("experiment", "data", "targets", value=deep)))
    text = '{"format": "lstm-playground-1", "experiment": ' + "[" * depth + "]" * depth + "}"
    refused(forged(header=put("__metadata__", value={"playground": text})))


NOT_FILES = {
    "nothing": b"",
    "one byte": b"\x00",
    "eight bytes": GOOD[:8],
    "text": b"a,b\n1,2\n" * 50,
    "zeros": bytes(1000),
    "a pickle": pickle.dumps({"weights": list(range(1000))}),
    "a header of 2**63 bytes": struct.pack("<Q", 2**63) + GOOD[8:],
    "a header past the end": struct.pack("<Q", len(GOOD)) + GOOD[8:],
    "a header that is a list": struct.pack("<Q", 2) + b"[]" + bytes(100),
    "a header that is no UTF-8": struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc" + bytes(100),
    "another app's safetensors": safetensors.torch.save({"weight": torch.zeros(3)}, {"made": "elsewhere"}),
    "the header alone": GOOD[: 8 + HEADER],
    "one byte short": GOOD[:-1],
    "one byte more": GOOD + b"\x00",
}


@pytest.mark.parametrize("kind", NOT_FILES)
def test_what_is_no_model_file_is_refused(kind):
    refused(NOT_FILES[kind])


def test_a_pytorch_file_is_refused_without_unpickling():
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("it was unpickled",)

    buffer = io.BytesIO()
    torch.save({"bomb": Bomb()}, buffer)
    refused(buffer.getvalue())
    refused(pickle.dumps(Bomb()))


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data):
    refused(data)
    refused(struct.pack("<Q", max(0, len(data) - 20)) + data)


@examples(150)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_harmless(location, flip):
    data = bytearray(GOOD)
    data[location] ^= flip
    try:
        checkpoint = load_checkpoint(bytes(data))
    except PlaygroundError:
        return
    assert location < 8 + HEADER  # tensors have a digest
    assert all(np.isfinite(value).all() for value in checkpoint.weights.values())


@examples(60)
@given(st.integers(0, len(GOOD) - 1))
def test_a_truncated_file_is_refused(length):
    refused(GOOD[:length])


@st.composite
def places(draw):
    """A change of any one place in the file's JSON to any JSON value."""
    size = int.from_bytes(GOOD[:8], "little")
    statement = json.loads(json.loads(GOOD[8 : 8 + size])["__metadata__"]["playground"])
    path = []
    while isinstance(statement, dict | list) and statement and (not path or draw(st.booleans())):
        keys = list(statement) if isinstance(statement, dict) else range(len(statement))
        path.append(draw(st.sampled_from(keys)))
        statement = statement[path[-1]]
    value = draw(
        st.none()
        | st.booleans()
        | st.integers(-3, 3)
        | st.floats()
        | st.text(max_size=3)
        | st.sampled_from([[], {}, HUGE, -HUGE, 2**40, [[]], [None], 1e300])
    )
    return put(*path, value=value)


@examples(200)
@given(places())
def test_any_value_anywhere_is_refused_or_makes_a_sound_model(change):
    data = forged(change)
    try:
        checkpoint = load_checkpoint(data)
    except PlaygroundError:
        return
    assert checkpoint.model()(torch.zeros(1, 3, checkpoint.input_size)).isfinite().all()
    try:
        trainer = resume_trainer(checkpoint, wave())
    except PlaygroundError:
        return
    next(trainer, None)


def test_a_file_that_promises_a_giant_makes_no_giant():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    giant = {"hidden_size": 16_384, "num_layers": 64, "bidirectional": True}

    def claim(statement: dict) -> None:
        statement["experiment"]["model"] |= giant  # 400 GB of weights

    refused(forged(claim))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_a_file_that_is_too_large_is_not_even_read(monkeypatch):
    monkeypatch.setattr(checkpoint, "MAX_BYTES", len(GOOD) - 1)
    assert "not a safetensors file that this app wrote" in refused(GOOD)


def test_a_file_of_one_cell_is_not_taken_for_another():
    data = saved(2, None, {"cell": "gru"})
    with pytest.raises(PlaygroundError, match=r"weight_ih_l0 should be F32 of shape"):
        load_checkpoint(data.replace(b'\\"cell\\": \\"gru\\"', b'\\"cell\\": \\"rnn\\"'))


def test_a_model_of_a_machine_with_other_devices_goes_on_here(monkeypatch):
    monkeypatch.setattr(devices, "available_devices", lambda: {"auto": "auto (CPU)", "cpu": "CPU"})
    checkpoint = load_checkpoint(forged(put("experiment", "train", "device", value="cuda:5")))
    again = resume_trainer(checkpoint, wave())
    assert again.spec.device == "auto"
    assert math.isfinite(next(again)["train_loss"])
