"""Whole sequences are drawn into the splits class by class: a file sorted by class loses no class to the test split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.generators import generate
from lstm_core.data.split import groups_in_splits
from lstm_core.data.windows import make_windows
from lstm_core.experiment import SPLITS, DataSpec
from tests.factories import spec_of, table_of


def animals(sizes: dict[str, int], length: int = 3, numbered: bool = False):
    """Sequences cat_00, cat_01, …, dog_00, …: in the order of their classes, as people's files have them."""
    names = [(kind, f"{kind}_{k:02d}") for kind, size in sizes.items() for k in range(size)]
    kinds = np.repeat([kind for kind, _ in names], length)
    ids = np.arange(len(kinds)) // length if numbered else np.repeat([name for _, name in names], length)
    return table_of("zoo.csv", a=np.sin(np.arange(len(kinds))), y=kinds, s=ids)


def zoo_spec(**fields) -> DataSpec:
    return spec_of(**({"features": ("a",), "group": "s", "seq_len": 3, "horizon": 0} | fields))


def class_counts(windows) -> dict[str, list[int]]:
    return {
        split: np.bincount(windows.targets(windows.starts[split]), minlength=len(windows.classes)).tolist()
        for split in SPLITS
    }


@pytest.mark.parametrize("numbered", [False, True])
def test_a_file_sorted_by_class_has_every_class_in_every_split(numbered):
    windows = make_windows(animals({"cat": 20, "dog": 20, "eel": 20}, numbered=numbered), zoo_spec())
    assert class_counts(windows) == {"train": [14] * 3, "valid": [3] * 3, "test": [3] * 3}
    assert windows.warnings == ()
    assert windows.notes == (
        "Whole sequences are split by class, at random (data seed 0): 42 training, 9 validation, 9 test.",
    )


def test_the_draw_is_the_seeds_alone():
    table = animals({"cat": 12, "dog": 9})
    splits = [make_windows(table, zoo_spec(seed=seed)).split_of_row for seed in (0, 0, 1)]
    np.testing.assert_array_equal(splits[0], splits[1])
    assert (splits[0] != splits[2]).any()


@given(st.lists(st.integers(3, 30), min_size=2, max_size=6), st.integers(0, 5), st.booleans())
def test_three_sequences_of_a_class_are_enough_for_every_split(sizes, seed, numbered):
    table = animals({f"k{k}": size for k, size in enumerate(sizes)}, numbered=numbered)
    windows = make_windows(table, zoo_spec(seed=seed))
    parts = windows.split_of_row.reshape(-1, 3)
    assert (parts == parts[:, :1]).all()  # no sequence is cut
    counts = np.array(list(class_counts(windows).values()))  # (splits, classes)
    assert (counts > 0).all()
    assert (np.abs(counts - np.outer([0.7, 0.15, 0.15], sizes)) < 1.5).all()
    np.testing.assert_array_equal(counts.sum(0), sizes)


@given(st.integers(20, 200), st.sampled_from([(0.7, 0.15), (0.5, 0.5), (0.6, 0.1)]))
def test_many_small_classes_still_follow_the_shares(classes, shares):
    table = animals({f"k{k:03d}": 2 for k in range(classes)})
    train, valid = shares
    windows = make_windows(table, zoo_spec(train_share=train, valid_share=valid))
    counts = np.bincount(windows.split_of_row[::3], minlength=3)
    # one of each class trains, and a second one only where the shares ask for it
    assert np.abs(counts - 2 * classes * np.array([train, valid, 1 - train - valid])).max() <= 2


def test_a_class_that_a_split_lacks_is_told():
    windows = make_windows(animals({"cat": 10, "dog": 10, "eel": 2, "fox": 1}), zoo_spec())
    assert len(windows.warnings) == 2
    assert all("'fox'" in sentence for sentence in windows.warnings)
    assert [sentence.partition(" split")[0].rpartition(" ")[2] for sentence in windows.warnings] == [
        "validation",
        "test",
    ]


def test_a_class_that_one_series_has_late_only_is_told_too():
    label = np.where(np.arange(100) < 90, np.where(np.arange(100) % 2, "up", "down"), "new")
    windows = make_windows(table_of(a=np.arange(100.0), y=label), spec_of(features=("a",)))
    assert [w.split(",")[0] for w in windows.warnings] == [
        "Class 'new' has no row in the training split",
        "Class 'new' has no row in the validation split",
    ]
    assert "the model cannot learn it" in windows.warnings[0]


def test_sequences_with_a_number_to_predict_are_drawn_as_well():
    table = table_of(a=np.arange(90.0), y=np.repeat(np.arange(30.0), 3), s=np.repeat(np.arange(30), 3))
    windows = make_windows(table, zoo_spec())
    assert np.bincount(windows.split_of_row[::3])[0] == 21
    test = windows.targets(windows.starts["test"]).ravel()
    assert test.min() < 20  # the smallest targets are not all in training
    assert windows.notes[0].startswith("Whole sequences are split by random draw (data seed 0): 21 training")


def test_a_sequence_belongs_to_the_class_of_most_of_its_rows():
    kinds = np.array([["b", "b", "b", "a"], ["a", "a", "a", "b"], ["b", "c", "b", "b"]] * 10).ravel()
    table = table_of(a=np.arange(120.0), y=kinds, s=np.repeat(np.arange(30), 4))
    windows = make_windows(table, zoo_spec(seq_len=4))
    of_a = windows.split_of_row.reshape(30, 4)[1::3, 0]
    assert np.bincount(of_a, minlength=3).tolist() in ([7, 2, 1], [7, 1, 2])


def test_the_page_can_say_which_sequence_is_where():
    table, spec = animals({"cat": 4, "dog": 4}), zoo_spec()
    windows = make_windows(table, spec)
    found = groups_in_splits(table, spec, windows.split_of_row)
    assert [len(found[split]) for split in SPLITS] == [4, 2, 2]
    assert sorted(name for names in found.values() for name in names) == [
        f"{kind}_{k:02d}" for kind in ("cat", "dog") for k in range(4)
    ]
    for name in found["test"]:
        row = int(np.flatnonzero(np.repeat([f"{k}_{n:02d}" for k in ("cat", "dog") for n in range(4)], 3) == name)[0])
        assert windows.split_of_row[row] == 2
    series = zoo_spec(horizon=1, features=("a",), targets=("a",), seq_len=1, valid_share=0.0)
    assert groups_in_splits(table, series, make_windows(table, series).split_of_row) is None
    assert groups_in_splits(table, zoo_spec(group=None), np.zeros(24, np.uint8)) is None


@pytest.mark.parametrize("name", ["which_wave", "recall_first", "temporal_order", "embedded_reber"])
def test_synthetic_sequences_are_drawn_already_and_keep_their_order(name):
    table = generate(DataSpec(source="generator", name=name, length=100, seq_len=10))
    spec = DataSpec(
        source="generator",
        name=name,
        targets=table.roles.targets,
        features=table.roles.features,
        group="sequence",
        seq_len=10,
        horizon=0,
    )
    windows = make_windows(table, spec)
    assert (np.diff(windows.split_of_row.astype(int)) >= 0).all()
    assert windows.notes[0] == "Whole sequences are split in their order: 70 training, 15 validation, 15 test."
