"""How people write a time: one regular expression a shape, for Python's re and Arrow's RE2 alike.

Groups: y, m, d; a, b (day and month in either order); mon (a month's name); q (quarter); w, wd (ISO week and its day);
hour, minute, second, fraction, half (AM, PM), zone. s1 and s2 are the signs between the parts and must be the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from lstm_core.data.ingest.calendar_words import ZONES, is_weekday, month_of

_NAME = r"[^\W\d_]{3,12}"
_RE2_NAME = r"\p{L}{3,12}"
_HALF = r"(?P<half>(?: ?[AaPp]\.? ?[Mm]\.?)?)"
_SECOND = r"(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_DOTTED = r"(?P<hour>\d{1,2})\.(?P<minute>\d{2})(?:\.(?P<second>\d{2}))?"
_ZONE = r"(?P<zone>(?: ?(?:Z|[A-Z]{3,4}|(?:UTC|GMT)?[-+]\d{2}(?::?\d{2})?))?)"
_GAP = r"(?:,? {1,2}|T|_|:|, ?| at | um |, um )"
_MINUTE = rf"(?:[:hH](?P<minute>\d{{2}}){_SECOND})?"
_CLOCK = rf"(?:{_GAP}(?P<hour>\d{{1,2}}){_MINUTE}(?:h| Uhr)?{_HALF})?{_ZONE}(?:\[[\w/]+\])?"
_CLOCK_DOTTED = rf"(?: {_DOTTED})"
_S1, _S2 = r"(?P<s1>[-/. ])", r"(?P<s2>[-/. ])"
_OF = r"(?:[-/ ]|\.? |, ?| de | del | of |\.)?"
_DATES = (
    rf"(?P<y>\d{{4}}){_S1}(?P<m>\d{{1,2}}){_S2}(?P<d>\d{{1,2}})",
    rf"(?P<a>\d{{1,2}}){_S1}(?P<b>\d{{1,2}}){_S2}(?P<y>\d{{4}}|\d{{2}})",
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|º)?{_OF}(?P<mon>{_NAME}){_OF}(?P<y>\d{{4}}|\d{{2}})",
    rf"(?P<mon>{_NAME})\.?[ -](?P<d>\d{{1,2}})(?:st|nd|rd|th)?[,-]? ?(?P<y>\d{{4}})",
    rf"(?P<y>\d{{4}})[-/ ](?P<mon>{_NAME})[-/ ](?P<d>\d{{1,2}})",
    r"(?P<y>\d{4}) ?[年년][ ]?(?P<m>\d{1,2}) ?[月월] ?(?P<d>\d{1,2}) ?[日일]",
)
_ORDINAL = r"(?:st|nd|rd|th|er|e|\.|º)?"
_QUARTER = rf"(?:[QqT]|{_ORDINAL} ?(?:[Qq]uarter|[Qq]uartal|[Tt]rimestre|[Qq]tr\.?))"
_PERIODS = (  # no clock behind them
    r"(?P<y>\d{4})[-/](?P<m>\d{1,2})",
    r"(?P<m>\d{1,2})[-/](?P<y>\d{4})",
    r"(?P<y>\d{4})[Mm](?P<m>\d{1,2})",
    rf"(?P<mon>{_NAME})(?:\.? |[-/']|\.| de |, ?)?(?P<y>\d{{4}}|\d{{2}})",
    rf"(?P<y>\d{{4}})(?:[-/ ]|, ?)?(?P<mon>{_NAME})",
    rf"(?P<y>\d{{2}})[-/](?P<mon>{_NAME})",
    r"(?P<y>\d{4}) ?[年년][ ]?(?P<m>\d{1,2}) ?[月월]",
    r"(?P<y>\d{4})[-/ .:]{0,2}[QqT](?:tr)?\.? ?(?P<q>[1-4])",
    r"(?:[Qq](?:tr)?\.? ?|T)(?P<q>[1-4])[-/ .:']{0,2}(?P<y>\d{4}|\d{2})",
    rf"(?P<q>[1-4]){_QUARTER}[-/ ,.]{{0,2}}(?P<y>\d{{4}}|\d{{2}})",
    rf"(?P<y>\d{{4}})[-/ ,.]{{0,2}}(?P<q>[1-4]){_QUARTER}",
    r"(?P<y>\d{4})[-/ ]?(?:W|w|KW|wk|Week|week) ?(?P<w>\d{1,2})(?:-(?P<wd>[1-7]))?",
    r"(?:W|w|KW|wk|Week|week) ?(?P<w>\d{1,2})[-/ ,]{1,2}(?P<y>\d{4})",
)
_TAIL = (
    rf"(?P<mon>{_NAME}) {{1,2}}(?P<d>\d{{1,2}}) "
    rf"(?P<hour>\d{{2}}):(?P<minute>\d{{2}}){_SECOND}{_ZONE} (?P<y>\d{{4}})"
)
_CLOCKS = (
    rf"(?P<hour>\d{{1,3}}):(?P<minute>\d{{2}}){_SECOND}{_HALF}{_ZONE}",
    rf"(?P<hour>\d{{1,2}})(?: ?[hH](?P<minute>\d{{2}})?){_HALF}",
    r"(?P<hour>\d{1,2}) ?(?P<half>[AaPp]\.?[Mm]\.?)",
    r"(?P<hour>\d{1,2})\.(?P<minute>\d{2})\.(?P<second>\d{2})",
)
_WEEKDAY = re.compile(r"^([^\W\d_]{2,12})\.?,? ")
_INTERVAL = re.compile(r"^(.*\d.*?)(?: (?:-|–|—|to|bis|à|->|→) |/(?=\d{4}-))(.*\d.*)$")


@dataclass(frozen=True)
class Shape:
    """One way to write a time."""

    pattern: str
    clock_only: bool = False

    @cached_property
    def compiled(self) -> re.Pattern:
        return re.compile(self.pattern, re.ASCII if _NAME not in self.pattern else 0)

    @cached_property
    def for_arrow(self) -> str:
        return f"^(?:{self.pattern.replace(_NAME, _RE2_NAME)})$"

    @cached_property
    def groups(self) -> tuple[str, ...]:
        return tuple(self.compiled.groupindex)

    def fits(self, cell: str) -> bool:
        """Whether the cell has this shape: its month and zone are names of such, but its day may not exist."""
        match = self.compiled.fullmatch(cell)
        if match is None:
            return False
        found = match.groupdict()
        if found.get("s1") != found.get("s2") or (found.get("s1") == " " and len(found["y"]) == 2):
            return False
        zone = (found.get("zone") or "").strip().lower()
        return ("mon" not in found or month_of(found["mon"]) > 0) and (not zone.isalpha() or zone in ZONES)


DATE_SHAPES = (
    *(Shape(date + _CLOCK) for date in _DATES),
    *(Shape(date + _CLOCK_DOTTED) for date in _DATES[:2]),
    Shape(_TAIL),
    *map(Shape, _PERIODS),
)
CLOCK_SHAPES = tuple(Shape(pattern, clock_only=True) for pattern in _CLOCKS)


def date_shape(cell: str) -> Shape | None:
    """How the cell, plain as plain_time makes it, is written as a date with or without a time of day."""
    if not any(sign.isdigit() for sign in cell) or len(cell) > 60:
        return None
    return next((shape for shape in DATE_SHAPES if shape.fits(cell)), None)


def clock_shape(cell: str) -> Shape | None:
    """How the cell is written as a time of day, or a time that has passed."""
    return next((shape for shape in CLOCK_SHAPES if len(cell) <= 30 and shape.fits(cell)), None)


def plain_time(cell: str) -> str:
    """Without a weekday in front; of an interval "a - b", a."""
    cell = cell.strip()
    weekday = _WEEKDAY.match(cell)
    if weekday and is_weekday(weekday[1]):
        cell = cell[weekday.end() :].strip()
    return interval_start(cell) or cell


def interval_start(cell: str) -> str | None:
    """a of an interval "a - b" between two times; None if it is none."""
    match = _INTERVAL.match(cell) if len(cell) <= 80 else None
    if match is None:
        return None
    start, end = match[1].strip(), match[2].strip()
    known = (date_shape(start) or clock_shape(start)) and (date_shape(end) or clock_shape(end))
    return start if known else None


def is_time(cell: str) -> bool:
    """Whether the cell is written as a date with or without a time of day."""
    return date_shape(plain_time(cell)) is not None


def is_clock(cell: str) -> bool:
    """Whether the cell is written as a time of day."""
    return clock_shape(plain_time(cell)) is not None
