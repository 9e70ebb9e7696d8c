"""What the stage is sent to go on with: the true rows after the window, which classes are inputs, or why it cannot."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstm_core.data.windows import make_windows
from lstm_core.experiment import ModelSpec
from lstm_core.figures import stage_future as futures
from lstm_core.figures.stage_future import stage_future
from tests.factories import labelled, series, spec_of, table_of


def letters(order: str, classes: str, **fields):
    """One-hot letters in this order over and over, and the class that belongs to each row."""
    rows = np.arange(200)
    read, names = np.array(list(order))[rows % len(order)], sorted(set(order))
    columns = {name: (read == name).astype(np.float32) for name in names}
    table = table_of(**columns, y=np.array(list(classes))[rows % len(classes)])
    return make_windows(table, spec_of(**{"features": tuple(names), "horizon": 0, "seq_len": 8} | fields))


REFUSED = {
    "both directions": (series(90), {}, {"bidirectional": True}, "bidirectional"),
    "its own row": (series(90), {"horizon": 0, "features": ("a", "b")}, {}, "horizon 0"),
    "a target that it does not read": (series(90), {}, {}, "does not read its own target, y"),
}


@pytest.mark.parametrize(("table", "data", "model", "part"), REFUSED.values(), ids=REFUSED)
def test_where_it_cannot_go_on_one_sentence_says_why(table, data, model, part):
    windows = make_windows(table, spec_of(**data))
    header, arrays = stage_future(windows, ModelSpec(**model), int(windows.starts["valid"][0]))
    assert part in header["why"] and header["why"].endswith(".")
    assert list(header) == ["why"] and arrays == []


def test_a_class_is_an_input_where_it_is_the_symbol_that_comes_next():
    windows = letters("abc", "bca")
    start = int(windows.starts["valid"][0])
    header, arrays = stage_future(windows, ModelSpec(head="per_step"), start)
    assert header["why"] == "" and header["carries"] and arrays == []
    assert header["map"] == [windows.input_names.index(name) for name in windows.classes]
    after = windows.x[start + 8 :].argmax(1).tolist()
    assert header["truth"][:-1] == after and header["truth"][-1] == (after[-1] + 1) % 3  # which no row reads any more
    one = (windows.x[start] - windows.x_center) / windows.x_scale
    symbol = int(windows.x[start].argmax())
    assert header["on"][symbol] == pytest.approx(one[symbol]) and header["off"][symbol] != header["on"][symbol]


def test_the_next_row_but_one_is_the_next_symbol_of_a_class_told_a_row_later():
    """Horizon 1: what is predicted after a row stands in the next one."""
    windows = letters("abc", "abc", horizon=1)
    header, _ = stage_future(windows, ModelSpec(), int(windows.starts["valid"][0]))
    assert header["why"] == "" and not header["carries"]


@pytest.mark.parametrize("windows", [labelled(), letters("abc", "abc"), letters("abc", "xyx")])
def test_a_class_that_is_no_next_symbol_is_no_input(windows):
    why = stage_future(windows, ModelSpec(), int(windows.starts["valid"][0]))[0]["why"]
    assert why in (futures.NO_INPUT, futures.OUT_OF_ORDER)


def test_true_rows_end_with_their_series_and_none_is_another_ones():
    rows = np.arange(160)
    table = table_of(y=rows.astype(float), id=np.array(["a", "b"])[rows // 80])
    windows = make_windows(table, spec_of(features=("y",), group="id", seq_len=6))
    last = [int(first) for first in windows.starts["train"] if first < 80][-1]
    header, (after, truth) = stage_future(windows, ModelSpec(), last)
    assert header["rows"] == len(after) == len(truth) == 80 - (last + 6)
    assert truth.tolist() == list(range(last + 6, 80))
    assert np.array_equal(after, windows.scaled_x[last + 6 : 80])


def test_no_more_rows_are_sent_than_the_stage_goes_on_for():
    windows = make_windows(series(900), spec_of(features=("y", "a")))
    header, (after, truth) = stage_future(windows, ModelSpec(), int(windows.starts["train"][0]))
    assert header["rows"] == len(after) == len(truth) == futures.MAX_ROWS
    assert json.loads(json.dumps(header, allow_nan=False)) == header


def test_of_a_wide_table_fewer_rows_are_sent():
    columns = {f"a{k}": np.arange(300.0) + k for k in range(200)}
    windows = make_windows(table_of(**columns), spec_of(features=tuple(columns), targets=("a0",)))
    header, _ = stage_future(windows, ModelSpec(), int(windows.starts["train"][0]))
    assert header["rows"] == 80
