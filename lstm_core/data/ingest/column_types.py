"""A typed column, and how a column of text becomes one: numbers, times or classes, by what most cells are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_core.data.ingest.cells import (
    depends_on_day_first,
    has_zone,
    is_missing,
    is_time,
    parse_numbers,
    parse_times,
)
from lstm_core.data.ingest.rows import sentence_rows
from lstm_core.data.table import Column, Note

MAX_CLASSES = 1000

_MOST = 0.7  # share of the cells that must be numbers, or times, for their column to be one
_LOOKED_AT = 500  # different cells that decide
_SIGNS = re.compile(r"[%$€£¥]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")




@dataclass(frozen=True)
class Cells:
    """A column of text as its different cells: codes (rows,), −1 where missing, into `texts`."""

    name: str
    codes: np.ndarray
    texts: list[str]
    line: Callable[[int], int]  # row → line number

    @staticmethod
    def of(name: str, series: pd.Series, line: Callable[[int], int]) -> Cells:
        codes, found = pd.factorize(series)
        places: dict[str, int] = {}  # cells that differ in blanks alone are the same
        texts = (str(text).strip() for text in found)
        renumbered = [-1 if is_missing(text) else places.setdefault(text, len(places)) for text in texts]
        return Cells(name, np.array([*renumbered, -1], np.int32)[codes], list(places), line)

    def spread(self, values: np.ndarray, missing: object) -> np.ndarray:
        """One value per different cell → one per row."""
        return np.append(values, np.array([missing], values.dtype))[self.codes]

    def most(self, of_kind: Callable[[list[str]], np.ndarray]) -> bool:
        """Whether most cells, judged by an even sample of the different ones, are of a kind."""
        sample = range(0, len(self.texts), max(1, len(self.texts) // _LOOKED_AT))
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))[sample]
        return counts[of_kind([self.texts[i] for i in sample])].sum() >= _MOST * counts.sum()

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """The rows of the chosen texts, (texts,) bool."""
        return np.flatnonzero(self.spread(chosen, False))

    def mostly_numbers(self, decimal: str) -> bool:
        return self.most(lambda texts: ~np.isnan(parse_numbers(texts, decimal)))

    def signs(self) -> set[str]:
        """The % and currency signs in the first cells."""
        return {sign for text in self.texts[:_LOOKED_AT] for sign in _SIGNS.findall(text)}


def note_bad_cells(name: str, rows: Sequence[int], what: str, line: Callable[[int], int]) -> list[Note]:
    """A note on the cells that became missing values, if there are any; `line` gives a row's line number."""
    if len(rows) == 0:
        return []
    lines = [line(int(row)) for row in rows[:6]]
    cells, they = ("cell", "it counts") if len(rows) == 1 else ("cells", "they count")
    text = f"Column {name!r} has {len(rows):,} {what} {cells}: {sentence_rows(lines)}; {they} as missing."
    return [Note("warning", text, name, tuple(lines[:5]))]


def note_signs(name: str, signs: set[str]) -> list[Note]:
    if not signs:
        return []
    shown = " ".join(sorted(signs))
    return [
        Note("info", f"Column {name!r}: the signs {shown} are dropped, the numbers kept as they stand.", name)
    ]


def text_column(
    cells: Cells, kind: str | None, decimal: str, day_first: bool | None, notes: list[Note]
) -> tuple[Column | None, bool | None]:
    """A column from its cells; kind None: what most of them are.

    Returns:
        The column, or None where it is left out (a note says why); numbers are float64 still. And whether days
        come first in its dates, None where that makes no difference.
    """
    if not cells.texts:
        notes.append(Note("warning", f"Column {cells.name!r} has no values: it is left out.", cells.name))
        return None, None
    if kind == "number" or (kind is None and cells.mostly_numbers(decimal)):
        return _numbers(cells, decimal, notes), None
    if kind == "time" or (kind is None and cells.most(lambda texts: np.array([is_time(t) for t in texts]))):
        return _times(cells, day_first, notes)
    return _category(cells, kind == "category", notes), None


def _numbers(cells: Cells, decimal: str, notes: list[Note]) -> Column:
    values = parse_numbers(cells.texts, decimal)
    notes += note_bad_cells(cells.name, cells.rows(np.isnan(values)), "non-numeric", cells.line)
    notes += note_signs(cells.name, cells.signs())
    return Column(cells.name, "number", cells.spread(values, np.nan))


def _times(cells: Cells, day_first: bool | None, notes: list[Note]) -> tuple[Column, bool | None]:
    depends = any(map(depends_on_day_first, cells.texts[:_LOOKED_AT]))
    if depends and day_first is None:
        day_first = _guess_day_first(cells, notes)
    times = parse_times(cells.texts, bool(day_first))
    notes += note_bad_cells(cells.name, cells.rows(np.isnat(times)), "unreadable time", cells.line)
    if any(map(has_zone, cells.texts[:_LOOKED_AT])):
        text = f"Column {cells.name!r} names time zones: its times are turned into UTC."
        notes.append(Note("info", text, cells.name))
    return Column(
        cells.name, "time", cells.spread(times, np.datetime64("NaT"))
    ), day_first if depends else None


def _guess_day_first(cells: Cells, notes: list[Note]) -> bool:
    """The reading with fewer unreadable times, then fewer steps back in time, then the smaller longest step."""
    sample = cells.texts[:: max(1, len(cells.texts) // 2000)]
    costs = {}
    for day_first in (False, True):
        times = parse_times(sample, day_first)
        steps = np.diff(times[~np.isnat(times)]).astype(np.int64)
        costs[day_first] = (int(np.isnat(times).sum()), int((steps < 0).sum()), int(steps.max(initial=0)))
    day_first = costs[True] < costs[False]
    if costs[True][0] == costs[False][0]:
        order = "day before month" if day_first else "month before day"
        text = (
            f"Column {cells.name!r} can be read with the day or the month first; it is read {order}: change that "
            "if the dates look wrong."
        )
        notes.append(Note("warning", text, cells.name))
    return day_first


def _category(cells: Cells, forced: bool, notes: list[Note]) -> Column | None:
    classes, present = len(cells.texts), int((cells.codes >= 0).sum())
    if not forced and 1 < classes == present:
        text = f"Column {cells.name!r} has a different text in every row: it is left out."
        notes.append(Note("warning", text, cells.name))
        return None
    blocks = 1 + int((cells.codes[1:] != cells.codes[:-1]).sum())
    if not forced and classes > MAX_CLASSES and blocks > classes:  # as many blocks as texts: ids of series
        text = f"Column {cells.name!r} has {classes:,} different texts, more than {MAX_CLASSES:,}: it is left out."
        notes.append(Note("warning", text, cells.name))
        return None
    order = sorted(range(classes), key=cells.texts.__getitem__)
    ranks = np.empty(classes, np.int32)
    ranks[order] = np.arange(classes, dtype=np.int32)
    names = tuple(_CONTROLS.sub(" ", cells.texts[i])[:200] for i in order)
    return Column(cells.name, "category", cells.spread(ranks, -1), names)
