"""A state_dict of PyTorch in a safetensors file: every nn.LSTM and nn.LSTMCell in it, wherever the module stood."""

from __future__ import annotations

import re

import safetensors
import safetensors.torch
from torch import Tensor

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights.weights import PARAMETER, FoundLinear, FoundLstm, quoted

MAX_HEADER = 8 << 20
UNNAMED = "lstm"  # where the file holds the state_dict of an nn.LSTM itself
RESUME = "state/"  # what this app's own files hold besides, to resume a training
_CELL = re.compile(r"(weight|bias)_[ih]h")  # of nn.LSTMCell, whose names have no layer
_H_SIZE = (("weight_hr_l0", 0), ("weight_hh_l0", 1))  # where it stands, the first that is there
_OTHERS = {3: "nn.GRU", 1: "nn.RNN"}  # rows of weight_hh over its columns


def read_safetensors(data: bytes) -> list[FoundLstm]:
    """The LSTMs of a state_dict, in the order of their names, "lstm2" before "lstm10".

    Raises:
        PlaygroundError: the file is damaged, or holds no LSTM.
    """
    if int.from_bytes(data[:8], "little") > min(MAX_HEADER, len(data) - 8):
        raise PlaygroundError("its header is longer than the file or than 8 MB: download or save it again.")
    try:
        tensors = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        detail = str(error).splitlines()[0][:100] if str(error) else "not a safetensors file"
        raise PlaygroundError(f"it is damaged ({detail}): download or save it again.") from None
    return lstms_in(tensors)


def lstms_in(tensors: dict[str, Tensor]) -> list[FoundLstm]:
    """The LSTMs among these tensors by their names in a state_dict.

    Raises:
        PlaygroundError: there is none.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        prefix, _, last = name.rpartition(".")
        if _CELL.fullmatch(last):
            last += "_l0"
        if PARAMETER.fullmatch(last) and not name.startswith(RESUME):
            groups.setdefault(prefix, {})[last] = tensor
    others = {prefix: kind for prefix, group in groups.items() if (kind := _other_kind(group))}
    found = {prefix: group for prefix, group in groups.items() if prefix not in others}
    if not found:
        instead = f"its {quoted(next(iter(others)) or 'module')} is an {next(iter(others.values()))}" if others else ""
        seen = instead or f"none of its {len(tensors)} tensors is called weight_ih_l0"
        raise PlaygroundError(f"it holds no LSTM ({seen}): choose the state_dict of a model with an nn.LSTM.")
    linears = _linears(tensors, [_width(group) for group in found.values()])
    return [FoundLstm(prefix or UNNAMED, found[prefix], linears=linears) for prefix in sorted(found, key=natural)]


def natural(name: str) -> list[tuple[int, str]]:
    """The key that sorts "lstm_2" before "lstm_10"."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,9})", name)]


def _other_kind(group: dict[str, Tensor]) -> str | None:
    """nn.GRU or nn.RNN, whose parameters have the same names; None: an LSTM, or damaged."""
    weight_hh = group.get("weight_hh_l0")
    if weight_hh is None or weight_hh.dim() != 2 or not weight_hh.numel() or "weight_hr_l0" in group:
        return None
    rows, columns = weight_hh.shape
    return _OTHERS.get(rows // columns) if rows % columns == 0 else None


def _width(group: dict[str, Tensor]) -> int:
    """Of an LSTM's output; 0 where its weights are no matrices, which is refused later."""
    h_size = [group[name].shape[at] for name, at in _H_SIZE if name in group and group[name].dim() == 2]
    return (h_size or [0])[0] * (1 + any(name.endswith("_reverse") for name in group))


def _linears(tensors: dict[str, Tensor], widths: list[int]) -> list[FoundLinear]:
    """Those that fit one LSTM alone: a state_dict does not say in which order its modules run. An embedding, which
    has no bias, is none."""
    found = []
    for name in sorted(tensors, key=natural):
        prefix, _, last = name.rpartition(".")
        weight, bias = tensors[name], tensors.get(f"{prefix}.bias" if prefix else "bias")
        if last != "weight" or weight.dim() != 2 or bias is None or name.startswith(RESUME):
            continue
        if widths.count(weight.shape[1]) == 1:
            found.append(FoundLinear(prefix, weight, bias))
    return found
