"""A file of values to come finds its rows by their times; what does not fit is named in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.experiment import DataSpec, PlaygroundError
from lstm_core.forecasting.known_values import read_known_values

TIMES = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], "M8[ns]")
SPEC = DataSpec(targets=("y",), features=("y", "price", "ads"), time="month", known_future=("price", "ads"))
OF_SHOPS = DataSpec(targets=("y",), features=("y", "price"), time="month", group="shop", known_future=("price",))


def read(text: str, spec: DataSpec = SPEC, series=("",), times=(TIMES,)) -> tuple[dict, str]:
    return read_known_values(text.encode(), "plan.csv", spec, series, times, 3)


def test_rows_find_their_place_by_time():
    values, said = read("month,price,ads\n2024-03-01,7,1\n2024-01-01,5.5,\n2025-01-01,9,9\n")
    np.testing.assert_array_equal(values["price"], [[5.5, np.nan, 7]])
    np.testing.assert_array_equal(values["ads"], [[np.nan, np.nan, 1]])
    assert said == "2 rows of 'plan.csv' give values of 'price' and 'ads'. 1 row is of other times, and not used."


def test_a_constant_plan_with_decimal_commas_and_a_strange_column_is_read():
    values, said = read("\ufeffmonth;price;note\n2024-01-01;2,5;a\n2024-02-01;2,5;b\n")
    np.testing.assert_array_equal(values["price"], [[2.5, 2.5, np.nan]])
    assert "Not used: the column 'note'." in said


def test_series_are_found_by_their_id_and_without_one_a_row_is_for_all():
    values, _ = read("month,shop,price\n2024-01-01,b,5\n2024-01-01,a,4\n", OF_SHOPS, ("a", "b"), (TIMES, TIMES))
    np.testing.assert_array_equal(values["price"][:, 0], [4, 5])
    values, _ = read("month,price\n2024-02-01,5\n", OF_SHOPS, ("a", "b"), (TIMES, TIMES))
    np.testing.assert_array_equal(values["price"][:, 1], [5, 5])


def test_years_as_numbers_and_rows_without_times():
    years = (np.array([2009.0, 2010.0, 2011.0]),)
    values, _ = read("month,price\n2010,3\n", times=years)
    np.testing.assert_array_equal(values["price"], [[np.nan, 3, np.nan]])
    values, said = read("price\n1\n2\n3\n4\n", times=(None,))
    np.testing.assert_array_equal(values["price"], [[1, 2, 3]])
    assert "1 row is" in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("month,prices\n2024-01-01,3\n", r"none of the features known ahead: name its columns 'month', 'price' and"),
        ("when,price\n2024-01-01,3\n", "no column 'month'"),
        ("month,price\n2024-13-01,3\n", "Row 2 of 'plan.csv': '2024-13-01' is no time of 'month'"),
        ("month,price\n2024-01-01,3\n2024-02-01,dear\n", "Row 3 of 'plan.csv': 'dear' is no number of 'price'"),
        ("month,price\n2020-01-01,3\n", "none of the 3 times to come, 2024-01-01 to 2024-03-01"),
        ("month,price\n2020-01-01,3,4\n", "Row 2 of 'plan.csv' has 3 cells, its header 2"),
        ("month,price\n", "has no rows of values"),
        ("", "has no rows of values"),
        ("month,price,price\n1,2,3\n", "two columns of one name"),
    ],
)
def test_what_does_not_fit_is_named(text, problem):
    with pytest.raises(PlaygroundError, match=problem):
        read(text)


def test_an_unknown_series_is_named():
    with pytest.raises(PlaygroundError, match="'c' is none of the series of 'shop'"):
        read("month,shop,price\n2024-01-01,c,5\n", OF_SHOPS, ("a", "b"), (TIMES, TIMES))
