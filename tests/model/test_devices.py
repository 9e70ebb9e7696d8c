"""The cores, memory and devices of this machine, and the threads that pages leave to training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lstm_core.experiment import PlaygroundError
from lstm_core.model import devices
from lstm_core.model.devices import available_devices, resolve_device


def test_free_memory_is_a_plausible_number_of_bytes():
    assert 1_000_000 < devices.free_memory() < 1e15


def test_only_the_cores_that_this_process_may_use_are_counted(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 6}, raising=False)
    assert devices.cpu_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert devices.cpu_cores() == os.cpu_count()


@pytest.mark.slow
def test_a_page_works_in_one_thread_and_a_training_says_its_own():
    """In a process of its own, before PyTorch has loaded, when it takes the environment's word, and after."""
    code = """
import sys, threading
from lstm_core.model.devices import limit_to_one_thread
def training():
    torch.get_num_threads(); torch.set_num_threads(2); ready.set(); done.wait()
    counts.append(torch.get_num_threads())
def page(): limit_to_one_thread(); counts.append(torch.get_num_threads())
for loaded in (False, True):
    assert ("torch" in sys.modules) == loaded
    limit_to_one_thread()
    import torch
    counts, ready, done = [torch.get_num_threads()], threading.Event(), threading.Event()
    one = threading.Thread(target=training); one.start(); ready.wait()
    other = threading.Thread(target=page); other.start(); other.join()
    done.set(); one.join()
    print(*counts)
    torch.set_num_threads(2)
"""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.splitlines() == ["1 1 2"] * 2


def test_devices_start_with_auto_and_know_the_cpu(monkeypatch):
    assert next(iter(available_devices())) == "auto"
    assert resolve_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"Card {index}")
    assert available_devices()["auto"] == "auto (GPU 0: Card 0)"
    assert available_devices()["cuda:1"] == "GPU 1: Card 1"
    assert [resolve_device(name) for name in ("auto", "cuda", "cuda:1")] == [
        torch.device("cuda", index) for index in (0, 0, 1)
    ]


@pytest.mark.parametrize("name", ["cuda:7", "cuda:", "cpu:0", "mps:3", "auto:1"])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(name, monkeypatch):
    monkeypatch.setattr(devices, "available_devices", lambda: {"auto": "auto (CPU)", "cpu": "CPU"})
    with pytest.raises(PlaygroundError, match=f"no device {name}: choose one of auto, cpu"):
        resolve_device(name)
