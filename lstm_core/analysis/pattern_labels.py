"""What the places of a pattern have in common: symbols, quarters of a column, of the position, the target, the error.

A label's lift is how much more often it is found there than elsewhere: P(label | place) / P(label).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.analysis.pattern_search import Match
from lstm_core.data.number_format import format_percent, format_significant, minus_sign
from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.scores import window_errors
from lstm_core.model.recurrent import SequenceModel

PARTS = 4  # quarters
QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
MAX_SYMBOLS = 300  # features of 0 and 1 that count as symbols
WHERE = {  # which steps of the places are looked at → one of them in words
    "step": "step",
    "before": "step before a place",
    "first": "first step",
    "last": "last step",
    "after": "step after a place",
}


@dataclass(frozen=True, eq=False)
class LabelColumn:
    """A label at every step of the searched sequences.

    codes: (sequences, seq_len) int, a place in names; −1 where there is none. names: as they are shown.
    """

    name: str
    codes: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Lift:
    """How much more often a label is found in the places than anywhere.

    count: how many of the `of` steps looked at have it; base_rate: its share of all steps that have a label.
    """

    column: str
    label: str
    where: str  # one of WHERE
    count: int
    of: int
    base_rate: float

    @property
    def share(self) -> float:
        return self.count / self.of

    @property
    def lift(self) -> float:
        return self.share / self.base_rate


def shared_labels(matches: Sequence[Match], columns: Sequence[LabelColumn], where: str = "step") -> list[Lift]:
    """The lift of every label that occurs in these places, those first that are most surprising there.

    where: one of WHERE: look at every step of each place, at its first or last alone, or at the one before or after it.
    Surprising: by the information that the places give of the label, share · log(lift).

    Raises:
        PlaygroundError: there is no place, or a column has not the shape of the sequences.
    """
    if where not in WHERE:
        raise PlaygroundError(f"where is {where!r}: choose one of {', '.join(WHERE)}.")
    if not matches:
        raise PlaygroundError("There is no place to compare: choose another span of steps.")
    lifts = []
    for column in columns:
        sequence, steps = _steps(matches, where, column)
        there, everywhere = column.codes[sequence, steps], column.codes[column.codes >= 0]
        there = there[there >= 0]
        counts = np.bincount(there, minlength=len(column.names))
        base = np.bincount(everywhere, minlength=len(column.names)) / max(1, len(everywhere))
        for code in np.flatnonzero(counts):
            lifts.append(Lift(column.name, column.names[code], where, int(counts[code]), len(there), float(base[code])))
    return sorted(lifts, key=lambda lift: -lift.share * np.log(lift.lift))


def _steps(matches: Sequence[Match], where: str, column: LabelColumn) -> tuple[np.ndarray, np.ndarray]:
    """(sequence, step) of every step that is looked at, those that there are."""
    sequences, seq_len = column.codes.shape
    if max(match.sequence for match in matches) >= sequences or max(match.t1 for match in matches) >= seq_len:
        raise PlaygroundError(f"The labels of {column.name!r} do not reach as far as the places: give all steps.")
    spans = {
        "step": lambda match: range(match.t0, match.t1 + 1),
        "before": lambda match: (match.t0 - 1,),
        "first": lambda match: (match.t0,),
        "last": lambda match: (match.t1,),
        "after": lambda match: (match.t1 + 1,),
    }
    pairs = [(match.sequence, step) for match in matches for step in spans[where](match) if 0 <= step < seq_len]
    sequence, steps = np.array(pairs, np.int64).reshape(-1, 2).T
    return sequence, steps


def shared_sentence(lifts: Sequence[Lift], matches: Sequence[Match]) -> str:
    """What the places share, in one plain sentence."""
    places = f"{len(matches)} place" + "s" * (len(matches) != 1)
    if not lifts or lifts[0].lift < 1.05:
        return f"The {places} found share none of the known labels more than chance would have it."
    best = lifts[0]
    times = f"{format_significant(best.lift, 2)} times as often as elsewhere"
    unit = WHERE[best.where].replace("step", "steps" if best.of != 1 else "step")
    return (
        f"In the {places} found, {best.column} is {best.label!r} at {best.count:,} of {best.of:,} {unit} "
        f"({format_percent(best.share, 0)}); of all steps it is that at {format_percent(best.base_rate)}: {times}."
    )


# ---- windows, and the labels that are known of them


def searched_starts(windows: Windows, start: int, limit: int) -> np.ndarray:
    """Where the windows begin that are searched for places like one of the window at `start`, which is the first.

    Of all splits, none of which shares a row with another: at most `limit`, evenly spread.
    """
    starts, length = np.unique(np.concatenate(list(windows.starts.values()))), windows.spec.seq_len
    starts = starts[np.abs(starts - start) >= length]
    apart, end = [], -1
    for first in starts.tolist():
        if first >= end:
            apart.append(first)
            end = first + length
    spread = np.unique(np.linspace(0, len(apart) - 1, min(len(apart), max(0, limit - 1))).round().astype(int))
    return np.array([start, *(apart[k] for k in spread)], np.int64)


def window_labels(windows: Windows, starts: np.ndarray, model: SequenceModel | None = None) -> list[LabelColumn]:
    """What is known of each step of these windows: symbols or features, the position, the target, and of the model
    how wrong it is at the window's end. Batch k is the window at starts[k].

    Numbers are told by the quarter of all values in these windows that they are in.
    """
    rows = np.asarray(starts)[:, None] + np.arange(windows.spec.seq_len)
    columns = _feature_labels(windows, rows)
    position = np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
    columns += quarters("position in the window", position)
    if windows.classes:
        columns.append(LabelColumn(windows.spec.targets[0], windows.y[rows], windows.classes))
    else:
        for k, name in enumerate(windows.spec.targets):
            if name not in windows.feature_names:
                columns += quarters(name, windows.y[rows, k])
    if model is not None:
        error = window_errors(windows, starts, predict(model, windows, np.asarray(starts)))
        columns += quarters("error at the window's end", np.broadcast_to(error[:, None], rows.shape))
    return columns


def _feature_labels(windows: Windows, rows: np.ndarray) -> list[LabelColumn]:
    """One column of symbols where the features are 0 or 1, one of them at a time; else the quarters of each."""
    values = windows.features[rows]  # (windows, seq_len, features)
    is_binary = values.shape[2] <= MAX_SYMBOLS and np.isin(values, (0, 1)).all()
    if is_binary and values.shape[2] > 1 and values.sum(2).max() <= 1:
        codes = np.where(values.any(2), values.argmax(2), -1)
        return [LabelColumn("symbol", codes, windows.feature_names)]
    return [column for k, name in enumerate(windows.feature_names) for column in quarters(name, values[..., k])]


def quarters(name: str, values: np.ndarray) -> list[LabelColumn]:
    """Of numbers (sequences, seq_len) the quarter that each is in, or the value where there are only a few; none where
    they are all the same. NaN has no label."""
    known = values[np.isfinite(values)]
    distinct = np.unique(known)
    if len(distinct) < 2:
        return []
    if len(distinct) <= PARTS:
        codes, names = np.searchsorted(distinct, values), tuple(minus_sign(f"{one:.4g}") for one in distinct)
    else:
        edges = np.quantile(known, np.arange(1, PARTS) / PARTS)
        codes = np.searchsorted(edges, values, side="right")
        shown = [format_significant(edge, 3) for edge in edges]
        limits = [f"below {shown[0]}", *(f"{a} to {b}" for a, b in itertools.pairwise(shown))]
        limits.append(f"from {shown[-1]}")
        names = tuple(f"{quarter} ({limit})" for quarter, limit in zip(QUARTERS, limits, strict=True))
    return [LabelColumn(name, np.where(np.isfinite(values), codes, -1), names)]
