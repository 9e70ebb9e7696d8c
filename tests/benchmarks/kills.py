"""What outlives SIGKILL: runs whose workers, and the process that watches over them, are killed at random moments.

    python -m tests.benchmarks.kills [--kills 200] [--seed 0]

Five configurations train one after the other in real worker processes under a home of their own. Kills come at random
moments: in a cold start, during a save, between an event and the next state. When the last one is over the run is
brought to its end and compared, bit for bit, with a plain Trainer that makes the same live changes at the same steps.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from lstm_core.data.load import load_table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, new_id
from lstm_core.runs.records import read_records
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.training.trainer import Trainer

ENDLESS = 1_000_000  # epochs; a live change ends the run
PATIENCE = 120.0  # seconds for what takes a few: whatever takes longer is stuck
CONFIGURATIONS = {
    "Adam": (ModelSpec(hidden_size=16), TrainSpec(epochs=ENDLESS, patience=0)),
    "dropout, two layers": (
        ModelSpec(hidden_size=16, num_layers=2, dropout=0.3),
        TrainSpec(epochs=ENDLESS, patience=0, optimizer="AdamW", weight_decay=0.01),
    ),
    "stateful": (
        ModelSpec(hidden_size=16),
        TrainSpec(epochs=ENDLESS, patience=0, initial_state="stateful", batch_size=2),
    ),
    "GRU, SGD": (
        ModelSpec(hidden_size=16, cell="gru"),
        TrainSpec(epochs=ENDLESS, patience=0, optimizer="SGD", lr=0.05),
    ),
    "live changes": (ModelSpec(hidden_size=16, bidirectional=True), TrainSpec(epochs=ENDLESS, patience=0)),
}
WATCHER = "from lstm_core.runs import launcher; launcher.watch_over().join()"  # as a server does


@dataclass
class Result:
    """What became of one run."""

    name: str
    kills: int = 0
    steps: int = 0
    exact: bool = False
    stuck: bool = False
    lost: list[float] = field(default_factory=list)  # seconds of training, a kill


def measure(kills: int, seed: int) -> tuple[list[Result], int]:
    """A result for each configuration, and how many tracebacks the log of the runs holds."""
    before, folder = os.environ.get("LSTM_PLAYGROUND_HOME"), Path(tempfile.mkdtemp())
    os.environ["LSTM_PLAYGROUND_HOME"] = str(folder)
    watcher = _Watcher()
    try:
        share = [kills // 5 + (k < kills % 5) for k in range(5)]
        randoms = [random.Random(1000 * seed + k) for k in range(5)]
        results = [_torment(name, *each, watcher) for name, *each in zip(CONFIGURATIONS, share, randoms, strict=True)]
        return results, (folder / "log.txt").read_text().count("Traceback")
    finally:
        watcher.end()
        shutil.rmtree(folder)  # its workers end
        if before is None:
            del os.environ["LSTM_PLAYGROUND_HOME"]
        else:
            os.environ["LSTM_PLAYGROUND_HOME"] = before


class _Watcher:
    """The process that watches over the workers; killed and started again as a server may be."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([sys.executable, "-c", WATCHER], **streams)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def _torment(name: str, kills: int, rng: random.Random, watcher: _Watcher) -> Result:
    """Train one configuration, kill what trains it so many times, and bring it to its end."""
    result, (table, windows, experiment) = Result(name), _experiment(name)
    run = RunFolder(home() / "runs" / new_id())
    run.create(experiment, table, {})
    run.ask("train", steps=None)
    pool.want(run)
    while result.kills < kills:
        time.sleep(rng.uniform(0.0, 2.5))
        if name == "live changes" and rng.random() < 0.7:
            run.ask("change", fields={"lr": round(rng.uniform(0.0005, 0.02), 5)})
            time.sleep(rng.choice([0.0, 0.01, 0.05]))
        if rng.random() < 0.2:  # the server too
            watcher.end()
            watcher.start()
        victims = [process for process in workers() if rng.random() < 0.8]
        if not victims:
            continue
        for process in victims:
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(victims, timeout=10)
        result.kills += 1
        result.lost.append(_lost(run))
    _wait(lambda: run.is_locked and run.status().get("status") == "running", result)
    run.ask("change", fields={"epochs": run.status().get("step", 0) // run.status().get("steps_per_epoch", 1) + 200})
    _wait(lambda: run.status().get("status") == "finished" and not run.is_locked, result)
    result.steps = run.status().get("step", 0)
    result.exact = not result.stuck and _is_exact(run, windows)
    if result.stuck:
        run.ask("stop")
    return result


def _experiment(name: str):
    table = load_table(DataSpec(source="sample", name="sunspots"))
    roles = table.roles
    data = DataSpec("sample", "sunspots", targets=roles.targets, features=roles.features, time=roles.time)
    windows = make_windows(table, data)
    return table, windows, Experiment(windows.spec, *CONFIGURATIONS[name])


def workers() -> list[psutil.Process]:
    """The worker processes of this home."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            mine = "lstm_core.runs.worker" in (process.info["cmdline"] or ())
            if mine and process.environ().get("LSTM_PLAYGROUND_HOME") == os.environ["LSTM_PLAYGROUND_HOME"]:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _lost(run: RunFolder) -> float:
    """Seconds between the last state and the last record."""
    records = read_records(run.file("records.bin"))
    if not len(records):
        return 0.0
    state = run.file("state.safetensors")
    step = load_checkpoint(state.read_bytes()).progress["step"] if state.exists() else 0
    saved = records["time"][min(step, len(records) - 1)]
    return max(0.0, float(records["time"][-1] - saved))


def _wait(condition, result: Result) -> None:
    give_up = time.monotonic() + PATIENCE
    while not result.stuck and not condition():
        result.stuck = time.monotonic() > give_up
        time.sleep(0.02)


def _is_exact(run: RunFolder, windows) -> bool:
    """Whether the run has the weights and the records of a plain Trainer with the same changes at the same steps."""
    plain = Trainer(windows, run.experiment())
    plain.schedule(run.changes())
    losses = np.array([record["train_loss"] for record in plain], np.float32)
    records = read_records(run.file("records.bin"))
    model = load_checkpoint(run.file("model.safetensors").read_bytes()).model()
    pairs = zip(model.parameters(), plain.model.parameters(), strict=True)
    same = all(np.array_equal(mine.detach().numpy(), its.detach().numpy()) for mine, its in pairs)
    return same and len(records) == len(losses) and records["train_loss"].tobytes() == losses.tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    results, tracebacks = measure(chosen.kills, chosen.seed)
    if chosen.json:
        print(json.dumps({"runs": [vars(result) for result in results], "tracebacks": tracebacks}))
        return
    for one in results:
        lost = f"lost at most {max(one.lost, default=0):.2f} s" if one.lost else ""
        state = "STUCK" if one.stuck else "bit-exact" if one.exact else "NOT EXACT"
        print(f"{one.name:22} {one.kills:4} kills, {one.steps:6} steps, {state}, {lost}")
    wrong = sum(not one.exact for one in results)
    print(f"{sum(one.kills for one in results)} kills: {wrong} not bit-exact, {tracebacks} tracebacks")


if __name__ == "__main__":
    main()
