"""A Table shows its own first rows."""

from __future__ import annotations

from tests.data.csv_texts import read


def test_preview_shows_what_was_understood():
    text = "when,word,v\n2020-01-01,a,1\n2020-01-02,NA,x\n2020-01-03,a,3\n2020-01-04,b,3\n2020-01-05,b,9\n"
    frame = read(text).head(3)
    assert frame["word"].tolist()[0] == "a"
    assert frame.isna().sum().to_dict() == {"when": 0, "word": 1, "v": 1}
    assert frame["when"].dt.day.tolist() == [1, 2, 3]
