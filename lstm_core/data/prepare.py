"""prepare: what is done to a table before windows are cut from it, as a DataSpec says. A table in, a table out."""

from __future__ import annotations

from lstm_core.data.calendar import calendar_values
from lstm_core.data.grid import combine_repeated, regular_grid
from lstm_core.data.resampling import resample
from lstm_core.data.series_choice import choose_series, series_inputs, short_series_note, sum_series
from lstm_core.data.series_rows import in_order
from lstm_core.data.table import ImportNote, Table
from lstm_core.data.table_rows import add_numbers, with_notes
from lstm_core.experiment import DataSpec, PlaygroundError


def prepare(table: Table, spec: DataSpec) -> Table:
    """The table as spec wants it: series chosen, repeated times combined, rows resampled or put on a regular grid,
    series summed, inputs added of the calendar and of which series it is.

    The same Table where spec asks for none of it. Else its rows are in order of series and time, and what was done is
    at the end of its report. The columns that it adds are marked known_ahead.

    Raises:
        PlaygroundError: it cannot be done; the sentence says what to choose instead.
    """
    if not is_prepared(spec):
        return table
    _refuse_lacking_columns(spec)
    notes: list[ImportNote] = []

    def apply(change, *arguments) -> None:
        nonlocal table
        table, more = change(table, *arguments)
        notes.extend(more)

    if spec.series:
        apply(choose_series, spec.group, spec.series)
    if _changes_rows(spec):
        apply(in_order, spec.time, spec.group)
        if spec.duplicates != "keep":
            apply(combine_repeated, spec.time, spec.group, spec.duplicates)
        if spec.resample != "none":
            apply(resample, spec.time, spec.group, spec.resample, spec.aggregate)
        elif spec.grid == "regular":
            apply(regular_grid, spec.time, spec.group)
        if spec.series_sum:
            apply(sum_series, spec.time, spec.group)
    if spec.calendar or spec.holidays:
        apply(_add_calendar, spec)
    if spec.series_id_input:
        table = _add_inputs(table, series_inputs(table, spec.group))
    short = short_series_note(table, spec)
    return with_notes(table, [*notes, short] if short else notes)


def is_prepared(spec: DataSpec) -> bool:
    """Whether prepare has anything to do."""
    return _changes_rows(spec) or bool(spec.series or spec.calendar or spec.holidays or spec.series_id_input)


def known_inputs(table: Table) -> tuple[str, ...]:
    """The columns that prepare added: inputs whose value at the target's time is known."""
    return tuple(column.name for column in table.columns if column.known_ahead)


def _changes_rows(spec: DataSpec) -> bool:
    return spec.grid != "as_is" or spec.resample != "none" or spec.duplicates != "keep" or spec.series_sum


def _refuse_lacking_columns(spec: DataSpec) -> None:
    of_time = {
        "A regular time grid": spec.grid != "as_is",
        "Resampling": spec.resample != "none",
        "Combining repeated times": spec.duplicates != "keep",
        "A sum of series": spec.series_sum,
        "A calendar input": bool(spec.calendar or spec.holidays),
    }
    of_series = {
        "A choice of series": bool(spec.series),
        "A sum of series": spec.series_sum,
        "The series as input": spec.series_id_input,
    }
    for wanted, column, label in ((of_time, spec.time, "time column"), (of_series, spec.group, "sequence id")):
        for what in [what for what, on in wanted.items() if on and column is None]:
            raise PlaygroundError(f"{what} needs a {label}, and none is chosen: choose it on Data, or switch that off.")


def _add_calendar(table: Table, spec: DataSpec) -> tuple[Table, list[ImportNote]]:
    column = table.column(spec.time)
    if column.kind != "time":
        raise PlaygroundError(
            f"Column {spec.time!r} has no dates or times, so there is no calendar of it: choose a time column, or no "
            "calendar inputs."
        )
    added = calendar_values(column.values, spec.calendar, spec.holidays)
    notes = []
    if "holiday" in added:
        count = int((added["holiday"] == 1).sum())
        text = f"{count:,} of {table.rows:,} rows are on a public holiday of {spec.holidays}."
        notes.append(ImportNote("info", text, spec.time))
    return _add_inputs(table, added), notes


def _add_inputs(table: Table, columns: dict) -> Table:
    """Named apart from the table's own columns."""
    own = {column.name for column in table.columns}
    return add_numbers(
        table,
        {f"{name} (added)" if name in own else name: values for name, values in columns.items()},
        known_ahead=True,
    )
