"""Whatever is done to a file, it is read, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstm_core.data.ingest.read import preview_rows, read_table
from lstm_core.experiment import PlaygroundError

REPORTS = sorted((Path(__file__).parents[1] / "fixtures" / "reports").glob("*.*"))
FILES = [path.read_bytes() for path in REPORTS if path.suffix != ".md" and path.name != "expected.json"]
PIECES = [
    *(
        b'"',
        b'""',
        b",",
        b";",
        b"\t",
        b" ",
        b"\n",
        b"\r\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"'",
        b"#",
        b"{",
        b"[",
        b"-",
        b"0",
    ),
    *(b"NaN", b"inf", b"1e400", b"9" * 40, b"-9999", b"2020-02-30", b"01.01.0001", b"9999-12-31", b"\xe2\x80\xaf"),
]


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with up to twelve pieces put in, cut out, doubled, turned round or changed."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 13)):
        start = int(rng.integers(len(changed) + 1))
        end = start + int(rng.integers(1, 200))
        piece = PIECES[rng.integers(len(PIECES))] * int(rng.integers(1, 5))
        part = changed[start:end]
        changed[start:end] = (piece, b"", part + part, part[::-1], piece + part)[rng.integers(5)]
    return bytes(changed)


def read_or_refuse(data: bytes) -> None:
    for read in (read_table, preview_rows):
        sentence = "."
        try:
            read(data, "x.csv")
        except PlaygroundError as error:  # any other exception fails the test
            sentence = str(error)
        assert sentence.endswith((".", "?")) and "\n" not in sentence


@pytest.mark.parametrize("seed", range(40))
def test_mutated_files(seed):
    rng = np.random.default_rng(seed)
    read_or_refuse(mutated(FILES[seed % len(FILES)], rng))


@pytest.mark.slow
def test_a_thousand_mutated_files():
    rng = np.random.default_rng(2026)
    for k in range(1000):
        read_or_refuse(mutated(FILES[k % len(FILES)], rng))
