"""Windows: a table's features and targets cut into training examples.

A window is stored as the number of its first row, and its values are gathered batch by batch: a million windows take
eight megabytes. split.py orders the rows and decides where windows may start, transforms.py fits the scalers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lstm_core.data.forecast_target import ForecastTarget, fit_target, fitted_target
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
from lstm_core.data.start import Start
from lstm_core.data.table import Table
from lstm_core.data.transforms import fit_scaler, forward_fill
from lstm_core.experiment import SPLITS, DataSpec, PlaygroundError


@dataclass(frozen=True, eq=False)
class Scaler:
    """What is fitted on the training rows: scaled = (value − center) / scale, and the starts of the targets."""

    x_center: np.ndarray  # (input_size,)
    x_scale: np.ndarray  # (input_size,)
    y_center: np.ndarray  # (targets,)
    y_scale: np.ndarray  # (targets,)
    starts: tuple[Start, ...] = ()  # one a target, or none
    error_scale: np.ndarray | None = None  # (output_steps, targets) of what the starts leave


@dataclass(frozen=True)
class Windows:
    """The chosen columns, scaled on demand, and the first rows of each split's windows.

    The inputs of a window that starts at row s are rows s … s+seq_len−1. Its targets are those of the `horizon`
    rows after them: all of these for a regression, the last one for a classification; with horizon 0 those of the
    window's last row. A window belongs to the split in which its targets lie.
    """

    spec: DataSpec
    table_name: str
    features: np.ndarray  # (rows, features) float64, the chosen columns; a view of the table where possible
    y: np.ndarray  # (rows, targets) float64, unscaled, NaN: not scored; or (rows,) int64 classes, −1: not scored
    classes: tuple[str, ...]  # empty for a regression
    x: np.ndarray  # (rows, input_size) float64, unscaled: what the model reads; `features` itself without a start
    input_names: tuple[str, ...]  # (input_size,)
    target: ForecastTarget | None  # None: the model predicts the target itself, scaled
    x_center: np.ndarray  # (input_size,)
    x_scale: np.ndarray  # (input_size,)
    y_center: np.ndarray  # (targets,)
    y_scale: np.ndarray  # (targets,); both serve where there is no start
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

    @cached_property
    def scaled_x(self) -> np.ndarray:
        """(rows, input_size) float32: the rows as the model reads them; centred before they are rounded."""
        return ((self.x - self.x_center) * (1 / self.x_scale)).astype(np.float32)

    @cached_property
    def scaled_y(self) -> np.ndarray:
        """What the loss compares with, float32, NaN where not scored: (rows, output_steps·targets), of each row what
        is to be predicted after it, with a start; (rows, targets), of each row its own target, without."""
        if self.target is not None:
            return self.target.errors(self.offsets)
        return ((self.y - self.y_center) * (1 / self.y_scale)).astype(np.float32)

    def target_rows(self, starts: np.ndarray) -> np.ndarray:
        """(windows, output_steps): the rows of these windows' targets."""
        return np.asarray(starts)[:, None] + self.spec.seq_len - 1 + self.offsets

    def inputs(self, starts: np.ndarray) -> np.ndarray:
        """(windows, seq_len, input_size) float32, scaled: the model's input."""
        return self.scaled_x[np.asarray(starts)[:, None] + np.arange(self.spec.seq_len)]

    def targets(self, starts: np.ndarray) -> np.ndarray:
        """Targets in the table's own units: (windows, output_steps, targets) float64, or (windows,) int64 classes."""
        rows = self.target_rows(starts)
        return self.y[rows[:, 0]] if self.classes else self.y[rows]

    def inverse_transform(self, prediction: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Scaled predictions (…, output_steps·targets), made after these rows (…,) → (…, output_steps, targets) float64
        in the table's own units."""
        prediction = prediction.reshape(*prediction.shape[:-1], self.output_steps, self.y.shape[1])
        if self.target is not None:
            return self.target.inverse(prediction, rows)
        return prediction * self.y_scale + self.y_center

    def last_rows(self, starts: np.ndarray) -> np.ndarray:
        """(windows,): the rows after which these windows' predictions are made."""
        return np.asarray(starts) + self.spec.seq_len - 1

    @property
    def scaler(self) -> Scaler:
        """All that was fitted on the training rows."""
        starts, scale = (self.target.starts, self.target.scale) if self.target is not None else ((), None)
        return Scaler(self.x_center, self.x_scale, self.y_center, self.y_scale, starts, scale)

    def with_scaler(self, scaler: Scaler) -> Windows:
        """The same rows, scaled as others were: the weights of a saved model know no other scale."""
        scaled = replace(
            self, **{name: getattr(scaler, name) for name in ("x_center", "x_scale", "y_center", "y_scale")}
        )
        if self.target is None:
            return scaled
        target = fitted_target(self.y, self.groups, self.spec, self.offsets, scaler.starts, scaler.error_scale)
        x, names = _inputs(self.features, self.spec, target, self.groups)
        return replace(scaled, target=target, x=x, input_names=names)

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
    features, filled = _features(table, spec, order, groups)
    _refuse_target_as_input(spec, classes)
    split_of_group = None
    if len(groups) > 2 and (classes or spec.horizon == 0):  # labelled sequences are never cut
        split_of_group = split_groups(groups, y, len(classes), spec, table.groups_in_order)
    split_of_row = split_of_rows(groups, spec, split_of_group)
    train_rows, target = split_of_row == 0, None
    if spec.start != "none":
        _refuse_start(spec, classes)
        target = fit_target(y, groups, train_rows, spec, np.arange(1, spec.horizon + 1))
    x, names = _inputs(features, spec, target, groups)
    starts = window_starts(x, y, groups, split_of_row, spec, bool(classes))
    if target is not None:
        starts = {split: first[_has_start(target, first + spec.seq_len - 1)] for split, first in starts.items()}
    refuse_empty(starts, features, y, groups, spec, table.name)
    x_center, x_scale = fit_scaler(x[train_rows], spec.scaling)
    if target is not None:
        x_center, x_scale = _input_scaler(x[train_rows], names, spec, x_center, x_scale)
    y_center, y_scale = (np.zeros(1), np.ones(1)) if classes else fit_scaler(y[train_rows], spec.scaling)
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
    read = (features, y, classes, x, names, target)
    return Windows(spec, table.name, *read, *scalers, starts, split_of_row, time, groups, *about)


def _inputs(
    features: np.ndarray, spec: DataSpec, target: ForecastTarget | None, groups: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(rows, input_size) and the names: the features, those that are targets with a start by what it leaves of them."""
    if target is None:
        return features, spec.features
    columns: dict[str, np.ndarray] = {}
    for k, name in enumerate(spec.features):
        if name in spec.targets:
            derived = target.inputs(spec.targets.index(name), groups, spec.seq_len)
            columns |= {f"{name}: {what}": values for what, values in derived.items()}
        else:
            columns[name] = features[:, k]
    return np.stack(list(columns.values()), axis=1), tuple(columns)


def _input_scaler(
    x: np.ndarray, names: tuple[str, ...], spec: DataSpec, center: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Errors and changes are divided by their deviation and keep their zero; other features are scaled by the spec."""
    derived = np.array([name not in spec.features for name in names])
    return np.where(derived, 0.0, center), np.where(derived, fit_scaler(x, "standard")[1], scale)


def _has_start(target: ForecastTarget, rows: np.ndarray) -> np.ndarray:
    return np.isfinite(target.base[rows]).all((1, 2))


def _refuse_start(spec: DataSpec, classes: tuple[str, ...]) -> None:
    reason = "the target's values are classes" if classes else "horizon is 0" if spec.horizon == 0 else ""
    if reason:
        raise PlaygroundError(
            f"start is {spec.start!r}, but {reason}, so there is nothing to start from: set it to none."
        )


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
    """(rows, names) float64 of table.numbers: a view where the columns are adjacent, else a copy."""
    all_names = table.column_names("number")
    positions = [all_names.index(name) for name in names]
    if positions == list(range(positions[0], positions[0] + len(positions))):
        return np.asarray(table.numbers[:, positions[0] : positions[0] + len(positions)], np.float64)
    return np.asarray(table.numbers[:, positions], np.float64)


def _features(table: Table, spec: DataSpec, order: np.ndarray | None, groups: np.ndarray) -> tuple[np.ndarray, int]:
    for name in spec.features:
        if table.column(name).kind != "number":
            raise PlaygroundError(f"Feature {name!r} is not a number column: leave it out or correct its type.")
    x = reorder(_take(table, spec.features), order)
    missing_count = int(np.isnan(x).sum())
    if not missing_count or spec.missing == "skip":
        return x, 0
    x = forward_fill(x, groups)
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
