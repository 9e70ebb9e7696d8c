"""TrainedParameters: the parameters that a trainer optimises, as flat as can be, and tensors of that layout by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lstm_core.model.init import freeze
from lstm_core.training.optimizer import flatten_parameters, regroup, unflatten


class TrainedParameters:
    """A model's parameters as its optimiser has them: few flat vectors on the CPU, else the model's own.

    "Values" below are lists of tensors in that layout: one a tensor of `optimized`.
    """

    def __init__(self, model: nn.Module) -> None:
        frozen_masks = freeze(model)
        self._model = model
        self.optimized = flatten_parameters(model)
        self.trainable_masks: list[Tensor] = []  # bool, in the layout of values; empty: nothing is frozen
        if frozen_masks:
            none = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in model.named_parameters()}
            self.trainable_masks = self.to_values([~mask for mask in (none | frozen_masks).values()])

    def to_values(self, tensors: list[Tensor]) -> list[Tensor]:
        """One tensor a parameter of the model → values."""
        return regroup(tensors, self.optimized)

    def by_name(self, values: list[Tensor]) -> dict[str, Tensor]:
        """Values → a copy by the model's own names, in the parameters' shapes."""
        names, parameters = zip(*self._model.named_parameters(), strict=True)
        return {name: tensor.clone() for name, tensor in zip(names, regroup(values, parameters), strict=True)}

    def unflatten(self, flat: Tensor) -> dict[str, Tensor]:
        """One vector of all → views of it by the model's own names, in the parameters' shapes."""
        names, parameters = zip(*self._model.named_parameters(), strict=True)
        return dict(zip(names, unflatten(flat, parameters), strict=True))

    def flat_weights(self) -> Tensor:
        """(all parameters,): a copy on the CPU."""
        return _flat(self.optimized)

    def flat_gradients(self) -> Tensor:
        """(all parameters,): a copy of the last step's gradients on the CPU."""
        return _flat([p.grad for p in self.optimized])

    def copy(self) -> list[Tensor]:
        """Values: a copy of the weights."""
        return [p.detach().clone() for p in self.optimized]

    def save_to(self, values: list[Tensor]) -> None:
        """Copy the weights into `values`."""
        copy_values(self.optimized, values)

    def load_from(self, values: list[Tensor]) -> None:
        """Set the weights to `values`."""
        copy_values(values, self.optimized)

    @torch.no_grad()
    def restore_frozen(self, values: list[Tensor]) -> None:
        """Set the frozen entries of the weights to those of `values`."""
        for p, previous, trainable in zip(self.optimized, values, self.trainable_masks, strict=True):
            p.copy_(torch.where(trainable, p, previous))

    def gradient_norm(self) -> Tensor:
        """The norm of all gradients; those of frozen entries are set to zero."""
        grads = [p.grad for p in self.optimized]
        if self.trainable_masks:
            torch._foreach_mul_(grads, self.trainable_masks)
        return grads[0].norm() if len(grads) == 1 else torch.nn.utils.get_total_norm(grads)

    def clip_gradients(self, max_norm: float, norm: float) -> None:
        """Clip to max_norm, 0 for no limit, with the very numbers of PyTorch; norm: of the gradients, about."""
        if 0 < max_norm < norm * 1.001:  # else it would only cost time: PyTorch takes a norm a parameter
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), max_norm)

    @property
    def are_finite(self) -> bool:
        return all(bool(p.isfinite().all()) for p in self.optimized)

    def clear_gradients(self) -> None:
        """Set all gradients to zero, in place: a flat gradient must stay where its pieces are."""
        for p in self.optimized:
            if p.grad is not None:
                p.grad.zero_()


@torch.no_grad()
def copy_values(source: list[Tensor], target: list[Tensor]) -> None:
    """Copy tensor by tensor into `target`."""
    for a, b in zip(source, target, strict=True):
        b.copy_(a)


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).cpu()
