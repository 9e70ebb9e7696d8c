"""Windows: a table's features and targets cut into training examples.

A window is stored as the number of its first row, and its values are gathered batch by batch: a million windows take
eight megabytes. split.py orders the rows and decides where windows may start, transforms.py fits the scalers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lstm_core.data.forecast_target import ForecastTarget, fit_target, fitted_target
from lstm_core.data.model_inputs import model_inputs
from lstm_core.data.prepare import known_inputs, prepare
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
from lstm_core.data.transforms import fit_scaler
from lstm_core.data.window_columns import (
    feature_values,
    refuse_start,
    refuse_target_as_input,
    split_note,
    target_values,
    window_notes,
)
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
    table: Table  # as it was prepared
    features: np.ndarray  # (rows, features) float64, the chosen columns; a view of the table where possible
    feature_names: tuple[str, ...]  # (features,): the spec's, and those that preparing the table has added
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
    def table_name(self) -> str:
        return self.table.name

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
    def model_sizes(self) -> tuple[int, int, int]:
        """input_size, output_size and seq_len: what a model of these windows must know of them."""
        return self.input_size, self.output_size, self.spec.seq_len

    @property
    def offsets(self) -> np.ndarray:
        """(output_steps,): how many rows after a step its targets lie."""
        return row_offsets(self.spec, bool(self.classes))

    @cached_property
    def scaled_x(self) -> np.ndarray:
        """(rows, input_size) float32: the rows as the model reads them; centred before they are rounded."""
        return ((self.x - self.x_center) * (1 / self.x_scale)).astype(np.float32)

    @cached_property
    def scaled_features(self) -> np.ndarray:
        """(rows, features) float32: the features themselves on one scale, for pictures; scaled_x without a start."""
        if self.x is self.features:
            return self.scaled_x
        center, scale = fit_scaler(self.features[self.split_of_row == 0], self.spec.scaling)
        return ((self.features - center) / scale).astype(np.float32)

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
        is_train = self.split_of_row == 0
        fitted = (scaler.starts, scaler.error_scale)
        target = fitted_target(self.y, self.groups, is_train, self.spec, self.offsets, *fitted)
        ahead = known_ahead(self.table, self.spec)
        about = (self.feature_names, ahead, self.spec, target, self.groups, self.offsets)
        return replace(scaled, target=target, x=model_inputs(self.features, *about).x)

    def axis(self, rows: np.ndarray) -> tuple[np.ndarray, str]:
        """(x, title) of these rows on a plot: the time column, or row numbers without one or with several series."""
        if self.time is None or len(self.groups) > 2:
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
    table_report, table = table.report, prepare(table, spec)
    order = row_order(table, spec)
    groups = group_bounds(table, spec, order)
    y, classes = target_values(table, spec, order)
    names = tuple(dict.fromkeys((*spec.features, *known_inputs(table))))
    x, filled = feature_values(table, names, spec, order, groups)
    refuse_target_as_input(spec, classes)
    split_of_group = None
    if len(groups) > 2 and (classes or spec.horizon == 0):  # labelled sequences are never cut
        split_of_group = split_groups(groups, y, len(classes), spec, table.groups_in_order)
    split_of_row = split_of_rows(groups, spec, split_of_group)
    is_train, target = split_of_row == 0, None
    if spec.start != "none":
        refuse_start(spec, classes)
        target = fit_target(y, groups, is_train, spec, np.arange(1, spec.horizon + 1))
    elif spec.scale_per_series:
        raise PlaygroundError("Scaling each series needs a start: choose start mean, or switch it off.")
    offsets = row_offsets(spec, bool(classes))
    inputs = model_inputs(x, names, known_ahead(table, spec), spec, target, groups, offsets)
    starts = window_starts(inputs.x, y, groups, split_of_row, spec, bool(classes))
    if target is not None:
        starts = {split: first[_has_start(target, first + spec.seq_len - 1)] for split, first in starts.items()}
    refuse_empty(starts, x, y, groups, spec, table.name, names)
    if classes:
        refuse_one_class(y, starts, spec, classes)
    notes = window_notes(order, filled, starts, groups, spec)
    if split_of_group is not None:
        notes = (split_note(split_of_group, classes, spec, table.groups_in_order), *notes)
    return Windows(
        spec,
        table,
        x,
        names,
        y,
        classes,
        inputs.x,
        inputs.names,
        target,
        *inputs.scaler(is_train, spec.scaling),
        *((np.zeros(1), np.ones(1)) if classes else fit_scaler(y[is_train], spec.scaling)),
        starts=starts,
        split_of_row=split_of_row,
        time=None if spec.time is None else reorder(table.column(spec.time).values, order),
        groups=groups,
        notes=(*(note.text for note in table.report[len(table_report) :]), *notes),
        drawn=split_of_group is not None and not table.groups_in_order,
        warnings=missing_classes(y, split_of_row, starts, classes) if classes else (),
    )


def known_ahead(table: Table, spec: DataSpec) -> frozenset[str]:
    """The features that are read at the targets' time."""
    return frozenset((*spec.known_future, *known_inputs(table)))


def row_offsets(spec: DataSpec, is_class: bool) -> np.ndarray:
    """(output_steps,): how many rows after a step its targets lie."""
    first = spec.horizon if is_class or not spec.horizon else 1
    return np.arange(first, spec.horizon + 1)


def _has_start(target: ForecastTarget, rows: np.ndarray) -> np.ndarray:
    return np.isfinite(target.base[rows]).all((1, 2))
