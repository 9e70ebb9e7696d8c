"""Delimiter, decimal sign, preamble, header and column names are detected."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstm_core.data.ingest.dialect import detect_layout
from lstm_core.data.ingest.encoding import decode_text
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.rows import repaired_rows
from tests.data.csv_texts import NAN, names, notes, read, values

SPECTRUM = Path(__file__).parents[1] / "fixtures" / "csv" / "spectrum"


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
    assert table.numbers.dtype == np.float64
    assert table.numbers.flags.c_contiguous
    assert all(np.shares_memory(column.values, table.numbers) for column in table.columns)


def test_no_header_one_column_and_a_single_decimal_comma_column():
    table = read("1.5,2\n2.5,9\n3,4\n")
    assert (names(table), values(table, "column 1")) == (["column 1", "column 2"], [1.5, 2.5, 3.0])
    assert "called by their position" in notes(table)
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


@pytest.mark.parametrize("path", sorted(SPECTRUM.glob("*.csv")), ids=lambda path: path.stem)
def test_records_agree_with_csv_spectrum(path):
    text, encoding, _ = decode_text(path.read_bytes(), path.name, None)
    layout = detect_layout(text, path.name, CsvOptions(encoding=encoding, header=True))
    records, _ = repaired_rows(text, path.name, layout.separator, layout.data_line, layout.names)
    targets = json.loads(path.with_suffix(".json").read_text())
    if path.stem == "location_coordinates":  # whose JSON is a single object, with a number of its own
        targets = [{**targets, "Contact Phone Number": "2095257564"}]
    assert records.names == tuple(targets[0])
    lines = records.text.decode().splitlines()[records.skip :]
    result = [dict(zip(records.names, line.split(records.separator), strict=True)) for line in lines]
    assert result == [{k: " ".join(v.splitlines()) for k, v in row.items()} for row in targets]
