"""A book as a table: one row per character, one-hot in 40 columns, and the next character as its target.

The book is read, normalised and encoded here; the lesson Characters trains on it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import numpy as np

from lstm_core.data.table import Column, ColumnRoles, Table
from lstm_core.experiment import PlaygroundError

CHARACTER_NAMES = {
    "\n": "line end",
    " ": "space",
    **{letter: letter for letter in "abcdefghijklmnopqrstuvwxyz"},
    "'": "apostrophe",
    ",": "comma",
    ".": "full stop",
    "!": "exclamation mark",
    "?": "question mark",
    ":": "colon",
    ";": "semicolon",
    "-": "hyphen",
    "(": "opening bracket",
    ")": "closing bracket",
    "“": "opening quote",
    "”": "closing quote",
}
ALPHABET = "".join(CHARACTER_NAMES)
SEQ_LEN = 128  # characters of one sequence: about two lines of the book

_BOOK = resources.files(__package__).joinpath("alice.txt")
_SAME = str.maketrans({"[": "(", "]": ")", "’": "'", "‘": "'", "\t": " ", "—": "--", "–": "-", "…": "..."})


@cache
def load_book() -> str:
    """Alice's Adventures in Wonderland in the 40 characters of ALPHABET, as normalize leaves them.

    The file's quotation marks are ` and ', as typed in 1994: they become “ and ”. A ' is a closing one where no
    letter follows; its quotations within quotations, in ", become '.
    """
    text = _BOOK.read_bytes().decode("ascii").replace("\r\n", "\n")
    text = text[text.index("CHAPTER I\n") : text.index("THE END")]
    text = re.sub(r"'(?![A-Za-z])", "”", text.replace("`", "“")).replace('"', "'")
    return normalize(re.sub(r"[*_]", "", text)).strip()


def normalize(text: str) -> str:
    """The text in lower case, with one space or one line end, or two after a paragraph, in a row.

    A straight " opens a quotation after a blank or a bracket and closes one elsewhere. Square brackets become round
    ones, typographic apostrophes and dashes plain ones. All else that ALPHABET lacks stays: encode refuses it.
    """
    text = re.sub(r'(^|(?<=[\s(\[]))"', "“", text).replace('"', "”").translate(_SAME).lower()
    text = re.sub(r" *\r?\n *", "\n", re.sub(r" +", " ", text))
    return re.sub(r"\n{3,}", "\n\n", text)


def encode(text: str) -> np.ndarray:
    """(characters,) int64: each character's index in ALPHABET.

    Raises:
        PlaygroundError: the text has a character that ALPHABET lacks.
    """
    unknown = sorted(set(text) - set(ALPHABET))
    if unknown:
        listed = ", ".join(_shown(character) for character in unknown[:5]) + ", …" * (len(unknown) > 5)
        raise PlaygroundError(
            f"The model does not know {listed}: use the letters a to z, spaces, line ends and ' , . ! ? : ; - ( ) “ ”."
        )
    return np.array([ALPHABET.index(character) for character in text], np.int64)


def one_hot(numbers: np.ndarray) -> np.ndarray:
    """(…, 40) float32: the one-hot vectors of these indices."""
    return np.eye(len(ALPHABET), dtype=np.float32)[numbers]


@cache
def book_table() -> Table:
    """The book in blocks of SEQ_LEN characters, each a sequence of its own.

    Columns: the 40 characters by name, 1 in the row where it stands; "block", the sequence's number; "next", the
    character that follows, whose classes are in the order of the 40 columns.
    """
    numbers = encode(load_book())
    rows = (len(numbers) - 1) // SEQ_LEN * SEQ_LEN
    table = np.empty((rows, len(ALPHABET) + 1), np.float32)
    table[:, :-1] = one_hot(numbers[:rows])
    table[:, -1] = np.arange(rows) // SEQ_LEN
    names = (*CHARACTER_NAMES.values(), "block")
    columns = [Column(name, "number", table[:, k]) for k, name in enumerate(names)]
    columns.append(Column("next", "category", numbers[1 : rows + 1].astype(np.int32), names[:-1]))
    return Table("Alice in Wonderland", table, tuple(columns), ROLES, groups_in_order=True)


ROLES = ColumnRoles(("next",), tuple(CHARACTER_NAMES.values()), group="block", seq_len=SEQ_LEN, horizon=0)


def _shown(character: str) -> str:
    return f"{character!r}" if character.isprintable() else f"the character U+{ord(character):04X}"
