"""Row order, groups, the split of each row into train, valid and test, and where windows may start."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from lstm_core.data.table import Table
from lstm_core.experiment import SPLITS, DataSpec, PlaygroundError

_TITLES = {"train": "training", "valid": "validation", "test": "test"}


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


def split_of_rows(groups: np.ndarray, spec: DataSpec, split_of_group: np.ndarray | None) -> np.ndarray:
    """(rows,) uint8: 0 train, 1 valid, 2 test; by time within each group, or as split_of_group says of whole groups."""
    sizes = np.diff(groups)
    if split_of_group is not None:
        return np.repeat(split_of_group, sizes)
    index_in_group = np.arange(groups[-1]) - np.repeat(groups[:-1], sizes)
    shares = np.array([spec.train_share, spec.train_share + spec.valid_share])
    cut = np.round(shares[None, :] * sizes[:, None])  # (groups, 2)
    return (index_in_group[:, None] >= np.repeat(cut, sizes, axis=0)).sum(1).astype(np.uint8)


def split_groups(groups: np.ndarray, y: np.ndarray, class_count: int, spec: DataSpec, in_order: bool) -> np.ndarray:
    """(groups,) uint8: the split of each whole group.

    Files often list their sequences class by class, so the first ones are not like the last ones: the groups of each
    class (the commonest one of a group's rows) are drawn into the splits at random, by spec.seed, each class by the
    shares. in_order: the table's groups are drawn at random or in order of time already: the earliest train.

    y: (rows,) classes, -1 for none, or (rows, targets) numbers, whose groups are all of one kind.
    """
    count = len(groups) - 1
    shares = np.array([spec.train_share, spec.valid_share, spec.test_share])
    if in_order:
        cuts = np.round(np.cumsum(shares[:2]) * count).astype(int)
        return np.searchsorted(cuts, np.arange(count), side="right").astype(np.uint8)
    kind_of_group = _commonest_class(groups, y, class_count) if class_count else np.zeros(count, int)
    rng, split_of_group, drawn = np.random.default_rng(spec.seed), np.zeros(count, np.uint8), np.zeros(3, int)
    for kind in np.unique(kind_of_group):
        members = rng.permutation(np.flatnonzero(kind_of_group == kind))
        shortfall = shares * (drawn.sum() + len(members)) - drawn
        counts = _share_out(len(members), shares, shortfall)
        split_of_group[members] = np.repeat(np.arange(3), counts)
        drawn += counts
    return split_of_group


def _commonest_class(groups: np.ndarray, y: np.ndarray, class_count: int) -> np.ndarray:
    """(groups,): the class of most rows of each group, or class_count where no row has one."""
    group_of_row = np.repeat(np.arange(len(groups) - 1), np.diff(groups))
    pairs, counts = np.unique(group_of_row * (class_count + 1) + np.where(y < 0, class_count, y), return_counts=True)
    group, kind = np.divmod(pairs, class_count + 1)
    counts[kind == class_count] = 0  # a class of one row outdoes all the rows that have none
    best = np.lexsort((-kind, counts, group))  # the last of each group: the most rows, then the first class
    return kind[best[np.append(group[best][1:] != group[best][:-1], True)]]


def _share_out(count: int, shares: np.ndarray, shortfall: np.ndarray) -> np.ndarray:
    """(3,): how many of one class's groups train, validate and test: one at least of three, and the first trains.

    shortfall: groups of any class that each split lacks; it decides what the shares leave open.
    """
    counts = np.floor(shares * count + 1e-9).astype(int)
    while counts.sum() < count:
        open_to_more = counts < shares * count - 1e-9
        counts[np.where(open_to_more, shortfall - counts, -np.inf).argmax()] += 1
    for split in range(3):
        needed = shares[split] > 1e-9 and count >= (1 if split == 0 else 3)
        if needed and not counts[split]:
            counts[counts.argmax()] -= 1
            counts[split] += 1
    return counts


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
    starts: dict[str, np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    spec: DataSpec,
    name: str,
    features: tuple[str, ...],
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
    for names, values in ((features, x), (spec.targets, y.reshape(len(y), -1))):
        for column, empty in zip(names, np.isnan(values).all(0), strict=True):
            if empty:
                raise PlaygroundError(f"Column {column!r} in {name!r} has no values at all: choose another.")
    split = "valid" if len(starts["train"]) else "train"
    raise PlaygroundError(
        f"The {_TITLES[split]} split of {name!r} has no complete window of seq_len {spec.seq_len} and horizon "
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


def missing_classes(
    y: np.ndarray, split_of_row: np.ndarray, starts: dict[str, np.ndarray], classes: tuple[str, ...]
) -> tuple[str, ...]:
    """One sentence for each split that has windows, but no row of some class."""
    present = {split: np.unique(y[split_of_row == k]) for k, split in enumerate(SPLITS) if len(starts[split])}
    seen = {split: found[found >= 0] for split, found in present.items()}
    anywhere = np.unique(np.concatenate(list(seen.values())))
    sentences = []
    for split, found in seen.items():
        names = [repr(classes[k]) for k in np.setdiff1d(anywhere, found)]
        if names:
            listed = ", ".join(names[:5]) + f" and {len(names) - 5} more" * (len(names) > 5)
            what, pronoun = (f"Class {listed} has", "it") if len(names) == 1 else (f"Classes {listed} have", "them")
            why = "the model cannot learn" if split == "train" else "no score there tells how well the model knows"
            sentences.append(
                f"{what} no row in the {_TITLES[split]} split, so {why} {pronoun}: give that split a larger "
                f"share, or add data of {pronoun}."
            )
    return tuple(sentences)


def groups_in_splits(table: Table, spec: DataSpec, split_of_row: np.ndarray) -> dict[str, list[str]] | None:
    """Split → names of the groups whose rows it holds, in order; None where groups are cut by time, or there are none.

    split_of_row: (rows,) as Windows has it, in the order of row_order.
    """
    if spec.group is None:
        return None
    order = row_order(table, spec)
    first = group_bounds(table, spec, order)[:-1]
    lowest, highest = (reduce.reduceat(split_of_row, first) for reduce in (np.minimum, np.maximum))
    if (lowest != highest).any():
        return None
    column = table.column(spec.group)
    values = reorder(column.values, order)[first]
    if column.kind == "category":
        labels = ["(none)" if code < 0 else column.classes[code] for code in values]
    else:
        labels = [f"{value:.10g}" for value in values]
    return {name: [labels[i] for i in np.flatnonzero(lowest == k)] for k, name in enumerate(SPLITS)}
