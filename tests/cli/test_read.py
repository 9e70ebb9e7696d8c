"""read: rows, kinds, roles and notes of a file, and its values as they were read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

FILE = "when;sky;load;none\n" + "".join(
    f"2020-01-{day:02}T12:00+02:00;{'=sun' if day % 3 else 'rain'};{'' if day == 4 else day * day % 7 + 0.1};\n"
    for day in range(1, 21)
)


@pytest.fixture
def file(tmp_path) -> str:
    path = tmp_path / "load.csv"
    path.write_text(FILE)
    return str(path)


def test_what_a_file_is_understood_as(call, file):
    about = call("read", file, "--json")
    assert about["rows"] == 20
    assert about["columns"] == [
        {"name": "when", "kind": "time", "missing": 0},
        {"name": "sky", "kind": "category", "missing": 0},
        {"name": "load", "kind": "number", "missing": 1},
        {"name": "none", "kind": "text", "missing": 20},
    ]
    assert set(about["roles"]) == {"time", "series_id", "targets", "features"}
    assert (about["roles"]["time"], about["roles"]["series_id"]) == ("when", [])
    assert {"level": "warning", "text": "Column 'none' has no values: it is left out."} in about["notes"]
    text = call("read", file)
    assert "load    number    1" in text and "time: when" in text and "series_id: none" in text


def test_values_keep_the_files_order_and_precision(call, file, tmp_path):
    out = tmp_path / "out.csv"
    call("read", file, "--values", out, "--json")
    values = pd.read_csv(out)
    assert values["when"][1] == "2020-01-02T10:00:00"  # in UTC
    assert values["sky"][:3].tolist() == ["'=sun", "'=sun", "rain"]  # no formula
    np.testing.assert_array_equal(values["load"][:4].round(3), [1.1, 4.1, 2.1, np.nan])


def test_bad_input(refuse, file, tmp_path):
    assert "cannot be read" in refuse("read", tmp_path / "none.csv")
    assert "cannot be written" in refuse("read", file, "--values", tmp_path / "none" / "out.csv")
    (tmp_path / "empty.csv").write_text("")
    assert "is empty" in refuse("read", tmp_path / "empty.csv")
