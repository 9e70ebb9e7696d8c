"""Step: how far apart the rows of a time column are, on the clock or on the calendar, and the times that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.data.number_format import format_time_step

DAY = 86_400 * 10**9  # nanoseconds
TOLERANCE = 0.25  # of a step: rows of an unsteady clock, and days of 23 and 25 hours, still are one step apart
MIN_FITTING = 0.95  # of all neighbours that must be whole steps apart, for a step to be one
_MIN_MODE = 0.2  # of all neighbours: a step that is rarer is a clock's jitter rather than the step
_NEAR_MONTH_END = 7  # days: the last Friday or the last trading day of a month
_CLOCK_UNITS = tuple(DAY // k for k in (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 96, 144, 288, 720, 1440, 2880, 5760, 86_400))
_CALENDAR_NAMES = {3: "quarter", 12: "year"}


@dataclass(frozen=True)
class Step:
    """The step of one series.

    unit "ns": count nanoseconds; "weekday": one day of those that `weekdays` names; "month": count months, on the
    day `anchor` of the month or, where it is shorter, on its last; "number": count, of a time column of numbers.
    """

    unit: str
    count: float = 1
    weekdays: str = ""  # as NumPy's weekmask, Monday first: "1111100"
    anchor: int = 0  # 31: the last day of every month

    def __str__(self) -> str:
        """The step for a sentence: "1 hour", "1 week", "1 business day", "1 quarter", "2 years"."""
        if self.unit == "number":
            return f"{self.count:g}"
        if self.unit == "weekday":
            days = self.weekdays.count("1")
            return "1 business day" if days == 5 else f"1 day, {days} days a week"
        if self.unit == "month":
            size = next((size for size in (12, 3) if self.count % size == 0), 1)
            return _counted(int(self.count) // size, _CALENDAR_NAMES.get(size, "month"))
        if self.count % (7 * DAY) == 0:
            return _counted(int(self.count) // (7 * DAY), "week")
        return format_time_step(self.count)

    @property
    def nanoseconds(self) -> float:
        """Its mean length; of a number, the number."""
        return self.count * {"ns": 1, "weekday": DAY, "month": 365.2425 / 12 * DAY, "number": 1}[self.unit]

    def between(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many steps lie between neighbours, and whether it is a whole number of them.

        times: (rows,), ascending. Returns (rows − 1,) int64, at least 1 where the times differ, and (rows − 1,) bool.
        """
        if self.unit in ("ns", "number"):
            lengths = np.diff(_as_numbers(times)) / self.count
            steps = np.maximum(np.rint(lengths), lengths > 0).astype(np.int64)
            return steps, np.abs(lengths - steps) <= TOLERANCE
        days = midnights(times)
        if self.unit == "weekday":
            steps = np.busday_count(days[:-1], days[1:], self.weekdays)
            drift = np.abs(np.diff(times.astype(np.int64) - days.astype("M8[ns]").astype(np.int64)))
            return steps, (drift <= TOLERANCE * DAY) & np.is_busday(days[1:], self.weekdays)
        months = np.diff(days.astype("M8[M]").astype(np.int64))
        return np.maximum(months // int(self.count), months > 0), months % int(self.count) == 0

    def follow(self, start: np.ndarray, index: np.ndarray) -> np.ndarray:
        """The times `index` steps after `start`, both (rows,): of months and of weekdays, on the calendar.

        So also the times of rows to come: follow(last[None].repeat(n), np.arange(1, n + 1)).
        """
        if self.unit == "number":
            return (start + index * self.count).astype(start.dtype)
        if self.unit == "ns":
            return start + (index * int(self.count)).astype("m8[ns]")
        days = midnights(start)
        time_of_day = start - days.astype("M8[ns]")
        if self.unit == "weekday":
            return np.busday_offset(days, index, "backward", self.weekdays).astype("M8[ns]") + time_of_day
        months = days.astype("M8[M]") + index * int(self.count)
        first, lengths = months.astype("M8[D]"), _month_lengths(months)
        return (first + np.minimum(self.anchor, lengths) - 1).astype("M8[ns]") + time_of_day

    def fill(self, start: np.ndarray, end: np.ndarray, index: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The time of row `index` (from 1) of those absent between start and end, `steps` steps apart; all (rows,).

        On the clock they are spread evenly, so that an unsteady one meets both ends.
        """
        if self.unit == "number":
            return (start + (end - start) * (index / steps)).astype(start.dtype)
        if self.unit != "ns":
            return self.follow(start, index)
        whole, rest = np.divmod((end - start).astype(np.int64), steps)
        return start + (whole * index + rest * index // steps).astype("m8[ns]")


def find_step(times: np.ndarray, neighbours: np.ndarray | None = None) -> Step | None:
    """The step of one series, or the usual one of several; None if there is none, or fewer than three different times.

    times: (rows,) datetime64[ns] or numbers, none missing, ascending within each series. neighbours: (rows − 1,) bool,
    whether a row and the next one are of the same series.
    """
    lengths = np.diff(_as_numbers(times))
    differ = lengths > 0 if neighbours is None else neighbours & (lengths > 0)
    lengths = lengths[differ]
    if len(lengths) < 2:
        return None
    is_number = times.dtype.kind != "M"
    candidates = _clock_steps(lengths, is_number)
    if not is_number:
        candidates = [*_calendar_steps(times, float(np.median(lengths)), differ), *candidates]
    for step in candidates:
        if step.between(times)[1][differ].mean() >= MIN_FITTING:
            return step
    return None


def _clock_steps(lengths: np.ndarray, is_number: bool) -> list[Step]:
    unit = "number" if is_number else "ns"
    if (lengths == lengths[0]).all():
        return [Step(unit, _short(lengths[0].item()) if is_number else lengths[0].item())]
    values, counts = np.unique(lengths, return_counts=True)
    mode = values[counts.argmax()].item()
    median = float(np.median(lengths))
    if is_number:
        return [Step(unit, _short(length)) for length in (mode, median)]
    steps = [Step(unit, mode)] if counts.max() >= _MIN_MODE * len(lengths) else []
    near = [size for size in _CLOCK_UNITS if abs(median - size) < 0.02 * size]
    return [*steps, Step(unit, near[0] if near else max(1, round(median)))]


def _short(number: float) -> float:
    """The number of the fewest digits that differs by no more than rounding to float32 may add up to."""
    rounded = (float(f"{number:.{digits}g}") for digits in range(1, 6))
    return next((one for one in rounded if abs(one - number) <= 1e-5 * number), number)


def _calendar_steps(times: np.ndarray, median: float, differ: np.ndarray) -> list[Step]:
    if 0.9 * DAY <= median <= 1.1 * DAY:
        return _weekday_steps(midnights(times))
    return _month_steps(midnights(times), differ) if median >= 27 * DAY else []


def _weekday_steps(days: np.ndarray) -> list[Step]:
    """Days that leave out the same days of every week, for three weeks and more."""
    weeks = int((days.max() - days.min()).astype(int) + 1) / 7
    present = np.bincount((np.unique(days).astype(int) + 3) % 7, minlength=7)  # 1970 began on a Thursday
    days_a_week = np.count_nonzero(present)
    if weeks < 3 or not 4 <= days_a_week <= 6 or present.sum() < 0.7 * weeks * days_a_week:
        return []
    return [Step("weekday", weekdays="".join("01"[min(count, 1)] for count in present))]


def _month_steps(days: np.ndarray, differ: np.ndarray) -> list[Step]:
    months = days.astype("M8[M]")
    day_of_month, lengths = (days - months.astype("M8[D]")).astype(int) + 1, _month_lengths(months)
    values, counts = np.unique(np.diff(months.astype(np.int64))[differ], return_counts=True)
    if values[0] < 1:
        return []
    if (day_of_month == np.minimum(day_of_month.max(), lengths)).all():
        anchor = int(day_of_month.max())
    elif (lengths - day_of_month < _NEAR_MONTH_END).all():
        anchor = 31
    elif day_of_month.max() <= _NEAR_MONTH_END:
        anchor = 1
    else:
        return []
    return [Step("month", int(values[counts.argmax()]), anchor=anchor)]


def midnights(times: np.ndarray) -> np.ndarray:
    """(rows,) datetime64[D]: the nearest midnight. A local midnight in UTC is near it, in summer and in winter."""
    if not len(times):
        return times.astype("M8[D]")
    first = times[0]
    day = (first + np.timedelta64(DAY // 2 - 1, "ns")).astype("M8[D]")
    ahead = np.floor_divide((times - first).astype(np.int64) + DAY // 2 - 1, DAY)
    return day + ahead.astype("m8[D]")


def _as_numbers(times: np.ndarray) -> np.ndarray:
    return times.astype(np.int64) if times.dtype.kind == "M" else times.astype(np.float64)


def _month_lengths(months: np.ndarray) -> np.ndarray:
    return ((months + 1).astype("M8[D]") - months.astype("M8[D]")).astype(int)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'s' * (count != 1)}"
