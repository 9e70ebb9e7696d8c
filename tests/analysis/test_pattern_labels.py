"""What places share: lifts that are counted by hand, and the labels that are known of windows."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.analysis.pattern_labels import (
    QUARTERS,
    LabelColumn,
    Lift,
    quarters,
    searched_starts,
    shared_labels,
    shared_sentence,
    window_labels,
)
from lstm_core.analysis.pattern_search import Match
from lstm_core.data.generators import generate
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, ModelSpec, PlaygroundError
from lstm_core.model.recurrent import build_model
from tests.factories import labelled, wave

CODES = np.array([[0, 0, 1, 1, 2, -1], [2, 2, 2, 2, 1, 0]])  # of 11 known: three 0, three 1, five 2
COLUMN = LabelColumn("symbol", CODES, ("a", "b", "c"))
PLACES = [Match(0, 1, 2, 1.0), Match(1, 4, 5, 0.5)]  # a b and b a


def test_lifts_are_shares_of_the_places_over_shares_of_all_steps():
    found = {(lift.label, lift.count, lift.of): lift for lift in shared_labels(PLACES, [COLUMN])}
    assert set(found) == {("a", 2, 4), ("b", 2, 4)}
    assert found["a", 2, 4].base_rate == pytest.approx(3 / 11)
    assert found["a", 2, 4].lift == pytest.approx((2 / 4) / (3 / 11))
    first = shared_labels(PLACES, [COLUMN], "first")
    assert [(lift.label, lift.count, lift.of) for lift in first] == [("a", 1, 2), ("b", 1, 2)]
    last = shared_labels([*PLACES, Match(0, 5, 5, 1.0)], [COLUMN], "last")  # a step without a label
    assert {(lift.label, lift.count, lift.of) for lift in last} == {("a", 1, 2), ("b", 1, 2)}
    before = shared_labels(PLACES, [COLUMN], "before")
    assert [(lift.label, lift.count, lift.of) for lift in before] == [("a", 1, 2), ("c", 1, 2)]
    after = shared_labels([*PLACES, Match(0, 2, 2, 1.0)], [COLUMN], "after")  # one place ends with its sequence
    assert [(lift.label, lift.count, lift.of) for lift in after] == [("b", 2, 2)]
    assert "2 of 2 steps after a place" in shared_sentence(after, PLACES)
    assert shared_labels([Match(0, 0, 0, 1.0)], [COLUMN], "before") == []


def test_the_most_surprising_label_comes_first_and_is_told():
    everywhere = LabelColumn("series", np.zeros((2, 6), int), ("one",))
    lifts = shared_labels([Match(0, 2, 3, 1.0), Match(1, 4, 4, 1.0)], [everywhere, COLUMN])
    assert [(lift.label, round(lift.lift, 3)) for lift in lifts] == [("b", 3.667), ("one", 1.0)]
    sentence = shared_sentence(lifts, PLACES)
    assert sentence == (
        "In the 2 places found, symbol is 'b' at 3 of 3 steps (100\u202f%); of all steps it is that at "
        "27.3\u202f%: 3.7 times as often as elsewhere."
    )
    assert "share none" in shared_sentence([Lift("series", "one", "step", 3, 3, 1.0)], PLACES)
    assert "at 1 of 1 first step " in shared_sentence([Lift("x", "y", "first", 1, 1, 0.1)], PLACES[:1])


@pytest.mark.parametrize(
    ("matches", "where", "words"),
    [
        ([], "step", "no place"),
        (PLACES, "middle", "choose one of step, before, first, last, after"),
        ([Match(2, 0, 0, 1)], "step", "do not reach"),
    ],
)
def test_what_cannot_be_compared_is_refused(matches, where, words):
    with pytest.raises(PlaygroundError, match=words):
        shared_labels(matches, [COLUMN], where)


def test_quarters_hold_as_many_values_each_and_few_values_are_told_themselves():
    (column,) = quarters("x", np.arange(100.0).reshape(4, 25))
    assert np.bincount(column.codes.ravel()).tolist() == [25] * 4
    assert column.names[0] == f"{QUARTERS[0]} (below 24.8)" and column.names[3] == f"{QUARTERS[3]} (from 74.2)"
    (few,) = quarters("x", np.array([[1.0, 2.0, np.nan, 1.0]]))
    assert few.names == ("1", "2") and few.codes.tolist() == [[0, 1, -1, 0]]
    assert quarters("x", np.ones((2, 3))) == []


def test_symbols_are_one_column_and_the_classes_of_the_target_another():
    spec = DataSpec(
        source="generator",
        name="temporal_order",
        length=20,
        seq_len=12,
        horizon=0,
        noise=0.0,
        targets=("order",),
        features=("a", "b", "c", "d", "X", "Y", "E", "B"),
        group="sequence",
        scaling="none",
    )
    windows = make_windows(generate(spec), spec)
    starts = windows.starts["train"]
    columns = {column.name: column for column in window_labels(windows, starts)}
    assert list(columns) == ["symbol", "position in the window", "order"]
    x = windows.inputs(starts)
    assert (columns["symbol"].codes == np.where(x.any(2), x.argmax(2), -1)).all()
    assert columns["symbol"].names == windows.feature_names
    assert (columns["order"].codes[:, -1] == windows.targets(starts)).all()


def test_numbers_are_told_by_quarters_and_the_models_error_too():
    windows = wave()
    starts = windows.starts["train"]
    model = build_model(ModelSpec(hidden_size=3), windows.input_size, windows.output_size)
    columns = {column.name: column for column in window_labels(windows, starts, model)}
    assert list(columns) == ["a", "position in the window", "y", "error at the window's end"]
    for column in columns.values():
        assert column.codes.shape == (len(starts), 6) and column.codes.max() == 3
    assert (columns["error at the window's end"].codes == columns["error at the window's end"].codes[:, :1]).all()
    classes = labelled()
    (found,) = (one for one in window_labels(classes, classes.starts["train"]) if one.name == "y")
    assert found.names == classes.classes


def test_the_windows_searched_share_no_row_and_begin_with_the_chosen_one():
    windows = wave(rows=400)
    start = int(windows.starts["train"][57])
    starts = searched_starts(windows, start, 20)
    assert starts[0] == start and len(starts) == 20 == len(set(starts))
    assert np.diff(np.sort(starts)).min() >= windows.spec.seq_len
    everywhere = searched_starts(windows, start, 1000)
    assert len(everywhere) >= (400 - 57 % 6) // 6 - 1
    for split in ("train", "valid", "test"):
        assert set(everywhere) & set(windows.starts[split].tolist())
    assert searched_starts(windows, start, 1).tolist() == [start]
