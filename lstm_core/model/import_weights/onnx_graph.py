"""ONNX: the LSTM nodes of a graph whose weights are initializers.

W, R (directions, 4·hidden_size, …) have the blocks i, o, f, c, which nn.LSTM has in the places 0, 2, 3, 1; B is the
bias of W and then that of R. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights.protobuf import DAMAGED, FieldReader
from lstm_core.model.import_weights.weights import FoundLinear, FoundLstm, parameter_names, quoted, shape_text

I_F_G_O = (0, 2, 3, 1)  # where ONNX has them among i, o, f, c
REVERSED = (
    "It reads its input backwards only: here it is the reverse half of a bidirectional LSTM whose forward half is zero."
)
INITIAL_STATE = "The file has an initial state of its own, which is not imported: here it starts from zeros."
_STANDARD = ("sigmoid", "tanh", "tanh")
_GRAPH, _NODE, _INITIALIZER = 7, 1, 5  # of a model, of a graph
_FLOAT, _FLOAT16, _DOUBLE, _BFLOAT16 = 1, 10, 11, 16  # TensorProto.DataType
_RAW = {_FLOAT: torch.float32, _FLOAT16: torch.float16, _DOUBLE: torch.float64, _BFLOAT16: torch.bfloat16}
_EXTERNAL = 1  # TensorProto.DataLocation
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


@dataclass
class _Node:
    name: str = ""
    kind: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: dict[str, int | float | str | list[str]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.name or next(filter(None, self.outputs), "LSTM")

    def input(self, name: str) -> str:
        """The name of the tensor that goes in there, "" if none."""
        at = _INPUTS.index(name)
        return self.inputs[at] if at < len(self.inputs) else ""


def read_onnx(data: bytes) -> list[FoundLstm]:
    """The LSTM nodes of a graph, in its order.

    Raises:
        PlaygroundError: the file is damaged, keeps its weights outside, or has no LSTM that nn.LSTM can repeat.
    """
    reader = FieldReader()
    nodes, tensors = [], {}
    for number, graph in reader.fields(memoryview(data)):
        if number == _GRAPH:
            for inner, value in reader.fields(_message(graph)):
                if inner == _NODE:
                    nodes.append(_node(reader, _message(value)))
                elif inner == _INITIALIZER:
                    tensors[_tensor_name(reader, _message(value))] = _message(value)
    graph = _Graph(reader, nodes, tensors)
    lstms = [node for node in nodes if node.kind == "LSTM"]
    if not lstms:
        kinds = ", ".join(sorted({node.kind for node in nodes})[:6])
        raise PlaygroundError(f"it holds no LSTM (its operators: {quoted(kinds)}): export a model with an nn.LSTM.")
    linears = list(graph.linears())
    titles = [node.title for node in lstms]
    names = [title if titles.count(title) == 1 else f"{title} {k}" for k, title in enumerate(titles)]
    return [graph.lstm(node, name, linears) for node, name in zip(lstms, names, strict=True)]


@dataclass
class _Graph:
    reader: FieldReader
    nodes: list[_Node]
    tensors: dict[str, memoryview]  # initializers by name, not yet read

    def lstm(self, node: _Node, name: str, linears: list[FoundLinear]) -> FoundLstm:
        _check(node, name)
        title = quoted(name)
        w, r = (self._weights(node, kind, title, 3) for kind in ("W", "R"))
        b = self._weights(node, "B", title, 2) if node.input("B") else None
        direction = node.attributes.get("direction", "forward")
        directions, hidden_size = (2 if direction == "bidirectional" else 1), r.shape[2]
        fits = r.shape == (directions, 4 * hidden_size, hidden_size) and w.shape[:2] == r.shape[:2]
        if not fits or (b is not None and b.shape != (directions, 8 * hidden_size)) or not hidden_size:
            shapes = ", ".join(shape_text(part) for part in (w, r, b) if part is not None)
            raise PlaygroundError(f"the weights of {title} ({shapes}) are not those of an LSTM: export it again.")
        parameters: dict[str, Tensor] = {}
        for k in range(directions):
            parts = [_reordered(w[k]), _reordered(r[k])]
            if b is not None:
                parts += [_reordered(half) for half in b[k].chunk(2)]
            parameters |= dict(zip(parameter_names(0, k or direction == "reverse"), parts, strict=False))
        if direction == "reverse":
            forward = {key.removesuffix("_reverse"): part.new_zeros(part.shape) for key, part in parameters.items()}
            parameters = forward | parameters
        notes = (REVERSED,) if direction == "reverse" else ()
        return FoundLstm(name, parameters, notes + self._initial_state(node), linears)

    def linears(self) -> Iterator[FoundLinear]:
        """The Gemm nodes, and the MatMul nodes with the Add after them, whose weights are initializers."""
        adds = {name: node for node in self.nodes if node.kind == "Add" for name in node.inputs}
        for node in self.nodes:
            if node.kind not in ("Gemm", "MatMul") or len(node.inputs) < 2 or node.inputs[1] not in self.tensors:
                continue
            weight = self._read(node.inputs[1])
            if (
                weight is None
                or weight.dim() != 2
                or any(node.attributes.get(k, 1.0) != 1.0 for k in ("alpha", "beta"))
            ):
                continue
            bias = node.inputs[2] if len(node.inputs) > 2 else ""
            if node.kind == "MatMul" and node.outputs and node.outputs[0] in adds:
                bias = next((name for name in adds[node.outputs[0]].inputs if name in self.tensors), "")
            weight = weight if node.attributes.get("transB", 0) else weight.T
            yield FoundLinear(node.title, weight, self._read(bias) if bias in self.tensors else None)

    def _weights(self, node: _Node, kind: str, title: str, axes: int) -> Tensor:
        name = node.input(kind)
        if name not in self.tensors:
            raise PlaygroundError(
                f"the weights {kind} of {title} are computed in the graph or missing: export the model with constant "
                "folding, so that they are initializers."
            )
        tensor = self._read(name)
        if tensor is None or tensor.dim() != axes:
            raise PlaygroundError(f"the weights {kind} of {title} are no floating-point matrices: export it again.")
        return tensor

    def _initial_state(self, node: _Node) -> tuple[str, ...]:
        given = [node.input(name) for name in ("initial_h", "initial_c")]
        read = [self._read(name) for name in given if name in self.tensors]
        return (INITIAL_STATE,) if any(state is None or bool(state.any()) for state in read) else ()

    def _read(self, name: str) -> Tensor | None:
        """An initializer; None where it holds no floating-point numbers."""
        shape, kind, chunks, doubles, raw = [], 0, [], [], None
        for number, value in self.reader.fields(self.tensors[name]):
            if number == 1:
                shape += self.reader.integers(value)
            elif number == 2:
                kind = value
            elif number == 4:
                chunks.append(_message(value))
            elif number == 10:
                doubles.append(_message(value))
            elif number == 9:
                raw = _message(value)
            elif number == 13 or (number == 14 and value == _EXTERNAL):
                raise PlaygroundError(
                    f"its weights {quoted(name)} lie in another file (external data): export the model as one file."
                )
        if kind not in _RAW:
            return None
        if raw is None:
            numbers = b"".join(doubles if kind == _DOUBLE else chunks)
            raw = memoryview(numbers)
            if kind not in (_FLOAT, _DOUBLE):
                return None
        dtype = _RAW[kind]
        if math.prod(shape) * dtype.itemsize != len(raw):
            raise PlaygroundError(DAMAGED)
        flat = torch.from_numpy(np.frombuffer(raw, np.uint8).copy()).view(dtype)  # little-endian, as the format says
        return flat.reshape(shape)


def _check(node: _Node, name: str) -> None:
    """Refuse what nn.LSTM cannot repeat."""
    given, title = node.attributes, quoted(name)
    activations = [str(one).lower() for one in given.get("activations", [])]
    if activations and activations != [*_STANDARD] * (len(activations) // 3):
        raise PlaygroundError(f"{title} has other activations than sigmoid and tanh: import a plain LSTM.")
    if given.get("clip"):
        raise PlaygroundError(f"{title} clips its gates, which nn.LSTM cannot: import an LSTM without clip.")
    if given.get("input_forget"):
        raise PlaygroundError(f"{title} couples its input and forget gates: import an LSTM without input_forget.")
    if node.input("P"):
        raise PlaygroundError(f"{title} has peepholes, which nn.LSTM has not: import an LSTM without them.")
    if given.get("direction", "forward") not in ("forward", "reverse", "bidirectional"):
        raise PlaygroundError(f"{title} has a direction that ONNX does not know: export it again.")


def _reordered(rows: Tensor) -> Tensor:
    """Blocks i, o, f, c as i, f, g, o."""
    return torch.cat([rows.chunk(4)[k] for k in I_F_G_O])


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise PlaygroundError(DAMAGED)
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)).decode("utf-8", "replace")


def _tensor_name(reader: FieldReader, tensor: memoryview) -> str:
    return next((_text(value) for number, value in reader.fields(tensor) if number == 8), "")


def _node(reader: FieldReader, message: memoryview) -> _Node:
    node = _Node()
    for number, value in reader.fields(message):
        if number == 1:
            node.inputs.append(_text(value))
        elif number == 2:
            node.outputs.append(_text(value))
        elif number == 3:
            node.name = _text(value)
        elif number == 4:
            node.kind = _text(value)
        elif number == 5:
            _read_attribute(reader, _message(value), node)
    return node


def _read_attribute(reader: FieldReader, message: memoryview, node: _Node) -> None:
    name, value, texts = "", 0, []
    for number, part in reader.fields(message):
        if number == 1:
            name = _text(part)
        elif number == 2 and isinstance(part, memoryview) and len(part) == 4:
            value = float(np.frombuffer(part, "<f4")[0])
        elif number == 3:
            value = part
        elif number == 4:
            value = _text(part)
        elif number == 9:
            texts.append(_text(part))
    node.attributes[name] = texts or value
