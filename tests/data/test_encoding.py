"""Encodings: detected where that is possible, else read with a warning and open to correction."""

from __future__ import annotations

import pytest

from tests.data.csv_texts import names, notes, read, refusal, values


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
