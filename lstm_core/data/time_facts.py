"""What is found in a time column before anything is changed: its step, and which rows are absent or repeated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.data.grid import find_spacing, step_range
from lstm_core.data.series_rows import first_rows, in_order
from lstm_core.data.table import Table
from lstm_core.data.time_step import Step


@dataclass(frozen=True)
class TimeFacts:
    """Of all series of a table."""

    step: Step | None  # the usual one; None: no regular step
    step_range: str  # without a step: "neighbours are 3 seconds to 2 days apart"
    series: int
    series_with_step: int
    rows: int  # those with a time
    absent: int  # that a regular grid would have besides
    repeated: int  # at the time of another row of the same series
    off_grid: int
    without_time: int

    @property
    def sentence(self) -> str:
        """ "Step: 1 hour; 12 of 8,784 rows are absent." and what else is irregular."""
        if self.step is None:
            found = f"No regular step: {self.step_range}" if self.step_range else "Too few times for a step"
        else:
            some = f" in {self.series_with_step:,} of {self.series:,} series" * (self.series_with_step < self.series)
            are = "is" if self.absent == 1 else "are"
            absent = (
                f"{self.absent:,} of {self.rows - self.repeated + self.absent:,} rows {are}"
                if self.absent
                else "no row is"
            )
            found = f"Step: {self.step}{some}; {absent} absent"
        others = (
            (self.repeated, "repeats the time of another", "repeat the time of another"),
            (self.off_grid, "is off the grid", "are off the grid"),
            (self.without_time, "has no time", "have no time"),
        )
        more = [f"1 row {one}" if count == 1 else f"{count:,} rows {many}" for count, one, many in others if count]
        return "; ".join([found, *more]) + "."


def time_facts(table: Table, time: str, group: str | None) -> TimeFacts:
    """Look at a time column, of dates or of numbers, each series for itself."""
    without_time = int(table.column(time).missing.sum())
    ordered, _ = in_order(table, time, group)
    spacing = find_spacing(ordered, time, group)
    usual = spacing.steps[0]
    return TimeFacts(
        step=usual,
        step_range=step_range(ordered, time, group) if usual is None and ordered.rows > 2 else "",
        series=len(first_rows(ordered, group)),
        series_with_step=int(np.count_nonzero(spacing.step_of == 0)),
        rows=ordered.rows,
        absent=spacing.absent,
        repeated=int(spacing.repeated.sum()),
        off_grid=int(spacing.off_grid.sum()),
        without_time=without_time,
    )
