"""The order of a table's rows, the splits by time or by sequence, and where windows may start."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from lstm_core.data.table import Table
from lstm_core.experiment import SPLITS, DataSpec, PlaygroundError


def reorder(values: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    return values if order is None else values[order]


def row_order(table: Table, spec: DataSpec) -> np.ndarray | None:
    """The permutation that puts rows in order of group, then time; None if they are so already."""
    keys = [table.column(name).values for name in (spec.time, spec.group) if name is not None]
    if not keys:
        return None
    order = np.lexsort(keys)  # stable: rows of one time stay as the file has them
    return None if np.array_equal(order, np.arange(table.rows)) else order


def group_bounds(table: Table, spec: DataSpec, order) -> np.ndarray:
    """(groups + 1,) row numbers: group k is rows bounds[k] … bounds[k+1]−1."""
    if spec.group is None:
        return np.array([0, table.rows])
    values = reorder(table.column(spec.group).values, order)
    return np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1, [len(values)]])


def split_of_rows(groups: np.ndarray, spec: DataSpec, whole_groups: bool) -> np.ndarray:
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


def window_starts(x, y, groups, part_of_row, spec: DataSpec, classify: bool) -> dict[str, np.ndarray]:
    """Windows that stay in one group, whose targets lie in one part and whose values are all known."""
    span = spec.seq_len + spec.horizon
    starts = [np.arange(a, b - span + 1) for a, b in pairwise(groups)]
    starts = np.concatenate(starts).astype(np.int64)
    if not len(starts):
        return {name: starts for name in SPLITS}
    last = starts + span - 1
    first = last if classify or not spec.horizon else starts + spec.seq_len
    hole_x = np.isnan(x).any(1)
    holes = np.concatenate([[0], np.cumsum(hole_x)])
    unknown = (y < 0) if classify else np.isnan(y).any(1)
    blanks = np.concatenate([[0], np.cumsum(unknown)])
    ok = (holes[starts + spec.seq_len] == holes[starts]) & (blanks[last + 1] == blanks[first])
    ok &= part_of_row[first] == part_of_row[last]
    starts, split = starts[ok], part_of_row[last[ok]]
    return {name: starts[split == k] for k, name in enumerate(SPLITS)}


def refuse_empty(starts, x, y, groups, spec: DataSpec, name: str) -> None:
    if len(starts["train"]) and (len(starts["valid"]) or not spec.valid_share):
        return
    max_rows = int(np.diff(groups).max())
    need = spec.seq_len + spec.horizon
    if max_rows < need and len(groups) == 2 and max_rows < 4:
        raise PlaygroundError(f"{name!r} has only {max_rows} rows: that is too few to train on, bring a longer series.")
    if max_rows < need:
        kind = "series" if len(groups) == 2 else "longest sequence"
        raise PlaygroundError(
            f"seq_len {spec.seq_len} plus horizon {spec.horizon} needs {need} rows, but the {kind} in {name!r} "
            f"has {max_rows}: lower seq_len to {max(1, max_rows // 3)} or less."
        )
    for names, values in ((spec.features, x), (spec.targets, y.reshape(len(y), -1))):
        for column, empty in zip(names, np.isnan(values).all(0), strict=True):
            if empty:
                raise PlaygroundError(f"Column {column!r} in {name!r} has no values at all: choose another.")
    split = "training" if not len(starts["train"]) else "validation"
    raise PlaygroundError(
        f"The {split} part of {name!r} has no complete window of seq_len {spec.seq_len} and horizon "
        f"{spec.horizon}: lower seq_len or horizon, give that part a larger share, or fill missing values."
    )


def refuse_one_class(y, starts, spec: DataSpec, classes: tuple[str, ...]) -> None:
    classes_seen = np.unique(y[starts["train"] + spec.seq_len - 1 + spec.horizon])
    if len(classes_seen) < 2:
        raise PlaygroundError(
            f"Target {spec.targets[0]!r} has only one class in the training part ({classes[classes_seen[0]]!r}): "
            "choose another target, or a larger training share."
        )
