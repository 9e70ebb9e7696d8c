"""Weights by nn.LSTM's own names, from whichever file, checked and made an nn.LSTM."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from lstm_core.experiment import PlaygroundError

MAX_BYTES = 256 << 20  # of a file, and of what is read from it
MAX_LSTMS = 64
MAX_UNITS = 16_384  # hidden_size
MAX_INPUTS = 1_000_000
MAX_LAYERS = 64
PARAMETER = re.compile(r"(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l(\d{1,6})(_reverse)?")


@dataclass(frozen=True, eq=False)
class FoundLinear:
    """A linear layer: weight (out_features, in_features), bias (out_features,) or None."""

    name: str
    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True, eq=False)
class FoundLstm:
    """What a file says of one LSTM: its parameters by nn.LSTM's names (weight_ih_l0 …), not checked yet."""

    name: str
    parameters: dict[str, Tensor]
    notes: tuple[str, ...] = ()
    linears: Sequence[FoundLinear] = field(default=())  # of the file, in its order


@dataclass(frozen=True, eq=False)
class ImportedLstm:
    """An LSTM from a file; head: the linear layer that reads its output, if one alone fits; notes: sentences."""

    name: str
    lstm: nn.LSTM
    head: nn.Linear | None
    notes: tuple[str, ...]


def quoted(text: str) -> str:
    """A name from a file or of one, as a sentence shows it: printable and short."""
    return repr(text if len(text) <= 60 else text[:59] + "…")


def shape_text(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"


def built(found: list[FoundLstm]) -> list[ImportedLstm]:
    """Each as an nn.LSTM. A linear layer is the head of the last LSTM that it fits.

    Raises:
        PlaygroundError: a parameter is missing, of a wrong shape, too large, not of numbers or not finite.
    """
    if len(found) > MAX_LSTMS:
        raise PlaygroundError(f"it holds {len(found)} LSTMs, and {MAX_LSTMS} at most are read: save fewer in a file.")
    imported, taken = [], set()
    for one in reversed(found):
        lstm = _lstm(one)
        width = (lstm.proj_size or lstm.hidden_size) * (2 if lstm.bidirectional else 1)
        fitting = [linear for linear in one.linears if linear.weight.shape[1] == width and linear.name not in taken]
        head = _linear(fitting[0]) if len(fitting) == 1 else None
        if head is not None:
            taken.add(fitting[0].name)
        imported.append(ImportedLstm(one.name, lstm, head, one.notes))
    return imported[::-1]


def _lstm(found: FoundLstm) -> nn.LSTM:
    given, owner = found.parameters, quoted(found.name)
    for needed in ("weight_ih_l0", "weight_hh_l0"):
        if needed not in given:
            raise PlaygroundError(f"{needed} of {owner} is missing: save all the weights of the LSTM.")
    module = _empty(given, owner)
    expected = module.state_dict()
    for name in expected:
        if name not in given:
            raise PlaygroundError(f"{name} of {owner} is missing: save all the weights of the LSTM.")
        if given[name].shape != expected[name].shape:
            raise PlaygroundError(
                f"{name} of {owner} is {shape_text(given[name])} and would have to be {shape_text(expected[name])} "
                "beside its other weights: save the LSTM again."
            )
    for name in given:
        if name not in expected:
            raise PlaygroundError(f"{quoted(name)} of {owner} belongs to no nn.LSTM of its sizes: save the LSTM again.")
    module.load_state_dict({name: _numbers(given[name], name, owner) for name in expected}, assign=True)
    return module.eval()


def _empty(given: dict[str, Tensor], owner: str) -> nn.LSTM:
    """An nn.LSTM of these parameters' sizes, without memory for its own."""
    weight_ih, weight_hh, projection = given["weight_ih_l0"], given["weight_hh_l0"], given.get("weight_hr_l0")
    shaped = (weight_ih, weight_hh, *([] if projection is None else [projection]))
    if any(weight.dim() != 2 or not weight.numel() for weight in shaped):
        sizes = " and ".join(map(shape_text, shaped))
        raise PlaygroundError(f"the weights of {owner} are {sizes}, which are no matrices of an LSTM: save it again.")
    hidden_size = int(weight_hh.shape[1] if projection is None else projection.shape[1])
    if len(weight_ih) != 4 * hidden_size:
        raise PlaygroundError(
            f"weight_ih_l0 of {owner} has {len(weight_ih)} rows, and an LSTM of {hidden_size} units has four times as "
            "many rows as units: choose a file with an LSTM."
        )
    layers = 1 + max(int(match[2]) for match in map(PARAMETER.fullmatch, given) if match)
    limits = ((hidden_size, MAX_UNITS, "units"), (layers, MAX_LAYERS, "layers"))
    for count, limit, what in (*limits, (weight_ih.shape[1], MAX_INPUTS, "inputs")):
        if count > limit:
            raise PlaygroundError(
                f"{owner} has {count:,} {what}, and {limit:,} at most are read: choose a smaller LSTM."
            )
    proj_size = 0 if projection is None else len(projection)
    if proj_size >= hidden_size:
        raise PlaygroundError(f"{owner} projects {hidden_size} units to {proj_size}, not to fewer: save it again.")
    with torch.device("meta"):
        return nn.LSTM(
            int(weight_ih.shape[1]),
            hidden_size,
            layers,
            bias="bias_ih_l0" in given or "bias_hh_l0" in given,
            batch_first=True,
            bidirectional=any(name.endswith("_reverse") for name in given),
            proj_size=proj_size,
        )


def _numbers(tensor: Tensor, name: str, owner: str) -> Tensor:
    """In float32, its own memory."""
    if not tensor.is_floating_point():
        raise PlaygroundError(f"{name} of {owner} is {tensor.dtype}, not floating-point: save it before quantisation.")
    numbers = tensor.detach().to(torch.float32, copy=True).contiguous()
    if not numbers.isfinite().all():
        raise PlaygroundError(f"{name} of {owner} has values that are NaN or infinite: save weights from before that.")
    return numbers


def _linear(found: FoundLinear) -> nn.Linear | None:
    """None where it is not a usable one: the LSTM can be read without."""
    out_features, in_features = found.weight.shape
    parts = {"weight": found.weight} | ({} if found.bias is None else {"bias": found.bias})
    if not all(part.is_floating_point() and part.isfinite().all() for part in parts.values()):
        return None
    if found.bias is not None and found.bias.shape != (out_features,):
        return None
    with torch.device("meta"):
        head = nn.Linear(in_features, out_features, bias=found.bias is not None)
    head.load_state_dict({key: part.to(torch.float32, copy=True) for key, part in parts.items()}, assign=True)
    return head.eval()


def parameter_names(layer: int, direction: int) -> Iterator[str]:
    """weight_ih, weight_hh, bias_ih, bias_hh of a layer and direction, by nn.LSTM's names."""
    return (f"{kind}_l{layer}" + "_reverse" * direction for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
