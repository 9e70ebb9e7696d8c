"""A model file that is damaged, forged or not one of ours is refused in one sentence, before anything is built."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import pickle
import random
import resource
import struct

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.windows import make_windows
from lstm_core.experiment import PlaygroundError
from lstm_core.model import devices
from lstm_core.training import checkpoint
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, signed
from tests.conftest import examples
from tests.factories import refused, saved, series, spec_of, wave

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast")

GOOD = saved(5)
MARK = b'"playground":"{\\"digest\\": \\"' + b"0" * 64
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
    statement["digest"] = "0" * 64
    statement = (about(statement) or statement) if about else statement
    top["__metadata__"] = {"playground": json.dumps(statement)}
    top = (header(top) or top) if header else top
    text = json.dumps(top, separators=(",", ":")).encode()
    data = struct.pack("<Q", len(text)) + text + rest
    return signed(data) if text.count(MARK) == 1 else data


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
    "input_size": (put("input_size", value=2), "x_center has 1 numbers, not 2"),
    "input_size -1": (put("input_size", value=-1), "input_size is -1, not a whole number from 1"),
    "input_size true": (put("input_size", value=True), "input_size is true, not a whole number"),
    "input_size huge": (put("input_size", value=10**12), "not a whole number from 1 to 1,000,000"),
    "huge whole number": (put("input_size", value=HUGE), "not a safetensors file that this app wrote"),
    "output_size": (put("output_size", value=2), "head.weight should be F32 of shape (2, 6)"),
    "classes": (put("classes", value=["a", "b"]), "classes has 2 names, but output_size is 1"),
    "classes 3": (put("classes", value=3), "classes is not a list of names"),
    "classes [3]": (put("classes", value=[3]), "classes is not a list of names"),
    "scaler": (put("scaler", value=[]), "scaler is damaged"),
    "scaler NaN": (put("scaler", "x_center", value=[float("nan")]), "x_center has nan, not a number from"),
    "scaler 0": (put("scaler", "x_scale", value=[0.0]), "x_scale has 0.0, not a number from 1e-30"),
    "scaler 1e300": (put("scaler", "x_scale", value=[1e300]), "x_scale has 1e+300, not a number from"),
    "scaler text": (put("scaler", "x_scale", value=["1"]), "scaler is damaged"),
    "scaler size": (put("scaler", "y_center", value=[0.0, 0.0]), "y_center has 2 numbers, not 1"),
    "scaler huge": (put("scaler", "y_center", value=[HUGE]), "not a safetensors file that this app wrote"),
    "curves": (put("curves", value=[]), "curves is not a list of 100 curves"),
    "curves uneven": (put("curves", "train_loss", value=[[1], []]), "has 1, 0 numbers, not as many"),
    "curves text": (put("curves", "train_loss", value=[["1"], [2]]), "points that are no numbers"),
    "progress": (put("progress", value={}), "record of progress is damaged"),
    "progress step": (put("progress", "step", value=-1), "step is -1, not a whole number from 0"),
    "progress text": (put("progress", "epoch_loss", value="0"), "epoch_loss is '0', not a number from 0 on"),
    "scaler 1e-38": (put("scaler", "x_scale", value=[1e-38]), "x_scale has 1e-38, not a number from 1e-30 to 1e+30"),
    "scaler inf": (put("scaler", "y_center", value=[math.inf]), "y_center has inf, not a number from -1e+30 to 1e+30"),
    "scaler true": (put("scaler", "y_scale", value=[True]), "y_scale is not a list of numbers"),
    "curve of 200,000 points": (
        lambda statement: statement["curves"].update(train_loss=[[0] * 200_000, [0] * 200_000]),
        "its curve 'train_loss' has 200,000, 200,000 numbers, not as many, 20,000 at most",
    ),
    "curve of negative steps": (put("curves", "train_loss", value=[[-1], [0]]), "'train_loss' is not in order"),
    "101 curves": (put("curves", value={str(k): [[], []] for k in range(101)}), "not a list of 100 curves at most"),
    "best loss NaN": (put("progress", "best_loss", value=math.nan), "best_loss is nan, not a number from 0 on"),
    "best loss -1": (put("progress", "best_loss", value=-1), "best_loss is -1, not a number from 0 on"),
    "best epoch -1": (put("progress", "best_epoch", value=-1), "best_epoch is -1, not a whole number from 0"),
    "best epoch to come": (put("progress", "best_epoch", value=6), "best_epoch is 6, not a whole number from 0 to 5"),
    "step 10^17": (put("progress", "step", value=10**17), "step is 100000000000000000, not a whole number from 0 to"),
    "step true": (put("progress", "step", value=True), "step is true, not a whole number"),
    "stopped early 1": (put("progress", "stopped_early", value=1), "stopped_early is 1, not true or false"),
    "digest": (put("digest", value="1" * 64), "it is damaged (its SHA-256 differs)"),
    "no digest": (put("digest", value=None), "it is damaged (its SHA-256 differs)"),
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


@pytest.mark.parametrize("where", ["header", "tensors"])
def test_every_flipped_bit_is_refused(where):
    first, end = (0, 8 + HEADER) if where == "header" else (8 + HEADER, len(GOOD))
    bits = random.Random(17).sample(range(8 * first, 8 * end), 1500)
    for bit in bits:
        data = bytearray(GOOD)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PlaygroundError):
            load_checkpoint(bytes(data))


@examples(100)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_every_flipped_byte_is_refused(location, flip):
    data = bytearray(GOOD)
    data[location] ^= flip
    refused(bytes(data))


def test_no_class_name_can_stand_in_for_the_digest():
    name = '"playground":"{\\"digest\\": \\"' + "0" * 64
    data = forged(lambda statement: statement["curves"].update({name: [[0], [0]]}))
    assert name in load_checkpoint(data).curves


def without_header_digest() -> bytes:
    """The good file as the version before wrote it: its digest covers the tensors alone."""
    statement = json.loads(json.loads(GOOD[8 : 8 + HEADER])["__metadata__"]["playground"])
    del statement["digest"]
    top = json.loads(GOOD[8 : 8 + HEADER])
    statement["sha256"] = hashlib.sha256(GOOD[8 + HEADER :]).hexdigest()
    top["__metadata__"] = {"playground": json.dumps(statement)}
    text = json.dumps(top).encode()
    return struct.pack("<Q", len(text)) + text + GOOD[8 + HEADER :]


def test_a_file_of_the_version_before_still_opens_and_its_tensors_are_still_checked():
    data = without_header_digest()
    assert load_checkpoint(data).progress == load_checkpoint(GOOD).progress
    assert (load_checkpoint(data).is_old, load_checkpoint(GOOD).is_old) == (True, False)
    assert "it is damaged" in refused(data[:-1] + bytes([data[-1] ^ 1]))


def test_a_model_that_would_not_fit_in_memory_is_refused_before_its_trainer_is_made(monkeypatch):
    rows, steps = 3000, 2000
    spec = spec_of(features=("a",), seq_len=steps, train_share=0.8, valid_share=0.0)
    windows = make_windows(series(rows), spec)
    loaded = dataclasses.replace(load_checkpoint(GOOD), classes=())
    train = dataclasses.replace(loaded.experiment.train, batch_size=100_000)
    model = dataclasses.replace(loaded.experiment.model, hidden_size=4096)
    big = dataclasses.replace(loaded, experiment=dataclasses.replace(loaded.experiment, train=train, model=model))
    monkeypatch.setattr("lstm_core.training.trainer.Trainer.__init__", lambda *_: pytest.fail("a trainer was made"))
    with pytest.raises(PlaygroundError, match=r"This model would need about .* to train and may take"):
        resume_trainer(big, windows)


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
    data = data.replace(b'\\"cell\\": \\"gru\\"', b'\\"cell\\": \\"rnn\\"')
    with pytest.raises(PlaygroundError, match=r"weight_ih_l0 should be F32 of shape"):
        load_checkpoint(signed(data))


def test_a_model_of_a_machine_with_other_devices_goes_on_here(monkeypatch):
    monkeypatch.setattr(devices, "available_devices", lambda: {"auto": "auto (CPU)", "cpu": "CPU"})
    checkpoint = load_checkpoint(forged(put("experiment", "train", "device", value="cuda:5")))
    again = resume_trainer(checkpoint, wave())
    assert again.spec.device == "auto"
    assert math.isfinite(next(again)["train_loss"])
