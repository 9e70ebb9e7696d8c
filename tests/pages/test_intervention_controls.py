"""The units of an edit: read as people write them, named as they are read, refused in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import PlaygroundError
from pages.shared.gates.intervention_controls import _listed, parse_units


@pytest.mark.parametrize("text", ["-", "1-", "-1", "1,,2", "a", "1.5", "0x1", "²", "1-2-3", "9" * 5000, "selected, 1"])
def test_what_names_no_units_is_refused(text):
    with pytest.raises(PlaygroundError, match="names no units.*0-3, 7"):
        parse_units(text, 10, 0)


@pytest.mark.parametrize("text", ["10", "0-10", "10-0", "3, 999999999", "0-999999999"])
def test_units_that_are_not_there_are_refused(text):
    with pytest.raises(PlaygroundError, match="no unit .* from 0 to 9"):
        parse_units(text, 10, 0)


@pytest.mark.parametrize(
    ("text", "units"),
    [("", None), (" ALL ", None), ("selected", (6,)), ("3-1", (1, 2, 3)), (" 7,0 – 2 ,1", (0, 1, 2, 7))],
)
def test_units_are_read_as_people_write_them(text, units):
    assert parse_units(text, 10, 6) == units


@given(st.sets(st.integers(0, 300), min_size=1))
def test_units_are_named_as_they_are_read(units):
    units = tuple(sorted(units))
    assert parse_units(_listed(units), 301, 0) == units
