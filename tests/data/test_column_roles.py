"""The roles that are suggested for columns, and notes on an irregular time column."""

from __future__ import annotations

import pytest

from lstm_core.data.table import ColumnRoles
from tests.data.csv_texts import notes, read


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
            ColumnRoles(("v",), ("v",), "date", seq_len=2),
        ),
        (
            "v,kind,kind_id\n" + "".join(f"{i % 7},k{i // 20},{i // 20}\n" for i in range(60)),
            ColumnRoles(("kind",), ("v",), seq_len=6, horizon=0),
        ),
    ],
)
def test_roles(text, roles):
    assert read(text).roles == roles
