"""resume, stop and pause: of a run that anybody started, here or on a page."""

from __future__ import annotations

import argparse
import time
from typing import Any

from lstm_core.cli import torchrun
from lstm_core.cli.attach import attach, look_after, settle
from lstm_core.cli.find import FORM, HELP, find_run
from lstm_core.cli.output import INTERRUPTED, add_json, add_ray, note, print_json
from lstm_core.cli.summary import print_end, print_summary, summary
from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs.cluster import starter
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home
from lstm_core.runs.shelf import Shelf
from lstm_core.runs.sweeps.files import SweepFolder

OBEY_SECONDS = 0.02  # between two looks whether a command is obeyed
GIVE_UP_SECONDS = 60.0


def add_commands(commands: Any) -> None:
    resume = commands.add_parser(
        "resume",
        help="go on with a run, or attach to one that trains",
        description="Go on with a run that was paused, stopped or interrupted, exactly where it was, and wait until it "
        "ends. To one that trains it attaches. Ctrl-C detaches: the run goes on. Started by torchrun, its processes go "
        "on with it, as many as there are now.",
    )
    resume.add_argument("run_name", metavar=FORM, help=HELP)
    resume.add_argument("--detach", action="store_true", help="do not wait: print the run's id and folder")
    add_ray(resume)
    add_json(resume)
    resume.set_defaults(run=_resume)
    stop = commands.add_parser(
        "stop",
        help="end a run, or all of them",
        description="End a run's training and wait until that is done. The weights of its best epoch come back, if "
        "train.patience is set, it is scored, and model.safetensors is written; resume can still go on with it.",
    )
    which = stop.add_mutually_exclusive_group(required=True)
    which.add_argument("run_name", metavar=FORM, nargs="?", help=HELP)
    which.add_argument(
        "--all", action="store_true", help="all runs of this machine that train or wait to; sweeps are paused"
    )
    add_json(stop)
    stop.set_defaults(run=_stop)
    pause = commands.add_parser(
        "pause",
        help="pause a run after the step under way",
        description="Pause a run after the step under way and wait until that is done; its weights are those of that "
        "step, and model.safetensors is written.",
    )
    pause.add_argument("run_name", metavar=FORM, help=HELP)
    add_json(pause)
    pause.set_defaults(run=_pause)


def _resume(chosen: argparse.Namespace) -> int:
    if torchrun.is_launched():
        return torchrun.train(lambda _: find_run(chosen.run_name, to_train=True), chosen)
    folder = find_run(chosen.run_name, to_train=True)
    status = pool.current_status(folder, folder.status())
    if status == "finished":
        note("This run has finished: there is nothing left to train.")
        print_summary(folder, chosen.json)
        return 0
    if chosen.ray:
        if folder.is_locked:
            raise PlaygroundError("This run trains already: pause it, then resume it on the cluster.")
        starter.await_worker(chosen.ray)
    if status not in pool.ACTIVE:
        folder.ask("train", steps=None)
    if chosen.ray or not pool.is_wanted(folder):
        pool.want(folder, chosen.ray)
    return await_end(folder, chosen.detach, chosen.json)


def await_end(folder: RunFolder, detach: bool, as_json: bool) -> int:
    """The exit status of train and resume, once they have asked for the training."""
    if detach:
        look_after(folder)
        print_json(summary(folder)) if as_json else print(f"{folder.id}  {folder.path.resolve()}")
        return 0
    try:
        attach(folder)
    except KeyboardInterrupt:
        note(
            f"Detached: the run goes on. python -m lstm_core resume {folder.id} attaches again, "
            f"python -m lstm_core stop {folder.id} ends it."
        )
        return INTERRUPTED
    return print_end(folder, as_json)


def _stop(chosen: argparse.Namespace) -> None:
    if not chosen.all:
        _end_one(chosen, "stop")
        return
    sweeps = _pause_sweeps()
    found = [*pool.wanted_runs(), *(run.folder for run in Shelf().all() if run.is_active)]  # torchrun's are not wanted
    folders = [folder for folder in {one.id: one for one in found}.values() if folder.exists]
    end(folders, "stop")
    if chosen.json:
        paused = {"sweeps": [sweep.id for sweep in sweeps]} if sweeps else {}
        print_json({"runs": [summary(folder) for folder in folders]} | paused)
        return
    lines = [f"Paused: sweep {sweep.path.resolve()}" for sweep in sweeps]
    lines += [f"Stopped: {folder.id}" for folder in folders]
    print("\n".join(lines) or "No run trains or waits to.")


def _pause_sweeps() -> list[SweepFolder]:
    """Those at work; else their dispatchers would go on with other trials."""
    sweeps = [sweep for sweep in SweepFolder.all() if sweep.is_locked]
    for sweep in sweeps:
        sweep.ask("pause")
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while any(sweep.is_locked for sweep in sweeps) and time.monotonic() < give_up:
        time.sleep(OBEY_SECONDS)
    return sweeps


def _pause(chosen: argparse.Namespace) -> None:
    _end_one(chosen, "pause")


def _end_one(chosen: argparse.Namespace, command: str) -> None:
    folder = find_run(chosen.run_name)
    status = pool.current_status(folder, folder.status())
    if status in pool.ACTIVE or (command == "stop" and status in ("paused", "ready")):
        end([folder], command)
    else:
        note(f"This run is {status} already." if status != "failed" else "This run has failed already.")
    print_summary(folder, chosen.json)


def end(folders: list[RunFolder], command: str) -> None:
    """Stop or pause runs, all at once, and wait until that is done.

    Raises:
        PlaygroundError: a folder is damaged.
    """
    offsets = {folder: folder.ask(command) for folder in folders if folder.is_locked}
    for folder, offset in offsets.items():
        while folder.is_locked and not _has_obeyed(folder, offset):
            time.sleep(OBEY_SECONDS)
    for folder in folders:
        if folder not in offsets or not _has_obeyed(folder, offsets[folder]):
            _end_idle(folder, command)
        settle(folder)


def _has_obeyed(folder: RunFolder, offset: int) -> bool:
    said = folder.status()
    return said.get("control", 0) >= offset and said.get("status") != "running"


def _end_idle(folder: RunFolder, command: str) -> None:
    """Of a run that nobody trains: it waits for a slot, or its process was killed."""
    from lstm_core.runs.run import Run

    run = Run.open(folder)
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < give_up:  # a worker may have taken it in this moment
        run.stop() if command == "stop" else run.pause()
        if not run.is_active:
            run.wait_for_score()
            return
    raise PlaygroundError(f"The run does not obey: {home() / 'log.txt'} may say why.")
