"""load_table gives the table that a DataSpec names, whatever its source."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lstm_core.data.generators.series import sine
from lstm_core.data.load import load_table
from lstm_core.data.samples import load_sample
from lstm_core.data.table import ColumnRoles, Table
from lstm_core.experiment import DataSpec, PlaygroundError

UPLOAD = Table.from_columns("mine.csv", {"a": np.arange(9.0), "y": np.arange(9.0)}, ColumnRoles())
CSV = DataSpec(source="csv", name="mine.csv", features=("a", "y"), targets=("y",))


def test_a_sample_is_loaded_by_its_name():
    assert load_table(DataSpec(source="sample", name="nile")) is load_sample("nile")


def test_a_generator_takes_size_noise_and_seed_from_the_spec():
    table = load_table(DataSpec(source="generator", name="sine", length=50, seq_len=7, noise=0.2, seed=3))
    np.testing.assert_array_equal(table.numbers, sine(50, 7, 4, 0.2, 3).numbers)


def test_a_csv_is_the_upload_itself():
    assert load_table(CSV, UPLOAD) is UPLOAD


def test_an_upload_is_used_for_the_source_csv_only():
    assert load_table(DataSpec(source="sample", name="nile"), UPLOAD) is load_sample("nile")


@pytest.mark.parametrize("upload", [None, UPLOAD])
@pytest.mark.parametrize("role", ["features", "targets"])
def test_an_absent_or_different_upload_is_refused(upload, role):
    spec = CSV if upload is None else dataclasses.replace(CSV, **{role: ("other",)})
    with pytest.raises(PlaygroundError, match="trained on the file 'mine.csv': put that file, or one with the same"):
        load_table(spec, upload)


@pytest.mark.parametrize("source", ["sample", "generator"])
def test_an_unknown_name_is_refused(source):
    with pytest.raises(PlaygroundError, match=f"no {source} 'cosine'"):
        load_table(DataSpec(source=source, name="cosine"))
