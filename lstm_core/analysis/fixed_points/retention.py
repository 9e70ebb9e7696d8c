"""How long a model's answers outlive its input, beside what its fixed points promise. Nothing here draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_core.experiment import PlaygroundError
from lstm_core.model.recurrent import SequenceModel

SILENT_STEPS = (1, 3, 10, 30, 100, 300, 1000)


@dataclass(frozen=True, eq=False)
class Retention:
    """Of the answers that a model gives at the end of some windows, the share that is left after silent steps."""

    silent_steps: tuple[int, ...]
    share: np.ndarray  # (silent steps,) in 0…1
    forgotten: float  # the share that would count as kept if there were one and the same answer for all windows


@torch.no_grad()
def measure_retention(
    model: SequenceModel,
    x: Tensor,
    is_class: bool,
    silent_steps: Sequence[int] = SILENT_STEPS,
    constant: np.ndarray | Tensor | None = None,
) -> Retention:
    """What a model still answers so many steps after a window's end, while it reads nothing but the constant input.

    x: (batch, seq_len, input_size), on the model's device; is_class: whether its outputs are the logits of classes;
    constant: (input_size,), None: zeros. An answer is kept if it is the same class, or for a number if it has moved by
    less than the standard deviation of the answers at the windows' ends: of one that is +1 or −1, that is its sign.
    Several outputs are several answers.

    Raises:
        PlaygroundError: a bidirectional model, one with a linear skip, a constant of another shape, or steps that are
            not in rising order.
    """
    if model.spec.bidirectional or model.uses_skip:
        kind = "bidirectional model" if model.spec.bidirectional else "model with a linear skip"
        raise PlaygroundError(
            f"A {kind} answers from the window itself, not from a state that runs on: choose an LSTM with one "
            "direction and no skip."
        )
    steps = list(silent_steps)
    if not steps or steps[0] < 0 or steps != sorted(set(steps)):
        raise PlaygroundError("The numbers of silent steps must rise from 0 or more, each given once.")
    idle = torch.zeros(x.shape[2]) if constant is None else torch.as_tensor(constant)
    if idle.shape != (x.shape[2],):
        raise PlaygroundError(
            f"The constant input has shape {tuple(idle.shape)}, but this model reads {x.shape[2]} numbers a step: give "
            f"({x.shape[2]},)."
        )
    output, state = model.recurrent(model.to_module_layout(x))
    before, done, shares = _last_answers(model, output), 0, []
    for count in steps:
        if count > done:
            silence = idle.to(x).expand(len(x), count - done, -1)
            output, state = model.recurrent(model.to_module_layout(silence), state)
            done = count
        shares.append(_kept_share(before, _last_answers(model, output), is_class))
    return Retention(tuple(steps), np.array(shares), _kept_share(before, _one_for_all(before, is_class), is_class))


def _last_answers(model: SequenceModel, output: Tensor) -> Tensor:
    """(batch, outputs) at the last step of what the recurrent module returned."""
    return model.head(output[:, -1] if model.spec.batch_first else output[-1])


def _one_for_all(before: Tensor, is_class: bool) -> Tensor:
    """The most frequent class, or the mean, as the answer of every window."""
    if is_class:
        classes = torch.nn.functional.one_hot(before.argmax(dim=1), before.shape[1]).sum(dim=0)
        return classes.to(before).expand_as(before)
    return before.mean(dim=0).expand_as(before)


def _kept_share(before: Tensor, after: Tensor, is_class: bool) -> float:
    if is_class:
        return (before.argmax(dim=1) == after.argmax(dim=1)).double().mean().item()
    return ((after - before).abs() <= before.std(dim=0, correction=0)).double().mean().item()
