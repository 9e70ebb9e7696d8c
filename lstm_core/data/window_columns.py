"""The columns that windows are cut from: targets and features in the order of the rows, and what is refused."""

from __future__ import annotations

import numpy as np

from lstm_core.data.split import reorder
from lstm_core.data.table import Table
from lstm_core.data.transforms import forward_fill
from lstm_core.experiment import DataSpec, PlaygroundError


def refuse_start(spec: DataSpec, classes: tuple[str, ...]) -> None:
    """Raises PlaygroundError where there is no forecast that a start could be of."""
    reason = "the target's values are classes" if classes else "horizon is 0" if spec.horizon == 0 else ""
    if reason:
        raise PlaygroundError(
            f"start is {spec.start!r}, but {reason}, so there is nothing to start from: set it to none."
        )


def target_values(table: Table, spec: DataSpec, order: np.ndarray | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """(rows, targets) float64 and no classes, or (rows,) int64 classes, −1 for none, and their names."""
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


def feature_values(
    table: Table, names: tuple[str, ...], spec: DataSpec, order: np.ndarray | None, groups: np.ndarray
) -> tuple[np.ndarray, int]:
    """(rows, names) float64, gaps filled forward if the spec says so, and how many cells were filled."""
    for name in names:
        if table.column(name).kind != "number":
            raise PlaygroundError(f"Feature {name!r} is not a number column: leave it out or correct its type.")
    x = reorder(_take(table, names), order)
    missing_count = int(np.isnan(x).sum())
    if not missing_count or spec.missing == "skip":
        return x, 0
    x = forward_fill(x, groups)
    return x, missing_count - int(np.isnan(x).sum())


def refuse_target_as_input(spec: DataSpec, classes: tuple[str, ...]) -> None:
    """Raises PlaygroundError where the model would read the very number that it predicts."""
    shared = sorted(set(spec.features) & set(spec.targets))
    if spec.horizon == 0 and shared and not classes:
        raise PlaygroundError(
            f"Column {shared[0]!r} is a feature and the target of the same row (horizon 0), so the model "
            "would read its target: set horizon to 1 or more, or take it out of the features."
        )


def window_notes(
    order: np.ndarray | None, filled: int, starts: dict[str, np.ndarray], groups: np.ndarray, spec: DataSpec
) -> tuple[str, ...]:
    """What was done to the rows, and how many windows are left out, in sentences."""
    notes = []
    if order is not None:
        notes.append("Rows were put in order of " + " and ".join(n for n in (spec.group, spec.time) if n) + ".")
    if filled:
        notes.append(f"{filled:,} missing feature cells were forward-filled with the last known value.")
    possible = int(np.maximum(np.diff(groups) - spec.seq_len - spec.horizon + 1, 0).sum())
    omitted = possible - sum(len(s) for s in starts.values())
    if omitted:
        reasons = ["their inputs or targets have missing values", "their targets lie in two splits"]
        if spec.start != "none":
            reasons.insert(1, "no start is known yet at their rows")
        notes.append(f"{omitted:,} of {possible:,} windows are left out: {', or '.join(reasons)}.")
    return tuple(notes)


def split_note(split_of_group: np.ndarray, classes: tuple[str, ...], spec: DataSpec, in_order: bool) -> str:
    """How whole sequences were put into the splits."""
    train, valid, test = (f"{n:,}" for n in np.bincount(split_of_group, minlength=3))
    drawn = "by " + ("class, at random" if classes else "random draw") + f" (data seed {spec.seed})"
    how = "in their order" if in_order else drawn
    return f"Whole sequences are split {how}: {train} training, {valid} validation, {test} test."
