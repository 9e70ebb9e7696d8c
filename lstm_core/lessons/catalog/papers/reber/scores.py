"""What trained models predict on Reber strings and streams, scored by the grammar. Nothing here trains or draws.

Hochreiter & Schmidhuber (1997, experiment 1) count a string as right if at every step the symbols that may come next
are the most active outputs; that is `legal_ranked_first`. Gers, Schmidhuber & Cummins (2000) ask the same of endless
streams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch

from lstm_core.analysis.unit_search import UnitMatch, rank_by_class
from lstm_core.data.generators import reber
from lstm_core.model.recurrent import SequenceModel
from lstm_core.runs.run import Run

STREAMS, STREAM_STEPS = 10, 8000  # of a test by streams
EARLY_STEPS = 200  # of them that are scored at every snapshot: about 165 strings in all
OTHER_STREAMS = 2**30  # added to a run's seed: streams that it was not trained on


@dataclass(frozen=True, eq=False)
class ReberPredictions:
    """A model's logits, symbol by symbol; every array is (sequences, steps)."""

    symbols: np.ndarray  # into SYMBOLS, −1 in front of a string
    logits: np.ndarray  # (sequences, steps, 7) before the softmax

    @cached_property
    def states(self) -> np.ndarray:
        """Where in the grammar's GRAPH each symbol leads."""
        return reber.states_after(self.symbols)

    @cached_property
    def legal_ranked_first(self) -> np.ndarray:
        """1 where every symbol that may come next is more active than every other, else 0; NaN in front."""
        legal = reber.LEGAL[self.states]  # (sequences, steps, 7)
        min_legal = np.where(legal, self.logits, np.inf).min(axis=-1)
        max_illegal = np.where(legal, -np.inf, self.logits).max(axis=-1)
        return np.where(self.symbols < 0, np.nan, min_legal > max_illegal)

    @cached_property
    def recalled(self) -> np.ndarray:
        """Where the second symbol of a string must be repeated: 1 if its logit is highest, else 0; NaN elsewhere."""
        right = self.logits.argmax(axis=-1) == reber.LEGAL[self.states].argmax(axis=-1)
        return np.where(reber.STATE[self.states] == reber.RECALL_STATE, right, np.nan)

    @property
    def solved(self) -> np.ndarray:
        """(sequences,) bool: legal_ranked_first at every step."""
        return np.nanmin(self.legal_ranked_first, axis=1) == 1


@torch.no_grad()
def predict_symbols(model: SequenceModel, x: np.ndarray) -> ReberPredictions:
    """x: (sequences, steps, 7) one-hot float32, from the start of a string each; zeros in front."""
    return ReberPredictions(reber.decode_one_hot(x), model(torch.from_numpy(x)).numpy())


def one_hot(symbols: np.ndarray) -> np.ndarray:
    """(…) whole numbers into SYMBOLS, −1 for none → (…, 7) float32, the way the model sees them."""
    return (symbols[..., None] == np.arange(len(reber.SYMBOLS))).astype(np.float32)


def predict_test_strings(run: Run, step: int | None = None) -> ReberPredictions:
    """Predictions on the run's test split, by its model after this step; None: by the current one."""
    windows = run.windows
    return predict_symbols(run.snapshot_at(step).model, windows.inputs(windows.starts["test"]))


def unseen_streams(run: Run) -> np.ndarray:
    """(STREAMS, STREAM_STEPS, 7) one-hot: streams that the run was not trained on, always the same."""

    def draw() -> np.ndarray:
        seed = (run.experiment.data.seed + OTHER_STREAMS) % 2**31
        table = reber.continual_reber(STREAMS, STREAM_STEPS, 1, 0.0, seed)
        columns = [table.column(symbol).values for symbol in reber.SYMBOLS]
        one_hot = np.stack(columns, axis=-1, dtype=np.float32)
        return one_hot.reshape(STREAMS, STREAM_STEPS, len(reber.SYMBOLS))

    return run.cached("reber streams", (), draw)


def predict_streams(run: Run) -> ReberPredictions:
    """Predictions of the current model on unseen_streams."""
    x = unseen_streams(run)
    return run.cached("reber predictions", run.weights_key, lambda: predict_symbols(run.current_model(), x))


def longest_error_free(predictions: ReberPredictions) -> np.ndarray:
    """(sequences,): symbols of the longest stretch in which every prediction is legal_ranked_first."""
    wrong = [np.flatnonzero(right != 1) for right in predictions.legal_ranked_first]
    steps = predictions.symbols.shape[1]
    return np.array([np.diff(at, prepend=-1, append=steps).max() - 1 for at in wrong])


def solved_history(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Epochs, and the share of the test split's strings that are right at every step then."""
    return _history(run, "reber solved", lambda step: float(predict_test_strings(run, step).solved.mean()))


def first_perfect_epoch(run: Run) -> float | None:
    """The first epoch at which every string of the training and the test split is right at every step; None: never.

    The training split is predicted only where the whole test split is right.
    """
    epochs, shares = solved_history(run)
    windows = run.windows

    def all_right(step: int) -> bool:
        strings = run.cached("reber training strings", (), lambda: _distinct(windows.inputs(windows.starts["train"])))
        return bool(predict_symbols(run.snapshot_at(step).model, strings).solved.all())

    for epoch, share, step in zip(epochs, shares, run.snapshots.steps, strict=True):
        if share == 1 and run.cached(f"reber all right at {step}", (), partial(all_right, step)):
            return float(epoch)
    return None


def count_unseen(run: Run) -> int:
    """How many of the test split's strings the training split does not contain."""
    windows = run.windows
    train, test = (windows.inputs(windows.starts[split]) for split in ("train", "test"))
    trained_on = {x.tobytes() for x in train}
    return sum(x.tobytes() not in trained_on for x in test)


def _distinct(x: np.ndarray) -> np.ndarray:
    """(strings, seq_len, 7) one-hot, each string once: np.unique would sort them, which takes seconds."""
    first = {row.tobytes(): k for k, row in enumerate(x)}
    return x[list(first.values())]


def recall_history(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Epochs, and the share of T and P that are right in the first EARLY_STEPS of unseen_streams then."""
    x = unseen_streams(run)[:, :EARLY_STEPS]

    def share(step: int) -> float:
        return float(np.nanmean(predict_symbols(run.snapshot_at(step).model, x).recalled))

    return _history(run, "reber recalled", share)


def _history(run: Run, name: str, share: Callable[[int], float]) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and shares at every snapshot of the run."""
    steps = run.snapshots.steps
    shares = [run.cached(f"{name} at {step}", (), partial(share, step)) for step in steps]
    return np.array(steps) / run.steps_per_epoch, np.array(shares)


def memory_unit(run: Run, split: str) -> UnitMatch:
    """The unit whose c best tells T from P, wherever one of them is to be remembered in a split's windows."""

    def find() -> UnitMatch:
        windows = run.windows
        starts = windows.starts[split]
        rows = starts[:, None] + np.arange(windows.spec.seq_len)
        wrapped = run.table.column("wrapped").values[rows]  # 1: T, −1: P, 0: neither
        classes = np.where(wrapped == 0, -1, wrapped > 0)
        return rank_by_class(run.current_model(), windows, starts, classes, ("c",))[0]

    return run.cached("reber unit", run.weights_key, find)


def mean_by_position(values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of (sequences, steps), without NaN, over blocks of `size` steps: the blocks' middles, and the means."""
    blocks = values[:, : values.shape[1] // size * size].reshape(len(values), -1, size)
    return (np.arange(blocks.shape[1]) + 0.5) * size, np.nanmean(blocks, axis=(0, 2))
