"""TensorBoard event files: every byte read back by a reader of its own, and by TensorBoard where it is installed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import lessons
from lstm_core.lessons.catalog.tutorials.by_hand.scalar_lstm import outputs_by_step
from lstm_core.lessons.runs import new_runs
from lstm_core.runs.tensorboard import event_file, masked_crc, write_event_file
from tests.conftest import examples
from tests.factories import until
from tests.runs.shelves import shelve


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))


def fields(data: bytes) -> dict[int, list]:
    """field number → values of a protocol buffer."""
    found, at = {}, 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def read_back(data: bytes) -> list[tuple[float, int, str, float]]:
    """(time, step, tag, value) of an event file, whose every checksum is right."""
    points, at, first = [], 0, True
    while at < len(data):
        (size,), (crc,) = struct.unpack_from("<Q", data, at), struct.unpack_from("<I", data, at + 8)
        assert crc == masked_crc(data[at : at + 8])
        event = data[at + 12 : at + 12 + size]
        (crc,) = struct.unpack_from("<I", data, at + 12 + size)
        assert crc == masked_crc(event)
        at += 16 + size
        known = fields(event)
        (wall,) = struct.unpack("<d", known[1][0])
        if first:
            assert known[3] == [b"brain.Event:2"]
            first = False
            continue
        value = fields(fields(known[5][0])[1][0])
        points.append((wall, known[2][0], value[1][0].decode(), struct.unpack("<f", value[2][0])[0]))
    assert at == len(data)
    return points


def test_the_checksum_is_castagnolis():
    assert masked_crc(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked_crc(b"\0" * 32) == ((0x8A9136AA >> 15 | 0x8A9136AA << 17) + 0xA282EAD8) & 0xFFFFFFFF


@examples(40)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 4e9), st.integers(0, 2**40), st.text(max_size=200), st.floats(width=32, allow_nan=False)
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_back(points):
    assert read_back(event_file(points, 1.0)) == points


def test_a_runs_records_at_most_ten_a_second_and_its_last_values():
    steps = 400
    folder = shelve(steps=steps, times=list(1e9 + np.arange(steps) / 100), created=3.0)
    path = write_event_file(folder)
    assert path.parent == folder.path and path.name == "events.out.tfevents.3.lstm-playground"
    points = read_back(path.read_bytes())
    by_tag = {tag: [one for one in points if one[2] == tag] for tag in ("train_loss", "valid_loss", "grad_norm")}
    assert sum(map(len, by_tag.values())) == len(points)
    for tag, found in by_tag.items():
        assert found[-1][1] == steps and 30 <= len(found) <= 40, tag
        assert (np.diff([time for time, *_ in found]) > 0.0999).all()
    assert by_tag["train_loss"][0][1:] == (1, "train_loss", 1.0)
    assert by_tag["valid_loss"][0][1:] == (4, "valid_loss", 0.5)
    assert write_event_file(folder) == path
    assert len(list(folder.path.glob("events*"))) == 1


def test_a_slow_runs_records_are_all_there():
    folder = shelve(steps=12, times=list(1e9 + np.arange(12)))
    points = read_back(write_event_file(folder, {"out_0": [(0, 0.5), (6, 0.25), (12, 0.125)]}).read_bytes())
    assert [one[1] for one in points if one[2] == "train_loss"] == list(range(1, 13))
    assert [one[1:] for one in points if one[2] == "out_0"] == [
        (0, "out_0", 0.5),
        (6, "out_0", 0.25),
        (12, "out_0", 0.125),
    ]
    assert [one[0] for one in points if one[2] == "out_0"] == [1e9, 1e9 + 5, 1e9 + 11]


def test_a_run_without_records_is_refused():
    with pytest.raises(PlaygroundError, match="no record yet"):
        write_event_file(shelve("paused", steps=0))


def test_tensorboard_itself_reads_it():
    module = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="TensorBoard is not installed"
    )
    folder = shelve(steps=12, times=list(1e9 + np.arange(12)))
    write_event_file(folder, {"out_0": [(0, 0.5)], "out_1": [(0, 0.5)]})
    events = module.EventAccumulator(str(folder.path)).Reload()
    assert sorted(events.Tags()["scalars"]) == ["grad_norm", "out_0", "out_1", "train_loss", "valid_loss"]
    assert [(one.step, one.value) for one in events.Scalars("valid_loss")] == pytest.approx(
        [(4, 0.5), (8, 0.25), (12, 1 / 6)]
    )


def test_the_unit_by_hand_logs_what_the_tutorial_logs(runs_home, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(runs_home))  # where its worker is
    (run,) = new_runs(lessons()["by_hand"], 0).values()
    run.start(20)
    until(lambda: not run.is_active)
    outputs = outputs_by_step(run)
    assert outputs.keys() == {"out_0", "out_1"} and outputs["out_0"][-1][0] == 20
    points = read_back(write_event_file(run.folder, outputs).read_bytes())
    assert {tag for _, _, tag, _ in points} >= {"train_loss", "out_0", "out_1"}
    assert [(step, value) for _, step, tag, value in points if tag == "out_1"][-1] == (
        20,
        pytest.approx(outputs["out_1"][-1][1]),
    )
