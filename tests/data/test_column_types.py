"""Columns of text become numbers, times or classes; cells that do not fit are missing and noted."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.csv_texts import notes, read, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('n,v\n"1,234.5",1\n"2,000",2\n"3,999.25",5\n', [1234.5, 2000, 3999.25]),
        ("n;v\n1.234,5;1\n2.000,25;2\n3.999;5\n", [1234.5, 2000.25, 3999]),
        ("n;v\n1 234;1\n2 000;2\n3 999;5\n", [1234, 2000, 3999]),
        ("n;v\n1,234;1,5\n2,500;2\n3,125;5,1\n", [1.234, 2.5, 3.125]),
        ("n,v\n5%,1\n6%,2\n7.5%,5\n", [5, 6, 7.5]),
    ],
)
def test_thousands_and_signs(text, expected):
    assert values(read(text), "n") == pytest.approx(expected)


def test_a_few_bad_cells_are_missing_and_named():
    cells = {7: "bad", 12: "#REF!", 40: "so-so", 9: "N/A", 10: "--", 20: "inf", 21: "1e99"}
    table = read("t,temp\n" + "".join(f"{i},{cells.get(i, i % 7 + 0.5)}\n" for i in range(2, 80)))
    assert (
        "Column 'temp' has 3 non-numeric cells: rows 7, 12, 40 ('bad', '#REF!', 'so-so'); they count as missing."
        in notes(table)
    )
    assert "Column 'temp' has 2 infinite cells: rows 20, 21; they count as missing." in notes(table)
    assert "Column 'temp' has 7 missing of 78 cells: rows 7, 9, 10, 12, 20, …." in notes(table)
    assert np.isnan(table.column("temp").values).sum() == 7
    assert np.isfinite(table.column("t").values).all()


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2020-01-02", "2020-01-03", "2020-01-04"], "2020-01-02T00:00"),
        (["2020/1/2 3:04", "2020/1/2 3:05", "2020/1/2 3:06"], "2020-01-02T03:04"),
        (["2020-01", "2020-02", "2020-03"], "2020-01-01T00:00"),
        (["20200102", "20200103", "20200104"], "2020-01-02T00:00"),
        (["13.02.2020", "14.02.2020", "15.02.2020"], "2020-02-13T00:00"),
        (["11/02/2020 10:00 PM", "12/02/2020 1:00 AM", "13/02/2020 1:00 AM"], "2020-02-11T22:00"),
        (["02/13/20", "02/14/20", "02/15/20"], "2020-02-13T00:00"),
        (["2-Jan-2020", "3-Jan-2020", "4-Feb-2020"], "2020-01-02T00:00"),
        (["January 2, 2020", "May 3, 2020", "June 3, 2020"], "2020-01-02T00:00"),
        (["2020-01-02 03:04:05 UTC", "2020-01-02 03:04:06 UTC", "2020-01-02 03:04:07 UTC"], "2020-01-02T03:04"),
        (["2020-01-02T03:00+02:00", "2020-01-02T03:00Z", "2020-01-02T03:00-05:00"], "2020-01-02T01:00"),
    ],
)
def test_times(cells, first):
    table = read("date;v\n" + "".join(f"{cell};{i * i}\n" for i, cell in enumerate(cells)))
    assert table.column("date").values.dtype == np.dtype("datetime64[ns]")
    assert values(table, "date")[0] == first
    assert (np.diff(table.column("date").values) > np.timedelta64(0)).all()
    assert (table.roles.time, table.roles.targets, table.roles.features) == ("date", ("v",), ("v",))
    assert ("UTC" in notes(table)) == ("03:0" in cells[1] and cells[1][-1] in "CZ")


def test_seconds_since_1970_by_their_name_only():
    rows = [1577836800 + 3600 * i for i in range(9)]
    assert values(read("timestamp,v\n" + "".join(f"{t},{t % 7}\n" for t in rows)), "timestamp")[1] == "2020-01-01T01:00"
    assert read("price,v\n" + "".join(f"{t},{t % 7}\n" for t in rows)).column("price").kind == "number"


def test_day_first_is_asked_about_when_unclear_and_can_be_corrected():
    text = "date,v\n" + "".join(f"0{m}/05/2020,{m * m % 7}\n" for m in range(1, 8))
    table = read(text)
    assert "day or the month first" in notes(table, "warning")
    other = read(text, day_first=not table.options.day_first)
    assert "day or the month first" not in notes(other)
    assert {values(table, "date")[1], values(other, "date")[1]} == {"2020-02-05T00:00", "2020-05-02T00:00"}
    clear = read("date,v\n01/02/2020,1\n13/02/2020,4\n14/02/2020,2\n")
    assert clear.options.day_first
    assert "day or the month first" not in notes(clear)
    wrong = read("date,v\n01/02/2020,1\n13/02/2020,4\n02/03/2020,2\n", day_first=False)
    assert "Column 'date' has 1 unreadable time cell: row 3" in notes(wrong, "warning")
