"""A trace's files, read back by the tools that they are for."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from lstm_core.data.spreadsheet import spreadsheet_text, unique_texts
from lstm_core.experiment import GATES, STATES
from lstm_core.trace.files import trace_arrays, trace_csv, trace_npz
from tests.factories import trace_of

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

SHAPES = [{}, {"num_layers": 2, "bidirectional": True}, {"proj_size": 2, "bidirectional": True}]


@pytest.mark.parametrize("fields", SHAPES)
def test_npz_holds_every_number_of_the_trace(fields):
    trace = trace_of(**fields)
    with np.load(io.BytesIO(trace_npz(trace)), allow_pickle=False) as result:
        assert set(result) == {*GATES, *STATES, "output", "h_n", "c_n"}
        for name in result:
            np.testing.assert_array_equal(result[name], getattr(trace, name).numpy())
            assert result[name].dtype == np.float32


@pytest.mark.parametrize("fields", SHAPES)
def test_csv_has_one_row_a_unit_and_step_and_loses_no_bit(fields):
    trace = trace_of(seq_len=4, **fields)
    table = pd.read_csv(io.BytesIO(trace_csv(trace)))
    assert list(table) == ["layer", "direction", "sequence", "step", "unit", *GATES, *STATES]
    shape = trace.i.shape
    assert len(table) == np.prod(shape)
    table["step"] -= 1  # from 1, as on screen
    index = tuple(table[name].to_numpy() for name in ["layer", "direction", "sequence", "step", "unit"])
    for name in (*GATES, "c"):
        np.testing.assert_array_equal(table[name].astype(np.float32), getattr(trace, name).numpy()[index])
    wide = index[-1] < trace.h.shape[-1]
    kept = tuple(split[wide] for split in index)
    np.testing.assert_array_equal(table["h"][wide].astype(np.float32), trace.h.numpy()[kept])
    assert table["h"][~wide].isna().all()


def test_exporting_changes_nothing_of_the_trace():
    trace = trace_of(proj_size=2)
    before = {name: array.copy() for name, array in trace_arrays(trace).items()}
    trace_csv(trace), trace_npz(trace)
    for name, array in trace_arrays(trace).items():
        np.testing.assert_array_equal(array, before[name])


def test_csv_has_further_columns_beside_every_gate_and_never_a_formula():
    trace = trace_of(seq_len=3, num_layers=2)
    steps = {
        "row": np.array([7, 8, 9]),
        "=cmd|x": np.array([[0.5, -1.0, np.nan], [1.5, 2.0, 3.0]]),
        "prediction": np.array(["", "=1+1", "-up"], object),
        "i": np.arange(3.0),
    }
    table = pd.read_csv(io.BytesIO(trace_csv(trace, steps)), keep_default_na=False)
    assert list(table)[-4:] == ["row", "'=cmd|x", "prediction", "i_2"]
    for (sequence, step), rows in table.groupby(["sequence", "step"]):
        assert len(rows) == 2 * 5  # layers, units
        k = step - 1
        assert set(rows["row"]) == {7 + k}
        value = steps["=cmd|x"][sequence, k]
        assert set(rows["'=cmd|x"]) == {"" if np.isnan(value) else f"{value:g}"}
        assert set(rows["prediction"]) == {["", "'=1+1", "'-up"][k]}
    np.testing.assert_array_equal(table["i"].to_numpy(np.float32), trace.i.numpy().ravel())


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_a_formula_is_escaped(text):
    assert spreadsheet_text(text) == f"'{text}"
    assert unique_texts([text, "b", "b", "", f"'{text}"]) == [f"'{text}", "b", "b_2", "_", f"'{text}_2"]
    assert spreadsheet_text("a=1") == "a=1"
