"""Windows: a table's features and targets cut into training examples.

A window is stored as the number of its first row, and its values are gathered batch by batch: a million windows take
eight megabytes. split.py orders the rows and decides where windows may start, transforms.py fits the scalers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.data.split import (
    group_bounds,
    missing_classes,
    refuse_empty,
    refuse_one_class,
    reorder,
    row_order,
    split_groups,
    split_of_rows,
    window_starts,
)
from lstm_core.data.table import Table
from lstm_core.data.transforms import fit_scaler
from lstm_core.experiment import SPLITS, DataSpec, PlaygroundError


@dataclass(frozen=True)
class Windows:
    """The chosen columns, scaled on demand, and the first rows of each split's windows.

    The inputs of a window that starts at row s are rows s … s+seq_len−1. Its targets are those of the `horizon`
    rows after them: all of these for a regression, the last one for a classification; with horizon 0 those of the
    window's last row. A window belongs to the split in which its targets lie.
    """

    spec: DataSpec
    table_name: str
    x: np.ndarray  # (rows, input_size) float32, unscaled; a view of the table where possible
    y: np.ndarray  # (rows, targets) float32, unscaled, NaN: not scored; or (rows,) int64 classes, −1: not scored
    classes: tuple[str, ...]  # empty for a regression
    x_center: np.ndarray  # (input_size,)
    x_scale: np.ndarray  # (input_size,)
    y_center: np.ndarray  # (targets,)
    y_scale: np.ndarray  # (targets,)
    starts: dict[str, np.ndarray]  # split → (windows,) int64 first rows, in order of time
    split_of_row: np.ndarray  # (rows,) uint8: 0 train, 1 valid, 2 test
    time: np.ndarray | None  # (rows,) the time column in the order of the rows
    groups: np.ndarray  # (sequences + 1,): sequence k has the rows groups[k] … groups[k+1]−1
    notes: tuple[str, ...] = ()
    drawn: bool = False  # whether whole groups were drawn into the splits at random
    warnings: tuple[str, ...] = ()  # what a score of this data will not show

    @property
    def task(self) -> str:
        return "classification" if self.classes else "regression"

    @property
    def last_split(self) -> str:
        """The split that scores and pictures show first: the test split, or the last one that has windows."""
        return next(split for split in reversed(SPLITS) if len(self.starts[split]))

    @property
    def rows(self) -> int:
        return len(self.x)

    @property
    def input_size(self) -> int:
        return self.x.shape[1]

    @property
    def output_steps(self) -> int:
        """How many rows one prediction covers."""
        return len(self.offsets)

    @property
    def output_size(self) -> int:
        return len(self.classes) if self.classes else self.output_steps * self.y.shape[1]

    @property
    def offsets(self) -> np.ndarray:
        """(output_steps,): how many rows after a step its targets lie."""
        first = self.spec.horizon if self.classes or not self.spec.horizon else 1
        return np.arange(first, self.spec.horizon + 1)

    @property
    def x_factor(self) -> np.ndarray:
        """(input_size,) float32: what centred inputs are multiplied by, here and on a device, for the same bits."""
        return 1 / self.x_scale

    @property
    def y_factor(self) -> np.ndarray:
        """(targets,) float32: the same for the targets."""
        return 1 / self.y_scale

    def target_rows(self, starts: np.ndarray) -> np.ndarray:
        """(windows, output_steps): the rows of these windows' targets."""
        return np.asarray(starts)[:, None] + self.spec.seq_len - 1 + self.offsets

    def inputs(self, starts: np.ndarray) -> np.ndarray:
        """(windows, seq_len, input_size) float32, scaled: the model's input."""
        rows = np.asarray(starts)[:, None] + np.arange(self.spec.seq_len)
        return (self.x[rows] - self.x_center) * self.x_factor

    def targets(self, starts: np.ndarray) -> np.ndarray:
        """Targets in the table's own units: (windows, output_steps, targets) float32, or (windows,) int64 classes."""
        rows = self.target_rows(starts)
        return self.y[rows[:, 0]] if self.classes else self.y[rows]

    def inverse_transform(self, prediction: np.ndarray) -> np.ndarray:
        """(…, output_steps·targets) scaled predictions → (…, output_steps, targets) in the table's own units."""
        shape = (*prediction.shape[:-1], self.output_steps, self.y.shape[1])
        return prediction.reshape(shape) * self.y_scale + self.y_center

    def axis(self, rows: np.ndarray) -> tuple[np.ndarray, str]:
        """(x, title) of these rows on a plot: the time column, or row numbers without one or with several groups."""
        if self.time is None or self.spec.group is not None:
            return rows, "row"
        return self.time[rows], self.spec.time

    def label(self, row: int) -> str:
        """One row in few letters: "row 1,024", "2015-05-12 06:00", or a number such as a year."""
        if self.time is None:
            return f"row {row:,}"
        time = self.time[row]
        return str(time)[:16].replace("T", " ").removesuffix(" 00:00") if time.dtype.kind == "M" else f"{time:g}"


def make_windows(table: Table, spec: DataSpec) -> Windows:
    """Cut a table into windows according to the spec.

    Raises:
        PlaygroundError: a column is missing or of the wrong kind, or a split would have no window.
    """
    if not spec.targets or not spec.features:
        role = "target" if not spec.targets else "feature"
        raise PlaygroundError(f"No {role} column is chosen for {table.name!r}: choose at least one on Data.")
    order = row_order(table, spec)
    groups = group_bounds(table, spec, order)
    y, classes = _targets(table, spec, order)
    x, filled = _features(table, spec, order, groups)
    _refuse_target_as_input(spec, classes)
    split_of_group = None
    if len(groups) > 2 and (classes or spec.horizon == 0):  # labelled sequences are never cut
        split_of_group = split_groups(groups, y, len(classes), spec, table.groups_in_order)
    split_of_row = split_of_rows(groups, spec, split_of_group)
    starts = window_starts(x, y, groups, split_of_row, spec, bool(classes))
    refuse_empty(starts, x, y, groups, spec, table.name)
    train_rows = split_of_row == 0
    x_center, x_scale = fit_scaler(x[train_rows], spec.scaling)
    no_scaling = np.zeros(1, np.float32), np.ones(1, np.float32)
    y_center, y_scale = no_scaling if classes else fit_scaler(y[train_rows], spec.scaling)
    if classes:
        refuse_one_class(y, starts, spec, classes)
    time = None if spec.time is None else reorder(table.column(spec.time).values, order)
    notes = _notes(order, filled, starts, groups, spec)
    if split_of_group is not None:
        notes = (_split_note(split_of_group, classes, spec, table.groups_in_order), *notes)
    scalers = (x_center, x_scale, y_center, y_scale)
    warnings = missing_classes(y, split_of_row, starts, classes) if classes else ()
    drawn = split_of_group is not None and not table.groups_in_order
    about = (notes, drawn, warnings)
    return Windows(spec, table.name, x, y, classes, *scalers, starts, split_of_row, time, groups, *about)


def _targets(table: Table, spec: DataSpec, order: np.ndarray | None) -> tuple[np.ndarray, tuple[str, ...]]:
    columns = [table.column(name) for name in spec.targets]
    kinds = {column.kind for column in columns}
    if kinds == {"category"} and len(columns) == 1:
        return reorder(columns[0].values, order).astype(np.int64), columns[0].classes
    if kinds != {"number"}:
        names = ", ".join(repr(c.name) for c in columns if c.kind != "number")
        raise PlaygroundError(
            f"Target {names} is not a number column: choose number columns, or a single text column whose "
            "values are the classes."
        )
    return reorder(_take(table, spec.targets), order), ()


def _take(table: Table, names: tuple[str, ...]) -> np.ndarray:
    """(rows, names) of table.numbers: a view where the columns are adjacent, else a copy."""
    all_names = table.column_names("number")
    positions = [all_names.index(name) for name in names]
    if positions == list(range(positions[0], positions[0] + len(positions))):
        return table.numbers[:, positions[0] : positions[0] + len(positions)].astype(np.float32, copy=False)
    return table.numbers[:, positions].astype(np.float32, copy=False)


def _features(table: Table, spec: DataSpec, order: np.ndarray | None, groups: np.ndarray) -> tuple[np.ndarray, int]:
    for name in spec.features:
        if table.column(name).kind != "number":
            raise PlaygroundError(f"Feature {name!r} is not a number column: leave it out or correct its type.")
    x = reorder(_take(table, spec.features), order)
    is_missing = np.isnan(x)
    missing_count = int(is_missing.sum())
    if not missing_count or spec.missing == "skip":
        return x, 0
    # Forward-fill within each group: it never uses a later value.
    group_start = np.repeat(groups[:-1], np.diff(groups))[:, None]
    last_known_row = np.where(is_missing, group_start, np.arange(len(x))[:, None])
    x = np.take_along_axis(x, np.maximum.accumulate(last_known_row, axis=0), axis=0)
    return x, missing_count - int(np.isnan(x).sum())


def _refuse_target_as_input(spec: DataSpec, classes: tuple[str, ...]) -> None:
    shared = sorted(set(spec.features) & set(spec.targets))
    if spec.horizon == 0 and shared and not classes:
        raise PlaygroundError(
            f"Column {shared[0]!r} is a feature and the target of the same row (horizon 0), so the model "
            "would read its target: set horizon to 1 or more, or take it out of the features."
        )


def _notes(order, filled: int, starts, groups, spec: DataSpec) -> tuple[str, ...]:
    notes = []
    if order is not None:
        notes.append("Rows were put in order of " + " and ".join(n for n in (spec.group, spec.time) if n) + ".")
    if filled:
        notes.append(f"{filled:,} missing feature cells were forward-filled with the last known value.")
    possible = int(np.maximum(np.diff(groups) - spec.seq_len - spec.horizon + 1, 0).sum())
    omitted = possible - sum(len(s) for s in starts.values())
    if omitted:
        notes.append(
            f"{omitted:,} of {possible:,} windows are left out: their inputs or targets have missing values, or their "
            "targets lie in two splits."
        )
    return tuple(notes)


def _split_note(split_of_group: np.ndarray, classes: tuple[str, ...], spec: DataSpec, in_order: bool) -> str:
    train, valid, test = (f"{n:,}" for n in np.bincount(split_of_group, minlength=3))
    drawn = "by " + ("class, at random" if classes else "random draw") + f" (data seed {spec.seed})"
    how = "in their order" if in_order else drawn
    return f"Whole sequences are split {how}: {train} training, {valid} validation, {test} test."
