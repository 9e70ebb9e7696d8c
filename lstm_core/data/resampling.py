"""Resampling: all rows of an hour, day, week or month made one, as pandas' resample does, each series for itself."""

from __future__ import annotations

import numpy as np

from lstm_core.data.grid import Spacing, find_spacing, insert_absent
from lstm_core.data.series_rows import first_rows, neighbours, time_text
from lstm_core.data.table import ImportNote, Table
from lstm_core.data.table_rows import combine_rows
from lstm_core.data.time_step import DAY, Step, midnights
from lstm_core.experiment import PlaygroundError

STEPS = {
    "hour": Step("ns", DAY // 24),
    "day": Step("ns", DAY),
    "week": Step("ns", 7 * DAY),
    "month": Step("month", anchor=1),
}


def resample(table: Table, time: str, group: str | None, period: str, how: str) -> tuple[Table, list[ImportNote]]:
    """One row for each hour, day, week (from Monday) or month, at its first moment.

    A period without a row in it is missing; only a sum of events, rows without a regular step, is 0 there.

    table: in the order of series_rows.in_order. period: one of STEPS. how: "mean", "sum" or "last" of numbers; missing
    values are passed over.

    Raises:
        PlaygroundError: the column is no time, the rows are further apart than the period, or would become too many.
    """
    column = table.column(time)
    if column.kind != "time":
        raise PlaygroundError(
            f"Column {time!r} has no dates or times to resample by: choose a time column, or switch resampling off."
        )
    spacing = find_spacing(table, time, group)
    step, target = spacing.steps[0], STEPS[period]
    if step is not None and step.nanoseconds > 1.5 * target.nanoseconds:
        raise PlaygroundError(
            f"The rows of {time!r} are {step} apart already, so resampling to {period}s would leave most rows empty: "
            "choose a longer period, or switch resampling off."
        )
    bins = period_starts(column.values, period, step is not None and step.nanoseconds >= 0.9 * DAY)
    same = neighbours(table, group) & (bins[1:] == bins[:-1])
    starts = np.concatenate([[0], np.flatnonzero(~same) + 1])
    given = {time: bins[starts]} | ({group: table.column(group).values[starts]} if group else {})
    combined = combine_rows(table, starts, how, given)
    combined, notes = _fill(combined, time, group, period, 0.0 if step is None and how == "sum" else np.nan)
    unchanged = combined.rows == table.rows and np.array_equal(combined.column(time).values, column.values)
    if unchanged:
        return table, []
    value = {"mean": "the mean", "sum": "the sum", "last": "the last value"}[how]
    text = f"Resampled to {period}s: {value} of {table.rows:,} rows makes {combined.rows:,}."
    notes = [ImportNote("info", text, time), *_partial_notes(table, time, group, period, how, step, bins), *notes]
    return combined, notes


def period_starts(times: np.ndarray, period: str, whole_days: bool = False) -> np.ndarray:
    """(rows,) datetime64[ns] the first moment of each time's period.

    whole_days: the rows are days or longer, so that a time near midnight is the day that begins there: local days of
    a file in UTC.
    """
    days = midnights(times) if whole_days else times.astype("M8[D]")
    if period == "hour":
        return times.astype("M8[h]").astype("M8[ns]")
    if period == "week":
        days = days - ((days.astype(np.int64) + 3) % 7).astype("m8[D]")  # 1970 began on a Thursday
    return days.astype("M8[M]" if period == "month" else "M8[D]").astype("M8[ns]")


def _fill(table: Table, time: str, group: str | None, period: str, value: float) -> tuple[Table, list[ImportNote]]:
    """Rows for the periods that have none."""
    times, same, step = table.column(time).values, neighbours(table, group), STEPS[period]
    gaps = np.where(same, step.between(times)[0], 1)
    none = np.zeros(len(same), bool)
    series = np.zeros(len(first_rows(table, group)), np.int64)
    filled, notes = insert_absent(table, time, group, Spacing((step,), series, gaps, none, none))
    if not np.isnan(value) and filled is not table:
        place = np.arange(table.rows) + np.concatenate([[0], np.cumsum(gaps - 1)])
        empty = np.ones(filled.rows, bool)
        empty[place] = False
        keep = [k for k, name in enumerate(filled.column_names("number")) if name not in (time, group)]
        filled.numbers[np.ix_(empty, keep)] = value
        count = int(empty.sum())
        text = (
            f"{count:,} {period}{'s' * (count > 1)} without a row count{'s' * (count == 1)} as 0, since rows without a "
        )
        text += "regular step are events."
        notes = [ImportNote("info", text, time)]
    return filled, notes


def _partial_notes(
    table: Table, time: str, group: str | None, period: str, how: str, step: Step | None, bins: np.ndarray
) -> list[ImportNote]:
    """Whether the first or last period of some series has rows for a part of it only."""
    if step is None:
        return []
    times, target = table.column(time).values, STEPS[period]
    first = first_rows(table, group)
    last = np.append(first[1:], table.rows) - 1
    ends = target.follow(bins[last], np.ones(len(last), np.int64))
    weekend = 2 if step.unit == "weekday" else 0  # steps that it takes, at the end of every week
    length = step.nanoseconds * 1.5  # a step and its unsteadiness
    late = (times[first] - bins[first]).astype(np.int64) >= length + weekend * (period == "month") * step.nanoseconds
    early = (ends - times[last]).astype(np.int64) > length + weekend * step.nanoseconds
    if not (late.any() or early.any()):
        return []
    which = " and ".join(name for name, some in (("first", late), ("last", early)) if some.any())
    many = late.any() and early.any()
    of_series = " of some series" if len(first) > 1 else ""
    span = f"{time_text(times.min())} to {time_text(times.max())}"
    text = f"The {which} {period}{of_series} {'are' if many else 'is'} incomplete (the rows go from {span})"
    text += ", so the sum is too small there." if how == "sum" else "."
    return [ImportNote("warning" if how == "sum" else "info", text, time)]
