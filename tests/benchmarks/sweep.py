"""Sweeps: what outlives kills, and whether 24 trials find a setting as good as a lesson's.

    python -m tests.benchmarks.sweep [kills | adding] [--trials 24] [--kills 20] [--seed 0] [--json]

kills: a study is swept twice, once unbroken, once while workers, the dispatcher and a server are killed at random
moments. No trial may be lost, stuck or counted twice, and all of both must be the same. adding: the adding problem of
the lesson with T = 50 and 4,000 sequences, half of its own; six settings are searched, and the winner stands beside the
lesson's own setting on the same data, both the median of three seeds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from lstm_core.data.load import load_table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import Experiment
from lstm_core.lessons import get_lesson
from lstm_core.lessons.lesson import generated_splits
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import run_ids, run_path
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.progress import params_text
from lstm_core.training.trainer import Trainer
from tests.benchmarks.kills import workers

PATIENCE = 900.0  # seconds without a new word: whatever takes longer is stuck
WATCHER = "from lstm_core.runs import launcher; launcher.watch_over().join()"  # as a server does
KINDS = ("workers", "dispatcher", "server")
SMALL = {
    "experiment": {
        "format": 2,
        "data": {"name": "sunspots"},
        "model": {"dropout": 0.2},
        "train": {"epochs": 15, "patience": 4, "device": "cpu"},
    },
    "search": {
        "train.lr": {"low": 0.0003, "high": 0.1, "log": True},
        "train.batch_size": [32, 64],
        "model.hidden_size": {"low": 4, "high": 24, "step": 4},
        "model.num_layers": [1, 2],
        "model.proj_size": [0, 4],  # with hidden_size 4 it is refused
    },
    "warmup_epochs": 2,
}
LENGTH = 50
SIX = {
    "train.lr": {"low": 0.0003, "high": 0.1, "log": True},
    "train.batch_size": [16, 32, 64],
    "train.max_grad_norm": [0.1, 1, 10],
    "train.optimizer": ["Adam", "RMSprop"],
    "model.hidden_size": {"low": 4, "high": 32, "step": 4},
    "model.chrono_t_max": [None, 10, 50, 100],
}


class Home:
    """A home of its own for what is started here; its workers end with it."""

    def __enter__(self) -> Path:
        self._before, self._path = os.environ.get("LSTM_PLAYGROUND_HOME"), Path(tempfile.mkdtemp())
        os.environ["LSTM_PLAYGROUND_HOME"] = str(self._path)
        return self._path

    def __exit__(self, *_: object) -> None:
        psutil.wait_procs([process for process in workers() if not process.kill()], timeout=10)
        shutil.rmtree(self._path)
        if self._before is None:
            del os.environ["LSTM_PLAYGROUND_HOME"]
        else:
            os.environ["LSTM_PLAYGROUND_HOME"] = self._before


def start(*arguments: str) -> subprocess.Popen:
    """A process of this home, without a word."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, *arguments], **streams)


def sweep(study: dict, home: Path, rng: random.Random | None = None, kills: int = 0) -> tuple[dict[str, Any], dict]:
    """A study from its beginning to its end: progress.json, how often each kind was killed, and what was wrong."""
    file, out = home / "study.json", home / "out"
    file.write_text(json.dumps(study))
    command = ("-m", "lstm_core", "sweep", str(file), "--out", str(out))
    processes = (
        {"dispatcher": start(*command), "server": start("-c", WATCHER)} if kills else {"dispatcher": start(*command)}
    )
    counts, began, give_up = dict.fromkeys(KINDS, 0), time.monotonic(), time.monotonic() + PATIENCE
    while processes["dispatcher"].poll() is None and time.monotonic() < give_up:
        if sum(counts.values()) >= kills:
            time.sleep(0.2)
            continue
        time.sleep(rng.uniform(0.2, 5.0))
        kind = rng.choices(KINDS, (0.45, 0.4, 0.15))[0]
        victims = [one for one in workers() if rng.random() < 0.8] if kind == "workers" else [processes[kind]]
        if not victims or processes["dispatcher"].poll() is not None:
            continue
        for process in victims:
            process.send_signal(signal.SIGKILL)
        if kind == "workers":
            psutil.wait_procs(victims, timeout=10)
        else:
            processes[kind].wait()
            processes[kind] = start(*(command if kind == "dispatcher" else ("-c", WATCHER)))
        counts[kind] += 1
    for process in processes.values():
        process.kill()
        process.wait()
    folder = SweepFolder(out)
    progress = folder.progress() if folder.exists else {}
    return progress, counts | {"seconds": time.monotonic() - began} | faults(folder, progress, study)


def faults(folder: SweepFolder, progress: dict[str, Any], study: dict) -> dict[str, int]:
    """How many trials were lost, are stuck, or have a run too many."""
    tried = progress.get("tried", [])
    ids = {one["run"] for one in tried} | {id for one in progress.get("finalists", ()) for id in one["runs"]}
    ids |= {progress["winner"]["run"]} if "winner" in progress else set()
    parents = {id: RunFolder(run_path(id), id).about().get("sweep") for id in run_ids()}
    return {
        "lost": study["trials"] - len({one["trial"] for one in tried}),
        "stuck": sum(one["state"] == "running" for one in tried) + (progress.get("status") != "finished"),
        "twice": len(tried) - len({one["run"] for one in tried}) + len(parents.keys() - ids),
    }


def facts(progress: dict[str, Any]) -> dict[str, Any]:
    """What must be the same of both."""
    return {
        "trials": [(one["params"], one["state"], one["loss"], one["epochs"]) for one in progress.get("tried", ())],
        "seeds": [(one["trial"], one["losses"]) for one in progress.get("finalists", ())],
        "winner": progress.get("winner", {}).get("trial"),
        "test score": progress.get("winner", {}).get("score"),
        "importance": progress.get("importance"),
    }


def measure_kills(trials: int, kills: int, seed: int) -> dict[str, Any]:
    study = SMALL | {"trials": trials, "seed": seed}
    results = {}
    for name, count in (("unbroken", 0), ("killed", kills)):
        with Home() as home:
            progress, counts = sweep(study, home, random.Random(seed), count)
        states = [one["state"] for one in progress.get("tried", ())]
        results[name] = {
            **counts,
            **{state: states.count(state) for state in ("complete", "pruned", "failed")},
            "winner": progress.get("winner", {}).get("trial"),
            "facts": facts(progress),
        }
    one, other = (results[name].pop("facts") for name in ("unbroken", "killed"))
    return results | {"different": [name for name in one if json.dumps(one[name]) != json.dumps(other[name])]}


def measure_adding(trials: int, seed: int) -> dict[str, Any]:
    lesson = get_lesson("adding_problem").experiments["lstm"]
    data = dataclasses.replace(generated_splits("adding_problem", LENGTH, 4000, 500, 2000), targets=("sum",))
    table = load_table(data)
    roles = {"targets": table.roles.targets, "features": table.roles.features, "group": table.roles.group}
    experiment = Experiment(dataclasses.replace(data, **roles), lesson.model, lesson.train)
    windows = make_windows(table, experiment.data)
    losses, began = [], time.monotonic()
    for index in range(3):
        model, train = (dataclasses.replace(part, seed=part.seed + index) for part in (lesson.model, lesson.train))
        trainer = Trainer(windows, dataclasses.replace(experiment, model=model, train=train))
        losses.append([record for record in trainer if "epoch_loss" in record][-1]["valid_loss"])
    own = time.monotonic() - began
    study = {"experiment": json.loads(experiment.to_json()), "search": SIX, "trials": trials, "seed": seed}
    with Home() as home:
        progress, counts = sweep(study, home)
    winner = progress["winner"]["trial"]
    best = next(one for one in progress["finalists"] if one["trial"] == winner)
    states = [one["state"] for one in progress["tried"]]
    return {
        "lesson": {"median": statistics.median(losses), "losses": losses, "seconds": own},
        "sweep": {"median": best["median"], "losses": best["losses"], "seconds": counts["seconds"]},
        "settings": best["params"],
        "states": {state: states.count(state) for state in ("complete", "pruned", "failed")},
        "importance": progress["importance"],
        "test": progress["winner"]["score"].get("test"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=("kills", "adding"))
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    results = {}
    if chosen.part in (None, "kills"):
        results["kills"] = measure_kills(chosen.trials, chosen.kills, chosen.seed)
    if chosen.part in (None, "adding"):
        results["adding"] = measure_adding(chosen.trials, chosen.seed)
    if chosen.json:
        print(json.dumps(results))
        return
    if "kills" in results:
        _print_kills(results["kills"])
    if "adding" in results:
        _print_adding(results["adding"])


def _print_kills(result: dict[str, Any]) -> None:
    columns = (*KINDS, "complete", "pruned", "failed", "lost", "stuck", "twice", "winner", "seconds")
    print("study".ljust(10), *(name.rjust(10) for name in columns))
    for name in ("unbroken", "killed"):
        print(name.ljust(10), *(f"{result[name][column] or 0:.0f}".rjust(10) for column in columns))
    print(f"Different between the two: {', '.join(result['different']) or 'nothing'}")


def _print_adding(result: dict[str, Any]) -> None:
    print(f"The adding problem, T = {LENGTH}: validation loss from three seeds")
    for name in ("lesson", "sweep"):
        losses = ", ".join(f"{loss:.6f}" for loss in result[name]["losses"])
        print(f"{name:10} median {result[name]['median']:.6f} ({losses}), {result[name]['seconds']:.0f} s")
    print(f"winner: {params_text(result['settings'])}")
    print(f"trials: {result['states']}; importance: { ({k: round(v, 2) for k, v in result['importance'].items()}) }")
    print(f"test, once: {result['test']}")


if __name__ == "__main__":
    main()
