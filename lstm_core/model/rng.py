"""Seeded random numbers from PyTorch's global generator that leave its state as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

# Dropout between layers draws from torch's global generator. A run that uses it holds this lock and restores the state,
# so that concurrent runs stay reproducible from their own seeds.
_global_generator = threading.Lock()


@contextmanager
def rng_scope(state: Tensor) -> Iterator[list[Tensor]]:
    """Run a block with torch's global CPU generator at `state`; the yielded list then has the state it ended at.

    On a GPU dropout draws from the GPU's own generator: there only runs without dropout are reproducible.
    """
    state_after = [state]
    with _global_generator:
        outside = torch.get_rng_state()
        torch.set_rng_state(state)
        try:
            yield state_after
        finally:
            state_after[0] = torch.get_rng_state()
            torch.set_rng_state(outside)


def rng_state(seed: int) -> Tensor:
    """The state of a new CPU generator with this seed."""
    return torch.Generator().manual_seed(seed).get_state()
