"""Data: a refused file can be corrected, what was guessed can be undone, and files of many formats are taken."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.pages.conftest import series_csv

REPORTS = Path(__file__).parents[1] / "fixtures" / "reports"


def test_a_refused_file_shows_its_first_lines_and_can_be_corrected(visit):
    lines = ['broken "quote', "a;b", '1;"2', *(f"{k % 7};{k * k % 5},5" for k in range(60))]
    tab = visit("data")
    before = tab.workspace.table
    tab.upload("\n".join(lines).encode(), "odd.csv")
    assert "never closed" in tab.errors()[0] and "can be corrected on Data" in tab.errors()[0]
    assert tab.widget("read_delimiter").value is None and tab.widget("read_skip_rows").value == 0
    preview = next(frame.value for frame in tab.at.dataframe if list(frame.value.columns) == ["1", "2"])
    assert preview.iloc[1].tolist() == ["a", "b"]
    tab.set("read_encoding", "utf-16")
    assert tab.errors() and tab.widget("read_encoding").value == "utf-16"
    tab.set("read_encoding", "utf-8").set("read_skip_rows", 3)
    assert not tab.errors()
    assert tab.workspace.table is not before
    assert (tab.workspace.table.rows, tab.workspace.table.options.decimal) == (60, ",")
    tab.upload(b"load\n" + b"4\n" * 40, "bad.csv").press("discard_refused")
    assert tab.widget("read_skip_rows").value == 3  # of the table in use


def test_sentinels_and_turned_tables_are_one_click_away(visit):
    years = ",".join(map(str, range(1990, 2020)))
    rows = [f"{name}," + ",".join(f"{np.sin(k * n):.3f}" for k in range(1, 31)) for n, name in enumerate("ab", 1)]
    tab = visit("data").upload("\n".join([f"country,{years}", *rows]).encode(), "wide.csv")
    assert tab.workspace.table.rows == 30
    tab.press("read_turn")
    assert (tab.workspace.table.rows, tab.workspace.table.options.turn) == (2, False)
    assert tab.press("read_turn").workspace.table.rows == 30
    rows = "\n".join(f"{k},{-999 if k == 7 else np.sin(k)}" for k in range(60))
    tab.upload(f"t,load\n{rows}".encode(), "gaps.csv")
    assert any("-999" in warning.value for warning in tab.at.warning)
    tab.press(next(button.key for button in tab.at.button if button.key and button.key.startswith("sentinel_")))
    assert np.isnan(tab.workspace.table.column("load").values[7])
    assert tab.press("keep_sentinels").workspace.table.column("load").values[7] == -999


@pytest.mark.parametrize("page", ["data", "start"])
def test_packed_excel_and_json_files_are_uploaded_too(visit, page):
    tab = visit(page)
    for name, data in (
        ("mine.csv.gz", gzip.compress(series_csv())),
        ("mine.json", b'[{"day": 1, "load": 2.5}, {"day": 2, "load": 3.5}, {"day": 3, "load": 1.5}]'),
        ("mine.xlsx", (REPORTS / "xlsx.xlsx").read_bytes()),
    ):
        assert name.rpartition(".")[2] in " ".join(tab.widget("csv").proto.type)
        tab.upload(data, name)
        assert tab.workspace.table.name == name
