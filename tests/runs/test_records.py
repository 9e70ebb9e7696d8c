"""records.bin: record k at a fixed place, torn tails, and going on after a checkpoint."""

import math

import numpy as np
import pytest

from lstm_core.runs.records import HEADER, RECORD, RecordWriter, first_step, offset_of, read_records


def record(step: int, valid_loss: float | None = None) -> dict:
    return {
        "step": step,
        "train_loss": float(np.float32(1 / step)),
        "grad_norm": float(np.float32(0.1 * step)),
        "lr": 0.001,
        "valid_loss": valid_loss,
    }


@pytest.fixture
def path(tmp_path):
    writer = RecordWriter(tmp_path / "records.bin", 0)
    for step in range(1, 11):
        writer.append(record(step, 0.5 if step % 5 == 0 else None))
    writer.flush()
    writer.close()
    return tmp_path / "records.bin"


def test_what_is_read_is_what_was_measured(path):
    records = read_records(path)
    assert records["step"].tolist() == list(range(1, 11)) and path.stat().st_size == offset_of(10)
    for step, read in enumerate(records, 1):
        measured = record(step)
        assert (read["train_loss"], read["grad_norm"], read["lr"]) == tuple(
            measured[name] for name in ("train_loss", "grad_norm", "lr")
        )
    assert np.isnan(records["valid_loss"]).tolist() == [step % 5 != 0 for step in range(1, 11)]
    assert (np.diff(records["time"]) >= 0).all()


def test_a_reader_takes_the_range_it_lacks(path):
    assert read_records(path, 3, 6)["step"].tolist() == [4, 5, 6]
    assert read_records(path, 8)["step"].tolist() == [9, 10]
    assert len(read_records(path, 10)) == len(read_records(path.with_name("absent"))) == 0


@pytest.mark.parametrize("cut", [1, 17, RECORD.itemsize - 1])
def test_a_torn_tail_is_left_out(path, cut):
    path.write_bytes(path.read_bytes()[:-cut])
    assert len(read_records(path)) == 9


def test_a_tail_of_the_right_length_and_wrong_bytes_is_left_out(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert len(read_records(path)) == 9
    path.write_bytes(path.read_bytes()[: offset_of(7)] + bytes(3 * RECORD.itemsize))  # space given, nothing written
    assert len(read_records(path)) == 7


def test_a_foreign_file_has_no_records(tmp_path):
    (tmp_path / "other").write_bytes(b"x" * 1000)
    assert len(read_records(tmp_path / "other")) == 0
    assert HEADER.size == 16 and RECORD.itemsize == 40


def test_going_on_cuts_off_what_is_later(path):
    writer = RecordWriter(path, 6)
    assert len(read_records(path)) == 6
    writer.append(record(7, math.pi))
    writer.flush()
    assert read_records(path)["valid_loss"][-1] == math.pi and len(read_records(path)) == 7


def test_a_run_that_began_from_a_saved_model_has_the_records_since(tmp_path):
    writer = RecordWriter(tmp_path / "records.bin", 100)
    for step in range(101, 104):
        writer.append(record(step))
    writer.flush()
    assert first_step(tmp_path / "records.bin") == 100
    assert read_records(tmp_path / "records.bin")["step"].tolist() == [101, 102, 103]
    assert read_records(tmp_path / "records.bin", 102)["step"].tolist() == [103]
    RecordWriter(tmp_path / "records.bin", 101)
    assert read_records(tmp_path / "records.bin")["step"].tolist() == [101]


def test_going_on_beyond_the_end_is_refused(path):
    with pytest.raises(ValueError, match="ends at step 10, before 11"):
        RecordWriter(path, 11)
