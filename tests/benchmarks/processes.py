"""Two processes against one: how far apart their weights are, and the steps a second.

    python -m tests.benchmarks.processes [--epochs 20]

Each job is trained by `python -m lstm_core train` under torchrun with one and with two processes on this machine, over
gloo, with records, snapshots and saves as ever; the second differences are of the same trainings in float64. Two
processes on two cores share what one has alone, and pay a message a step: no gain is expected here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from lstm_core.runs.records import read_records
from lstm_core.training.checkpoint import load_checkpoint
from tests.training.shared import free_port, parts, train_alone, train_together

ROOT = Path(__file__).parents[2]
DATA = {"name": "mackey_glass", "length": 1200, "seq_len": 24}
JOBS = {  # model, training
    "LSTM, hidden 16, batch 32": ({"hidden_size": 16}, {"batch_size": 32}),
    "LSTM, hidden 128, batch 64": ({"hidden_size": 128}, {"batch_size": 64}),
    "GRU, hidden 64, batch 32": ({"hidden_size": 64, "cell": "gru"}, {"batch_size": 32}),
    "bidirectional, hidden 32, batch 50": ({"hidden_size": 32, "bidirectional": True}, {"batch_size": 50}),
    "stateful, hidden 32, batch 4": ({"hidden_size": 32}, {"batch_size": 4, "initial_state": "stateful"}),
}
WARM_UP = 20  # steps that are not timed


def trained(described: dict, world: int, folder: Path) -> tuple[dict[str, np.ndarray], float]:
    """The weights of a run under torchrun, and its steps a second."""
    file = folder / "experiment.json"
    file.write_text(json.dumps(described))
    out = folder / f"run-{world}"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(world), "--master-port"]
    command += [str(free_port()), "-m", "lstm_core", "train", str(file), "--out", str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "LSTM_PLAYGROUND_HOME": str(folder / "home")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    times = read_records(out / "records.bin")["time"][WARM_UP:]
    rate = (len(times) - 1) / (times[-1] - times[0])
    return load_checkpoint((out / "model.safetensors").read_bytes()).weights, rate


def difference(weights: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> float:
    """The largest of any weight."""
    return max(float(np.abs(values - others[name]).max()) for name, values in weights.items())


def measure(name: str, epochs: int) -> tuple[int, float, float, float, float]:
    """Steps; differences in float32 and float64; steps a second of one process and of two."""
    model, train = JOBS[name]
    described = parts(DATA, model, epochs=epochs, lr=0.002, **train)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (one, alone), (two, together) = (trained(described, world, folder) for world in (1, 2))
        exact, exact_of_two = train_alone(described), train_together(described, 2, folder)[0]
    steps = len(exact["records/train_loss"])
    return steps, difference(one, two), difference(exact, exact_of_two), alone, together


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20)
    chosen = parser.parse_args()
    print(
        "| job | steps | float32 | float64 | steps/s: 1 process | 2 processes | ratio |\n|---|---|---|---|---|---|---|"
    )
    for name in JOBS:
        steps, single, double, alone, together = measure(name, chosen.epochs)
        rates = f"{alone:,.0f} | {together:,.0f} | {together / alone:.2f}"
        print(f"| {name} | {steps:,} | {single:.1g} | {double:.1g} | {rates} |", flush=True)


if __name__ == "__main__":
    main()
