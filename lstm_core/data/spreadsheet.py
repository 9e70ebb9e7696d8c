"""Texts from files as cells that no spreadsheet takes for a formula."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a formula can begin, in Excel, LibreOffice and Google Sheets


def spreadsheet_text(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would otherwise run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def unique_texts(texts: list[str]) -> list[str]:
    """spreadsheet_text of each, none empty and none twice: as headers, or as classes, of a CSV file."""
    unique: list[str] = []
    for text in map(spreadsheet_text, texts):
        text = free = text or "_"
        count = 1
        while free in unique:
            count += 1
            free = f"{text}_{count}"
        unique.append(free)
    return unique
