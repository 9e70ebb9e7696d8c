"""A typed column, and how a column of text becomes one: numbers, times or classes, by what most cells are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_core.data.ingest.cells import (
    has_time_zone,
    is_day_month_ambiguous,
    is_missing,
    is_time,
    parse_numbers,
    parse_times,
)
from lstm_core.data.ingest.rows import format_line_numbers
from lstm_core.data.table import Column, ImportNote

MAX_CLASSES = 1000

_MOST_CELLS = 0.7  # share of the cells that must be numbers, or times, for their column to be one
_SAMPLE_SIZE = 500  # different cells that decide
_SIGNS = re.compile(r"[%$€£¥]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class FactorizedText:
    """A column of text as its different cells: codes (rows,), −1 where missing, into `texts`."""

    name: str
    codes: np.ndarray
    texts: list[str]
    line: Callable[[int], int]  # row → line number

    @staticmethod
    def from_series(name: str, series: pd.Series, line: Callable[[int], int]) -> FactorizedText:
        codes, unique = pd.factorize(series)
        code_of_text: dict[str, int] = {}  # cells that differ in blanks alone are the same
        texts = (str(text).strip() for text in unique)
        renumbered = [-1 if is_missing(text) else code_of_text.setdefault(text, len(code_of_text)) for text in texts]
        return FactorizedText(name, np.array([*renumbered, -1], np.int32)[codes], list(code_of_text), line)

    def expand(self, values: np.ndarray, missing: object) -> np.ndarray:
        """One value per different cell → one per row."""
        return np.append(values, np.array([missing], values.dtype))[self.codes]

    def is_mostly(self, of_kind: Callable[[list[str]], np.ndarray]) -> bool:
        """Whether most cells, judged by an even sample of the different ones, are of a kind."""
        sample = range(0, len(self.texts), max(1, len(self.texts) // _SAMPLE_SIZE))
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))[sample]
        return counts[of_kind([self.texts[i] for i in sample])].sum() >= _MOST_CELLS * counts.sum()

    def rows_with(self, chosen: np.ndarray) -> np.ndarray:
        """The rows of the chosen texts, (texts,) bool."""
        return np.flatnonzero(self.expand(chosen, False))

    def is_mostly_numeric(self, decimal: str) -> bool:
        return self.is_mostly(lambda texts: ~np.isnan(parse_numbers(texts, decimal)))

    def currency_signs(self) -> set[str]:
        """The % and currency signs in the first cells."""
        return {sign for text in self.texts[:_SAMPLE_SIZE] for sign in _SIGNS.findall(text)}


def bad_cells_note(name: str, rows: Sequence[int], problem: str, line: Callable[[int], int]) -> list[ImportNote]:
    """A note on the cells that became missing values, if there are any; `line` gives a row's line number."""
    if len(rows) == 0:
        return []
    lines = [line(int(row)) for row in rows[:6]]
    cells, verb = ("cell", "it counts") if len(rows) == 1 else ("cells", "they count")
    text = f"Column {name!r} has {len(rows):,} {problem} {cells}: {format_line_numbers(lines)}; {verb} as missing."
    return [ImportNote("warning", text, name, tuple(lines[:5]))]


def dropped_signs_note(name: str, signs: set[str]) -> list[ImportNote]:
    if not signs:
        return []
    text = f"Column {name!r}: the signs {' '.join(sorted(signs))} are dropped, the numbers kept as they stand."
    return [ImportNote("info", text, name)]


def infer_column(
    cells: FactorizedText, kind: str | None, decimal: str, day_first: bool | None, notes: list[ImportNote]
) -> tuple[Column | None, bool | None]:
    """A column from its cells; kind None: what most of them are.

    Returns:
        The column, or None where it is left out (a note says why); numbers are float64 still. And whether days
        come first in its dates, None where that makes no difference.
    """
    if not cells.texts:
        notes.append(ImportNote("warning", f"Column {cells.name!r} has no values: it is left out.", cells.name))
        return None, None
    if kind == "number" or (kind is None and cells.is_mostly_numeric(decimal)):
        return _numbers(cells, decimal, notes), None
    if kind == "time" or (kind is None and cells.is_mostly(lambda texts: np.array([is_time(t) for t in texts]))):
        return _times(cells, day_first, notes)
    return _category(cells, kind == "category", notes), None


def _numbers(cells: FactorizedText, decimal: str, notes: list[ImportNote]) -> Column:
    values = parse_numbers(cells.texts, decimal)
    notes += bad_cells_note(cells.name, cells.rows_with(np.isnan(values)), "non-numeric", cells.line)
    notes += dropped_signs_note(cells.name, cells.currency_signs())
    return Column(cells.name, "number", cells.expand(values, np.nan))


def _times(cells: FactorizedText, day_first: bool | None, notes: list[ImportNote]) -> tuple[Column, bool | None]:
    depends = any(map(is_day_month_ambiguous, cells.texts[:_SAMPLE_SIZE]))
    if depends and day_first is None:
        day_first = _guess_day_first(cells, notes)
    times = parse_times(cells.texts, bool(day_first))
    notes += bad_cells_note(cells.name, cells.rows_with(np.isnat(times)), "unreadable time", cells.line)
    if any(map(has_time_zone, cells.texts[:_SAMPLE_SIZE])):
        text = f"Column {cells.name!r} names time zones: its times are turned into UTC."
        notes.append(ImportNote("info", text, cells.name))
    return Column(cells.name, "time", cells.expand(times, np.datetime64("NaT"))), day_first if depends else None


def _guess_day_first(cells: FactorizedText, notes: list[ImportNote]) -> bool:
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
        notes.append(ImportNote("warning", text, cells.name))
    return day_first


def _category(cells: FactorizedText, forced: bool, notes: list[ImportNote]) -> Column | None:
    classes, present = len(cells.texts), int((cells.codes >= 0).sum())
    if not forced and 1 < classes == present:
        text = f"Column {cells.name!r} has a different text in every row: it is left out."
        notes.append(ImportNote("warning", text, cells.name))
        return None
    blocks = 1 + int((cells.codes[1:] != cells.codes[:-1]).sum())
    if not forced and classes > MAX_CLASSES and blocks > classes:  # as many blocks as texts: ids of series
        text = f"Column {cells.name!r} has {classes:,} different texts, more than {MAX_CLASSES:,}: it is left out."
        notes.append(ImportNote("warning", text, cells.name))
        return None
    order = sorted(range(classes), key=cells.texts.__getitem__)
    ranks = np.empty(classes, np.int32)
    ranks[order] = np.arange(classes, dtype=np.int32)
    names = tuple(_CONTROLS.sub(" ", cells.texts[i])[:200] for i in order)
    return Column(cells.name, "category", cells.expand(ranks, -1), names)
