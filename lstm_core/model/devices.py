"""Memory, CPU cores and devices of this machine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import psutil

from lstm_core.experiment import PlaygroundError

if TYPE_CHECKING:
    import torch


def free_memory() -> int:
    """Bytes of main memory that are currently available."""
    return psutil.virtual_memory().available


def cpu_cores() -> int:
    """The number of cores this process may use, in a container often fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not available on macOS and Windows
        return os.cpu_count() or 1


def limit_to_one_thread() -> None:
    """Limit PyTorch in the calling thread to one CPU thread, whether it is loaded already or not.

    For pages: they evaluate small models, whose steps are two to ten times as fast in one thread, and leave the other
    cores to training runs, each of which sets its own number in its own thread (choose_thread_count).
    """
    torch = sys.modules.get("torch")
    if torch is not None:
        if torch.get_num_threads() != 1:  # without this read, the thread would take the number another set last
            torch.set_num_threads(1)
    else:
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def available_devices() -> dict[str, str]:
    """The devices of this machine: name → description, "auto" first."""
    import torch

    names = {"cpu": "CPU"}
    for index in range(torch.cuda.device_count()):
        names[f"cuda:{index}"] = f"GPU {index}: {torch.cuda.get_device_name(index)}"
    if torch.backends.mps.is_available():
        names["mps"] = "Apple GPU"
    best = "cuda:0" if "cuda:0" in names else "mps" if "mps" in names else "cpu"
    return {"auto": f"auto ({names[best]})", **names}


def resolve_device(name: str) -> torch.device:
    """The torch.device of TrainSpec.device.

    On a card LSTMs compute in full float32 from then on, as on the CPU. cuDNN's default, TF32, keeps 10 bits of each
    factor: c moves by up to 1e-4, and no LSTM of this size is faster for it (README.md has the figures).

    Raises:
        PlaygroundError: this machine has no such device.
    """
    import torch

    available = list(available_devices())
    if name == "auto":
        name = "cuda:0" if "cuda:0" in available else "mps" if "mps" in available else "cpu"
    name = "cuda:0" if name == "cuda" else name
    if name not in available:
        raise PlaygroundError(f"This machine has no device {name}: choose one of {', '.join(available)}.")
    if name.startswith("cuda"):
        torch.backends.cudnn.allow_tf32 = False  # the newer fp32_precision makes others' reads of this flag raise
    return torch.device(name)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether PyTorch or Python could not get memory; on the CPU PyTorch raises a plain RuntimeError."""
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    words = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)
