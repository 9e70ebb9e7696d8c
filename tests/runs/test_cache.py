"""ResultCache: results are shared by kind and key, bounded in number, and last for as long as is asked."""

from __future__ import annotations

import pytest

from lstm_core.runs import cache
from lstm_core.runs.cache import CACHE_SIZE, REST_FACTOR, ResultCache


class Clock:
    """Stands in for the module time: its seconds pass when a test says so."""

    def __init__(self) -> None:
        self.now, self.worked = 100.0, 0.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.worked


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(cache, "time", clock)
    return clock


def test_a_result_is_computed_once_for_each_kind_and_key():
    results, calls = ResultCache(), []

    def make() -> int:
        calls.append(1)
        return len(calls)

    keys = [("a", (1,)), ("a", (2,)), ("b", (1,))]
    assert [results.cached(*key, make) for key in [*keys, *keys]] == [1, 2, 3, 1, 2, 3]
    results.clear()
    assert results.cached("a", (1,), make) == 4


def test_the_latest_results_of_a_kind_are_kept():
    results = ResultCache()
    for key in range(CACHE_SIZE + 3):
        results.cached("a", (key,), object)
    assert list(results["a"]) == [(key,) for key in range(3, CACHE_SIZE + 3)]


@pytest.mark.parametrize(("every", "cost", "lasts"), [(2.0, 0.25, 2.0), (0.5, 3.0, REST_FACTOR * 3.0), (0.0, 0.0, 0.0)])
def test_a_result_lasts_though_its_key_has_changed(clock, every, cost, lasts):
    results = ResultCache()

    def compute() -> float:
        clock.worked += cost
        return clock.now

    assert results.cached("a", (1,), compute, every) == 100
    clock.now += lasts - 0.01
    if lasts:
        assert results.cached("a", (2,), compute, every) == 100
    assert results.cached("b", (2,), compute, every) == clock.now  # each kind for itself
    clock.now += 0.02
    assert results.cached("a", (3,), compute, every) == clock.now
    clock.now += 0.001
    assert results.cached("a", (4,), compute) == clock.now  # unless asked to last, a result is that of its key
    results.clear()
    clock.now += 0.001
    assert results.cached("a", (5,), compute, every) == clock.now
