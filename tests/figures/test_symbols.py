"""One-hot inputs as symbols: which they are, by which sign, and the picture of one window of them."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.data.window_symbols import window_symbols
from lstm_core.data.windows import Windows, make_windows
from lstm_core.figures.symbols import symbol_sign, symbol_texts
from lstm_core.figures.windows import window_figure
from tests.factories import labelled, spec_of, table_of, wave


def one_hot(rows: int = 90, silent: int = 0, **fields) -> Windows:
    """x, space and "line end" in turn; the first `silent` rows of every ten have none."""
    at = np.arange(rows)
    says = at % 10 >= silent
    columns = {name: ((at % 3 == k) & says).astype(np.float32) for k, name in enumerate(("x", "space", "line end"))}
    target = np.where(at % 3 == 2, "x", "space")
    spec = spec_of(**{"features": tuple(columns), "horizon": 0, "seq_len": 10} | fields)
    return make_windows(table_of(**columns, y=target), spec)


def test_each_step_has_the_sign_of_what_it_reads():
    windows = one_hot()
    assert symbol_texts(windows, 3) == [*"x␣↵x␣↵x␣↵x"]
    assert window_symbols(windows, 4) == [1, 2, 0, 1, 2, 0, 1, 2, 0, 1]


def test_a_step_before_a_sequence_reads_nothing():
    assert symbol_texts(one_hot(silent=3), 10)[:4] == ["", "", "", "␣"]


def test_numbers_are_no_symbols():
    for windows in (wave(), labelled()):
        assert symbol_texts(windows, int(windows.starts["train"][0])) is None


@pytest.mark.parametrize(("name", "sign"), [("T", "T"), ("opening quote", "“"), ("s10", "s10"), ("monday", "mo…")])
def test_a_long_name_is_shortened(name, sign):
    assert symbol_sign(name) == sign


def test_a_window_of_symbols_has_a_line_for_each_that_occurs_and_its_target():
    figure = window_figure(one_hot(), 3)
    marks, target = figure.data
    assert marks.mode == "markers" and len(marks.x) == 10
    named = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    assert [named[y] for y in marks.y][:3] == ["x", "space", "line end"] == list(marks.customdata[:3])
    assert target.name == "target: <b>space</b>"
