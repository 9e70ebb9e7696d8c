"""The number that a cell's text stands for, alone or among many."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lstm_core.data.ingest.numbers import parse_number, parse_numbers
from tests.data.csv_texts import NAN


@pytest.mark.parametrize(
    ("cell", "point", "comma"),
    [
        ("1,234.5", 1234.5, NAN),
        ("1.234,5", NAN, 1234.5),
        ("1 234", 1234, 1234),
        ("1,234,567", 1234567, NAN),
        ("1'234.5", 1234.5, NAN),
        ("1\u202f234", 1234, 1234),
        ("12 34", NAN, NAN),
        ("1,23,456", 123456, NAN),
        ("12,34,56,789.5", 123456789.5, NAN),
        ("1.23.456", NAN, 123456),
        ("(1,000.25)", -1000.25, NAN),
        ("(5", NAN, NAN),
        ("1.23M", 1.23e6, NAN),
        ("100K", 1e5, 1e5),
        ("2 bn", 2e9, 2e9),
        ("CHF 1'234.50", 1234.5, NAN),
        ("R$ 1.234,50", NAN, 1234.5),
        ("$5", 5, 5),
        ("-€3", -3, -3),
        ("€ -3", -3, -3),
        ("5 %", 5, 5),
        ("−2", -2, -2),
        ("+1e3", 1000, 1000),
        (".5", 0.5, NAN),
        ("5.", 5, NAN),
        ("-inf", -np.inf, -np.inf),
        ("1_000", NAN, NAN),
        ("0x1A", NAN, NAN),
        ("True", NAN, NAN),
        ("12:30", NAN, NAN),
        ("", NAN, NAN),
    ],
)
def test_one_cell(cell, point, comma):
    np.testing.assert_equal([parse_number(cell, "."), parse_number(cell, ",")], [point, comma])


@given(st.lists(st.text("0123456789+-.,eE '%$xinfKM()_", max_size=8), min_size=1))
@example(["0  "])
def test_many_cells_are_parsed_as_one_is(cells):
    for decimal in ".,":
        np.testing.assert_equal(parse_numbers(pa.array(cells), decimal), [parse_number(c, decimal) for c in cells])
