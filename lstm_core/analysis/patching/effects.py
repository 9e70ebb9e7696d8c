"""Activation patching: put one value of run A into run B at one step, run on with B's inputs: how far does ŷ move?

    effect = (ŷ_patched − ŷ_B) / (ŷ_A − ŷ_B)

0: this value carries nothing of the difference, 1: all of it. Vig et al. (2020), "Investigating gender bias in language
models using causal mediation analysis"; Meng et al. (2022), "Locating and editing factual associations in GPT". Of c
and of the gates h_t follows from the patched value; a patched h_t leaves c_t as B has it. All cells are run exactly, in
batches; to first order (Nanda 2023, "Attribution patching") one pass back gives them all: ∂ŷ/∂v ⊙ (v_A − v_B).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.analysis.patching.run_pair import PATCHABLE, RunPair, run_pair
from lstm_core.analysis.readout import Output
from lstm_core.experiment import PlaygroundError

ROWS = 4096  # runs at once
Progress = Callable[[float], None]


def _silent(share: float) -> None:
    pass


def patch_effects(
    lstm: nn.LSTM,
    head: nn.Linear,
    x_a: Tensor,
    x_b: Tensor,
    tensor: str = "c",
    output: Output = 0,
    *,
    step: int | None = None,
    direction: int = 0,
    spread: float | None = None,
) -> np.ndarray:
    """(seq_len, hidden_size) float64: the effect of each step's and unit's value of the top layer, by the input's time.

    x_a, x_b: (seq_len, input_size); B is run with one value of A at a time. tensor: c, h, i, f, g or o (of h there are
    proj_size if that is set). output: an output of the head, a tuple (a, b) for the difference of two, or weights;
    step: read at this step in place of h_n. spread: the standard deviation of such predictions, to refuse a pair that
    hardly differs.

    Raises:
        PlaygroundError: an argument does not fit the modules, or A and B have the same prediction.
    """
    pair = run_pair(lstm, head, x_a, x_b, output, step, direction)
    pair.check(spread)
    return exact_effects(pair, tensor)


@torch.no_grad()
def exact_effects(
    pair: RunPair, tensor: str = "c", steps: Sequence[int] | None = None, progress: Progress = _silent
) -> np.ndarray:
    """(steps, units) float64: each cell patched and run on; steps: of the input, all if None.

    progress: called with the share that is done; what it raises ends this.
    """
    _check_tensor(tensor)
    all_steps = range(pair.seq_len) if steps is None else steps
    positions = pair.positions(torch.tensor(all_steps, dtype=torch.long))
    differs = pair.a[tensor] != pair.b[tensor]  # (seq_len, units): elsewhere nothing is patched
    result = torch.zeros(len(all_steps), differs.shape[1], dtype=pair.inputs.dtype)
    rows_of = {int(at): row for row, at in enumerate(positions) if at <= pair.read and differs[at].any()}
    order, size = sorted(rows_of), max(1, ROWS // differs.shape[1])
    total, done = sum(pair.read + 1 - at for at in order), 0
    for first in range(0, len(order), size):
        chunk = order[first : first + size]
        effects = _run_cells(pair, tensor, chunk, differs)
        for at, units in zip(chunk, effects, strict=True):
            result[rows_of[at]] = units
        done += sum(pair.read + 1 - at for at in chunk)
        progress(done / total)
    return result.double().numpy()


def _run_cells(pair: RunPair, tensor: str, chunk: list[int], differs: Tensor) -> Tensor:
    """(len(chunk), units): at each of these positions, ascending, every unit by itself; one batch that grows."""
    h_before, c_before = pair.before
    h, c = h_before[:0], c_before[:0]
    eye, starts = torch.eye(differs.shape[1], dtype=torch.bool), set(chunk)
    for t in range(chunk[0], pair.read + 1):
        if len(h):
            h, c = pair.advance(t, h, c)
        if t in starts:
            state = (before[t].expand(len(eye), -1) for before in (h_before, c_before))
            patched = pair.advance(t, *state, taking(pair, t, (tensor,), eye))
            h, c = (torch.cat(parts) for parts in zip((h, c), patched, strict=True))
    effects = pair.effects(h).unflatten(0, (len(chunk), -1))
    return torch.where(differs[chunk], effects, 0.0)


def taking(pair: RunPair, t: int, tensors: Collection[str], mask: Tensor) -> Callable[[str, Tensor], Tensor]:
    """A change that puts A's values of these tensors at step t where mask (rows, units) is true."""

    def change(name: str, values: Tensor) -> Tensor:
        return torch.where(mask, pair.a[name][t], values) if name in tensors else values

    return change


def first_order_effects(pair: RunPair, tensor: str = "c") -> np.ndarray:
    """(seq_len, units) float64: every cell's effect to first order, from one pass back through B."""
    _check_tensor(tensor)
    shift = torch.zeros_like(pair.b[tensor], requires_grad=True)
    h, c = (before[:1] for before in pair.before)
    for t in range(pair.read + 1):
        h, c = pair.advance(t, h, c, lambda name, values, t=t: values + shift[t] if name == tensor else values)
    (gradient,) = torch.autograd.grad(pair.predictions(h).sum(), shift)
    effects = gradient * (pair.a[tensor] - pair.b[tensor]) / pair.difference
    return (effects.flip(0) if pair.is_reverse else effects).double().numpy()


def _check_tensor(tensor: str) -> None:
    if tensor not in PATCHABLE:
        raise PlaygroundError(f"There is nothing called {tensor!r} to patch: choose one of {', '.join(PATCHABLE)}.")
