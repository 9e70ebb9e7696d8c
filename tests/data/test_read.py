"""Files as people have them: what read_table makes of each, and what it says about it."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.ingest import dialect
from lstm_core.data.ingest import encoding as csv_text
from lstm_core.data.ingest import rows as csv_records
from lstm_core.data.ingest.cells import parse_number, parse_numbers
from lstm_core.data.ingest.dialect import detect_dialect
from lstm_core.data.ingest.encoding import SEPARATOR, decode_text
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.read import MAX_NOTES, head, read_table
from lstm_core.data.table import ColumnRoles, Table
from lstm_core.experiment import PlaygroundError
from tests.conftest import examples

SPECTRUM = Path(__file__).parents[1] / "fixtures" / "csv" / "spectrum"
NAN = float("nan")


def read(text: str | bytes, **options) -> Table:
    return read_table(text.encode() if isinstance(text, str) else text, "x.csv", CsvOptions(**options))


def values(table: Table, name: str) -> list:
    column = table.column(name)
    if column.kind == "category":
        return [column.classes[code] if code >= 0 else None for code in column.values]
    if column.kind == "time":
        return [str(value)[:16] for value in column.values]
    return column.values.tolist()


def names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def notes(table: Table, level: str | None = None) -> str:
    return "\n".join(note.text for note in table.report if level in (None, note.level))


def refusal(text: str | bytes, **options) -> str:
    with pytest.raises(PlaygroundError) as caught:
        read(text, **options)
    sentence = str(caught.value)
    assert "'x.csv'" in sentence
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    return sentence


TWO = {"a": [1.5, -2.25, 3.0, 4.0], "b": [10.0, 20.5, 5.0, 7.0]}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a,b\n1.5,10\n-2.25,20.5\n3,5\n4,7\n", {"delimiter": ",", "decimal": "."}),
        ("a;b\n1,5;10\n-2,25;20,5\n3;5\n4;7\n", {"delimiter": ";", "decimal": ","}),
        ("a;b\n1.5;10\n-2.25;20.5\n3;5\n4;7\n", {"delimiter": ";", "decimal": "."}),
        ("a\tb\n1.5\t10\n-2.25\t20.5\n3\t5\n4\t7", {"delimiter": "\t", "decimal": "."}),
        ("a|b\r\n1.5|10\r\n-2.25|20.5\r\n3|5\r\n4|7\r\n", {"delimiter": "|"}),
        ("a,b\r1.5,10\r-2.25,20.5\r3,5\r4,7\r", {"delimiter": ","}),
        ('"a","b"\n"1,5","10"\n"-2,25","20,5"\n"3","5"\n"4","7"\n', {"delimiter": ",", "decimal": ","}),
        ("a, b\n1.5, 10\n-2.25 , 20.5\n 3, 5\n4,7 \n", {"delimiter": ","}),
        ("sep=;\na;b\n1,5;10\n-2,25;20,5\n3;5\n4;7\n", {"delimiter": ";", "skip_rows": 1}),
        ("Station 5, Lima\nmade 2020\n\na,b\n1.5,10\n-2.25,20.5\n3,5\n4,7\n", {"skip_rows": 3}),
        ("# one, two\n# a,b\n1.5,10\n-2.25,20.5\n3,5\n4,7\n", {"skip_rows": 1, "header": True}),
        ("a,b,\n1.5,10,\n-2.25,20.5,\n3,5,\n4,7,\n", {"header": True}),
        ("a,b\n1.5,10,\n-2.25,20.5,\n3,5,\n4,7,\n", {"header": True}),
        ("a,b\n1.5,10\n-2.25,20.5\n\n3,5\n\n4,7\n\n\n", {}),
        ("a,b\n1.5,10\n-2.25,20.5\n3,5\n4,7\nfoot,note,here\n", {}),
        ("a\x00,b\n1.5,10\n-2.25,20.5\n3,5\n4,\x007\n", {}),
    ],
)
def test_layouts(text, options):
    table = read(text)
    assert {name: values(table, name) for name in ("a", "b")} == TWO
    assert {name: getattr(table.options, name) for name in options} == options
    assert table.numbers.dtype == np.float32
    assert table.numbers.flags.c_contiguous
    assert all(np.shares_memory(column.values, table.numbers) for column in table.columns)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_that_can_be_known(encoding):
    table = read("größe,é\n1.5,2\n2.5,7\n0,1\n".encode(encoding))
    assert names(table) == ["größe", "é"]
    assert values(table, "größe") == [1.5, 2.5, 0.0]
    assert not notes(table, "warning")


def test_utf16_with_big_endian_mark():
    assert names(read(b"\xfe\xff" + "a,b\n1,2\n3,5\n".encode("utf-16-be"))) == ["a", "b"]


def test_other_encodings_are_read_with_a_warning_and_can_be_corrected():
    latin, chinese = "Höhe,n\n1,2\n2,5\n".encode("latin-1"), "高度,n\n1,2\n2,5\n".encode("gbk")
    table = read(latin)
    assert (names(table), table.options.encoding) == (["Höhe", "n"], "cp1252")
    assert "not UTF-8; it is read as cp1252: choose another encoding" in notes(table, "warning")
    assert "not UTF-8" in notes(read(chinese), "warning")
    corrected = read(chinese, encoding="gbk")
    assert names(corrected) == ["高度", "n"]
    assert not notes(corrected, "warning")
    assert read(b"a\x81\xe9,b\n1,2\n2,3\n").options.encoding == "latin-1"  # cp1252 has no 0x81
    assert "cannot be read as utf-8 (byte 2)" in refusal(latin, encoding="utf-8")
    assert "no text encoding" in refusal(latin, encoding="zip")
    assert "no text encoding" in refusal(latin, encoding="klingon")


def test_no_header_one_column_and_a_single_decimal_comma_column():
    table = read("1.5,2\n2.5,9\n3,4\n")
    assert (names(table), values(table, "column 1")) == (["column 1", "column 2"], [1.5, 2.5, 3.0])
    assert "called by their place" in notes(table)
    footer = read("a,b\n1,2\n2,3\n3,5\nSource: NOAA\n")
    assert (names(footer), footer.options.delimiter) == (["a", "b"], ",")
    assert values(read("5\n7\n6\n"), "column 1") == [5.0, 7.0, 6.0]
    one = read("value\n1,5\n2,5\n3,75\n")
    assert (one.options.delimiter, one.options.decimal, values(one, "value")) == ("", ",", [1.5, 2.5, 3.75])
    gap = read("value\n1\n\n5\n4\n\n")
    np.testing.assert_array_equal(gap.column("value").values, np.float32([1, NAN, 5, 4]))
    quoted = read('value\n"1"\n\n"5"\n"4"\n\n\n')
    np.testing.assert_array_equal(quoted.column("value").values, np.float32([1, NAN, 5, 4]))


def test_names_are_made_unique_printable_and_short():
    table = read('x,x,,"a\nb<b>\x07",x (2),' + "y" * 500 + "\n1,2,3,4,5,6\n3,9,8,7,6,6.5\n")
    assert names(table) == ["x", "x (2)", "column 3", "a b<b>", "x (2) (2)", "y" * 200]
    assert "'x (2)'" in notes(table, "warning")
    assert "'column 3'" in notes(table)


def test_row_names_without_a_header():
    table = read('"a","b"\n"1",2.5,3\n"2",3.5,4\n"3",4,9\n')  # as R's write.table does
    assert names(table) == ["column 1", "a", "b"]
    assert values(table, "a") == [2.5, 3.5, 4.0]
    assert table.roles.time == "column 1"
    index = read(pd.DataFrame(np.random.default_rng(0).random((6, 3))).to_csv())
    assert (names(index), index.roles.time) == (["column 1", "0", "1", "2"], "column 1")


def test_ragged_rows_are_named_by_their_lines():
    table = read('a,b,c\n"1",2,3\n4,5\n"6\n",7,8\n\n1,2,3,4\n9,9,9,\n')
    np.testing.assert_array_equal(table.numbers, np.float32([[1, 2, 3], [4, 5, NAN], [6, 7, 8], [9, 9, 9]]))
    assert "1 row with fewer cells than the table's 3 columns: row 3" in notes(table, "warning")
    assert "1 row with more cells than the table's 3 columns: row 7; left out" in notes(table, "warning")
    assert "1 blank row: row 6; left out" in notes(table)
    assert [note.rows for note in table.report if "fewer" in note.text] == [(3,)]


def test_quotes():
    table = read('n,v\n"a\nb",1\n"c, ""d""",2\n"a\nb",5\n')
    assert values(table, "n") == ["a b", 'c, "d"', "a b"]
    assert values(table, "v") == [1.0, 2.0, 5.0]
    assert "opened in row 3 of 'x.csv' is never closed" in refusal('a,b\n1,2\n1,"2\n2,3\n3,5')
    assert "Row 4 of 'x.csv' has a cell of more than" in refusal('a,b\n1,2\n2,3\n3,"' + "x" * 200_000 + '"\n')
    assert values(read('a,b\n1,"2"\n2,5" pipe\n3,7\n4,6\n5,1\n'), "a") == [1, 2, 3, 4, 5]


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
        ("1,23,456", NAN, NAN),
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


@given(st.lists(st.text("0123456789+-.,eE '%$xinf_", max_size=8), min_size=1))
def test_many_cells_are_parsed_as_one_is(cells):
    for decimal in ".,":
        np.testing.assert_equal(parse_numbers(cells, decimal), [parse_number(c, decimal) for c in cells])


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
    assert "Column 'temp' has 3 non-numeric cells: rows 7, 12, 40; they count as missing." in notes(table)
    assert "Column 'temp' has 2 infinite cells: rows 20, 21; they count as missing." in notes(table)
    assert "Column 'temp' has 7 missing of 78 cells: rows 7, 9, 10, 12, 20, …." in notes(table)
    assert np.isnan(table.column("temp").values).sum() == 7
    assert np.isfinite(table.column("t").values).all()


def test_bad_cells_far_down_are_found_chunk_by_chunk(monkeypatch):
    monkeypatch.setattr("lstm_core.data.ingest.columns._CHUNK_CELLS", 100)
    lines = [f"{i % 9},{i % 5},2020-01-{i % 28 + 1:02}" for i in range(500)]
    lines[400] = "oops,1,2020-01-01"
    lines[300:460] = [line.replace(",", ",k", 1) for line in lines[300:460]]
    table = read("a,b,c\n" + "\n".join(lines))
    assert "Column 'a' has 1 non-numeric cell: row 402; it counts as missing." in notes(table)
    assert values(table, "a")[:300] == [i % 9 for i in range(300)]
    assert table.column("b").kind == "category"
    assert values(table, "b")[299:302] == ["4", "k0", "k1"]


def test_columns_without_use_are_noted():
    table = read("a,same,none,free,v\n" + "".join(f"{i % 3},4,NA,text {i},{i % 7}\n" for i in range(20)))
    assert names(table) == ["a", "same", "v"]
    assert table.roles.features == ("a", "v")
    assert "Column 'same' never changes: it is not suggested as a feature." in notes(table)
    assert "Column 'none' has no values: it is left out." in notes(table, "warning")
    assert "Column 'free' has a different text in every row: it is left out." in notes(table, "warning")
    many = read("v,word\n" + "".join(f"{i % 7},w{i % 1500}\n" for i in range(4000)))
    assert "1,500 different texts, more than 1,000" in notes(many, "warning")
    assert names(many) == ["v"]
    big = read("v,n\n" + "".join(f"{i % 7},{2**25 + i * i}\n" for i in range(5)))
    assert "Column 'n' has whole numbers beyond 16,777,216" in notes(big, "warning")


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
        (
            ["2020-01-02 03:04:05 UTC", "2020-01-02 03:04:06 UTC", "2020-01-02 03:04:07 UTC"],
            "2020-01-02T03:04",
        ),
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


def test_times_out_of_order_repeated_and_with_gaps():
    table = read("date,v\n2020-01-01,1\n2020-01-02,4\n2020-01-02,2\n2020-01-09,3\n2020-01-03,5\n2020-01-04,5\nx,5\n")
    assert "repeated times: row 4 is at the time of another row" in notes(table, "warning")
    assert "not in order of 'date': row 6 is earlier than the row above" in notes(table)
    assert "1 longer than the usual 1 day, the longest 5 days (after row 7)" in notes(table)
    assert "1 unreadable time cell: row 8" in notes(table, "warning")
    even = read("date,v\n" + "".join(f"2020-{m:02}-01,{m * m % 7}\n" for m in range(1, 13)))
    assert [note.level for note in even.report] == ["info"]  # months are even enough


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("year,v\n" + "".join(f"{y},{y % 11}\n" for y in range(1700, 2009)), ColumnRoles(("v",), ("v",), "year")),
        ("v\n" + "".join(f"{y % 11}\n" for y in range(100)), ColumnRoles(("v",), ("v",), seq_len=10)),
        ("ramp\n" + "".join(f"{y}\n" for y in range(100)), ColumnRoles(("ramp",), ("ramp",), seq_len=10)),
        (
            "a,v,label\n" + "".join(f"{y % 7},{y % 11},{'up' if y % 3 else 'down'}\n" for y in range(300)),
            ColumnRoles(("label",), ("a", "v"), horizon=0),
        ),
        (
            "id,step,v,label\n" + "".join(f"s{s},{t},{s * t % 7},c{s % 2}\n" for s in range(6) for t in range(15)),
            ColumnRoles(("label",), ("v",), "step", "id", seq_len=15, horizon=0),
        ),
        (
            "unit,cycle,v\n" + "".join(f"{s},{t},{s * t % 7}\n" for s in range(1, 6) for t in range(1, 41)),
            ColumnRoles(("v",), ("v",), "cycle", "unit", seq_len=10),
        ),
        (
            "date,who,v\n" + "".join(f"2020-01-{d:02},{w},{d % 4}\n" for d in range(1, 29) for w in "pqr"),
            ColumnRoles(("v",), ("v",), "date", "who", seq_len=7),
        ),
        (
            "date,sky,v\n" + "".join(f"2020-01-{d:02},{'sun' if d % 3 else 'rain'},{d % 4}\n" for d in range(1, 21)),
            ColumnRoles(("sky",), ("v",), "date", seq_len=2, horizon=0),
        ),
        (
            "v,kind,kind_id\n" + "".join(f"{i % 7},k{i // 20},{i // 20}\n" for i in range(60)),
            ColumnRoles(("kind",), ("v", "kind_id"), seq_len=6, horizon=0),
        ),
    ],
)
def test_roles(text, roles):
    assert read(text).roles == roles


def test_what_may_be_corrected_is_used_and_filled_in():
    text = "x,y\n01,1.5\n02,2.5\n01,0.5\n"
    assert values(read(text, kinds=(("x", "category"),)), "x") == ["01", "02", "01"]
    numbers = read("a,b\np,1\n2,5\nq,3\n", kinds=(("a", "number"),))
    np.testing.assert_array_equal(numbers.column("a").values, np.float32([NAN, 2, NAN]))
    assert values(read("y,b\n1990,1\n1991,5\n", kinds=(("y", "time"),)), "y") == [
        "1990-01-01T00:00",
        "1991-01-01T00:00",
    ]
    assert "no column 'gone'" in notes(read(text, kinds=(("gone", "time"),)), "warning")
    assert read(text, header=False).rows == 4
    assert names(read(text, skip_rows=2)) == ["column 1", "column 2"]
    assert values(read("a b\n1  2\n3 5\n4   4\n", delimiter=" "), "b") == [2.0, 5.0, 4.0]
    assert values(read("a¦b\n1¦2\n3¦5\n", delimiter="¦"), "b") == [2.0, 5.0]
    assert values(read("a;b\n1,500;2\n2,500;5\n", decimal="."), "a") == [1500.0, 2500.0]
    table = read("made by me\n\nDatum;Wert\n01.02.2020;1,5\n13.02.2020;2,5\n14.02.2020;0,5\n".encode("utf-16"))
    assert table.options == CsvOptions("utf-16", ";", ",", True, 2, True)


@pytest.mark.parametrize(
    "bad",
    [
        {"delimiter": ";;"},
        {"delimiter": '"'},
        {"decimal": "x"},
        {"skip_rows": -1},
        {"kinds": (("a", "date"),)},
    ],
)
def test_options_are_checked(bad):
    with pytest.raises(PlaygroundError):
        CsvOptions(**bad)


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "a,b\n1,2\n")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\t\r\n ", "nothing but blanks"),
        (b"\xef\xbb\xbf", "nothing but blanks"),
        (np.random.default_rng(0).bytes(5000), "not a text file"),
        (np.arange(3000, dtype=np.int16).tobytes(), "not a text file"),
        (np.arange(3000, dtype=np.float64).tobytes(), "not a text file"),
        (_zip("data.csv"), "a zip archive"),
        (_zip("[Content_Types].xml"), "an Excel workbook"),
        (b"PAR1" + bytes(50) + b"PAR1", "a Parquet file"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "a gzip archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "an HDF5 file"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'{"a": [1, 2]}', "JSON"),
        (b"a,b\n", "a header and no rows"),
        (b"a,b", "a header and no rows"),
        (b"a,b\n1,2\n", "one row of data"),
        (b"1,2\n", "one row of data"),
        (b"x,y\na,b\nc,d\n", "no column of numbers"),
        (b"when\n2020-01-01\n2020-01-02\n", "no column of numbers"),
        (b"a,b\nNA,\n,NaN\n", "no column of numbers"),
        (b"a,b\n1,2\n1,2\n1,2\n", "ever changes"),
    ],
)
def test_refusals(data, words):
    assert words in refusal(data)


def test_limits(monkeypatch):
    wide = ",".join(f"c{i}" for i in range(10_000)) + "\n"
    row = ",".join(["1.5"] * 9_999 + ["{}"]) + "\n"
    table = read(wide + row.format(1) + row.format(2) + row.format(5))
    assert table.numbers.shape == (3, 10_000)
    assert table.roles.targets == ("c9999",)
    assert len(table.report) == MAX_NOTES + 1
    assert "10,001 columns; at most 10,000" in refusal("," + wide + "1," + row)
    assert "skip fewer" in refusal("a,b\n1,2\n2,3\n", skip_rows=9)
    long = read("a,b\n1,2\n2," + "z" * 300_000 + "\n3,4\n4,4\n5,5\n")
    assert "Column 'b' has 1 non-numeric cell: row 3" in notes(long, "warning")
    monkeypatch.setattr(dialect, "_MAX_LINE_LENGTH", 1000)
    assert "Row 2 of 'x.csv' is longer" in refusal("a,b\n1," + "2" * 1001 + "\n2,3\n")
    monkeypatch.setattr(csv_records, "MAX_ROWS", 2)
    assert "3 rows; at most 2" in refusal("a,b\n1,2\n2,3\n")
    monkeypatch.setattr(csv_text, "MAX_BYTES", 2**20)
    assert "has 2 MiB; at most 1 MiB" in refusal(b"1" * 2**21)


@pytest.mark.parametrize("path", sorted(SPECTRUM.glob("*.csv")), ids=lambda path: path.stem)
def test_records_agree_with_csv_spectrum(path):
    text, encoding, _ = decode_text(path.read_bytes(), path.name, None)
    records, _, _ = detect_dialect(text, path.name, CsvOptions(encoding=encoding, header=True))
    targets = json.loads(path.with_suffix(".json").read_text())
    if path.stem == "location_coordinates":  # whose JSON is a single object, with a number of its own
        targets = [{**targets, "Contact Phone Number": "2095257564"}]
    assert records.names == tuple(targets[0])
    lines = records.text.decode().splitlines()[records.skip :]
    result = [dict(zip(records.names, line.split(records.separator), strict=True)) for line in lines]
    assert result == [{k: " ".join(v.splitlines()) for k, v in row.items()} for row in targets]


numbers = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.none() | st.integers(-999, 999)


@examples(100)
@given(data=st.data())
def test_what_pandas_writes_comes_back(data):
    rows, columns = data.draw(st.integers(4, 30)), data.draw(st.integers(2, 6))
    cells = data.draw(st.lists(numbers, min_size=rows * columns, max_size=rows * columns))
    frame = pd.DataFrame(np.array(cells, dtype=np.float64).reshape(rows, columns))
    frame.columns = [f"name {i}" for i in range(columns)]
    frame.loc[0] = np.arange(columns) + 1.5  # so that no column is without values
    frame.loc[1] = np.arange(columns) - 0.25  # nor constant, nor without a sign of its decimals
    delimiter, decimal = data.draw(st.sampled_from(",;\t|")), data.draw(st.sampled_from(".,"))
    header = data.draw(st.booleans())
    quoting = data.draw(st.sampled_from([0, 1]))
    text = frame.to_csv(None, sep=delimiter, decimal=decimal, header=header, index=False, quoting=quoting)
    table = read(text)
    used = table.options
    assert (used.delimiter, used.decimal, used.header) == (delimiter, decimal, header)
    np.testing.assert_allclose(table.numbers, frame.to_numpy(np.float32), rtol=1e-6)
    again = read_table(text.encode(), "x.csv", used)
    np.testing.assert_array_equal(again.numbers, table.numbers)
    assert (again.report, again.options) == (table.report, used)


@examples(300)
@given(data=st.binary(max_size=200) | st.text('a1,;"\n\r\t.- #\x00é|', max_size=120).map(str.encode))
def test_any_bytes_are_read_or_refused_in_a_sentence(data):
    try:
        table = read_table(data, "x.csv")
    except PlaygroundError:
        return  # any other exception fails the test
    assert table.rows >= 2
    assert all(len(column.values) == table.rows for column in table.columns)
    assert len(set(names(table))) == len(table.columns)
    assert not np.isinf(table.numbers).any()
    again = read_table(data, "x.csv", table.options)
    np.testing.assert_array_equal(again.numbers, table.numbers)
    assert names(again) == names(table)


def test_the_separator_cannot_come_from_the_file():
    assert values(read(f'a,b\n1{SEPARATOR}5,"2"\n3,5\n'), "a") == [15.0, 3.0]


def test_preview_shows_what_was_understood():
    frame = head(
        read("when,word,v\n2020-01-01,a,1\n2020-01-02,NA,x\n2020-01-03,a,3\n2020-01-04,b,3\n2020-01-05,b,9\n"),
        3,
    )
    assert frame["word"].tolist()[0] == "a"
    assert frame.isna().sum().to_dict() == {"when": 0, "word": 1, "v": 1}
    assert frame["when"].dt.day.tolist() == [1, 2, 3]
