"""Pattern search: planted patterns, brackets of a trained net, and a plain search that says the same."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.analysis.pattern_search import (
    LEAST_THRESHOLD,
    MOST,
    Match,
    find_patterns,
    suggest_span,
    suggest_threshold,
    unit_pattern,
    units_on,
)
from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights import read_lstms
from lstm_core.trace import GateTrace, trace_lstm
from tests.conftest import examples
from tests.factories import BRACKETS, DEEPEST, brackets

FIXTURE = Path(__file__).parents[1] / "fixtures/brackets/brackets.safetensors"
OFF, ON = 0.1, 2.0


def trace_with_c(c: np.ndarray) -> GateTrace:
    """A trace whose cell states are (layers, directions, batch, seq_len, units)."""
    states = torch.from_numpy(np.asarray(c, np.float32))
    return GateTrace(*[states] * 6, states[-1, 0], states[:, 0, :, -1], states[:, 0, :, -1])


def planted(*places: tuple[int, int, int], units=(1, 3), batch: int = 4, steps: int = 30) -> GateTrace:
    """Six units, all off but `units` at these places (sequence, t0, t1); unit 3 is on downwards."""
    c = np.full((1, 1, batch, steps, 6), OFF)
    for sequence, t0, t1 in places:
        for unit in units:
            c[0, 0, sequence, t0 : t1 + 1, unit] = -ON if unit == 3 else ON
    return trace_with_c(c)


def test_planted_places_are_found_exactly_the_nearest_in_length_first():
    trace = planted((0, 5, 8), (1, 10, 20), (2, 0, 3), (3, 25, 29), (0, 15, 17))
    pattern = unit_pattern(trace, 0, 5, 8)
    assert (pattern.units, pattern.signs, pattern.threshold, pattern.bounded) == ((1, 3), (1, -1), 0.3, True)
    found = find_patterns(trace, 0, 5, 8)
    assert found == [Match(2, 0, 3, 1.0), Match(0, 15, 17, 1.0), Match(3, 25, 29, 1.0), Match(1, 10, 20, 1.0)]
    assert find_patterns(trace, 0, 5, 8, n=2) == found[:2]


def test_a_place_where_one_more_unit_is_on_or_one_is_missing_ranks_lower():
    trace = planted((0, 5, 8), (1, 5, 8), (2, 5, 8), (3, 5, 8))
    trace.c[0, 0, 1, 5:9, 0] = ON  # one more with the same shape: 2 of 3
    trace.c[0, 0, 2, 5:9, 1] = OFF  # one of two
    trace.c[0, 0, 3, 5:9, 3] = ON  # on upwards: the pattern's unit 3 is missing, and another is there
    scores = {(match.sequence, match.t0, match.t1): match.score for match in find_patterns(trace, 0, 5, 8)}
    assert scores == pytest.approx({(1, 5, 8): 2 / 3, (2, 5, 8): 1 / 2, (3, 5, 8): 1 / 3})


def test_units_that_are_on_around_the_span_are_left_out_and_kept_where_there_are_no_others():
    trace = planted((0, 5, 8), (1, 5, 8))
    trace.c[0, 0, 0, 4, 1] = ON
    assert unit_pattern(trace, 0, 5, 8).units == (3,)
    trace.c[0, 0, 0, 9, 3] = -ON
    free = unit_pattern(trace, 0, 5, 8)
    assert (free.units, free.bounded, free.threshold) == ((1, 3), False, 0.3)
    assert find_patterns(trace, 0, 5, 8)[0] == Match(1, 5, 8, 1.0)


def test_the_threshold_is_lowered_where_no_unit_is_on():
    trace = planted((0, 5, 8), (1, 5, 8))
    trace.c[:] = trace.c * 0.1  # ON is 0.2 now, OFF 0.01
    found = unit_pattern(trace, 0, 5, 8, threshold=0.5)
    assert found.units == (1, 3) and not found.bounded
    assert LEAST_THRESHOLD < found.threshold < np.tanh(0.2) < found.threshold / 0.8
    assert find_patterns(trace, 0, 5, 8, threshold=0.5)[0] == Match(1, 5, 8, 1.0)


def test_steps_past_a_sequences_end_are_never_on():
    trace = planted((0, 5, 8), (1, 20, 29))
    trace.c[0, 0, 1, 24:] = torch.nan
    assert find_patterns(trace, 0, 5, 8) == [Match(1, 20, 23, 1.0)]
    with pytest.raises(PlaygroundError, match="ends before step 25"):
        find_patterns(trace, 1, 22, 25)


def test_the_units_of_both_directions_and_of_the_layer_asked_for_are_searched():
    c = np.full((2, 2, 2, 9, 3), OFF)
    c[1, 1, :, 2:5, 0] = ON  # the fourth unit of the last layer
    c[0, 0, :, 6:8, 2] = ON
    trace = trace_with_c(c)
    assert unit_pattern(trace, 0, 2, 4).units == (3,)
    assert unit_pattern(trace, 0, 6, 7, layer=0).units == (2,)
    assert find_patterns(trace, 0, 6, 7, layer=0) == [Match(1, 6, 7, 1.0)]


def test_the_suggested_threshold_leaves_three_to_eight_units():
    c = np.full((1, 1, 1, 9, 20), OFF)
    c[0, 0, 0, 3:5] = np.arctanh(np.linspace(0.02, 0.98, 20))
    for few, many in ((0, 20), (5, 15)):
        threshold = suggest_threshold(trace_with_c(c[..., few:many]), 0, 3, 4)
        assert 3 <= len(unit_pattern(trace_with_c(c[..., few:many]), 0, 3, 4, threshold=threshold).units) <= MOST
    assert suggest_threshold(planted((0, 5, 8)), 0, 5, 8) == 0.3  # two units at best: as asked for


def test_the_suggested_span_is_the_one_in_which_most_units_go_on_and_off_together():
    trace = planted((0, 5, 8), (1, 12, 13))
    assert suggest_span(trace, 0) == (5, 8) and suggest_span(trace, 1) == (12, 13)
    trace.c[0, 0, 1, 3:8, :5] = ON  # five units, upwards
    assert suggest_span(trace, 1) == (3, 7)
    assert suggest_span(planted(steps=1), 0) == (0, 0)


def test_how_many_of_the_units_are_on_is_told_at_every_step():
    trace = planted((0, 5, 8), (2, 1, 1))
    trace.c[0, 0, 1, 4, 1] = ON
    trace.c[0, 0, 3, 9, 3] = ON  # the wrong sign
    on = units_on(trace, unit_pattern(trace, 0, 5, 8))
    assert on.shape == (4, 30) and on.sum() == 8 + 2 + 1
    assert on[0, 5:9].tolist() == [2] * 4 and on[2, 1] == 2 and on[1, 4] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"t0": 9}, "no steps 9 to 8"),
        ({"t1": 30}, "choose steps from 0 to 29"),
        ({"sequence": 4}, "a sequence from 0 to 3"),
        ({"layer": 1}, "choose one from 0 to 0"),
        ({"threshold": 1.0}, "below 1"),
        ({"n": 0}, "at least 1 place"),
    ],
)
def test_what_is_not_there_is_refused(arguments, words):
    with pytest.raises(PlaygroundError, match=words):
        find_patterns(planted((0, 5, 8)), **({"sequence": 0, "t0": 5, "t1": 8} | arguments))


def test_a_span_in_which_every_unit_changes_sign_is_refused():
    c = np.ones((1, 1, 1, 8, 3)) * (np.arange(8) % 2 - 0.5)[:, None]
    with pytest.raises(PlaygroundError, match="No unit stays on one side of zero from step 2 to step 5"):
        find_patterns(trace_with_c(c), 0, 2, 5)


# ---- a plain search


def plain_search(c: np.ndarray, span: tuple[int, int, int], threshold: float, n: int) -> list[Match]:
    """The definition, step by step, on (batch, seq_len, units)."""
    z = np.tanh(c.astype(np.float64))
    batch, steps, units = c.shape

    def has_shape(b: int, t0: int, t1: int, unit: int, sign: int, bounded: bool) -> bool:
        around = [t for t in (t0 - 1, t1 + 1) if bounded and 0 <= t < steps]
        inside = all(sign * z[b, t, unit] > threshold for t in range(t0, t1 + 1))
        return inside and not any(sign * z[b, t, unit] > threshold for t in around)

    sign = [-1 if z[span[0], span[1] : span[2] + 1, u].mean() < 0 else 1 for u in range(units)]
    bounded, chosen = True, {u for u in range(units) if has_shape(*span, u, sign[u], True)}
    if not chosen:
        bounded, chosen = False, {u for u in range(units) if has_shape(*span, u, sign[u], False)}
    wanted = {(u, sign[u]) for u in chosen}
    places: set[tuple[int, int, int]] = set()
    matches: list[Match] = []
    for missing in range(len(chosen)):
        for b in range(batch):
            on = [sum(s * z[b, t, u] > threshold for u, s in wanted) >= len(chosen) - missing for t in range(steps)]
            for t0 in range(steps):
                for t1 in range(t0, steps):
                    ends = (t0 == 0 or not on[t0 - 1]) and (t1 == steps - 1 or not on[t1 + 1])
                    if ends and all(on[t0 : t1 + 1]):
                        places.add((b, t0, t1))
        scored = []
        for place in places:
            there = {(u, s) for u in range(units) for s in (-1, 1) if has_shape(*place, u, s, bounded)}
            jaccard = len(wanted & there) / len(wanted | there)
            scored.append((-jaccard, abs(place[2] - place[1] - span[2] + span[1]), *place))
        matches, taken = [], [span]
        for negative, _, b, t0, t1 in sorted(scored):
            if all(b != other[0] or t1 < other[1] or t0 > other[2] for other in taken) and len(matches) < n:
                taken.append((b, t0, t1))
                matches.append(Match(b, t0, t1, -negative))
        if len(matches) == n:
            break
    return matches


@examples(60)
@given(st.integers(0, 2**31), st.sampled_from([0.2, 0.3, 0.6]), st.sampled_from([1, 3, 20]))
def test_a_plain_search_says_the_same(seed, threshold, n):
    rng = np.random.default_rng(seed)
    batch, steps, units = rng.integers(1, 4), rng.integers(2, 14), rng.integers(1, 6)
    c = rng.normal(size=(batch, steps, units)).cumsum(1).astype(np.float32) * rng.choice([0.3, 1.0])
    sequence, t0 = int(rng.integers(batch)), int(rng.integers(steps))
    t1 = int(min(steps - 1, t0 + rng.integers(0, 3)))
    trace = trace_with_c(c[None, None])
    expected = plain_search(c, (sequence, t0, t1), threshold, n)
    try:
        pattern = unit_pattern(trace, sequence, t0, t1, threshold=threshold)
    except PlaygroundError:
        assert expected == []
        return
    if pattern.threshold == threshold:
        assert find_patterns(trace, sequence, t0, t1, threshold=threshold, n=n) == expected
    else:
        assert expected == []


# ---- a net that has learned something


@pytest.fixture(scope="module")
def nested() -> tuple[np.ndarray, GateTrace]:
    """Depths (60, 60) of strings that the net was not trained on, and its trace."""
    symbols, depths = brackets(60, 60, seed=12_345)
    lstm: nn.LSTM = read_lstms(FIXTURE.read_bytes(), FIXTURE.name)["lstm"]
    return depths, trace_lstm(lstm, torch.eye(len(BRACKETS))[torch.from_numpy(symbols)])


@pytest.mark.parametrize("depth", range(1, DEEPEST + 1))
def test_the_places_like_a_span_in_brackets_are_in_as_many_brackets(nested, depth):
    """The span: one of two to six steps between brackets, brackets included; none of its symbols alone tells it."""
    depths, trace = nested
    spans = []
    for sequence, row in enumerate(depths):
        edges = np.flatnonzero(np.diff(row)) + 1
        spans += [
            (sequence, int(t0), int(t1) - 1)
            for t0, t1 in itertools.pairwise(edges)
            if row[t0] == depth and 2 <= t1 - t0 <= 6
        ]
    right = []
    for span in spans[:10]:
        matches = find_patterns(trace, *span, threshold=suggest_threshold(trace, *span))
        assert len(matches) == 20
        assert all(match.score <= 1 and match.sequence < len(depths) for match in matches)
        right += [(depths[m.sequence, m.t0 : m.t1 + 1] == depth).mean() for m in matches]
    assert np.mean(right) >= 0.95
