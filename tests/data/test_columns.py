"""Columns are parsed chunk by chunk, and those of no use are left out with a note."""

from __future__ import annotations

from tests.data.csv_texts import names, notes, read, values


def test_bad_cells_far_down_are_found_chunk_by_chunk(monkeypatch):
    monkeypatch.setattr("lstm_core.data.ingest.rows._BLOCK", 400)
    lines = [f"{i % 9},{i % 5},2020-01-{i % 28 + 1:02}" for i in range(500)]
    lines[400] = "oops,1,2020-01-01"
    lines[300:460] = [line.replace(",", ",k", 1) for line in lines[300:460]]
    table = read("a,b,c\n" + "\n".join(lines))
    assert "Column 'a' has 1 non-numeric cell: row 402 ('oops'); it counts as missing." in notes(table)
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
    big = read("v,n\n" + "".join(f"{i % 7},{2**53 + 2 * i * i}\n" for i in range(5)))
    assert "Column 'n' has whole numbers beyond 9,007,199,254,740,992" in notes(big, "warning")
