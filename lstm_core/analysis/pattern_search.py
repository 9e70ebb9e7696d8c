"""Pattern search: where else do the units that are on during a span of steps go on and off together?

As LSTMVis does it (Strobelt et al., 2018, "LSTMVis: A Tool for Visual Analysis of Hidden State Dynamics in Recurrent
Neural Networks"), but on tanh c, which tells better than h what is remembered, and in both signs. pattern_labels.py
says what the places found have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lstm_core.experiment import PlaygroundError
from lstm_core.trace.gate_trace import GateTrace

THRESHOLD = 0.3
FEWEST, MOST = 3, 8  # units that say enough, and still have other places
THRESHOLDS = tuple(k / 20 for k in range(1, 20))  # those that suggest_threshold tries
RELAXED = 0.8  # times the threshold, again and again, until a unit is on
LEAST_THRESHOLD = 0.01
SPAN_STEPS = 2, 8  # how long a suggested span is


@dataclass(frozen=True)
class Match:
    """A place with the same pattern: steps t0 … t1 of a sequence, both included.

    score: the Jaccard index of the pattern's units and those with the same on/off shape there, 0 to 1.
    """

    sequence: int
    t0: int
    t1: int
    score: float


@dataclass(frozen=True)
class UnitPattern:
    """The units that are on during a span, those of all directions of a layer counted on.

    A unit is on where its sign · tanh c > threshold. bounded: whether they are off in the step before the span and in
    the step after it; else no unit was, and that was not asked.
    """

    units: tuple[int, ...]
    signs: tuple[int, ...]  # 1: on where c is positive, −1: where it is negative
    threshold: float
    bounded: bool


def find_patterns(
    trace: GateTrace, sequence: int, t0: int, t1: int, layer: int = -1, threshold: float = THRESHOLD, n: int = 20
) -> list[Match]:
    """The n other places of all sequences of a trace that are most like the steps t0 … t1 of one of them.

    S is the pattern of the span (unit_pattern). A place is a longest run of steps at which all but m of the units of S
    are on, m = 0, then 1 and so on until there are n places. They are ranked by the Jaccard index of S and the units,
    with their signs, that have the same shape there (on at each step of it, and off before and after it, if S is
    bounded), then by how little their length differs from the span's, then by order. No two overlap one another or
    the span.

    layer: 0 is the first, −1 the last. Steps beyond a sequence's end are never on.

    Raises:
        PlaygroundError: there is no such span or layer, or no unit keeps its sign during the span.
    """
    pattern = unit_pattern(trace, sequence, t0, t1, layer, threshold)
    if n < 1:
        raise PlaygroundError(f"n is {n}: ask for at least 1 place.")
    c = _cell_states(trace, layer)
    on = _count_on(c, pattern)
    places, matches = np.empty((0, 3), np.int64), []
    shapes = _Shapes(c, pattern)
    for missing in range(len(pattern.units)):
        found = _runs(on >= len(pattern.units) - missing)
        places = np.unique(np.concatenate([places, found]), axis=0)
        matches = _ranked(places, shapes.jaccard(places), (sequence, t0, t1), n)
        if len(matches) == n:
            break
    return matches


def unit_pattern(
    trace: GateTrace, sequence: int, t0: int, t1: int, layer: int = -1, threshold: float = THRESHOLD
) -> UnitPattern:
    """The units that are on at every step of a span, with the sign of their mean over it, and off around it.

    If there is none, those that are on at every step, whatever they are around it; if there is none either, the same
    with a lower threshold.

    Raises:
        PlaygroundError: there is no such span or layer, or no unit keeps its sign during the span.
    """
    _check_span(trace, sequence, t0, t1, layer, threshold)
    around = _cell_states(trace, layer, sequence)[0]  # (seq_len, units)
    if np.isnan(around[t1]).any():
        raise PlaygroundError(f"Sequence {sequence} ends before step {t1}: choose steps inside it.")
    squashed = np.tanh(around)
    sign = np.where(squashed[t0 : t1 + 1].mean(0) < 0, -1, 1)
    inside = (sign * squashed[t0 : t1 + 1]).min(0)  # (units,)
    outside = [step for step in (t0 - 1, t1 + 1) if 0 <= step < len(squashed)]
    beyond = np.max(np.nan_to_num(sign * squashed[outside], nan=-1.0), axis=0, initial=-1.0)
    bounded = np.flatnonzero((inside > threshold) & ~(beyond > threshold))
    if len(bounded):
        return _pattern(bounded, sign, threshold, True)
    while threshold > LEAST_THRESHOLD and not (inside > threshold).any():
        threshold = max(LEAST_THRESHOLD, threshold * RELAXED)
    free = np.flatnonzero(inside > threshold)
    if not len(free):
        raise PlaygroundError(
            f"No unit stays on one side of zero from step {t0} to step {t1}: choose fewer steps, or another layer."
        )
    return _pattern(free, sign, threshold, False)


def suggest_threshold(trace: GateTrace, sequence: int, t0: int, t1: int, layer: int = -1) -> float:
    """The threshold to begin with: one that leaves FEWEST to MOST units that are off around the span, as near to
    THRESHOLD as there is; else one that leaves as nearly so many as possible.

    Raises:
        PlaygroundError: as unit_pattern.
    """

    def cost(threshold: float) -> tuple[int, float]:
        pattern = unit_pattern(trace, sequence, t0, t1, layer, threshold)
        count = len(pattern.units) if pattern.bounded else 0
        return max(FEWEST - count, count - MOST, 0), abs(threshold - THRESHOLD)

    return min(THRESHOLDS, key=cost)


def units_on(trace: GateTrace, pattern: UnitPattern, layer: int = -1) -> np.ndarray:
    """(batch, seq_len) int: how many of the pattern's units are on at each step; 0 beyond a sequence's end."""
    return _count_on(_cell_states(trace, layer), pattern)


def suggest_span(trace: GateTrace, sequence: int, layer: int = -1) -> tuple[int, int]:
    """A span (t0, t1) of a sequence to begin with: of SPAN_STEPS, that in which most units are on, and off around it.

    More than MOST units count as MOST; of equals the longest, then the first, is taken.
    """
    squashed = np.tanh(_cell_states(trace, layer, sequence)[0])  # (seq_len, units)
    on = np.concatenate([squashed > THRESHOLD, squashed < -THRESHOLD], axis=1)
    padded = np.pad(on, ((1, 1), (0, 0)))
    best, span = -1, (0, 0)
    run = on
    for steps in range(1, min(SPAN_STEPS[1], len(on)) + 1):
        if steps > 1:
            run = run[:-1] & on[steps - 1 :]  # on at all of the steps from here on
        counts = (run & ~padded[: len(run)] & ~padded[steps + 1 :]).sum(1).clip(max=MOST)
        if steps >= min(SPAN_STEPS[0], len(on)) and counts.max() >= best:
            best, first = int(counts.max()), int(counts.argmax())
            span = first, first + steps - 1
    return span


def _count_on(c: np.ndarray, pattern: UnitPattern) -> np.ndarray:
    count = np.zeros(c.shape[:2], np.int16)
    for unit, sign in zip(pattern.units, pattern.signs, strict=True):
        count += sign * c[..., unit] > math.atanh(pattern.threshold)
    return count


def _pattern(units: np.ndarray, sign: np.ndarray, threshold: float, bounded: bool) -> UnitPattern:
    return UnitPattern(tuple(units.tolist()), tuple(sign[units].tolist()), threshold, bounded)


def _check_span(trace: GateTrace, sequence: int, t0: int, t1: int, layer: int, threshold: float) -> None:
    layers, _, batch, seq_len, _ = trace.c.shape
    if not (0 <= sequence < batch and 0 <= t0 <= t1 < seq_len):
        raise PlaygroundError(
            f"There are no steps {t0} to {t1} of sequence {sequence}: choose steps from 0 to {seq_len - 1} of a "
            f"sequence from 0 to {batch - 1}, the first not after the last."
        )
    if not -layers <= layer < layers:
        raise PlaygroundError(f"There is no layer {layer}: choose one from 0 to {layers - 1}.")
    if not 0 <= threshold < 1:
        raise PlaygroundError(f"The threshold is {threshold:g}: tanh c is below 1, so choose 0 to 0.99.")


def _cell_states(trace: GateTrace, layer: int, sequence: int | None = None) -> np.ndarray:
    """(batch, seq_len, directions · hidden_size) float32: c of a layer, of one sequence or of all."""
    c = trace.c[layer]
    c = c if sequence is None else c[:, sequence : sequence + 1]
    return c.permute(1, 2, 0, 3).flatten(2).float().cpu().numpy()


def _runs(on: np.ndarray) -> np.ndarray:
    """(runs, 3) sequence, first and last step of the longest runs of True in (batch, seq_len)."""
    edges = np.diff(np.pad(on, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    sequence, first = np.nonzero(edges == 1)
    last = np.nonzero(edges == -1)[1] - 1
    return np.stack([sequence, first, last], axis=1)


@dataclass(frozen=True)
class _Shapes:
    """Which units have the pattern's shape in a place."""

    c: np.ndarray  # (batch, seq_len, units)
    pattern: UnitPattern

    def jaccard(self, places: np.ndarray) -> np.ndarray:
        """(places,) of the pattern's units and those with its shape, from (places, 3)."""
        if not len(places):
            return np.empty(0)
        level, sizes = math.atanh(self.pattern.threshold), places[:, 2] - places[:, 1] + 1
        order = np.argsort(-sizes, kind="stable")  # those that have a k-th step are then the first of them
        places = places[order]
        sequence, first, last = places.T
        positive = np.ones((len(places), self.c.shape[2]), bool)
        negative = positive.copy()
        for k in range(sizes.max()):
            count = int((sizes > k).sum())
            here = self.c[sequence[:count], first[:count] + k]
            positive[:count] &= here > level
            negative[:count] &= here < -level
        if self.pattern.bounded:
            for step in (first - 1, last + 1):
                inside = (step >= 0) & (step < self.c.shape[1])
                around = self.c[sequence[inside], step[inside]]
                positive[inside] &= ~(around > level)
                negative[inside] &= ~(around < -level)
        units, signs = np.array(self.pattern.units), np.array(self.pattern.signs)
        shared = np.where(signs > 0, positive[:, units], negative[:, units]).sum(1)
        scores = np.empty(len(places))
        scores[order] = shared / (len(units) + positive.sum(1) + negative.sum(1) - shared)
        return scores


def _ranked(places: np.ndarray, scores: np.ndarray, span: tuple[int, int, int], n: int) -> list[Match]:
    """The best n of these (places, 3) that overlap neither the span nor a better one."""
    if not len(places):
        return []
    difference = np.abs((places[:, 2] - places[:, 1]) - (span[2] - span[1]))
    order = np.lexsort((places[:, 2], places[:, 1], places[:, 0], difference, -scores))
    taken: dict[int, list[tuple[int, int]]] = {span[0]: [span[1:]]}
    matches: list[Match] = []
    for k in order:
        sequence, first, last = places[k].tolist()
        others = taken.setdefault(sequence, [])
        if all(last < begin or first > end for begin, end in others):
            others.append((first, last))
            matches.append(Match(sequence, first, last, float(scores[k])))
            if len(matches) == n:
                break
    return matches
