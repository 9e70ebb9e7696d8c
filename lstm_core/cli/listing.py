"""runs and export: what runs there are, and one of them as an experiment's file."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from lstm_core.cli.find import FORM, HELP, find_run
from lstm_core.cli.output import add_json, note, print_json, print_table
from lstm_core.cli.summary import baseline_text, test_text
from lstm_core.data.number_format import format_significant
from lstm_core.runs.compare import best_baseline
from lstm_core.runs.records import read_records
from lstm_core.runs.shelf import RunSummary, Shelf

UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (0, "s"))


def add_commands(commands: Any) -> None:
    runs = commands.add_parser(
        "runs",
        help="all runs of this machine",
        description="All runs of this machine, those that train first, then the newest: what they train on, how far "
        "they are, their last training loss, and their test score beside the best baseline's.",
    )
    runs.add_argument("--trials", action="store_true", help="with the trials of sweeps")
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
    found = [run for run in Shelf().all() if chosen.trials or not (run.is_hidden and "sweep" in run.about)]
    runs = sorted(found, key=lambda run: not run.is_active)  # each kind from the newest on
    if chosen.json:
        print_json({"runs": [_describe(run) for run in runs]})
    elif not runs:
        print("There are no runs yet: python -m lstm_core train EXPERIMENT.json makes one.")
    else:
        head = ("id", "run", "status", "epoch", "loss", "test score", "best baseline", "age")
        print_table(head, [_row(run) for run in runs])


def _describe(run: RunSummary) -> dict[str, Any]:
    """What `runs --json` prints of each."""
    last = read_records(run.folder.file("records.bin"), max(0, run.step - 1))
    step = max(run.step, int(last["step"][-1]) if len(last) else 0)
    score = _score(run, step)
    best = best_baseline(score)
    return {
        "id": run.id,
        "name": run.name,
        "data": run.experiment.data.name if run.experiment else "",
        "folder": str(run.folder.path.resolve()),
        "status": run.current,
        "message": run.message,
        "step": step,
        "epoch": step // run.steps_per_epoch if run.steps_per_epoch else 0,
        "epochs": run.total_epochs,
        "loss": float(last["train_loss"][-1]) if len(last) else None,
        "best_epoch": run.status.get("best_epoch"),
        "best_loss": run.best_loss,
        "seconds": run.seconds,
        "created": run.created,
        "score": score.get("test"),
        "best_baseline": best and {"name": best[0]} | score["baselines"][best[0]],
    }


def _row(run: RunSummary) -> tuple[str, ...]:
    told = _describe(run)
    name = f"{told['name']} ({told['data']})" if told["name"] else told["data"]
    epochs = "" if told["epochs"] is None else f"{told['epoch']}/{told['epochs']}"
    loss = "" if told["loss"] is None else format_significant(told["loss"], 3)
    score = _score(run, told["step"])
    return run.id, name[:40], run.current, epochs, loss, test_text(score), baseline_text(score), _age(run.created)


def _score(run: RunSummary, step: int) -> dict[str, Any]:
    """Its score.json if that is of its present weights, else {}."""
    return run.score if run.score.get("step") == step else {}


def _age(created: float) -> str:
    seconds = max(0.0, time.time() - created)
    size, unit = next(one for one in UNITS if seconds >= one[0])
    return f"{seconds / max(1, size):.0f} {unit}"


def _export(chosen: argparse.Namespace) -> None:
    folder = find_run(chosen.run_name)
    text = folder.export()
    if not folder.is_repeatable:
        note("This run began from a saved model, or weights were set by hand: training the experiment gives others.")
    print(json.dumps(json.loads(text)) if chosen.json else text)
