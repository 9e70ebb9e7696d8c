"""The optimiser, and all weights of a model as one vector, so that a step is a handful of kernels on the CPU.

Small models spend a third of a step on calls per parameter: with one vector a step with gradient norm, finite check
and backup costs what a bare loop's step without them costs (tests/benchmarks/engine.py). Elementwise optimisers
(Adam, AdamW, RMSprop, SGD) give the same numbers either way, to the last bit (tests/training/test_plain_loop.py).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lstm_core.experiment import TrainSpec

VECTOR = 16  # float32 numbers in the widest vector of a CPU, AVX-512


def flatten_parameters(model: nn.Module) -> list[nn.Parameter]:
    """What to give the optimiser: flat parameters whose pieces the model's own are, in order, with .grad alike.

    It is one, unless a parameter does not fill whole vectors of the CPU: fused kernels round the rest of a vector in
    another way, so that it must stay at the end. On a GPU the model's own: cuDNN keeps them in a layout of its own.
    """
    parameters = list(model.parameters())
    if parameters[0].device.type != "cpu":
        return parameters
    groups: list[list[nn.Parameter]] = []
    for p in parameters:
        if groups and groups[-1][-1].numel() % VECTOR == 0:
            groups[-1].append(p)
        else:
            groups.append([p])
    return [group[0] if len(group) == 1 else _flatten(group) for group in groups]


def _flatten(parameters: list[nn.Parameter]) -> nn.Parameter:
    flat = nn.Parameter(torch.cat([p.detach().flatten() for p in parameters]))
    flat.grad = torch.zeros_like(flat)
    for p, values, grad in zip(
        parameters, unflatten(flat.detach(), parameters), unflatten(flat.grad, parameters), strict=True
    ):
        p.data, p.grad = values, grad
    return flat


def unflatten(flat: Tensor, parameters: list[nn.Parameter]) -> list[Tensor]:
    """Views of `flat`, one a parameter, in the parameters' shapes."""
    splits = flat.split([p.numel() for p in parameters])
    return [split.view_as(p) for split, p in zip(splits, parameters, strict=True)]


def regroup(tensors: list[Tensor], parameters: list[nn.Parameter]) -> list[Tensor]:
    """All numbers of the tensors, in order, in the shapes of these parameters, which have as many."""
    return unflatten(torch.cat([tensor.flatten() for tensor in tensors]), parameters)


def make_optimizer(spec: TrainSpec, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Fused where PyTorch has it: 10–25 % more steps a second than the loop over parameters."""
    common = {"lr": spec.lr, "weight_decay": spec.weight_decay}
    if spec.optimizer == "RMSprop":
        return torch.optim.RMSprop(parameters, **common)
    common["fused"] = parameters[0].device.type in ("cpu", "cuda")
    if spec.optimizer == "SGD":
        return torch.optim.SGD(parameters, momentum=spec.momentum, **common)
    return getattr(torch.optim, spec.optimizer)(parameters, **common)


def optimizer_state_by_name(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """The optimiser's state as "exp_avg/lstm.weight_ih_l0" → tensor, whether the parameters are flat or not."""
    names, parameters = zip(*model.named_parameters(), strict=True)
    states = [optimizer.state.get(p, {}) for p in optimizer.param_groups[0]["params"]]
    by_name = {}
    for key in (key for key, value in states[0].items() if value is not None):
        if key == "step":
            by_name["step"] = states[0]["step"].clone()
        else:
            values = regroup([state[key] for state in states], parameters)
            by_name |= {f"{key}/{name}": value.clone() for name, value in zip(names, values, strict=True)}
    return by_name


def load_optimizer_state(optimizer: torch.optim.Optimizer, model: nn.Module, state: dict[str, Tensor]) -> None:
    """The inverse of optimizer_state_by_name, onto this optimiser's own device and layout."""
    names = [name for name, _ in model.named_parameters()]
    optimised = optimizer.param_groups[0]["params"]
    for key in dict.fromkeys(name.partition("/")[0] for name in state):
        if key == "step":  # fused kernels keep the count beside the weights, the others on the CPU
            values = [
                state["step"].clone().to(p.device if optimizer.defaults.get("fused") else "cpu") for p in optimised
            ]
        else:
            values = regroup([state[f"{key}/{name}"] for name in names], optimised)
            values = [value.clone().to(p.device) for value, p in zip(values, optimised, strict=True)]
        for p, value in zip(optimised, values, strict=True):
            optimizer.state[p][key] = value


def preload_optimizer() -> None:
    """Make one tiny optimiser: PyTorch imports a second's worth of modules at its first."""
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])
