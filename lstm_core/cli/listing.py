"""runs and export: what runs there are, and one of them as an experiment's file."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from lstm_core.cli.attach import ACTIVE
from lstm_core.cli.find import FORM, HELP, find_run
from lstm_core.cli.output import add_json, note, print_json, print_table
from lstm_core.cli.summary import best_baseline, main_score, score_of
from lstm_core.data.number_format import format_significant
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder, read_json
from lstm_core.runs.home import run_ids, run_path
from lstm_core.runs.records import read_records

UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (0, "s"))


def add_commands(commands: Any) -> None:
    runs = commands.add_parser(
        "runs",
        help="all runs of this machine",
        description="All runs of this machine, those that train first, then the newest: what they train on, how far "
        "they are, their last training loss, and their test score beside the best baseline's.",
    )
    add_json(runs)
    runs.set_defaults(run=_runs)
    export = commands.add_parser(
        "export",
        help="a run's experiment as JSON, for train",
        description="Print a run's experiment with the live changes made since it began and the SHA-256 of its data: "
        "training that gives the same weights.",
    )
    export.add_argument("run_name", metavar=FORM, help=HELP)
    export.add_argument("--json", action="store_true", help="on one line")
    export.set_defaults(run=_export)


def _runs(chosen: argparse.Namespace) -> None:
    described = list_runs()
    if chosen.json:
        print_json({"runs": described})
    elif not described:
        print("There are no runs yet: python -m lstm_core train EXPERIMENT.json makes one.")
    else:
        head = ("id", "run", "status", "epoch", "loss", "test score", "best baseline", "age")
        print_table(head, [_row(run) for run in described])


def list_runs() -> list[dict[str, Any]]:
    """What `runs --json` prints of each: the active ones first, then by age."""
    folders = [RunFolder(run_path(id), id) for id in run_ids()]
    described = [_describe(folder) for folder in folders if folder.exists]
    return sorted(described, key=lambda run: (run["status"] not in ACTIVE, -run["created"]))


def _describe(folder: RunFolder) -> dict[str, Any]:
    said, about = folder.status(), folder.about()
    data = read_json(folder.file("experiment.json")).get("data")
    data = data if isinstance(data, dict) else {}
    step = said.get("step", 0)
    last = read_records(folder.file("records.bin"), max(0, step - 1))
    step = max(step, int(last["step"][-1]) if len(last) else 0)
    score = score_of(folder, step)
    created = about.get("created")
    if not isinstance(created, int | float):
        created = folder.file("experiment.json").stat().st_mtime
    best = best_baseline(score) if score else None
    return {
        "id": folder.id,
        "name": about.get("name", ""),
        "data": data.get("name", ""),
        "folder": str(folder.path.resolve()),
        "status": pool.current_status(folder, said),
        "message": said.get("message", ""),
        "step": step,
        "epoch": step // said["steps_per_epoch"] if "steps_per_epoch" in said else 0,
        "epochs": said.get("epochs"),
        "loss": float(last["train_loss"][-1]) if len(last) else None,
        "best_epoch": said.get("best_epoch"),
        "best_loss": said.get("best_loss"),
        "seconds": said.get("seconds", 0.0),
        "created": created,
        "score": score and score["test"],
        "best_baseline": best and {"name": best[0]} | best[1],
    }


def _row(run: dict[str, Any]) -> tuple[str, ...]:
    name = f"{run['name']} ({run['data']})" if run["name"] else run["data"]
    epochs = "" if run["epochs"] is None else f"{run['epoch']}/{run['epochs']}"
    loss = "" if run["loss"] is None else format_significant(run["loss"], 3)
    score = main_score(run["score"]) if run["score"] else ""
    best = run["best_baseline"]
    baseline = f"{main_score(best)} ({best['name'].replace('_', ' ')})" if best else ""
    return run["id"], name[:40], run["status"], epochs, loss, score, baseline, _age(run["created"])


def _age(created: float) -> str:
    seconds = max(0.0, time.time() - created)
    size, unit = next(one for one in UNITS if seconds >= one[0])
    return f"{seconds / max(1, size):.0f} {unit}"


def _export(chosen: argparse.Namespace) -> None:
    folder = find_run(chosen.run_name)
    text = folder.export()
    if folder.file("start.safetensors").exists():
        note("This run went on from a saved model, which the experiment alone cannot name: it would begin anew.")
    print(json.dumps(json.loads(text)) if chosen.json else text)
