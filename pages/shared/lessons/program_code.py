"""A program and what it prints, as HTML: lines with their numbers, notes where the tutorial errs.

Everything that stands in the script or comes from its process is escaped.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Mapping, Sequence
from html import escape

from lstm_core.lessons.program import Note, Program, measured
from lstm_core.lessons.run_program import Printed

_CLAIM = "lessons?lesson=claims&questions=off&claim="  # an address of this app
_STYLE = """
<style>
.program .line {
  font: .78rem/1.5 var(--st-code-font, monospace); display: grid; grid-template-columns: 2.6rem 1fr;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.program .line > code { font: inherit; padding: 0 0 0 2ch; text-indent: -2ch; background: none; color: inherit; }
.program .line > :first-child { color: GREY; text-align: right; padding-right: .7rem; user-select: none; }
.program .line.marked { background: light-dark(#BF2C211A, #FF8A8026); }
.program .k { color: light-dark(#7A3E9D, #C9A0E8); } .program .s { color: light-dark(#2B6E2F, #8FD08F); }
.program .c { color: GREY; }
.program .note {
  margin: .35rem 0 0 2.6rem; padding: .45rem .7rem; border-left: 3px solid light-dark(#BF2C21, #FF8A80);
  background: light-dark(#BF2C2112, #FF8A801A); border-radius: 0 .4rem .4rem 0;
  font-size: .88rem; line-height: 1.45; overflow-wrap: anywhere;
}
.program .note > div { margin: .15rem 0; }
.program .note a { color: var(--primary); }
.program .note b { font-weight: 600; } .program .note .measured { font-variant-numeric: tabular-nums; }
.program .number {
  display: inline-block; min-width: 1.35rem; padding: 0 .3rem; margin-right: .35rem; border-radius: .7rem;
  text-align: center; font-weight: 600; font-size: .75rem; line-height: 1.35rem;
  background: light-dark(#BF2C21, #FF8A80); color: light-dark(#FFFFFF, #171614);
}
.program .line.of-note { background: light-dark(#BF2C2112, #FF8A801A); }
</style>
""".replace("GREY", "light-dark(#5E6B66, #A3B0AB)")


def style() -> str:
    """The style sheet of both."""
    return _STYLE


def highlight(line: int) -> str:
    """A style sheet that marks the line of the script that printed last."""
    return f"<style>.program .at-{line} {{ box-shadow: inset 3px 0 var(--primary); background: #4DA3DB33; }}</style>"


def script(program: Program, found: Mapping[int, Sequence[str]], seed: int | None) -> str:
    """The script after its docstring, with its notes; found: by a note's number, what this seed's run measured."""
    notes = {note.begin: note for note in program.notes}
    marked = {note.line for note in program.notes}
    coloured = _coloured(program.source)
    parts, number = [], program.first_line
    while number <= len(program.lines):
        note = notes.get(number)
        if note is not None:
            parts.append(_note(note, found.get(note.number, ()), seed))
            number = _end_of(note, program)
            continue
        kind = f"line at-{number}{' marked' if number in marked else ''}"
        parts.append(f'<div class="{kind}"><span>{number}</span><code>{coloured[number - 1] or " "}</code></div>')
        number += 1
    return f'<div class="program">{"".join(parts)}</div>'


def output(printed: Sequence[Printed]) -> str:
    """What was printed, each beside the line of the script that printed it."""
    parts = []
    for one in printed:
        of_note = measured(one.text)
        text = escape(one.text) if of_note is None else f"{_number(of_note[0])}{escape(of_note[1])}"
        kind = "line" if of_note is None else "line of-note"
        parts.append(f'<div class="{kind}"><span>{one.line}</span><span>{text or " "}</span></div>')
    return f'<div class="program">{"".join(parts)}</div>'


def _end_of(note: Note, program: Program) -> int:
    """The first line after the note's comment."""
    number = note.begin + 1
    while program.lines[number - 1].lstrip().startswith("#     "):
        number += 1
    return number


def _number(number: int) -> str:
    return f'<span class="number">{number}</span>'


def _note(note: Note, found: Sequence[str], seed: int | None) -> str:
    rows = [
        f"<div>{_number(note.number)}<b>Tutorial:</b> {escape(note.tutorial)}</div>",
        f"<div><b>Right:</b> {escape(note.right)}</div>",
    ]
    if found:
        texts = "<br>".join(escape(text) for text in found)
        rows.append(f'<div class="measured"><b>Measured, seed {seed}:</b> {texts}</div>')
    if note.claim:
        link = f'<a href="{_CLAIM}{escape(note.claim)}" target="_blank">Run the demonstration in Claims checked</a>'
        rows.append(f"<div>{link}</div>")
    return f'<div class="note">{"".join(rows)}</div>'


def _coloured(source: str) -> list[str]:
    """The lines of the source as HTML, with keywords, strings and comments in their colours."""
    lines = source.splitlines()
    spans: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = _kind(token)
        (first, begin), (last, end) = token.start, token.end
        for row in range(first, last + 1) if kind else ():
            line = lines[row - 1]
            spans[row - 1].append((begin if row == first else 0, end if row == last else len(line), kind))
    return [_with_spans(line, found) for line, found in zip(lines, spans, strict=True)]


def _kind(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME and keyword.iskeyword(token.string):
        return "k"
    name = tokenize.tok_name[token.type]  # an f-string is one token or, since Python 3.12, three kinds of them
    return "s" if name == "STRING" or name.startswith("FSTRING") else "c" if name == "COMMENT" else ""


def _with_spans(line: str, spans: Sequence[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for begin, end, kind in spans:
        parts.append(f'{escape(line[at:begin])}<span class="{kind}">{escape(line[begin:end])}</span>')
        at = end
    return "".join(parts) + escape(line[at:])
