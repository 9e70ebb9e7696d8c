"""read_table takes files as people have them, refuses the rest in one sentence, and reads back what pandas writes."""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.ingest import dialect, formats
from lstm_core.data.ingest import rows as csv_records
from lstm_core.data.ingest.encoding import SEPARATOR
from lstm_core.data.ingest.read import MAX_NOTES, read_table
from lstm_core.experiment import PlaygroundError
from tests.conftest import examples
from tests.data.csv_texts import names, notes, read, refusal, values


def _zip(*files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file), "a,b\n1,2\n")
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
        (_zip("a.csv", "b.csv"), "a zip archive of 2 files ('a.csv', 'b.csv')"),
        (_zip("data.csv")[:-30], "damaged or locked"),
        (_zip("xl/workbook.xml"), "an Excel workbook that cannot be read"),
        (b"PAR1" + bytes(50) + b"PAR1", "a Parquet file that cannot be read"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "a damaged gzip archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "an HDF5 file"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'{"a": 1}', "JSON, but no table"),
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
    monkeypatch.setattr(formats, "MAX_BYTES", 2**20)
    assert "has 2 MiB; at most 1 MiB" in refusal(b"1" * 2**21)


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
    frame.loc[rows - 1] = 7.25  # blank rows at the end are left out
    delimiter, decimal = data.draw(st.sampled_from(",;\t|")), data.draw(st.sampled_from(".,"))
    header = data.draw(st.booleans())
    quoting = data.draw(st.sampled_from([0, 1]))
    text = frame.to_csv(None, sep=delimiter, decimal=decimal, header=header, index=False, quoting=quoting)
    table = read(text)
    used = table.options
    assert (used.delimiter, used.decimal, used.header) == (delimiter, decimal, header)
    np.testing.assert_array_equal(table.numbers, frame.to_numpy())
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
