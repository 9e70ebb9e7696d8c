"""Ragged and quoted rows become regular ones, and notes and refusals name their lines."""

from __future__ import annotations

import numpy as np

from tests.data.csv_texts import NAN, notes, read, refusal, values


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
    long = 'a,b\n1,2\n2,3\n3,"' + "x" * 200_000
    assert "Column 'b' has 1 non-numeric cell: row 4" in notes(read(long + '"\n4,1\n'))
    assert "Row 4 of 'x.csv' has a cell of more than" in refusal(long + "\n\n4,1\n")
    assert values(read('a,b\n1,"2"\n2,5" pipe\n3,7\n4,6\n5,1\n'), "a") == [1, 2, 3, 4, 5]
