"""An input and an output of another program beside the imported LSTM: they agree, or a sentence says why not."""

from __future__ import annotations

import json

import pytest
import safetensors.torch
import torch
from torch import nn

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights import check_parity, import_lstms


@pytest.fixture
def model() -> tuple[nn.LSTM, nn.LSTM, nn.Linear]:
    torch.manual_seed(3)
    return nn.LSTM(3, 4, bidirectional=True, batch_first=True), nn.LSTM(8, 5, 2, batch_first=True), nn.Linear(5, 2)


@pytest.fixture
def found(model):
    names = ("first", "second", "head")
    tensors = {
        f"{name}.{key}": one for name, m in zip(names, model, strict=True) for key, one in m.state_dict().items()
    }
    return import_lstms(safetensors.torch.save(tensors), "both.safetensors")


def pair(x: torch.Tensor, y: torch.Tensor, kind: str = "json") -> tuple[bytes, str]:
    if kind == "json":
        return json.dumps({"inputs": x.tolist(), "output": y.tolist()}).encode(), "pair.json"
    return safetensors.torch.save({"x": x.contiguous(), "y": y.contiguous()}), "pair.safetensors"


@pytest.mark.parametrize("kind", ["json", "safetensors"])
@pytest.mark.parametrize("is_batched", [True, False])
@torch.no_grad()
def test_each_output_of_another_program_is_found_again(found, model, kind: str, is_batched: bool):
    first, second, head = model
    x = torch.randn(2, 7, 3)
    output, (h_n, _) = first(x)
    top, (deep, _) = second(output)
    both = h_n.transpose(0, 1).flatten(1)
    cases = [
        (0, x, output, "the output of every step"),
        (0, x, both, "h_n of the top layer"),
        (0, x, output[:, -1], "the output of the last step"),
        (1, output, top, "the output of every step"),
        (1, x, deep[-1], "h_n of the top layer"),  # through the first one
        (1, x, head(deep[-1]), "the linear layer's output"),
        (1, x, head(top), "the linear layer's output of every step"),
    ]
    for at, given, y, what in cases:
        given, y = (given, y) if is_batched else (given[0], y[0])
        parity = check_parity(found, at, *pair(given, y, kind))
        assert parity.difference < 1e-6 and parity.what == what
        assert parity.largest == pytest.approx(float(y.abs().max()))
        moved = y.clone(memory_format=torch.contiguous_format)
        moved.flatten()[0] += 0.25
        assert check_parity(found, at, *pair(given, moved, kind)).difference == pytest.approx(0.25, abs=1e-5)


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"no", "a.json", "has no input x: it must be"),
        (b"no", "a.safetensors", "has no input x"),
        (b"[1]", "a.json", "has no input x"),
        (b'{"x": [[1, 2, 3]]}', "a.json", "has no output y"),
        (b'{"x": [[1, 2, 3], [1]], "y": [1]}', "a.json", "x of 'a.json' is not up to 16,777,216 finite numbers"),
        (b'{"x": [["a"]], "y": [1]}', "a.json", "finite numbers"),
        (b'{"x": [[1, 2, NaN]], "y": [1]}', "a.json", "finite numbers"),
        (b'{"x": [1, 2, 3], "y": [1]}', "a.json", "one dimension"),
        (b'{"x": [[1, 2]], "y": [1]}', "a.json", r"does not fit: its x is 1×1×2, its y 1, .* \(batch, seq_len, 3\)"),
        (b'{"x": [[1, 2, 3]], "y": [1, 2, 3]}', "a.json", "its y 3"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "a.json", "has no input x"),
        (b"\x80\x04\x95.", "a.json", "has no input x"),
    ],
)
def test_what_is_no_pair_is_refused_with_a_sentence(found, data: bytes, name: str, words: str):
    with pytest.raises(PlaygroundError, match=words):
        check_parity(found, 0, data, name)
