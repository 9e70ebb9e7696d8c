"""CsvOptions: corrections are validated, used and completed."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.data.ingest.options import CsvOptions
from lstm_core.experiment import PlaygroundError
from tests.data.csv_texts import NAN, names, notes, read, values


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
    assert table.options == CsvOptions("utf-16", ";", ",", True, 2, True, header_rows=1)


@pytest.mark.parametrize(
    "bad", [{"delimiter": ";;"}, {"delimiter": '"'}, {"decimal": "x"}, {"skip_rows": -1}, {"kinds": (("a", "date"),)}]
)
def test_options_are_checked(bad):
    with pytest.raises(PlaygroundError):
        CsvOptions(**bad)
