"""Seeds without touching PyTorch's global generator for anybody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

# Dropout between layers draws from torch's one global generator. Whoever trains with it holds this lock and puts the
# state back, so that concurrent runs stay reproducible from their own seeds.
_global_generator = threading.Lock()


@contextmanager
def rng_scope(state: Tensor) -> Iterator[list[Tensor]]:
    """Run a block with torch's global CPU generator at `state`; the yielded list's item is the state after.

    A GPU's dropout draws from the GPU's own generator: there only runs without dropout repeat exactly.
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
    """The state of a fresh CPU generator with this seed."""
    return torch.Generator().manual_seed(seed).get_state()
