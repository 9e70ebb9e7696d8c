"""Markdown → HTML: as much of it as lessons use (paragraphs, lists, headings, code, bold, italic, $formula$).

All else is text: no HTML and no link comes through.
"""

from __future__ import annotations

import html
import re

from lstm_core.lessons.take_along.mathml import mathml

_ITEM = re.compile(r"^(?:([*-])|(\d+)\.) +")
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\$(?P<math>[^$]+)\$|\*\*(?P<bold>.+?)\*\*|\*(?P<italic>[^*]+)\*|\\(?P<kept>[\\$*_`#\[\]|<>~:])",
    re.DOTALL,
)


def markdown_html(text: str) -> str:
    """The blocks of a text, one below the other."""
    return "\n".join(_block(block) for block in re.split(r"\n[ \t]*\n", text.strip()) if block.strip())


def inline_html(text: str) -> str:
    """One paragraph's text without the paragraph."""
    parts, at = [], 0
    for found in _INLINE.finditer(text):
        parts.append(html.escape(text[at : found.start()], quote=False))
        at, kind, inner = found.end(), found.lastgroup, found[found.lastgroup]
        if kind == "code":
            parts.append(f"<code>{html.escape(inner, quote=False)}</code>")
        elif kind == "math":
            parts.append(formula_html(inner))
        elif kind == "kept":
            parts.append(html.escape(inner, quote=False))
        else:
            tag = "strong" if kind == "bold" else "em"
            parts.append(f"<{tag}>{inline_html(inner)}</{tag}>")
    return "".join([*parts, html.escape(text[at:], quote=False)])


def formula_html(latex: str, display: bool = False) -> str:
    """As MathML; what that cannot be is shown as it was written."""
    try:
        return mathml(latex, display)
    except ValueError:
        return f"<code>{html.escape(latex, quote=False)}</code>"


def _block(block: str) -> str:
    lines = block.strip("\n").splitlines()
    if lines[0].startswith("#"):
        marks, _, title = lines[0].partition(" ")
        rest = "\n".join(lines[1:])
        level = min(len(marks) + 1, 6)
        return f"<h{level}>{inline_html(title)}</h{level}>" + (_block(rest) if rest else "")
    if _ITEM.match(lines[0]) is None:
        return f"<p>{inline_html(block.strip())}</p>"
    items: list[str] = []
    for line in lines:
        if _ITEM.match(line):
            items.append(_ITEM.sub("", line))
        else:
            items[-1] += "\n" + line.strip()
    tag = "ol" if _ITEM.match(lines[0])[2] else "ul"
    return f"<{tag}>{''.join(f'<li>{inline_html(item)}</li>' for item in items)}</{tag}>"
