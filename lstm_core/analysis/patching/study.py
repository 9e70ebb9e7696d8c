"""A window and its twin compared: the pair of runs of a trained model, and maps of effects as far as time allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lstm_core.analysis.patching.effects import Progress, exact_effects, first_order_effects
from lstm_core.analysis.patching.run_pair import RunPair, run_pair
from lstm_core.analysis.patching.twin import Twin, find_twin, prediction_spread
from lstm_core.analysis.readout import Output
from lstm_core.data.windows import Windows
from lstm_core.model.recurrent import SequenceModel

CELL_SECONDS = 1e-7  # about, of one unit for one step of a run, for each unit it reads
DOUBLE_SECONDS = 3.0  # what a map may take in float64; longer ones are made in float32


@dataclass(frozen=True, eq=False)
class PatchStudy:
    """first_order: (seq_len, units), of all cells; exact: the same, of exact_map, None before it is computed."""

    twin: Twin
    pair: RunPair
    tensor: str
    first_order: np.ndarray
    exact: np.ndarray | None = None

    @property
    def effects(self) -> np.ndarray:
        """What there is: exact if it was computed."""
        return self.first_order if self.exact is None else self.exact

    @property
    def best_cell(self) -> tuple[int, int]:
        """The step and unit that alone bring the prediction nearest to the twin's."""
        return tuple(int(at) for at in np.unravel_index(np.nanargmin(np.abs(self.effects - 1)), self.effects.shape))


def patch_study(
    model: SequenceModel,
    windows: Windows,
    start: int,
    kind: str | None = None,
    tensor: str = "c",
    output: Output | None = None,
    step: int | None = None,
    direction: int = 0,
    at: int | None = None,
) -> PatchStudy:
    """Find a window's twin and how far each of its values moves the window's prediction, to first order.

    Arguments as of find_twin and patch_effects; a linear skip, which reads the inputs alone, is left out.

    Raises:
        PlaygroundError: there is no such twin, or it hardly differs in what is predicted.
    """
    twin = find_twin(model, windows, start, kind, output, step, at)
    if model.spec.head == "per_step" and step is None:
        step = windows.spec.seq_len - 1
    x_a, x_b = (torch.from_numpy(x) for x in (twin.x, windows.inputs(np.array([start]))[0]))
    seconds = exact_seconds(windows.spec.seq_len if step is None else step + 1, model.spec.hidden_size)
    dtype = torch.float64 if seconds <= DOUBLE_SECONDS else torch.float32
    pair = run_pair(model.lstm, model.head, x_a, x_b, twin.output, step, direction, dtype)
    pair.check(prediction_spread(model, windows, twin.output, step))
    return PatchStudy(twin, pair, tensor, first_order_effects(pair, tensor))


def exact_seconds(steps: int, units: int) -> float:
    """About how long an exact map of so many steps takes on one core."""
    return steps * (steps + 1) / 2 * units * units * CELL_SECONDS


def exact_map(study: PatchStudy, stride: int = 1, progress: Progress | None = None) -> np.ndarray:
    """(seq_len, units): every stride-th step exactly, counted back from the last that is read; the others NaN."""
    pair = study.pair
    last = int(pair.positions(torch.tensor(pair.read)))
    steps = [t for t in range(pair.seq_len) if (t - last) % stride == 0]
    result = np.full_like(study.first_order, np.nan)
    result[steps] = exact_effects(pair, study.tensor, steps, *(() if progress is None else (progress,)))
    return result
