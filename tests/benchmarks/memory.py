"""Peak training memory: what architecture.memory estimates beside what a process really takes.

    python -m tests.benchmarks.memory

Each configuration trains three steps (Adam, gradient clipping) in a process of its own; measured is the peak
resident memory above what that process held after training a tiny model of the same kind. Linux only.
"""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import torch

from lstm_core.architecture.memory import estimate_training_bytes
from lstm_core.experiment import ModelSpec
from lstm_core.model.recurrent import build_model

ROOT = Path(__file__).resolve().parents[2]

# (spec, input_size, output_size, batch_size, seq_len)
CONFIGURATIONS = [
    (ModelSpec(hidden_size=64), 8, 1, 256, 200),
    (ModelSpec(hidden_size=64), 512, 1, 128, 200),
    (ModelSpec(hidden_size=64, num_layers=4, dropout=0.3), 8, 1, 128, 200),
    (ModelSpec(hidden_size=64, num_layers=2, bidirectional=True), 8, 1, 128, 200),
    (ModelSpec(hidden_size=96, num_layers=3, bidirectional=True, head="per_step"), 40, 20, 64, 150),
    (ModelSpec(hidden_size=32, head="per_step"), 4, 500, 64, 200),
    (ModelSpec(hidden_size=512, num_layers=2), 8, 1, 64, 50),
    (ModelSpec(hidden_size=1500), 8, 1, 4, 4),
    (ModelSpec(hidden_size=1000, num_layers=2, bidirectional=True), 8, 1, 4, 4),
    (ModelSpec(hidden_size=128, proj_size=32, num_layers=2), 8, 1, 128, 100),
    (ModelSpec(hidden_size=64, proj_size=48, bidirectional=True, head="per_step"), 64, 5, 128, 100),
    (ModelSpec(hidden_size=4, proj_size=2), 2, 1, 1, 5000),
    (ModelSpec(hidden_size=256, batch_first=False), 3, 1, 2, 6000),
    (ModelSpec(cell="gru", hidden_size=64), 8, 1, 256, 200),
    (ModelSpec(cell="gru", hidden_size=64), 512, 1, 128, 200),
    (ModelSpec(cell="gru", hidden_size=64, num_layers=3, dropout=0.3, bidirectional=True), 8, 1, 128, 200),
    (ModelSpec(cell="gru", hidden_size=32, head="per_step"), 4, 500, 64, 200),
    (ModelSpec(cell="gru", hidden_size=1000, num_layers=2), 8, 1, 4, 4),
    (ModelSpec(cell="gru", hidden_size=4), 2, 1, 1, 5000),
    (ModelSpec(cell="rnn", hidden_size=64), 8, 1, 256, 200),
    (ModelSpec(cell="rnn", hidden_size=64), 512, 1, 128, 200),
    (ModelSpec(cell="rnn", hidden_size=128, num_layers=3, dropout=0.3, bidirectional=True), 8, 1, 128, 200),
    (ModelSpec(cell="rnn", hidden_size=1500, num_layers=2), 8, 1, 4, 4),
    (ModelSpec(cell="rnn", hidden_size=4), 2, 1, 1, 5000),
]


def train(spec: ModelSpec, input_size: int, output_size: int, batch_size: int, seq_len: int) -> None:
    model = build_model(spec, input_size, output_size)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    x = torch.randn(batch_size, seq_len, input_size)
    for _ in range(3):
        optimizer.zero_grad(set_to_none=True)
        model(x).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def measure(configuration: list) -> int:
    """Bytes that this process's peak rises by when it trains the configuration."""
    spec, *sizes = ModelSpec(**configuration[0]), *configuration[1:]
    small = dataclasses.replace(spec, hidden_size=3, proj_size=min(spec.proj_size, 2))
    train(small, 2, 1, 2, 3)
    before = _status("VmRSS")
    train(spec, *sizes)
    return max(0, _status("VmHWM") - before)


def _status(field: str) -> int:
    text = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", text)[1])


def main() -> None:
    print(f"{'estimate MB':>12} {'measured MB':>12} {'ratio':>6}   configuration")
    default = dataclasses.asdict(ModelSpec())
    for spec, *sizes in CONFIGURATIONS:
        values = dataclasses.asdict(spec)
        command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.memory", json.dumps([values, *sizes])]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        estimate, measured = estimate_training_bytes(spec, *sizes), int(done.stdout)
        changed = " ".join(f"{k}={v}" for k, v in values.items() if v != default[k])
        where = "input {} output {} batch {} seq_len {}".format(*sizes)
        ratio = estimate / measured
        print(f"{estimate / 1e6:12.0f} {measured / 1e6:12.0f} {ratio:6.2f}   {where} {changed}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(measure(json.loads(sys.argv[1])))
    else:
        main()
