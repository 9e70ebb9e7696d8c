"""Windows: nothing leaks, nothing crosses a sequence, everything lies where it should."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from lstm_core.data.table import Column, Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import SPLITS, DataSpec, PlaygroundError
from tests.conftest import examples
from tests.factories import cut_tables, series, spec_of


def seen(windows: Windows, starts) -> np.ndarray:
    """inputs() back in the table's units."""
    return windows.inputs(starts) * windows.x_scale + windows.x_center


def rows_in_order(table: Table, spec: DataSpec) -> np.ndarray:
    """The table's rows as the windows must see them, sorted the slow way."""
    keys = [table.column(name).values for name in (spec.group, spec.time) if name]
    return np.array(sorted(range(table.rows), key=lambda r: (*[key[r] for key in keys], r)))


@examples(150)
@given(cut_tables())
def test_no_target_leaks_into_another_part_and_no_window_crosses_a_sequence(case):
    table, spec, windows = case
    owned = {split: set(windows.target_rows(windows.starts[split]).ravel()) for split in SPLITS}
    for k, split in enumerate(SPLITS):
        assert all(windows.split_of_row[row] == k for row in owned[split])
    assert not owned["train"] & (owned["valid"] | owned["test"])
    assert not owned["valid"] & owned["test"]
    group = table.column(spec.group).values[rows_in_order(table, spec)] if spec.group else np.zeros(table.rows)
    for start in np.concatenate(list(windows.starts.values())):
        touched = group[start : start + spec.seq_len + spec.horizon]
        assert len(touched) == spec.seq_len + spec.horizon
        assert len(set(touched)) == 1


@examples(100)
@given(cut_tables())
def test_inputs_and_truth_are_the_rows_that_they_should_be(case):
    table, spec, windows = case
    order = rows_in_order(table, spec)
    for starts in windows.starts.values():
        inputs, targets = seen(windows, starts), windows.targets(starts)
        assert np.isfinite(inputs).all()
        for start, x, y in zip(starts, inputs, targets, strict=True):
            rows = order[start : start + spec.seq_len]
            want = np.stack([table.column(name).values[rows] for name in spec.features], axis=1)
            is_known = ~np.isnan(want)  # the rest was filled, which has a test of its own
            np.testing.assert_allclose(x[is_known], want[is_known], atol=1e-5)
            end = start + spec.seq_len + spec.horizon
            target_rows = order[start + spec.seq_len : end] if spec.horizon else order[end - 1 : end]
            expected = table.column("y").values[target_rows]
            np.testing.assert_array_equal(
                y if windows.classes else y[:, 0], expected[-1] if windows.classes else expected
            )


@examples(100)
@given(cut_tables(), st.floats(-1e6, 1e6))
def test_the_scaler_knows_the_training_rows_only(case, other):
    table, spec, windows = case
    later = rows_in_order(table, spec)[windows.split_of_row > 0]
    numbers = table.numbers.copy()
    for name in ("a", "b") if windows.classes else ("a", "b", "y"):
        numbers[later, table.column_names("number").index(name)] = other
    changed = with_numbers(table, numbers)
    again = make_windows(changed, spec)
    for name in ("x_center", "x_scale", "y_center", "y_scale"):
        np.testing.assert_array_equal(getattr(again, name), getattr(windows, name))
    np.testing.assert_array_equal(again.starts["train"], windows.starts["train"])
    np.testing.assert_array_equal(again.inputs(again.starts["train"]), windows.inputs(windows.starts["train"]))


def with_numbers(table: Table, numbers: np.ndarray) -> Table:
    names = table.column_names("number")
    columns = [
        dataclasses.replace(c, values=numbers[:, names.index(c.name)]) if c.kind == "number" else c
        for c in table.columns
    ]
    return dataclasses.replace(table, numbers=numbers, columns=tuple(columns))


@given(st.lists(st.floats(-100, 100, width=32) | st.just(np.nan), min_size=12, max_size=40), st.integers(1, 4))
def test_filling_carries_the_last_known_value_on_within_its_sequence(values, groups):
    rows = len(values)
    group = np.arange(rows) * groups // rows
    table = series(rows, a=values, s=group)
    try:
        windows = make_windows(table, spec_of(features=("a",), group="s", seq_len=1, valid_share=0.0))
    except PlaygroundError:
        assume(False)
    want, last = [], np.nan
    for row in range(rows):
        if row and group[row] != group[row - 1]:
            last = np.nan
        last = last if np.isnan(values[row]) else values[row]
        want.append(last)
    np.testing.assert_array_equal(windows.x[:, 0], np.float32(want))
    starts = np.concatenate(list(windows.starts.values()))
    assert not np.isnan(np.asarray(want)[starts]).any()  # a gap at a sequence's start is never invented


def test_skipping_leaves_out_every_window_that_sees_a_gap_and_no_other():
    a = np.arange(40, dtype=np.float32)
    a[10] = np.nan
    windows = make_windows(series(40, a=a), spec_of(missing="skip", train_share=0.6, valid_share=0.2))
    every = make_windows(series(40), spec_of(train_share=0.6, valid_share=0.2))
    gone = set(every.starts["train"]) - set(windows.starts["train"])
    assert gone == {7, 8, 9, 10}
    assert windows.notes[0].startswith("4 of 36 windows are left out")


def test_windows_whose_target_is_missing_are_left_out():
    y = np.arange(40, dtype=np.float32)
    y[20] = np.nan
    windows = make_windows(series(40, y=y), spec_of(horizon=2))
    kept = windows.target_rows(np.concatenate(list(windows.starts.values())))
    assert set(range(4, 40)) - set(kept.ravel()) == {20}


def test_values_are_views_of_the_table_wherever_they_can_be():
    table = series(50, t=np.arange(50))
    windows = make_windows(table, spec_of(time="t"))
    assert np.shares_memory(windows.x, table.numbers)
    assert np.shares_memory(windows.y, table.numbers)
    apart = make_windows(table, spec_of(features=("a", "y")))  # b lies between: one copy of two columns
    np.testing.assert_array_equal(apart.x[3], [3, 2003])
    turned = make_windows(table, spec_of(features=("b", "a")))
    np.testing.assert_array_equal(turned.x[3], [1003, 3])


def test_a_million_rows_of_windows_cost_their_numbers_only():
    rows = 1_000_000
    table = series(rows)
    windows = make_windows(table, spec_of(seq_len=500, horizon=10))
    count = sum(len(starts) for starts in windows.starts.values())
    assert count == rows - 500 - 10 + 1 - 2 * 9  # nine windows straddle each of the two cuts
    assert sum(starts.nbytes for starts in windows.starts.values()) == 8 * count
    assert np.shares_memory(windows.x, table.numbers)
    last = windows.starts["test"][-1:]
    assert windows.target_rows(last)[0, -1] == rows - 1
    assert windows.inputs(last).shape == (1, 500, 2)


def test_a_missing_label_is_no_class():
    y = np.array(["no", "yes"] * 20)
    table = series(40, y=y)
    codes = table.column("y").values.copy()
    codes[10] = -1
    columns = tuple(Column("y", "category", codes, c.classes) if c.name == "y" else c for c in table.columns)
    windows = make_windows(dataclasses.replace(table, columns=columns), spec_of(seq_len=3, horizon=0))
    assert 10 - 2 not in windows.starts["train"]
    assert all((windows.targets(s) >= 0).all() for s in windows.starts.values())


def test_sizes_of_what_the_model_says():
    assert make_windows(series(40), spec_of(horizon=3)).output_size == 3
    assert make_windows(series(40), spec_of(targets=("a", "b"), features=("y",), horizon=3)).output_size == 6
    assert make_windows(series(40), spec_of(horizon=0)).output_size == 1
    label = make_windows(series(40, y=["u", "v"] * 20), spec_of(horizon=3))
    assert (label.output_size, label.output_steps, label.task) == (2, 1, "classification")
    np.testing.assert_array_equal(label.target_rows(np.array([5])), [[5 + 3 + 3]])


@given(st.integers(1, 4), st.integers(1, 2), st.integers(0, 5))
def test_unscale_undoes_the_targets_scaling(horizon, targets, many):
    windows = make_windows(series(60), spec_of(targets=("y", "b")[:targets], features=("a",), horizon=horizon))
    starts = windows.starts["train"][:many]
    scaled = (windows.targets(starts) - windows.y_center) / windows.y_scale  # (windows, ahead, targets)
    np.testing.assert_allclose(
        windows.inverse_transform(scaled.reshape(many, windows.output_size), windows.last_rows(starts)),
        windows.targets(starts),
        rtol=1e-6,
    )


def test_a_class_target_may_be_seen_together_with_its_row():
    labels = np.array(["u", "v"])[np.arange(40) // 3 % 2]
    assert make_windows(series(40, y=labels), spec_of(horizon=0)).task == "classification"
