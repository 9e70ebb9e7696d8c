"""Values to come: what a hand draws lies over the table's edits until it lets go, and nothing odd is taken."""

from __future__ import annotations

import numpy as np
import pytest

from pages.shared.components.future_strips import decimals
from pages.shared.forecast.known_future import KnownValues


@pytest.fixture
def known() -> KnownValues:
    """Of two series, four rows to come and two features; the second row of the first series was typed."""
    base = np.full((2, 4, 2), np.nan)
    now = base.copy()
    now[0, 1, 0] = 7.0
    return KnownValues(None, base, now, base.copy())


def answer(count: int, done: bool, *changes: tuple[int, int, float], series: int = 0) -> dict:
    named = [{"feature": feature, "step": step, "value": value} for feature, step, value in changes]
    return {"count": count, "series": series, "changes": named, "done": done}


def test_what_is_drawn_joins_the_edits_when_the_hand_lets_go(known):
    known.take_drawn(answer(1, False, (1, 3, 5.0), (0, 1, 8.0)))
    assert known.with_drawn(0)[3, 1] == 5.0 and known.with_drawn(0)[1, 0] == 8.0
    assert known.version == 0 and known.now[0, 1, 0] == 7.0  # the table on the page stays as it is
    known.take_drawn(answer(2, True, (1, 3, 6.0)))
    assert known.version == 1 and np.isnan(known.drawn).all()
    np.testing.assert_array_equal(known.base, known.now)
    assert known.now[0, 3, 1] == 6.0 and known.now[0, 1, 0] == 8.0 and np.isnan(known.now[1]).all()


def test_an_answer_is_taken_once_and_of_the_series_on_the_page_only(known):
    known.take_drawn(answer(1, True, (0, 0, 1.0)))
    known.now[0, 0, 0] = 2.0
    known.take_drawn(answer(1, True, (0, 0, 1.0)))
    assert known.now[0, 0, 0] == 2.0 and known.version == 1
    known.take_drawn(answer(2, True, (0, 0, 1.0), series=1))
    assert np.isnan(known.now[1]).all() and known.answer == 2
    known.take_drawn(None)


def test_what_is_out_of_range_is_left_out(known):
    odd = [(2, 0, 1.0), (-1, 0, 1.0), (0, 4, 1.0), (0, -1, 1.0), (0, 0, float("inf")), (0, 0, float("nan"))]
    known.take_drawn(answer(1, True, *odd))
    assert np.isfinite(known.now).sum() == 1


@pytest.mark.parametrize(
    ("values", "count"),
    [([0, 1, 1], 0), ([1.5, 2], 1), ([10.25, np.nan, 3.5], 2), ([1e9 + 0.5], 1), ([1 / 3], None), ([np.nan], 0)],
)
def test_a_drawn_value_has_as_many_decimals_as_its_column(values, count):
    assert decimals(np.array(values, float)) == count
