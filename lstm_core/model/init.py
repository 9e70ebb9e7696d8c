"""Initialisation: forget-gate bias, chrono initialisation, and frozen parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lstm_core.experiment import GATES, OPEN_GATES, SATURATING_BIAS, ModelSpec, PlaygroundError

if TYPE_CHECKING:
    from lstm_core.model.recurrent import SequenceModel


@torch.no_grad()
def init_forget_bias(lstm: nn.LSTM, value: float) -> None:
    """Set the forget-gate bias of all layers and directions (Gers et al. 2000).

    nn.LSTM adds two bias vectors: the value goes into bias_ih, and the same rows of bias_hh become 0.
    """
    hidden = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias"):
            parameter[hidden : 2 * hidden] = value if name.startswith("bias_ih") else 0.0


@torch.no_grad()
def init_chrono(lstm: nn.LSTM, t_max: int, generator: torch.Generator | None = None) -> None:
    """Chrono initialisation: the time constants of the units cover all lengths up to t_max steps.

    b_f = ln U(1, t_max − 1) and b_i = −b_f: a unit whose forget rate is 1 − f = 1/T has T = 1 + e^b_f.
    Tallec & Ollivier (2018, "Can recurrent neural networks warp time?", arXiv 1804.11188, equation 16). As in
    init_forget_bias, the values go into bias_ih.
    """
    hidden = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_ih"):
            forget = torch.empty(hidden).uniform_(1, t_max - 1, generator=generator).log_()
            parameter[: 2 * hidden] = torch.cat([-forget, forget])
        elif name.startswith("bias_hh"):
            parameter[: 2 * hidden] = 0.0


@torch.no_grad()
def freeze(model: SequenceModel) -> dict[str, Tensor]:
    """Set the parameters that ModelSpec.frozen names to their fixed values; a linear skip keeps its own.

    Returns bool masks of the frozen entries by parameter name, each in the parameter's shape; a parameter without
    frozen entries has none.

    Raises:
        PlaygroundError: an identity head, but the number of outputs is not the size of h.
    """
    masks = {}
    for name, parameter in model.named_parameters():
        value, mask = frozen_mask(model.spec, name, parameter)
        if mask.any():
            parameter.copy_(torch.where(mask, value, parameter))
            masks[name] = mask
    return masks


def frozen_mask(spec: ModelSpec, name: str, parameter: Tensor) -> tuple[Tensor, Tensor]:
    """(fixed values, bool mask of the frozen entries), both in the parameter's shape."""
    value, mask = torch.zeros_like(parameter), torch.zeros_like(parameter, dtype=torch.bool)
    kind = name.rpartition(".")[2]
    if name.startswith("skip."):  # as it was fitted
        return parameter.detach().clone(), mask.fill_(True)
    if name.startswith("head."):
        mask[:] = "head" in spec.frozen
        if "head" in spec.frozen and kind == "weight":
            if parameter.shape[0] != parameter.shape[1]:
                raise PlaygroundError(
                    f"frozen makes the head the identity, but h has {parameter.shape[1]} numbers and the target "
                    f"{parameter.shape[0]}: choose a hidden_size or proj_size that fits, or let the head train."
                )
            value.fill_diagonal_(1.0)
        return value, mask
    if "bias_hh" in spec.frozen and kind.startswith("bias_hh"):
        mask[:] = True
    if not kind.startswith("weight_hr"):
        for part in set(spec.frozen) & set(OPEN_GATES):
            first = GATES.index(OPEN_GATES[part]) * spec.hidden_size
            rows = slice(first, first + spec.hidden_size)
            mask[rows] = True
            if kind.startswith("bias_ih"):
                value[rows] = SATURATING_BIAS
    return value, mask
