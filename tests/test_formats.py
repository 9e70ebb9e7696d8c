"""Numbers as text: digits, minus signs, powers of ten, units."""

from __future__ import annotations

import math

import pytest

from lstm_core.data.number_format import (
    format_bytes,
    format_duration,
    format_factor,
    format_number,
    format_percent,
    format_significant,
    format_time_step,
)


def test_numbers_have_a_real_minus_and_no_minus_zero():
    assert [format_number(value) for value in (-0.001, 0.0, -1.5, 2)] == ["0.00", "0.00", "−1.50", "2.00"]
    assert [format_factor(value) for value in (0.0, 1.0, 0.25, -0.5, 0.123, -0.0)] == [
        "0",
        "1",
        "0.25",
        "(−0.5)",
        "0.12",
        "0",
    ]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 1, "0"),
        (-0.0, 1, "0"),
        (1.49e-8, 1, "1 × 10⁻⁸"),
        (4.1e-5, 1, "0.00004"),
        (7.14e-5, 2, "0.000071"),
        (0.0996, 2, "0.10"),
        (1 / 3, 2, "0.33"),
        (-31.4, 2, "−31"),
        (1512.0, 2, "1,500"),
        (3.2e12, 1, "3 × 10¹²"),
        (-2.5e7, 2, "−2.5 × 10⁷"),
        (math.inf, 2, "inf"),
        (math.nan, 2, "nan"),
    ],
)
def test_significant_digits_without_e_notation(value, digits, text):
    assert format_significant(value, digits) == text


def test_units_stand_behind_a_space():
    assert [format_percent(share) for share in (0.987, -0.0312, 1.0)] == ["98.7\u202f%", "−3.1\u202f%", "100.0\u202f%"]
    assert [format_bytes(amount) for amount in (31e9, 8.4e9, 250e6, 9e3)] == ["31 GB", "8.4 GB", "250 MB", "9 kB"]
    assert [format_duration(seconds) for seconds in (8, 200, 7500)] == ["8 s", "3 min 20 s", "2 h 5 min"]
    assert [format_time_step(hours * 3_600e9) for hours in (24, 1.5, 1 / 7200)] == ["1 day", "1.5 hours", "0.5 seconds"]
