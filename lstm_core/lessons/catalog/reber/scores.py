"""What trained models say of Reber strings and streams, judged by the grammar. Nothing here trains or draws.

Hochreiter & Schmidhuber (1997, experiment 1) count a string as right if at every step the symbols that may come next
are the most active outputs; that is `legal_first`. Gers, Schmidhuber & Cummins (2000) ask the same of endless streams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from lstm_core.analysis.unit_search import Found, best, units_by_class
from lstm_core.data.generators.reber import BEFORE_LAST_BUT_ONE as MUST_REMEMBER
from lstm_core.data.generators.reber import LEGAL, STATE, SYMBOLS, continual_reber, from_one_hot, read
from lstm_core.model.recurrent import SequenceLSTM
from lstm_core.runs.run import Run

STREAMS, STREAM_STEPS = 10, 8000  # of a test by streams
EARLY_STEPS = 200  # of them that are read at every snapshot: about 165 strings in all
OTHER_STREAMS = 2**30  # added to a run's seed: streams that it was not trained on


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model said, symbol by symbol; every array is (sequences, steps)."""

    symbols: np.ndarray  # into SYMBOLS, −1 in front of a string
    said: np.ndarray  # (sequences, steps, 7) before the softmax

    @cached_property
    def places(self) -> np.ndarray:
        """Where in the grammar's GRAPH each symbol leads."""
        return read(self.symbols)

    @cached_property
    def legal_first(self) -> np.ndarray:
        """1 where every symbol that may come next is more active than every other, else 0; NaN in front."""
        legal = LEGAL[self.places]  # (sequences, steps, 7)
        least = np.where(legal, self.said, np.inf).min(axis=-1)
        most = np.where(legal, -np.inf, self.said).max(axis=-1)
        return np.where(self.symbols < 0, np.nan, least > most)

    @cached_property
    def remembered(self) -> np.ndarray:
        """Where the second symbol of the string must be said again: 1 if it is the most active, else 0; NaN elsewhere."""
        right = self.said.argmax(axis=-1) == LEGAL[self.places].argmax(axis=-1)
        return np.where(STATE[self.places] == MUST_REMEMBER, right, np.nan)

    @property
    def solved(self) -> np.ndarray:
        """(sequences,) bool: legal_first at every step."""
        return np.nanmin(self.legal_first, axis=1) == 1


@torch.no_grad()
def reading(model: SequenceLSTM, x: np.ndarray) -> Reading:
    """x: (sequences, steps, 7) one-hot float32, from the start of a string each; zeros in front."""
    return Reading(from_one_hot(x), model(torch.from_numpy(x)).numpy())


def one_hot(symbols: np.ndarray) -> np.ndarray:
    """(…) whole numbers into SYMBOLS, −1 for none → (…, 7) float32, the way the model sees them."""
    return (symbols[..., None] == np.arange(len(SYMBOLS))).astype(np.float32)


def read_test_strings(run: Run, step: int | None = None) -> Reading:
    """The run's test part, read by its model as it was after this step; None: as it is now."""
    windows = run.windows
    return reading(run.moment(step).model, windows.inputs(windows.starts["test"]))


def streams_of(run: Run) -> np.ndarray:
    """(STREAMS, STREAM_STEPS, 7) one-hot: streams that the run was not trained on, always the same."""

    def draw() -> np.ndarray:
        seed = (run.experiment.data.seed + OTHER_STREAMS) % 2**31
        table = continual_reber(STREAMS, STREAM_STEPS, 1, 0.0, seed)
        columns = [table.column(symbol).values for symbol in SYMBOLS]
        return np.stack(columns, axis=-1).reshape(STREAMS, STREAM_STEPS, len(SYMBOLS))

    return run.remembered("reber streams", (), draw)


def read_streams(run: Run) -> Reading:
    """streams_of, read by the model as it is now."""
    return run.remembered("reber reading", (run.step,), lambda: reading(run.model(), streams_of(run)))


def solved_along(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Epochs, and the share of the test part's strings that are right at every step then."""
    return _along(run, "reber solved", lambda step: read_test_strings(run, step).solved.mean())


def remembered_along(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Epochs, and the share of T and P that are right in the first EARLY_STEPS of streams_of then."""
    x = streams_of(run)[:, :EARLY_STEPS]
    return _along(
        run, "reber remembered", lambda step: np.nanmean(reading(run.moment(step).model, x).remembered)
    )


def _along(run: Run, name: str, share: Callable[[int], float]) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and shares at every snapshot of the run."""
    known = run.memo.setdefault(name, {})
    steps = run.snapshots.steps
    for step in set(steps) - known.keys():
        known[step] = float(share(step))
    return np.array(steps) / run.steps_per_epoch, np.array([known[step] for step in steps])


def wrapped_unit(run: Run, part: str) -> Found:
    """The unit whose c tells best, wherever T or P is to be remembered in a part's windows, which of them it is."""

    def find() -> Found:
        windows = run.windows
        starts = windows.starts[part]
        rows = starts[:, None] + np.arange(windows.spec.seq_len)
        wrapped = run.table.column("wrapped").values[rows]  # 1: T, −1: P, 0: neither
        classes = np.where(wrapped == 0, -1, wrapped > 0)
        return best(units_by_class(run.model(), windows, starts, classes, ("c",)), "c")

    return run.remembered("reber unit", (run.step,), find)


def by_position(values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of (sequences, steps), without NaN, over blocks of `size` steps: the blocks' middles, and the means."""
    blocks = values[:, : values.shape[1] // size * size].reshape(len(values), -1, size)
    return (np.arange(blocks.shape[1]) + 0.5) * size, np.nanmean(blocks, axis=(0, 2))
