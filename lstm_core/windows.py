"""From a table to windows: split by time, scale on the training part, then windows as row numbers.

A window is the number of its first row; its values are gathered a batch at a time, so a million windows cost
eight megabytes. Nothing here imports torch: the Data page must open at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lstm_core.experiment import SPLITS, DataSpec, PlaygroundError
from lstm_core.tables import Table


@dataclass(frozen=True)
class Windows:
    """The chosen columns, scaled on demand, and where each part's windows start.

    A window that starts at row s shows the model rows s … s+seq_len−1; it must say the targets of the
    `horizon` rows after those (horizon 0: of the last row itself), all of them for a regression, the last of
    them for a class. A window belongs to the part in which its targets lie.
    """

    spec: DataSpec
    table_name: str
    x: np.ndarray  # (rows, input_size) float32, unscaled, a view of the table where it can be
    y: np.ndarray  # (rows, targets) float32, unscaled, NaN where not scored; or (rows,) int64 classes, −1
    classes: tuple[str, ...]  # empty for a regression
    x_center: np.ndarray  # (input_size,)
    x_scale: np.ndarray  # (input_size,)
    y_center: np.ndarray  # (targets,)
    y_scale: np.ndarray  # (targets,)
    starts: dict[str, np.ndarray]  # part → (windows,) int64, in order of time
    part_of_row: np.ndarray  # (rows,) uint8: 0 train, 1 valid, 2 test
    when: np.ndarray | None  # (rows,) the time column in the rows' order
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        return "classification" if self.classes else "regression"

    @property
    def rows(self) -> int:
        return len(self.x)

    @property
    def input_size(self) -> int:
        return self.x.shape[1]

    @property
    def ahead(self) -> int:
        """How many rows' targets one output holds."""
        return len(self.offsets)

    @property
    def output_size(self) -> int:
        return len(self.classes) if self.classes else self.ahead * self.y.shape[1]

    @property
    def offsets(self) -> np.ndarray:
        """(ahead,): how many rows after a step its targets lie."""
        first = self.spec.horizon if self.classes or not self.spec.horizon else 1
        return np.arange(first, self.spec.horizon + 1)

    def target_rows(self, starts: np.ndarray) -> np.ndarray:
        """(windows, ahead): the rows whose targets these windows must say."""
        return np.asarray(starts)[:, None] + self.spec.seq_len - 1 + self.offsets

    def inputs(self, starts: np.ndarray) -> np.ndarray:
        """(windows, seq_len, input_size) float32, scaled: what the model sees."""
        rows = np.asarray(starts)[:, None] + np.arange(self.spec.seq_len)
        return (self.x[rows] - self.x_center) / self.x_scale

    def truth(self, starts: np.ndarray) -> np.ndarray:
        """What these windows must say, in the table's own units: (windows, ahead, targets), or classes (windows,)."""
        rows = self.target_rows(starts)
        return self.y[rows[:, 0]] if self.classes else self.y[rows]

    def unscale(self, predicted: np.ndarray) -> np.ndarray:
        """(…, ahead·targets) as the model says it → (…, ahead, targets) in the table's own units."""
        shape = (*predicted.shape[:-1], self.ahead, self.y.shape[1])
        return predicted.reshape(shape) * self.y_scale + self.y_center


def make_windows(table: Table, spec: DataSpec) -> Windows:
    """Cut a table as the spec says.

    Raises:
        PlaygroundError: a column is missing or unfit, or a part would have no window.
    """
    if not spec.targets or not spec.features:
        what = "target" if not spec.targets else "feature"
        raise PlaygroundError(f"No {what} column is chosen for {table.name!r}: choose at least one on Data.")
    order = _order(table, spec)
    groups = _group_bounds(table, spec, order)
    y, classes = _targets(table, spec, order)
    x, filled = _features(table, spec, order, groups)
    _refuse_visible_answer(spec, classes)
    part_of_row = _parts(groups, spec, whole_groups=bool(classes) or spec.horizon == 0)
    starts = _starts(x, y, groups, part_of_row, spec, bool(classes))
    _refuse_empty(starts, x, y, groups, spec, table.name)
    train_rows = part_of_row == 0
    x_center, x_scale = _fit_scaler(x[train_rows], spec.scaling)
    one = np.zeros(1, np.float32), np.ones(1, np.float32)
    y_center, y_scale = one if classes else _fit_scaler(y[train_rows], spec.scaling)
    if classes:
        _refuse_one_class(y, starts, spec, classes)
    when = None if spec.time is None else _reorder(table.column(spec.time).values, order)
    notes = _notes(order, filled, starts, groups, spec)
    return Windows(spec, table.name, x, y, classes, x_center, x_scale, y_center, y_scale, starts,
                   part_of_row, when, notes)  # fmt: skip


def _reorder(values: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    return values if order is None else values[order]


def _order(table: Table, spec: DataSpec) -> np.ndarray | None:
    """The permutation that puts rows in order of group, then time; None if they are so already."""
    keys = [table.column(name).values for name in (spec.time, spec.group) if name is not None]
    if not keys:
        return None
    order = np.lexsort(keys)  # stable: rows of one time stay as the file has them
    return None if np.array_equal(order, np.arange(table.rows)) else order


def _targets(table: Table, spec: DataSpec, order) -> tuple[np.ndarray, tuple[str, ...]]:
    columns = [table.column(name) for name in spec.targets]
    kinds = {column.kind for column in columns}
    if kinds == {"category"} and len(columns) == 1:
        return _reorder(columns[0].values, order).astype(np.int64), columns[0].classes
    if kinds != {"number"}:
        names = ", ".join(repr(c.name) for c in columns if c.kind != "number")
        raise PlaygroundError(
            f"Target {names} is not a number column: choose number columns, or a single text column whose "
            "values are the classes."
        )
    return _reorder(_take(table, spec.targets), order), ()


def _take(table: Table, names: tuple[str, ...]) -> np.ndarray:
    """(rows, names) of table.numbers: the very memory where the columns lie side by side."""
    all_names = table.names("number")
    places = [all_names.index(name) for name in names]
    if places == list(range(places[0], places[0] + len(places))):
        return table.numbers[:, places[0] : places[0] + len(places)]
    return table.numbers[:, places]


def _features(table: Table, spec: DataSpec, order, groups) -> tuple[np.ndarray, int]:
    for name in spec.features:
        if table.column(name).kind != "number":
            raise PlaygroundError(
                f"Feature {name!r} is not a number column: leave it out or correct its type."
            )
    x = _reorder(_take(table, spec.features), order)
    gaps = np.isnan(x)
    holes = int(gaps.sum())
    if not holes or spec.missing == "skip":
        return x, 0
    # The last known value is carried on, within its group: the one filling that never looks ahead.
    group_start = np.repeat(groups[:-1], np.diff(groups))[:, None]
    known = np.where(gaps, group_start, np.arange(len(x))[:, None])
    x = np.take_along_axis(x, np.maximum.accumulate(known, axis=0), axis=0)
    return x, holes - int(np.isnan(x).sum())


def _refuse_visible_answer(spec: DataSpec, classes: tuple[str, ...]) -> None:
    shared = sorted(set(spec.features) & set(spec.targets))
    if spec.horizon == 0 and shared and not classes:
        raise PlaygroundError(
            f"Column {shared[0]!r} is a feature and the target of the same row (horizon 0), so the model would "
            "be shown the answer: set horizon to 1 or more, or take it out of the features."
        )


def _group_bounds(table: Table, spec: DataSpec, order) -> np.ndarray:
    """(groups + 1,) row numbers: group k is rows bounds[k] … bounds[k+1]−1."""
    if spec.group is None:
        return np.array([0, table.rows])
    values = _reorder(table.column(spec.group).values, order)
    return np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1, [len(values)]])


def _parts(groups: np.ndarray, spec: DataSpec, whole_groups: bool) -> np.ndarray:
    """(rows,) 0 train, 1 valid, 2 test: by time within each group, or, for labels, group by group."""
    count = len(groups) - 1
    shares = np.array([spec.train_share, spec.train_share + spec.valid_share])
    sizes = np.diff(groups)
    if whole_groups and count > 1:
        cuts = np.round(shares * count).astype(int)
        return np.repeat(np.searchsorted(cuts, np.arange(count), side="right"), sizes).astype(np.uint8)
    place = np.arange(groups[-1]) - np.repeat(groups[:-1], sizes)
    cut = np.round(shares[None, :] * sizes[:, None])  # (groups, 2)
    return (place[:, None] >= np.repeat(cut, sizes, axis=0)).sum(1).astype(np.uint8)


def _starts(x, y, groups, part_of_row, spec: DataSpec, classify: bool) -> dict[str, np.ndarray]:
    """Windows that stay in one group, whose targets lie in one part and whose values are all known."""
    reach = spec.seq_len + spec.horizon
    starts = [np.arange(a, b - reach + 1) for a, b in pairwise(groups)]
    starts = np.concatenate(starts).astype(np.int64)
    if not len(starts):
        return {name: starts for name in SPLITS}
    last = starts + reach - 1
    first = last if classify or not spec.horizon else starts + spec.seq_len
    hole_x = np.isnan(x).any(1)
    holes = np.concatenate([[0], np.cumsum(hole_x)])
    unknown = (y < 0) if classify else np.isnan(y).any(1)
    blanks = np.concatenate([[0], np.cumsum(unknown)])
    ok = (holes[starts + spec.seq_len] == holes[starts]) & (blanks[last + 1] == blanks[first])
    ok &= part_of_row[first] == part_of_row[last]
    starts, part = starts[ok], part_of_row[last[ok]]
    return {name: starts[part == k] for k, name in enumerate(SPLITS)}


def _refuse_empty(starts, x, y, groups, spec: DataSpec, name: str) -> None:
    if len(starts["train"]) and (len(starts["valid"]) or not spec.valid_share):
        return
    longest = int(np.diff(groups).max())
    need = spec.seq_len + spec.horizon
    if longest < need and len(groups) == 2 and longest < 4:
        raise PlaygroundError(
            f"{name!r} has only {longest} rows: that is too few to train on, bring a longer series."
        )
    if longest < need:
        what = "series" if len(groups) == 2 else "longest sequence"
        raise PlaygroundError(
            f"seq_len {spec.seq_len} plus horizon {spec.horizon} needs {need} rows, but the {what} in {name!r} "
            f"has {longest}: lower seq_len to {max(1, longest // 3)} or less."
        )
    for names, values in ((spec.features, x), (spec.targets, y.reshape(len(y), -1))):
        for column, empty in zip(names, np.isnan(values).all(0), strict=True):
            if empty:
                raise PlaygroundError(f"Column {column!r} in {name!r} has no values at all: choose another.")
    part = "training" if not len(starts["train"]) else "validation"
    raise PlaygroundError(
        f"The {part} part of {name!r} has no complete window of seq_len {spec.seq_len} and horizon "
        f"{spec.horizon}: lower seq_len or horizon, give that part a larger share, or fill missing values."
    )


def _refuse_one_class(y, starts, spec: DataSpec, classes: tuple[str, ...]) -> None:
    seen = np.unique(y[starts["train"] + spec.seq_len - 1 + spec.horizon])
    if len(seen) < 2:
        raise PlaygroundError(
            f"Target {spec.targets[0]!r} has only one class in the training part ({classes[seen[0]]!r}): "
            "choose another target, or a larger training share."
        )


def _fit_scaler(values: np.ndarray, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """(center, scale), each (columns,): scaled = (value − center) / scale. A constant column keeps scale 1."""
    width = values.shape[1]
    if scaling == "none":
        return np.zeros(width, np.float32), np.ones(width, np.float32)
    with np.errstate(all="ignore"):
        if scaling == "minmax":
            center = np.nanmin(values, axis=0)
            scale = np.nanmax(values, axis=0) - center
        else:
            center = np.nanmean(values, axis=0, dtype=np.float64)
            scale = np.nanstd(values, axis=0, dtype=np.float64)
    # float32 noise around a constant is no signal: blowing it up to unit size would be
    flat = ~(scale > 1e-6 * np.maximum(np.abs(center), 1e-30))
    return np.nan_to_num(center).astype(np.float32), np.where(flat, 1.0, scale).astype(np.float32)


def _notes(order, filled: int, starts, groups, spec: DataSpec) -> tuple[str, ...]:
    notes = []
    if order is not None:
        notes.append(
            "Rows were put in order of " + " and ".join(n for n in (spec.group, spec.time) if n) + "."
        )
    if filled:
        notes.append(f"{filled:,} missing feature cells carry the last known value on.")
    possible = int(np.maximum(np.diff(groups) - spec.seq_len - spec.horizon + 1, 0).sum())
    left = possible - sum(len(s) for s in starts.values())
    if left:
        notes.append(
            f"{left:,} of {possible:,} windows are left out: their targets straddle two parts or have no value, "
            "or their inputs do."
        )
    return tuple(notes)
