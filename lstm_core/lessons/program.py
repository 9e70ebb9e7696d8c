"""A tutorial's program as we wrote it: its lines, and the notes in them on what the tutorial gets wrong there.

A note is a comment above the line that it is about:

    # [3] Tutorial: what the tutorial states or does.
    #     Right: what is so.
    #     See: the name of a claim of the lesson "Claims checked"  (if one demonstrates it)

What the program measures for it is printed in lines that begin with "[3] ".
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

PROGRAMS = Path(str(resources.files(__package__))) / "programs"
_BEGIN = re.compile(r"\s*# \[(\d+)\] Tutorial: (.+)")
_MORE = re.compile(r"\s*#     (?:(Right|See): )?(.+)")
_MEASURED = re.compile(r"\[(\d+)\] (.+)")


@dataclass(frozen=True)
class Note:
    """What the tutorial gets wrong at one line."""

    number: int
    tutorial: str  # plain text
    right: str  # plain text
    claim: str  # of the lesson "Claims checked"; "" if none is about it
    begin: int  # its first line in the file, from 1
    line: int  # the line of code that it is about


@dataclass(frozen=True)
class Program:
    """One script of the folder programs/."""

    path: Path
    lines: tuple[str, ...]
    notes: tuple[Note, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def docstring(self) -> tuple[str, ...]:
        """Its paragraphs, plain text: what the program does, how to run it, and what else is to be known."""
        text = ast.get_docstring(ast.parse(self.source))
        return tuple(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))

    @property
    def first_line(self) -> int:
        """The first line after the docstring that is not empty, from 1."""
        end = ast.parse(self.source).body[0].end_lineno
        return next(number for number in range(end + 1, len(self.lines) + 1) if self.lines[number - 1])

    @property
    def source(self) -> str:
        return "\n".join(self.lines) + "\n"


@cache
def load_program(name: str) -> Program:
    """The script of this name in programs/."""
    return read_program(PROGRAMS / f"{name}.py")


def read_program(path: Path) -> Program:
    """The script in this file.

    Raises:
        ValueError: a note has no "Right:".
    """
    lines = tuple(path.read_text(encoding="utf-8").splitlines())
    return Program(path, lines, read_notes(lines))


def read_notes(lines: tuple[str, ...]) -> tuple[Note, ...]:
    """The notes in a script's lines, in their order.

    Raises:
        ValueError: a note has no "Right:".
    """
    notes, at = [], 0
    while at < len(lines):
        found = _BEGIN.fullmatch(lines[at])
        at += 1
        if not found:
            continue
        begin, part = at, "Tutorial"
        texts = {"Tutorial": found[2], "Right": "", "See": ""}
        while at < len(lines) and (more := _MORE.fullmatch(lines[at])):
            part = more[1] or part
            texts[part] = f"{texts[part]} {more[2]}".strip()
            at += 1
        if not texts["Right"]:
            raise ValueError(f"Line {begin}: the note has no Right.")
        code = next((k for k in range(at, len(lines)) if not lines[k].lstrip().startswith("#") and lines[k]), at)
        notes.append(Note(int(found[1]), texts["Tutorial"], texts["Right"], texts["See"], begin, code + 1))
    return tuple(notes)


def measured(printed: str) -> tuple[int, str] | None:
    """The number of the note that a printed line belongs to, and what was measured; None of the tutorial's own."""
    found = _MEASURED.match(printed)
    return (int(found[1]), found[2]) if found else None
