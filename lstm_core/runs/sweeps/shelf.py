"""SweepShelf: all sweeps of this machine as summaries, read from their small files, without Optuna or PyTorch."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstm_core.experiment import PlaygroundError
from lstm_core.runs.file_cache import FileCache
from lstm_core.runs.folder import read_json
from lstm_core.runs.home import ID, home, path_at
from lstm_core.runs.shelf import may_write, number
from lstm_core.runs.sweeps import detached
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.study import Study
from lstm_core.runs.titles import MAX_NAME, data_title, plain_text

STATES = ("Starting", "Running", "Pausing", "Paused", "Interrupted", "Finished", "Failed")
LIVE = ("Starting", "Running", "Pausing")
EMPTY = {"best": None, "tried": [], "finalists": []}  # of progress.json, before there is any


@dataclass(frozen=True, eq=False)
class SweepSummary:
    """What can be told of a sweep from its small files."""

    folder: SweepFolder
    study: Study | None = field(repr=False)  # None: the file is damaged
    about: dict[str, Any] = field(repr=False)
    progress: dict[str, Any] = field(repr=False)  # progress.json, with what EMPTY has at least
    state: str  # of STATES

    @property
    def id(self) -> str:
        return self.folder.id

    @property
    def name(self) -> str:
        return plain_text(self.study.name, MAX_NAME) if self.study else ""

    @property
    def title(self) -> str:
        """Its name and what it is of."""
        data = data_title(self.study.experiment.data) if self.study else "unreadable study"
        return " · ".join(filter(None, (self.name, data)))

    @property
    def created(self) -> float:
        """Unix time."""
        return number(self.about.get("created")) or _modified(self.folder.file("study.json"))

    @property
    def is_live(self) -> bool:
        """Whether a dispatcher is at work on it, or begins to be."""
        return self.state in LIVE

    @property
    def may_go_on(self) -> bool:
        return self.study is not None and self.state in ("Paused", "Interrupted", "Failed")

    @property
    def message(self) -> str:
        """A sentence about its state; "" if there is nothing to say."""
        if self.study is None:
            return "study.json of this sweep is damaged: begin another one."
        if self.state == "Failed":
            return plain_text(self.progress.get("message"), 500)
        if self.state == "Interrupted":
            word = detached.last_word(self.folder)
            return "Its process ended too early: Go on continues where it was." + (
                f" The last line of its log: {word}" if word else ""
            )
        return ""

    def may_be_changed_by(self, owner: str | None) -> bool:
        """Whether it is this person's, or nobody's, such as one that the command line began."""
        return may_write(self.about, owner)


class SweepShelf:
    """Reads summaries, each file again only when it has changed. Any thread may ask."""

    def __init__(self) -> None:
        self._files = FileCache()

    def sweeps(self, owner: str | None = None) -> list[SweepSummary]:
        """This person's and nobody's, the newest first; those of others are seen only by their id."""
        return self._own(home() / "sweeps", owner)

    def sweep(self, id: str) -> SweepSummary | None:
        """Whoever's it is; None: there is none of this id, which may come from a stranger."""
        folder = SweepFolder.of(id)
        return None if folder is None else self._summary(folder)

    def trashed(self, owner: str | None = None) -> list[SweepSummary]:
        """This person's and nobody's in the trash, the last one deleted first."""
        found = self._own(home() / "trash" / "sweeps", owner)
        return sorted(found, key=lambda one: number(one.about.get("deleted")), reverse=True)

    def _own(self, place: Path, owner: str | None) -> list[SweepSummary]:
        names = [name for name in os.listdir(place) if ID.fullmatch(name)] if place.is_dir() else []
        folders = [SweepFolder(path_at(place / name), name) for name in names]
        found = [self._summary(folder) for folder in folders if folder.exists]
        self._files.forget_unless(100 + 10 * len(found))  # of sweeps that are gone
        own = [one for one in found if one.may_be_changed_by(owner)]
        return sorted(own, key=lambda one: one.created, reverse=True)

    def _summary(self, folder: SweepFolder) -> SweepSummary:
        study = self._files.read(folder.file("study.json"), lambda _: _read_study(folder))
        about = self._files.read(folder.file("base") / "about.json", read_json) or {}
        progress = EMPTY | (self._files.read(folder.file("progress.json"), read_json) or {})
        return SweepSummary(folder, study, about, progress, state_of(folder, progress.get("status")))


def state_of(folder: SweepFolder, said: str | None) -> str:
    """One of STATES; said: the status in progress.json. Only the lock tells whether somebody is at work."""
    if folder.is_locked:
        return "Pausing" if folder.asked == "pause" else "Running"
    if detached.is_starting(folder):
        return "Starting"
    detached.reap()
    ended = {"finished": "Finished", "failed": "Failed", "interrupted": "Paused"}.get(said or "")
    return ended or ("Running" if detached.is_ending(folder) else "Interrupted")


def _read_study(folder: SweepFolder) -> Study | None:
    try:
        return folder.study()
    except (PlaygroundError, json.JSONDecodeError):
        return None


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
