"""Row order, groups, the split of each row into train, valid and test, and where windows may start."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from lstm_core.data.table import Table
from lstm_core.experiment import SPLITS, DataSpec, PlaygroundError


def reorder(values: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    """values in the order that row_order gave."""
    return values if order is None else values[order]


def row_order(table: Table, spec: DataSpec) -> np.ndarray | None:
    """(rows,) the permutation that sorts by group, then time; None if the rows are sorted already."""
    keys = [table.column(name).values for name in (spec.time, spec.group) if name is not None]
    if not keys:
        return None
    order = np.lexsort(keys)  # stable: rows of the same time keep their order in the file
    return None if np.array_equal(order, np.arange(table.rows)) else order


def group_bounds(table: Table, spec: DataSpec, order: np.ndarray | None) -> np.ndarray:
    """(groups + 1,) row numbers: group k has rows bounds[k] … bounds[k+1]−1."""
    if spec.group is None:
        return np.array([0, table.rows])
    values = reorder(table.column(spec.group).values, order)
    return np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1, [len(values)]])


def split_of_rows(groups: np.ndarray, spec: DataSpec, whole_groups: bool) -> np.ndarray:
    """(rows,) uint8: 0 train, 1 valid, 2 test; by time within each group or, with whole_groups, group by group."""
    count = len(groups) - 1
    shares = np.array([spec.train_share, spec.train_share + spec.valid_share])
    sizes = np.diff(groups)
    if whole_groups and count > 1:
        cuts = np.round(shares * count).astype(int)
        return np.repeat(np.searchsorted(cuts, np.arange(count), side="right"), sizes).astype(np.uint8)
    index_in_group = np.arange(groups[-1]) - np.repeat(groups[:-1], sizes)
    cut = np.round(shares[None, :] * sizes[:, None])  # (groups, 2)
    return (index_in_group[:, None] >= np.repeat(cut, sizes, axis=0)).sum(1).astype(np.uint8)


def window_starts(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, split_of_row: np.ndarray, spec: DataSpec, classify: bool
) -> dict[str, np.ndarray]:
    """Split → (windows,) int64 first rows of the windows within one group, without missing values in inputs or
    targets, whose targets lie in a single split.

    x: (rows, input_size); y: (rows, targets), or (rows,) classes with −1 for none.
    """
    span = spec.seq_len + spec.horizon
    starts = [np.arange(a, b - span + 1) for a, b in pairwise(groups)]
    starts = np.concatenate(starts).astype(np.int64)
    if not len(starts):
        return {name: starts for name in SPLITS}
    last = starts + span - 1
    first = last if classify or not spec.horizon else starts + spec.seq_len
    # Rows with missing values before each row: equal at both ends of a range that has none.
    missing_x = np.concatenate([[0], np.cumsum(np.isnan(x).any(1))])
    missing_y = np.concatenate([[0], np.cumsum((y < 0) if classify else np.isnan(y).any(1))])
    valid = (missing_x[starts + spec.seq_len] == missing_x[starts]) & (missing_y[last + 1] == missing_y[first])
    valid &= split_of_row[first] == split_of_row[last]
    starts, split = starts[valid], split_of_row[last[valid]]
    return {name: starts[split == k] for k, name in enumerate(SPLITS)}


def refuse_empty(
    starts: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, groups: np.ndarray, spec: DataSpec, name: str
) -> None:
    """Raises PlaygroundError, with the likeliest reason, if training or validation has no window."""
    if len(starts["train"]) and (len(starts["valid"]) or not spec.valid_share):
        return
    max_rows = int(np.diff(groups).max())
    need = spec.seq_len + spec.horizon
    if max_rows < need and len(groups) == 2 and max_rows < 4:
        raise PlaygroundError(f"{name!r} has only {max_rows} rows, too few to train on: choose a longer series.")
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
        f"The {split} split of {name!r} has no complete window of seq_len {spec.seq_len} and horizon "
        f"{spec.horizon}: lower seq_len or horizon, give that split a larger share, or fill missing values."
    )


def refuse_one_class(y: np.ndarray, starts: dict[str, np.ndarray], spec: DataSpec, classes: tuple[str, ...]) -> None:
    """Raises PlaygroundError if the training targets are all of one class."""
    classes_seen = np.unique(y[starts["train"] + spec.seq_len - 1 + spec.horizon])
    if len(classes_seen) < 2:
        raise PlaygroundError(
            f"Target {spec.targets[0]!r} has only one class in the training split ({classes[classes_seen[0]]!r}): "
            "choose another target, or a larger training share."
        )
