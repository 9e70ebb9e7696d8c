"""SweepFolder: a sweep on disk. One dispatcher at a time writes it, whoever holds its lock; everybody else reads.

| file | what it is |
|---|---|
| base/ | a run folder, never trained: the experiment, its data, a file of one's own; about.json: whose the sweep is |
| study.json | the study; it is a sweep as soon as this is there. Never changes |
| optuna.db | the trials: which settings, and what became of them; SQLite, as Optuna writes and reads it |
| progress.json | what a page shows: progress.described says what is in it. Replaced as a whole |
| experiment.json | the winner, once it is known: `train` takes it |
| asked | "begin" or "pause": what a page asks for; whoever obeys takes the file away |
| log.txt | what a dispatcher without a terminal has to say |
| lock | held by the dispatcher |

It lies in home()/sweeps/ID, or elsewhere, as sweep --out has it, with a link to it there. Its trials are runs among all
others, hidden: about.json of each has "sweep", the sweep's id, and "trial", a number from 0.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.table import Table
from lstm_core.data.upload import Upload
from lstm_core.experiment import PlaygroundError
from lstm_core.runs.folder import RunFolder, read_json, replace_file
from lstm_core.runs.home import ID, adopt, home, path_at
from lstm_core.runs.locks import Lock, is_taken, take
from lstm_core.runs.sweeps.study import Study


class SweepFolder:
    """The files of one sweep."""

    def __init__(self, path: Path, id: str | None = None) -> None:
        """id: None for the folder's name, which it is unless the sweep lies outside of home()."""
        self.path = path
        self.id = id or path.name

    @staticmethod
    def place_of(study: Study, table: Table) -> Path:
        """Where the sweep of this study on this data lies: the same command finds it again."""
        digest = hashlib.sha256(f"{study.to_json()}\n{table.sha256}".encode()).hexdigest()
        return home() / "sweeps" / digest[:24]

    @staticmethod
    def all() -> list[SweepFolder]:
        """All sweeps of this machine, the newest first."""
        folder = home() / "sweeps"
        names = [name for name in os.listdir(folder) if ID.fullmatch(name)] if folder.is_dir() else []
        found = [SweepFolder(path_at(folder / name), name) for name in names]
        there = [one for one in found if one.exists]
        return sorted(there, key=lambda one: one.file("study.json").stat().st_mtime, reverse=True)

    @staticmethod
    def of(id: str) -> SweepFolder | None:
        """The sweep of this id, which may come from a stranger; None: there is none."""
        if not ID.fullmatch(id):
            return None
        folder = SweepFolder(path_at(home() / "sweeps" / id), id)
        return folder if folder.exists else None

    @staticmethod
    def at(path: Path) -> SweepFolder:
        """The sweep in a folder; one that came from elsewhere gets an id here."""
        path = path.resolve()
        known = next((one for one in SweepFolder.all() if one.path.resolve() == path), None)
        return known or SweepFolder(path, adopt(path, "sweeps"))

    def file(self, name: str) -> Path:
        return self.path / name

    @property
    def exists(self) -> bool:
        return self.file("study.json").is_file() and RunFolder(self.file("base")).exists

    @property
    def is_begun(self) -> bool:
        """Whether it is a sweep, or would be one if whoever made it had not been killed."""
        names = {one.name for one in self.path.iterdir()} if self.path.is_dir() else set()
        return self.exists or "base" in names <= {"base", "study.json.tmp"}

    def create(self, study: Study, table: Table, secret: str, owner: str = "") -> None:
        """Make the folder, for its owner alone; secret: what the ids of its runs are made from, unguessable.

        owner: whose it is, and its runs; "" for everybody's.

        Raises:
            OSError: the disk is full.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = {"created": time.time()} | ({"owner": owner} if owner else {})
        RunFolder(self.file("base")).create(study.experiment, table, about)
        described = json.loads(study.to_json()) | {"secret": secret}
        replace_file(self.file("study.json"), json.dumps(described, indent=1).encode())

    def study(self) -> Study:
        """Raises PlaygroundError: it is missing or damaged."""
        described = self._described()
        return Study.from_json(json.dumps({name: value for name, value in described.items() if name != "secret"}))

    def about(self) -> dict[str, Any]:
        """owner and created, as about.json of a run has them."""
        return RunFolder(self.file("base")).about()

    def run_id(self, trial: int, seed: int, kind: str = "trial") -> str:
        """The id of the run of a trial and one of its seeds: always the same, so that no run is ever made twice."""
        text = f"{self._described()['secret']}/{kind}/{trial}/{seed}"
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def table(self) -> Table:
        """The data, with the file as it came, which a run of it keeps, too.

        Raises:
            PlaygroundError: it is missing or damaged.
        """
        base = RunFolder(self.file("base"))
        table, file = base.table(), base.file("data.csv")
        if not file.exists():
            return table
        options = read_json(base.file("experiment.json")).get("read_options", {})
        return dataclasses.replace(table, upload=Upload(file.read_bytes(), CsvOptions.from_json(options)))

    def progress(self) -> dict[str, Any]:
        """progress.json; {} before there is any."""
        return read_json(self.file("progress.json"))

    def write_progress(self, progress: dict[str, Any]) -> None:
        replace_file(self.file("progress.json"), json.dumps(progress).encode(), sync=False)

    # ---- what a page asks of the dispatcher

    def ask(self, what: str) -> None:
        """what: "begin", of the one that is about to start, or "pause".

        Raises:
            OSError: the disk is full.
        """
        replace_file(self.file("asked"), what.encode(), sync=False)

    @property
    def asked(self) -> str:
        """What was asked last, and nobody has obeyed yet; "" if nothing was."""
        try:
            return self.file("asked").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def obeyed(self) -> None:
        self.file("asked").unlink(missing_ok=True)

    @property
    def is_locked(self) -> bool:
        """Whether a dispatcher is at work on it, whatever progress.json says."""
        return is_taken(self.file("lock"))

    def lock(self) -> Lock:
        """Raises PlaygroundError: another dispatcher has it."""
        lock = take(self.file("lock"), seconds=2.0)
        if lock is None:
            raise PlaygroundError(
                f"The sweep in {str(self.path)!r} is at work in another process: wait, or end that one."
            )
        return lock

    def _described(self) -> dict[str, Any]:
        described = read_json(self.file("study.json"))
        if not isinstance(described.get("secret"), str):
            raise PlaygroundError(f"study.json in {str(self.path)!r} is missing or damaged: begin another sweep.")
        return described
