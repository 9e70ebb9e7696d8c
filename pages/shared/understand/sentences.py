"""Plain sentences of the core as Markdown: their numbers bold, and nothing in them obeyed."""

from __future__ import annotations

import re

from pages.shared.session.messages import escape_markdown

_NUMBER = re.compile("((?<![\\w.])−?\\d+(?:[.,]\\d+)*(?:\u202f%)?(?!\\w))")


def bold_numbers(sentence: str) -> str:
    """The sentence with every number in bold."""
    parts = _NUMBER.split(sentence)  # numbers are at the odd places
    return "".join(f"**{escape_markdown(part)}**" if k % 2 else escape_markdown(part) for k, part in enumerate(parts))
