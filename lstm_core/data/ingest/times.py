"""Times from texts, many at once: every shape that is met is read strictly, by arithmetic on its fields.

Two figures of a year count from 1945 to 2044. 24:00 is midnight of the next day; a quarter, week, month or interval is
its start. What numbers count as times is in counted_times.py.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstm_core.data.ingest.calendar_words import ZONES, month_of
from lstm_core.data.ingest.numbers import cast_all
from lstm_core.data.ingest.time_shapes import Shape, clock_shape, date_shape, plain_time

_OLDEST, _NEWEST = np.datetime64("1678-01-01"), np.datetime64("2262-01-01")  # what 64 bits of nanoseconds hold
_NAT = np.datetime64("NaT", "us")
_MAX_SHAPES = 8  # in one column
_NUMERIC = {*"ymdabqw", "wd", "hour", "minute", "second", "fraction", "s1", "s2"}


def parse_times(texts: pa.Array, day_first: bool) -> np.ndarray:
    """(cells,) datetime64[ns] of an array of strings, in UTC where they name zones; NaT where a cell is no date."""
    return _parse(texts, day_first, date_shape)


def parse_clocks(texts: pa.Array) -> np.ndarray:
    """(cells,) datetime64[ns]: times of day, as on 1970-01-01; NaT where a cell is none."""
    return _parse(texts, False, clock_shape)


def _parse(texts: pa.Array, day_first: bool, shape_of) -> np.ndarray:
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")) if shape_of is date_shape else ():
        iso = cast_all(texts, kind)
        if iso is not None:
            return in_range(pc.cast(iso, pa.timestamp("us")).to_numpy(zero_copy_only=False))
    times = np.full(len(texts), _NAT)
    texts = pc.utf8_trim_whitespace(texts)
    remaining = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
    is_plain = True
    for _ in range(2 * _MAX_SHAPES):
        if not len(remaining):
            break
        cells = texts if len(remaining) == len(texts) else texts.take(pa.array(remaining))
        shape = next((s for s in (shape_of(cell) for cell in cells[:200].to_pylist()) if s), None)
        if shape is None:
            if not is_plain:
                break
            is_plain = False  # weekdays and intervals: cell by cell
            texts = pa.array([cell and plain_time(cell) for cell in texts.to_pylist()], pa.string())
            continue
        read = _read(cells, shape, day_first)
        times[remaining] = read
        still_remaining = remaining[np.isnat(read)]
        if len(still_remaining) == len(remaining):  # such as 31/31/2020: it has the shape, but is no date
            first = next(k for k, cell in enumerate(cells.to_pylist()) if shape_of(cell) == shape)
            still_remaining = np.delete(still_remaining, first)
        remaining = still_remaining
    return in_range(times)


def in_range(times: np.ndarray) -> np.ndarray:
    """As datetime64[ns]; NaT where that cannot hold them."""
    times = times.astype("datetime64[us]")
    with np.errstate(invalid="ignore"):
        times[(times < _OLDEST) | (times >= _NEWEST)] = _NAT
    return times.astype("datetime64[ns]")


class _Fields:
    """The groups of a shape, of cells that may have it: by Arrow's regular expressions."""

    def __init__(self, texts: pa.Array, shape: Shape) -> None:
        struct = pc.extract_regex(texts, shape.for_arrow)
        self.count = len(texts)
        self.valid = struct.is_valid().to_numpy(zero_copy_only=False)
        self._fields = {name: struct.field(k) for k, name in enumerate(shape.groups)}
        if "s1" in self._fields:
            self.valid &= _mask(pc.equal(self._fields["s1"], self._fields["s2"]))

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def whole(self, name: str, default: int) -> np.ndarray:
        """(cells,) int64: the group's number."""
        if name not in self._fields:
            return np.full(self.count, default, np.int64)
        digits = pc.if_else(pc.equal(self._fields[name], ""), None, self._fields[name])
        return pc.fill_null(pc.cast(digits, pa.int64()), default).to_numpy(zero_copy_only=False)

    def text(self, name: str) -> pa.Array:
        """(cells,) the group's text."""
        return pc.fill_null(self._fields[name], "")

    def length(self, name: str) -> np.ndarray:
        return pc.fill_null(pc.utf8_length(self._fields[name]), 0).to_numpy(zero_copy_only=False)


class _FixedFields(_Fields):
    """The same of cells that all have their digits and signs where the first one has them: ten times as fast."""

    def __init__(self, codes: np.ndarray, spans: dict[str, tuple[int, int]]) -> None:
        """codes: (letters of a cell, cells) of their characters."""
        self.count = codes.shape[1]
        self.valid = np.ones(self.count, bool)
        self._codes, self._fields = codes, spans

    @staticmethod
    def of(texts: pa.Array, shape: Shape) -> _FixedFields | None:
        """None where a cell differs in more than its digits, or the shape has names in it."""
        first = texts[0].as_py()
        match = shape.compiled.fullmatch(first)
        if match is None or not shape.fits(first) or not first.isascii() or texts.null_count:
            return None
        found = {name: text for name, text in match.groupdict().items() if text}
        lengths = pc.min_max(pc.binary_length(texts)).as_py()
        if lengths["min"] != lengths["max"] or not {*found} <= _NUMERIC:
            return None
        start = np.frombuffer(texts.buffers()[1], np.int32, 1, texts.offset * 4)[0]
        size = len(texts) * len(first)
        codes = np.frombuffer(texts.buffers()[2], np.uint8, size, start).reshape(len(texts), len(first))
        codes = np.ascontiguousarray(codes.T)
        for letter, column in zip(first, codes, strict=True):
            if (column - 48 > 9).any() if letter.isdigit() else (column != ord(letter)).any():  # below 0 is 255
                return None
        return _FixedFields(codes, {name: match.span(name) for name in found if name not in ("s1", "s2")})

    def whole(self, name: str, default: int) -> np.ndarray:
        """(cells,) int32: ten times as fast as int64, and a fraction of a second has nine digits at most."""
        value = np.zeros(self.count, np.int32)
        if name not in self._fields:
            return value + np.int32(default)
        for k in range(*self._fields[name]):
            value *= 10
            value += self._codes[k] - 48
        return value

    def length(self, name: str) -> np.ndarray:
        start, end = self._fields[name]
        return np.full(self.count, end - start, np.int8)


def _read(texts: pa.Array, shape: Shape, day_first: bool) -> np.ndarray:
    """(cells,) datetime64[us]: those that have one shape; NaT for the others, and where there is no such day."""
    fields = _FixedFields.of(texts, shape) or _Fields(texts, shape)
    seconds, valid = _clock(fields, shape.clock_only)
    days = np.zeros(1, np.int64)
    if not shape.clock_only:
        days, days_valid = _days(fields, day_first)
        valid &= days_valid
    offsets, known = _offsets(fields)
    fraction = fields.whole("fraction", 0)
    if "fraction" in fields:
        fraction = (fraction * 10.0 ** (6 - fields.length("fraction"))).astype(np.int64)
    microseconds = (days * 86_400 + seconds - offsets * 60) * 1_000_000 + fraction
    valid &= fields.valid & known
    return np.where(valid, microseconds.view("datetime64[us]"), _NAT)


def _clock(fields: _Fields, alone: bool) -> tuple[np.ndarray, np.ndarray]:
    """Seconds since midnight, and whether there is such a time."""
    hour, minute, second = (fields.whole(name, 0) for name in ("hour", "minute", "second"))
    valid = (minute < 60) & (second <= 60)
    end_of_day = (hour == 24) & (minute == 0) & (second == 0)
    if "half" in fields:
        half = pc.utf8_lower(fields.text("half"))
        am, pm = _mask(pc.match_substring(half, "a")), _mask(pc.match_substring(half, "p"))
        valid &= ~(am | pm) | ((hour >= 1) & (hour <= 12))
        hour = np.where(am & (hour == 12), 0, np.where(pm & (hour < 12), hour + 12, hour))
    valid &= alone | (hour < 24) | end_of_day
    return (hour * 60 + minute) * 60 + second, valid


def _days(fields: _Fields, day_first: bool) -> tuple[np.ndarray, np.ndarray]:
    """(cells,) int64 days since 1970-01-01, and whether there is such a day."""
    year, short = fields.whole("y", 1970), fields.length("y") == 2
    if short.any():
        year = np.where(short, np.where(year < 45, 2000 + year, 1900 + year), year)
    if "w" in fields:
        week, weekday = fields.whole("w", 1), fields.whole("wd", 1)
        fourth = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 3  # always in week 1
        monday = fourth - (fourth.astype(np.int64) + 3) % 7
        days = monday + (week - 1) * 7 + (weekday - 1)
        thursday = (days - (weekday - 1) + 3).astype("datetime64[Y]").astype(np.int64) + 1970
        return days.astype(np.int64), (week >= 1) & (week <= 53) & (thursday == year)
    day = fields.whole("d", 1)
    if "a" in fields:
        first, second = fields.whole("a", 1), fields.whole("b", 1)
        day, month = (first, second) if day_first else (second, first)
    elif "mon" in fields:
        names = pc.dictionary_encode(fields.text("mon"))
        numbers = np.array([*map(month_of, names.dictionary.to_pylist())], np.int64)
        month = numbers[names.indices.to_numpy(zero_copy_only=False)]
    else:
        month = fields.whole("q", 1) * 3 - 2 if "q" in fields else fields.whole("m", 1)
    valid = (month >= 1) & (month <= 12) & (day >= 1)
    months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first = months.min(initial=0)  # every month is turned into its first day once, not once a cell
    starts = np.arange(first, months.max(initial=0) + 2).astype("datetime64[M]").astype("datetime64[D]")
    starts = starts.astype(np.int64)
    start = starts[months - first]
    return start + (day - 1), valid & (day <= starts[months - first + 1] - start)


def _offsets(fields: _Fields) -> tuple[np.ndarray, np.ndarray]:
    """Minutes east of Greenwich, and whether the zone is known; of one cell where they name none."""
    if "zone" not in fields:
        return np.zeros(1, np.int64), np.ones(1, bool)
    names = pc.dictionary_encode(fields.text("zone"))
    minutes = [zone_offset(name) for name in names.dictionary.to_pylist()]
    indices = names.indices.to_numpy(zero_copy_only=False)
    return (
        np.array([m or 0 for m in minutes], np.int64)[indices],
        np.array([m is not None for m in minutes], bool)[indices],
    )


def zone_offset(zone: str) -> int | None:
    """Minutes east of Greenwich of "", "Z", "CET", "+05:30", "UTC-3:00"; None if it is not known."""
    zone = zone.strip()
    match = re.fullmatch(r"(?:UTC|GMT)?([-+])(\d{2}):?(\d{2})?", zone)
    if match:
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        return -minutes if match[1] == "-" else minutes
    return ZONES.get(zone.lower()) if zone else 0


def has_time_zone(cell: str) -> bool:
    shape = date_shape(cell)
    return shape is not None and bool((shape.compiled.fullmatch(cell).groupdict().get("zone") or "").strip())


def is_day_month_ambiguous(cell: str) -> bool:
    shape = date_shape(plain_time(cell))
    return shape is not None and "a" in shape.groups


def _mask(values: pa.Array) -> np.ndarray:
    return pc.fill_null(values, False).to_numpy(zero_copy_only=False)
