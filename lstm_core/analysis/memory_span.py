"""How long a model's memory holds: its score when only the last rows are left, or when it has to wait in between.

One forward pass for each number of rows. What a gate alone says, −1 / ln f, is no such measure: nets that were trained
for a delay answer right after many times that long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.analysis.window_score import KEPT, Scale, WindowScore, spread_starts
from lstm_core.data.number_format import format_percent
from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.model.recurrent import SequenceModel, model_from_weights

LIMIT = 512  # windows
POINTS = 16  # numbers of rows that are tried
HALF = 0.5
LONG_ENOUGH = 0.75  # of seq_len: what is left is room


@dataclass(frozen=True)
class MemorySpan:
    """Scores over a number of rows.

    kind: "cut", rows are those that are left, the last of the window; or "idle", rows are those that are put in.
    scores: as the scale's measure has them, of the predictions at the windows' ends.
    """

    kind: str
    rows: tuple[int, ...]  # rising
    scores: tuple[float, ...]
    scale: Scale
    seq_len: int
    windows: int

    @property
    def lead_kept(self) -> tuple[float, ...]:
        """Of each number of rows the share of the model's lead over an answer without a memory that is left."""
        return tuple(self.scale.lead_kept(score) for score in self.scores)

    @property
    def rows_needed(self) -> int | None:
        """Of "cut": the fewest rows from which on all keep KEPT of the lead."""
        enough = [kept >= KEPT for kept in self.lead_kept]
        last_bad = max((k for k, good in enumerate(enough) if not good), default=-1)
        return None if last_bad == len(enough) - 1 else self.rows[last_bad + 1]

    @property
    def rows_held(self) -> tuple[int, int | None]:
        """Of "idle": the most rows up to which at least half of the lead is left, and the next number that was tried,
        None if there was none."""
        bad = next((k for k, kept in enumerate(self.lead_kept) if kept < HALF), len(self.rows))
        return (0 if bad == 0 else self.rows[bad - 1]), (self.rows[bad] if bad < len(self.rows) else None)


def rows_to_try(most: int, points: int = POINTS) -> tuple[int, ...]:
    """1 to most: each of them where they are few, else ever farther apart, evenly on a logarithmic axis."""
    return tuple(np.unique(np.geomspace(1, most, points).round().astype(int)).tolist())


def score_with_last_rows(
    model: SequenceModel,
    windows: Windows,
    starts: np.ndarray,
    rows: Sequence[int] | None = None,
    limit: int = LIMIT,
    progress: Callable[[float], None] = lambda share: None,
) -> MemorySpan:
    """The score at the windows' ends if the model reads their last k rows alone, from a zero state: is seq_len long
    enough?

    rows: the numbers k, 1 to seq_len; None: rows_to_try. At most `limit` windows, evenly spread over starts. A linear
    skip reads the same rows. progress: called with the share done; what it raises ends this.

    Raises:
        PlaygroundError: there is no window, nothing is scored, or a k is not between 1 and seq_len.
    """
    seq_len = windows.spec.seq_len
    rows = tuple(rows) if rows is not None else rows_to_try(seq_len)
    _check_rows(rows, 1, seq_len, "seq_len")

    def alter(altered: SequenceModel, k: int) -> None:
        altered.register_forward_pre_hook(lambda _, inputs: (inputs[0][:, -k:], *inputs[1:]))

    return _span("cut", model, windows, spread_starts(starts, limit), rows, alter, progress)


def score_with_idle_rows(
    model: SequenceModel,
    windows: Windows,
    starts: np.ndarray,
    rows: Sequence[int],
    before: int | None = None,
    idle: np.ndarray | None = None,
    limit: int = LIMIT,
    progress: Callable[[float], None] = lambda share: None,
) -> MemorySpan:
    """The score at the windows' ends if k idle rows are put in before one of their rows: what survives them?

    rows: the numbers k, from 0. before: the row of the window, from 0, that follows the idle rows; None: the last one.
    idle: (input_size,) scaled values of an idle row; None: zeros, with scaling "standard" the training mean. A linear
    skip reads the window as it was. Otherwise as score_with_last_rows.

    Raises:
        PlaygroundError: there is no window or no such row, nothing is scored, or idle is not a row.
    """
    seq_len, size = windows.spec.seq_len, windows.input_size
    at = seq_len - 1 if before is None else before
    if not 0 <= at < seq_len:
        raise PlaygroundError(f"There is no row {at} in a window: choose 0 to {seq_len - 1}.")
    values = np.zeros(size, np.float32) if idle is None else np.asarray(idle, np.float32)
    if values.shape != (size,):
        raise PlaygroundError(f"An idle row has {size} values, one for each input: {values.shape} does not fit.")
    _check_rows(tuple(rows), 0, 100_000, "100,000")

    def alter(altered: SequenceModel, k: int) -> None:
        time = 1 if altered.spec.batch_first else 0
        row = torch.from_numpy(values).to(altered.head.weight.device)

        def put_in(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            past, future = inputs[0].split([at, inputs[0].shape[time] - at], dim=time)
            shape = list(inputs[0].shape)
            shape[time] = k
            waiting: Tensor = row.expand(shape)
            return torch.cat([past, waiting, future], dim=time), *inputs[1:]

        altered.recurrent.register_forward_pre_hook(put_in)

    return _span("idle", model, windows, spread_starts(starts, limit), tuple(rows), alter, progress)


def _check_rows(rows: tuple[int, ...], least: int, most: int, name: str) -> None:
    if not rows or list(rows) != sorted(set(rows)) or rows[0] < least or rows[-1] > most:
        raise PlaygroundError(f"rows are {list(rows)[:8]}: give rising whole numbers from {least} to {name}.")


def _span(
    kind: str,
    model: SequenceModel,
    windows: Windows,
    starts: np.ndarray,
    rows: tuple[int, ...],
    alter: Callable[[SequenceModel, int], None],
    progress: Callable[[float], None],
) -> MemorySpan:
    """alter: puts hooks on a model of its own, whose weights are the given one's."""
    score = WindowScore(windows, starts, at_end=True)
    scores = []
    for done, k in enumerate(rows):
        progress(done / len(rows))
        altered = model_from_weights(model.spec, model.sizes, model.state_dict())
        alter(altered, k)
        scores.append(score.of(altered).score)
    return MemorySpan(kind, rows, tuple(scores), score.scale(model), windows.spec.seq_len, len(starts))


def span_sentence(span: MemorySpan) -> str:
    """What the scores say, in one plain sentence."""
    scale, measure = span.scale, span.scale.measure
    if not scale.has_lead:
        return (
            f"Here the model ({measure} {scale.text(scale.full)}) is no better than {scale.answer} "
            f"({scale.text(scale.without)}): there is no memory to be measured."
        )
    return _cut_sentence(span) if span.kind == "cut" else _idle_sentence(span)


def _cut_sentence(span: MemorySpan) -> str:
    scale, needed = span.scale, span.rows_needed
    lead, share = f"lead over {scale.answer}", format_percent(KEPT, 0)
    all_of_them = f"{scale.measure} {scale.text(scale.full)} with all {span.seq_len}"
    if needed is None:
        return (
            f"The last {span.rows[-1]:,} rows alone do not keep {share} of the model's {lead} ({all_of_them}): it uses "
            "what lies before them."
        )
    if needed == span.seq_len:
        shorter = span.rows[-2] if len(span.rows) > 1 else 0
        less = f"the last {shorter:,} alone give {scale.text(span.scores[-2])}" if shorter else "there are no fewer"
        return (
            f"The model needs all {needed:,} rows of its windows ({scale.measure} {scale.text(scale.full)}; {less}): "
            "where there are earlier rows, a longer seq_len may help."
        )
    at = span.scores[span.rows.index(needed)]
    room = "seq_len is long enough for what this model uses"
    if needed > LONG_ENOUGH * span.seq_len:
        room = "it uses its windows almost from their beginning, so a longer seq_len may help"
    return (
        f"The last {needed:,} of {span.seq_len:,} rows keep {share} of the model's {lead} "
        f"({scale.measure} {scale.text(at)}; {scale.text(scale.full)} with all): {room}."
    )


def _idle_sentence(span: MemorySpan) -> str:
    scale, (held, lost) = span.scale, span.rows_held
    lead = f"lead over {scale.answer}"
    if lost is None:
        kept = span.lead_kept[-1]
        return (
            f"After {held:,} idle rows {format_percent(kept, 0)} of the model's {lead} is left "
            f"({scale.measure} {scale.text(span.scores[-1])}, {scale.text(scale.full)} without waiting)."
        )
    at = span.scores[span.rows.index(lost)]
    numbers = f"({scale.measure} {scale.text(at)}, {scale.text(scale.full)} without waiting)"
    if held == 0:
        idle = "a single idle row costs" if lost == 1 else f"{lost:,} idle rows cost"
        return f"Already {idle} more than half of the model's {lead} {numbers}."
    return f"Up to {held:,} idle rows the model keeps half of its {lead}; after {lost:,} it does not {numbers}."
