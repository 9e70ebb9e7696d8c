"""A training that several processes share, each started by `train_together`, and the same in one process.

In float64 the two show that they compute the same, in float32 how far rounding takes them apart.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lstm_core.data.load import load_table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import Experiment
from lstm_core.training.processes import Processes
from lstm_core.training.shared_trainer import SharedTrainer
from lstm_core.training.trainer import Trainer

ROOT = Path(__file__).parents[2]
PARTS = {
    "data": {"source": "generator", "name": "sine", "length": 140, "seq_len": 6, "targets": ["y"], "features": ["y"]},
    "model": {"hidden_size": 6, "seed": 1},
    "train": {"batch_size": 16, "epochs": 3, "lr": 0.01, "device": "cpu", "patience": 0},
}


def parts(data: dict | None = None, model: dict | None = None, **train: Any) -> dict[str, dict]:
    """An experiment as JSON: PARTS with other fields."""
    changed = {"data": data or {}, "model": model or {}, "train": train}
    return {name: fields | changed[name] for name, fields in PARTS.items()}


def trainer_for(described: dict, double: bool, make: Callable[[Windows, Experiment], Trainer] = Trainer) -> Trainer:
    """A trainer of this experiment; double: it computes in float64, if that is PyTorch's default now."""
    experiment = Experiment.from_json(json.dumps(described))
    windows = make_windows(load_table(experiment.data), experiment.data)
    if double:
        for name in ("scaled_x", "scaled_y"):
            windows.__dict__[name] = getattr(windows, name).astype(np.float64)
    return make(windows, experiment)


@contextmanager
def precision(double: bool) -> Iterator[None]:
    """New tensors are float64, or float32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64 if double else torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def results(trainer: Trainer) -> dict[str, np.ndarray]:
    """Train to the end: the weights by name, and what each step recorded."""
    records = list(trainer)
    measured = {
        f"records/{name}": np.array([record.get(name) or 0.0 for record in records])
        for name in ("train_loss", "grad_norm", "valid_loss")
    }
    return {name: p.detach().cpu().numpy() for name, p in trainer.model.named_parameters()} | measured


def train_alone(described: dict, double: bool = True) -> dict[str, np.ndarray]:
    with precision(double):
        return results(trainer_for(described, double))


def free_port() -> int:
    """One that no connection is given meanwhile: systems take those above 32768."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def train_together(described: dict, world: int, folder: Path, double: bool = True) -> list[dict[str, np.ndarray]]:
    """The results of all processes, in the order of their ranks."""
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(world)}
    shared |= {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.training.shared", json.dumps(described), str(folder), str(int(double))]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(world)
    ]
    try:
        assert [one.wait(120) for one in started] == [0] * world
    finally:
        for one in started:
            one.kill()
    return [dict(np.load(folder / f"{rank}.npz")) for rank in range(world)]


def main() -> None:
    described, folder, double = json.loads(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "1"
    processes = Processes()
    with precision(double):
        trainer = trainer_for(described, double, partial(SharedTrainer, processes))
        np.savez(folder / f"{processes.rank}.npz", **results(trainer))
    processes.close()


if __name__ == "__main__":
    main()
    os._exit(0)  # as python -m lstm_core does: all is written
