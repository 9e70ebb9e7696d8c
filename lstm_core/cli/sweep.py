"""sweep: a study's file becomes a sweep, which this command proposes the trials of while workers train them."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstm_core.cli.output import FAILED, INTERRUPTED, add_json, add_ray, note, print_json, print_table
from lstm_core.cli.summary import baseline_text, test_text
from lstm_core.cli.table import check_count
from lstm_core.cli.train import new_folder, read_text, with_data
from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.experiment import PlaygroundError
from lstm_core.runs.cluster import starter
from lstm_core.runs.home import new_id
from lstm_core.runs.sweeps.dispatcher import Sweep
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.history import check_optuna
from lstm_core.runs.sweeps.progress import params_text
from lstm_core.runs.sweeps.study import Study

SHOWN = 10  # trials in the table
LINE_SECONDS = 15.0  # without a word, where no terminal is
ABOUT = """\
Try many settings of an experiment. STUDY.json names the experiment, and for some of its settings a range or a list of
values (schema --study lists all that it can say). Optuna proposes trials (TPE), workers train them as runs, and those
that are worse than the median at the same epoch are stopped. The best ones are trained from further seeds; the best
median wins, is trained as an ordinary run, and is scored on the test windows, which no trial has seen.

Killed or interrupted, the same command goes on where it was; so does sweep DIR with the sweep's folder. Ctrl-C pauses
the trials that train. The same study gives the same winner, with any number of workers. Needs the package optuna
(requirements-extras.txt).
"""
EXAMPLES = """\
examples:
  python -m lstm_core sweep study.json
  python -m lstm_core sweep study.json --data demand.csv --out sweeps/demand --workers 2
  python -m lstm_core train sweeps/demand/experiment.json --data demand.csv
"""


def add_commands(commands: Any) -> None:
    sweep = commands.add_parser(
        "sweep",
        help="try many settings of an experiment",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sweep.add_argument("study", metavar="STUDY.json|DIR", help="the study, as JSON, or the folder of a sweep to go on")
    sweep.add_argument("--data", metavar="FILE", help="the table, where data.source is csv")
    sweep.add_argument("--out", metavar="DIR", help="the sweep's folder, new, empty or of this study")
    sweep.add_argument(
        "--workers",
        metavar="N",
        type=int,
        help="trials that train at once, at most the study's parallel (default: as many as may train here)",
    )
    add_ray(sweep)
    add_json(sweep)
    sweep.set_defaults(run=_sweep)


def _sweep(chosen: argparse.Namespace) -> int:
    check_count("--workers", chosen.workers)
    check_optuna()
    if chosen.ray:
        starter.await_worker(chosen.ray)
    folder = _open(chosen)
    display = _Display()
    sweep = Sweep(folder, chosen.workers, display.say, display.show, chosen.ray)
    note(f"Sweep: {folder.path.resolve()}")
    before = None
    with suppress(ValueError):  # in a thread, as tests call it
        before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        progress = sweep.run()
    except KeyboardInterrupt:
        display.clear()
        note(f"Interrupted: {_goes_on(folder)}")
        return INTERRUPTED
    finally:
        display.clear()
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    if progress["status"] == "interrupted":
        note(f"Paused from the page: {_goes_on(folder)}")
        return INTERRUPTED
    if chosen.json:
        print_json(progress | {"folder": str(folder.path.resolve())})
    else:
        _print(folder, progress)
    return FAILED if progress["status"] == "failed" else 0


def _goes_on(folder: SweepFolder) -> str:
    return f"its trials are paused. python -m lstm_core sweep {folder.path.resolve()} goes on."


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _open(chosen: argparse.Namespace) -> SweepFolder:
    """The sweep that the arguments name: one that is there, or a new one."""
    path = Path(chosen.study).expanduser()
    if path.is_dir():
        if not SweepFolder(path).exists:
            raise PlaygroundError(f"{chosen.study!r} holds no sweep: give a study's file, or the folder of a sweep.")
        if chosen.data or chosen.out:
            raise PlaygroundError("A sweep that goes on has its data and its folder: leave --data and --out out.")
        return SweepFolder.at(path)
    text = read_text(chosen.study)
    study = Study.from_json(text)
    notes = json.loads(text).get("experiment", {})
    experiment, table = with_data(study.experiment, notes, chosen.data, [])
    study = dataclasses.replace(study, experiment=experiment, name=study.name or path.stem)
    folder = SweepFolder(SweepFolder.place_of(study, table) if chosen.out is None else _out(chosen.out))
    if folder.exists and (folder.study() != study or folder.table().sha256 != table.sha256):
        raise PlaygroundError(f"{chosen.out!r} holds the sweep of another study: give a new folder with --out.")
    try:
        if not folder.exists:
            folder.create(study, table, new_id())
        return folder if chosen.out is None else SweepFolder.at(folder.path)
    except OSError as error:
        raise PlaygroundError(f"The sweep cannot be saved ({error.strerror}): make room on the disk.") from None


def _out(path: str) -> Path:
    """The folder, new or empty, of a sweep, or of one that was killed while it was made."""
    out = Path(path).expanduser().resolve()
    return out if SweepFolder(out).is_begun else new_folder(path, "sweep")


class _Display:
    """A sentence for each trial that ends; a line under them, drawn anew on a terminal, and now and then elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._is_drawn = False
        self._show_at = time.monotonic() + LINE_SECONDS

    def say(self, sentence: str) -> None:
        self.clear()
        note(sentence)
        self._show_at = time.monotonic() + LINE_SECONDS

    def show(self, progress: dict[str, Any]) -> None:
        if not self._is_terminal:
            if time.monotonic() >= self._show_at:
                self.say(f"{_line(progress)}.")
            return
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{_line(progress)[:width]:<{width}}")
        sys.stderr.flush()
        self._is_drawn = True

    def clear(self) -> None:
        if self._is_drawn:
            sys.stderr.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
            sys.stderr.flush()
            self._is_drawn = False


def _line(progress: dict[str, Any]) -> str:
    """12 of 24 trials, best 0.0123 (trial 7), training: trial 12 at epoch 3."""
    tried = progress["tried"]
    ended = [one for one in tried if one["state"] != "running"]
    parts = [f"{len(ended)} of {progress['trials']} trials"]
    if progress["best"] is not None:
        parts.append(f"best {format_significant(tried[progress['best']]['loss'], 3)} (trial {progress['best']})")
    training = [f"trial {one['trial']} at epoch {one['epochs']}" for one in tried if one["state"] == "running"]
    if training:
        parts.append(f"training: {', '.join(training)}")
    elif progress["finalists"]:
        done = sum(len(one["losses"]) for one in progress["finalists"])
        parts.append(f"{done} of {progress['seeds'] * len(progress['finalists'])} seeds of the best")
    return ", ".join(parts)


def _print(folder: SweepFolder, progress: dict[str, Any]) -> None:
    states = [one["state"] for one in progress["tried"]]
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("complete", "pruned", "failed"))
    print(f"{len(states)} trials: {counts}.")
    if progress["status"] == "failed":
        note(progress["message"])
        return
    medians = {one["trial"]: one["median"] for one in progress["finalists"]}
    complete = sorted((one for one in progress["tried"] if one["loss"] is not None), key=_rank)
    ranked = sorted(complete, key=lambda one: (one["trial"] not in medians, medians.get(one["trial"]) or float("inf")))
    head = ("trial", "validation loss", f"median of {progress['seeds']} seeds", "settings", "")
    winner = progress["winner"]["trial"]
    rows = []
    for one in ranked[:SHOWN]:
        median = medians.get(one["trial"])
        shown = "" if median is None else format_significant(median, 4)
        loss = format_significant(one["loss"], 4) + (" (pruned)" if one["state"] == "pruned" else "")
        mark = "winner" if one["trial"] == winner else ""
        rows.append((str(one["trial"]), loss, shown, params_text(one["params"]), mark))
    print_table(head, rows)
    if progress["importance"]:
        shares = sorted(progress["importance"].items(), key=lambda pair: -pair[1])
        print("Importance: " + ", ".join(f"{name} {format_percent(share, 0)}" for name, share in shares))
    _print_winner(folder, progress["winner"])


def _print_winner(folder: SweepFolder, winner: dict[str, Any]) -> None:
    if text := test_text(winner["score"]):
        baseline = baseline_text(winner["score"])
        print(f"Test score of the winner: {text}" + (f"; best baseline: {baseline}" if baseline else ""))
    print(f"Run: {winner['run']}")
    print(f"Experiment: {folder.file('experiment.json').resolve()}")


def _rank(one: dict[str, Any]) -> tuple[bool, float]:
    return one["state"] != "complete", one["loss"]
