"""A column of text becomes numbers, times or classes, by what most of its cells are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstm_core.data.ingest.numbers import NULL_TEXTS, parse_numbers
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.time_shapes import interval_start, is_clock, is_time, plain_time
from lstm_core.data.ingest.times import has_time_zone, is_day_month_ambiguous, parse_clocks, parse_times
from lstm_core.data.ingest.typed import TypedColumn
from lstm_core.data.table import ImportNote

MAX_CLASSES = 1000
_MAX_LABELS = 10_000  # texts remembered of a column that is left out: they may name the rows of a wide table

_MOST_CELLS = 0.7  # share of the cells that must be numbers, or times, for their column to be one
_WORTH_A_NOTE = 0.2  # share of numbers in a column of text
_LONGEST_NULL = max(map(len, NULL_TEXTS))
_SAMPLE_SIZE = 500  # different cells that decide
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_UNIT = re.compile(r"^[-+−]?\d[\d.,' ]*[\s\u00a0]?([^\d\s.,:()+/-][^\d\s,:()+-]{0,7})$")
_BOOLEANS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class TextColumn:
    """A column of text as its different cells: codes (rows,), −1 where missing, into `texts`, an array of strings."""

    name: str
    codes: np.ndarray
    texts: pa.Array

    def without_missing(self) -> TextColumn:
        """The same, without the texts that stand for a missing value, and nulls."""
        gone = pc.is_null(self.texts)
        if (pc.min(pc.binary_length(self.texts)).as_py() or 0) <= _LONGEST_NULL:
            gone = pc.or_(gone, pc.is_in(pc.utf8_lower(self.texts), pa.array([text.lower() for text in NULL_TEXTS])))
        gone = gone.to_numpy(zero_copy_only=False).astype(bool)
        if not gone.any():
            return self
        renumbered = np.append(np.where(gone, -1, np.cumsum(~gone) - 1), -1).astype(np.int32)
        return TextColumn(self.name, renumbered[self.codes], self.texts.filter(pa.array(~gone)))

    def distinct(self) -> TextColumn:
        """The same, each text once."""
        encoded = pc.dictionary_encode(self.texts)
        if len(encoded.dictionary) == len(self.texts):
            return self
        codes = np.append(encoded.indices.to_numpy(zero_copy_only=False), -1).astype(np.int32)
        return TextColumn(self.name, codes[self.codes], encoded.dictionary)

    def expand(self, values: np.ndarray, missing: object) -> np.ndarray:
        """One value per different cell → one per row."""
        return np.append(values, np.array([missing], values.dtype))[self.codes]

    def share(self, of_kind: Callable[[pa.Array], np.ndarray]) -> float:
        """The share of cells of a kind, judged by an even sample of the different ones."""
        sample = np.arange(0, len(self.texts), max(1, len(self.texts) // _SAMPLE_SIZE))
        counts = self._counts[sample]
        return float(counts[of_kind(self.texts.take(pa.array(sample)))].sum() / max(1, counts.sum()))

    @cached_property
    def _counts(self) -> np.ndarray:
        """(texts,) the rows of each."""
        return np.bincount(self.codes + 1, minlength=len(self.texts) + 1)[1:]

    def first(self, count: int = _SAMPLE_SIZE) -> list[str]:
        return self.texts[:count].to_pylist()

    def rows_with(self, chosen: np.ndarray) -> np.ndarray:
        """The rows of the chosen texts, (texts,) bool."""
        return np.flatnonzero(self.expand(chosen, False))


def infer_column(
    cells: TextColumn | TypedColumn,
    kind: str | None,
    options: CsvOptions,
    line: Callable[[int], int],
    notes: list[ImportNote],
) -> tuple[TypedColumn, bool | None]:
    """A column from its cells; kind None: what most of them are.

    Returns:
        The column, and whether days come first in its dates, None where that makes no difference.
    """
    if isinstance(cells, TypedColumn):
        return cells, None
    if not len(cells.texts):
        return TypedColumn(cells.name, "text", cells.codes), None
    numbers = cells.share(lambda texts: ~np.isnan(parse_numbers(texts, options.decimal)))
    if kind == "number" or (kind is None and numbers >= _MOST_CELLS):
        return _numbers(cells, options.decimal), None
    times, clocks = cells.share(_each(is_time)), cells.share(_each(is_clock))
    if kind == "time" or (kind is None and max(times, clocks) >= _MOST_CELLS):
        column, day_first = _times(cells, options.day_first, notes) if times >= clocks else (None, None)
        if clocks >= _MOST_CELLS and (column is None or len(column.bad) > 0):  # 18.00.00 is no date
            column, day_first = _clocks(cells), None
        return column or _times(cells, options.day_first, notes)[0], day_first
    cells = cells.distinct()
    folded = [text.lower() for text in cells.first(3)]
    if kind is None and set(folded) == set(_BOOLEANS) and len(cells.texts) == 2:
        values = np.array([_BOOLEANS[text] for text in folded])
        text = f"Column {cells.name!r} holds true and false: they are read as 1 and 0."
        notes.append(ImportNote("info", text, cells.name))
        return TypedColumn(cells.name, "number", cells.expand(values, np.nan)), None
    if kind is None and (unit := _common_unit(cells.first())):
        bare = pc.replace_substring_regex(cells.texts, rf"[\s\x{{a0}}]?{re.escape(unit)}$", "")
        column = TextColumn(cells.name, cells.codes, bare)
        if column.share(lambda texts: ~np.isnan(parse_numbers(texts, options.decimal))) >= _MOST_CELLS:
            text = f"Column {cells.name!r} is in {unit!r}: the unit is dropped, the numbers kept as they stand."
            notes.append(ImportNote("info", text, cells.name))
            return _numbers(column, options.decimal), None
    column = _category(cells, kind == "category", notes)
    share, what = max((numbers, "numbers"), (times, "dates"))
    if share >= _WORTH_A_NOTE and kind is None:
        text = (
            f"Column {cells.name!r} looks like {what} in {share:.0%} of its cells and is read as text: change its kind"
        )
        notes.append(ImportNote("warning", f"{text} if it is meant otherwise.", cells.name))
    return column, None


def _common_unit(texts: list[str]) -> str:
    """What stands behind the number in nine of ten cells, such as kWh; "" for nothing."""
    match = _UNIT.search(texts[0]) if texts else None
    unit = match[1] if match else ""
    return unit if unit and sum(text.endswith(unit) for text in texts) >= 0.9 * len(texts) else ""


def _each(of_kind: Callable[[str], bool]) -> Callable[[pa.Array], np.ndarray]:
    return lambda texts: np.array([of_kind(text) for text in texts.to_pylist()], bool)


def _numbers(cells: TextColumn, decimal: str) -> TypedColumn:
    values = parse_numbers(cells.texts, decimal)
    return TypedColumn(cells.name, "number", cells.expand(values, np.nan), **_bad(cells, np.isnan(values)))


def _bad(cells: TextColumn, chosen: np.ndarray) -> dict:
    texts = [cells.texts[int(k)].as_py() for k in np.flatnonzero(chosen)[:6]]
    return {"bad": cells.rows_with(chosen), "bad_texts": tuple(texts)}


def _times(cells: TextColumn, day_first: bool | None, notes: list[ImportNote]) -> tuple[TypedColumn, bool | None]:
    first = cells.first()
    depends = any(map(is_day_month_ambiguous, first))
    if depends and day_first is None:
        day_first = _guess_day_first(cells, notes)
    times = parse_times(cells.texts, bool(day_first))
    if any(has_time_zone(plain_time(text)) for text in first):
        text = f"Column {cells.name!r} names time zones: its times are turned into UTC."
        notes.append(ImportNote("info", text, cells.name))
    if any(map(interval_start, first[:20])):
        text = f"Column {cells.name!r} holds intervals: the start of each is taken."
        notes.append(ImportNote("info", text, cells.name))
    values = cells.expand(times, np.datetime64("NaT"))
    return TypedColumn(cells.name, "time", values, **_bad(cells, np.isnat(times))), day_first if depends else None


def _clocks(cells: TextColumn) -> TypedColumn:
    times = parse_clocks(cells.texts)
    values = cells.expand(times, np.datetime64("NaT"))
    return TypedColumn(cells.name, "clock", values, **_bad(cells, np.isnat(times)))


def _guess_day_first(cells: TextColumn, notes: list[ImportNote]) -> bool:
    """The reading with fewer unreadable times, then fewer steps back in time, then the smaller longest step."""
    sample = cells.texts.take(pa.array(np.arange(0, len(cells.texts), max(1, len(cells.texts) // 2000))))
    costs = {}
    for day_first in (False, True):
        times = parse_times(sample, day_first)
        steps = np.diff(times[~np.isnat(times)]).astype(np.int64)
        if np.count_nonzero(steps < 0) > len(steps) / 2:
            steps = -steps  # the newest first
        costs[day_first] = (int(np.isnat(times).sum()), int((steps < 0).sum()), int(steps.max(initial=0)))
    dotted = all("." in text for text in cells.first(50))
    day_first = costs[True] < costs[False] or (dotted and costs[True][:2] <= costs[False][:2])
    if costs[True][0] == costs[False][0] and not (dotted and day_first):
        order = "day before month" if day_first else "month before day"
        text = (
            f"Column {cells.name!r} can be read with the day or the month first; it is read {order}: change that "
            "if the dates look wrong."
        )
        notes.append(ImportNote("warning", text, cells.name))
    return day_first


def _category(cells: TextColumn, forced: bool, notes: list[ImportNote]) -> TypedColumn:
    classes, present = len(cells.texts), int((cells.codes >= 0).sum())
    if not forced and 1 < classes == present:
        text = f"Column {cells.name!r} has a different text in every row: it is left out."
        notes.append(ImportNote("warning", text, cells.name))
        names = tuple(map(_printable, cells.texts.to_pylist())) if classes <= _MAX_LABELS else ()
        return TypedColumn(cells.name, "text", cells.codes, names)
    blocks = 1 + int((cells.codes[1:] != cells.codes[:-1]).sum())
    if not forced and classes > MAX_CLASSES and blocks > classes:  # as many blocks as texts: ids of series
        text = f"Column {cells.name!r} has {classes:,} different texts, more than {MAX_CLASSES:,}: it is left out."
        notes.append(ImportNote("warning", text, cells.name))
        return TypedColumn(cells.name, "text", cells.codes)
    texts = cells.texts.to_pylist()
    order = sorted(range(classes), key=texts.__getitem__)
    ranks = np.empty(classes, np.int32)
    ranks[order] = np.arange(classes, dtype=np.int32)
    names = tuple(_printable(texts[i]) for i in order)
    return TypedColumn(cells.name, "category", cells.expand(ranks, -1), names)


def _printable(text: str) -> str:
    return _CONTROLS.sub(" ", text)[:200]
