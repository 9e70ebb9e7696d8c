"""Shelf: all runs of this machine as summaries, read from their folders without building a model.

Names and notes are whatever somebody wrote: plain text, cut to a bearable length, and to be escaped where it is shown.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs.file_cache import FileCache
from lstm_core.runs.folder import RunFolder, read_json
from lstm_core.runs.home import ID, folder_of, home, path_at
from lstm_core.runs.loss_thumbnail import LossThumbnail, loss_thumbnail
from lstm_core.runs.pool import ACTIVE, current_status
from lstm_core.runs.titles import MAX_NAME, data_title, model_title, plain_text

STATES = {  # of pool.current_status: on the screen
    "running": "Training",
    "waiting": "Queued",
    "paused": "Paused",
    "stopped": "Stopped",
    "finished": "Finished",
    "failed": "Failed",
    "interrupted": "Interrupted",
    "ready": "Paused",
}
MAX_NOTE = 2000  # characters
LARGEST = 1e18  # of the numbers in files: no count, time or loss of a run is larger, and all code can take it
FRESH_SECONDS = 5.0  # a training run's clock goes on for so long after its last status
_READ = ("about.json", "status.json", "score.json")


@dataclass(frozen=True, eq=False)
class RunSummary:
    """What can be told of a run from its small files."""

    folder: RunFolder
    experiment: Experiment | None  # None: the file is damaged
    table_sha256: str
    about: dict[str, Any] = field(repr=False)
    status: dict[str, Any] = field(repr=False)  # status.json, whoever is at work by now
    score: dict[str, Any] = field(repr=False)  # score.json; {}: not scored
    loss: LossThumbnail = field(repr=False)
    current: str  # its status now: pool.current_status
    changed: float  # Unix time of the last word about its training

    @property
    def id(self) -> str:
        return self.folder.id

    @property
    def state(self) -> str:
        return STATES[self.current]

    @property
    def name(self) -> str:
        """As somebody named it; "" if nobody did."""
        return plain_text(self.about.get("name"), MAX_NAME)

    @property
    def note(self) -> str:
        return plain_text(self.about.get("note"), MAX_NOTE, lines=True)

    @property
    def is_pinned(self) -> bool:
        return self.about.get("pinned") is True

    @property
    def is_hidden(self) -> bool:
        """Whether it is only a part of something else, such as a cell comparison."""
        return self.about.get("hidden") is True

    @property
    def is_active(self) -> bool:
        return self.current in ACTIVE

    @cached_property
    def is_being_scored(self) -> bool:
        """Whether it has ended, and whoever trained it still works out the test score of its last step."""
        is_due = self.current in ("finished", "stopped") and self.step > 0 and self.score.get("step") != self.step
        return is_due and self.folder.is_locked

    @property
    def progress(self) -> tuple[str, bool]:
        """What a page that shows this summary waits for a change of; see is_live."""
        return self.state, self.is_being_scored

    @property
    def is_live(self) -> bool:
        """Whether it changes by itself: it trains, waits for it, or is being scored."""
        return self.is_active or self.is_being_scored

    @property
    def created(self) -> float:
        return number(self.about.get("created")) or _modified(self.folder.file("experiment.json"))

    @cached_property
    def data_title(self) -> str:
        return data_title(self.experiment.data) if self.experiment else "unreadable settings"

    @cached_property
    def model_title(self) -> str:
        return model_title(self.experiment.model) if self.experiment else ""

    @property
    def title(self) -> str:
        """Its name, or what it is of."""
        return self.name or " · ".join(filter(None, (self.data_title, self.model_title)))

    @property
    def message(self) -> str:
        """A sentence about its state; "" if there is nothing to say."""
        if self.experiment is None:
            return "experiment.json of this run is damaged: nothing can be read of it."
        if self.current == "interrupted":
            return "Its process ended too early. Open it: Resume goes on from its last save."
        return plain_text(self.status.get("message"), 500)

    @property
    def step(self) -> int:
        return int(number(self.status.get("step"), self.loss.last_step))

    @property
    def steps_per_epoch(self) -> int:
        """0 before it is known."""
        return max(0, int(number(self.status.get("steps_per_epoch"))))

    @property
    def epochs(self) -> float | None:
        """Done; None before it is known how long one is."""
        return self.step / self.steps_per_epoch if self.steps_per_epoch else None

    @property
    def parameters(self) -> int:
        """Of the model; 0 before it is known."""
        return int(number(self.status.get("parameters")))

    @property
    def total_epochs(self) -> int | None:
        default = self.experiment.train.epochs if self.experiment else 0
        return int(number(self.status.get("epochs"), default)) or None

    @property
    def seconds(self) -> float:
        """Of training, pauses left out."""
        since = time.time() - number(self.status.get("time"), time.time()) if self.current == "running" else 0.0
        return number(self.status.get("seconds")) + min(max(since, 0.0), FRESH_SECONDS)

    @property
    def best_loss(self) -> float | None:
        """The lowest validation loss, in scaled units."""
        value = number(self.status.get("best_loss"), float("nan"))
        return value if value == value else None

    def may_be_changed_by(self, owner: str | None) -> bool:
        """Whether it is this person's, or nobody's, such as one that the command line started."""
        return may_write(self.about, owner)


class Shelf:
    """Reads summaries, each file again only when it has changed. Any thread may ask."""

    def __init__(self) -> None:
        self._files = FileCache()
        self._hidden: set[str] = set()  # ids of runs that are: once hidden, always so

    def runs(self, owner: str | None = None, hidden: bool = False) -> list[RunSummary]:
        """This person's runs and nobody's, the newest first; those of others are seen only by their id.

        hidden: with those that are only a part of something else.
        """
        return [run for run in self.all(hidden) if run.may_be_changed_by(owner)]

    def all(self, hidden: bool = True) -> list[RunSummary]:
        """All runs of this machine, whoever's, the newest first. Where hidden ones are not asked for, one file is read
        of each, once: a sweep may have thousands of trials."""
        root = home()
        wanted, names = _names(root / "wanted"), _names(root / "runs")
        self._files.forget_unless(100 + 10 * len(names))  # of runs that are gone
        if not hidden:
            new = {name for name in names - self._hidden if self._is_hidden(root / "runs" / name)}
            self._hidden = (self._hidden & names) | new
            names -= self._hidden
        found = [self._summary(root / "runs" / name, wanted) for name in names]
        return sorted(filter(None, found), key=lambda run: run.created, reverse=True)

    def run(self, id: str) -> RunSummary | None:
        """Whoever's it is; None: there is none of this id, which may come from a stranger."""
        folder = folder_of(id)
        return None if folder is None else self._summary(home() / "runs" / id, _names(home() / "wanted"))

    def trashed(self, owner: str | None = None) -> list[RunSummary]:
        """This person's runs and nobody's in the trash, the last one deleted first."""
        folder = home() / "trash"
        found = [self._summary(folder / name, set()) for name in _names(folder)]
        shown = [run for run in found if run and run.may_be_changed_by(owner) and not run.is_hidden]
        return sorted(shown, key=lambda run: number(run.about.get("deleted")), reverse=True)

    def _is_hidden(self, place: Path) -> bool:
        return (self._files.read(path_at(place) / "about.json", read_json) or {}).get("hidden") is True

    def _summary(self, place: Path, wanted: set[str]) -> RunSummary | None:
        if not ID.fullmatch(place.name):
            return None
        path = path_at(place)
        described = self._files.read(path / "experiment.json", _read_experiment)
        if described is None:  # it is no run yet, or no more
            return None
        folder, (experiment, sha256) = RunFolder(path, place.name), described
        about, status, score = (self._files.read(path / name, read_json) or {} for name in _READ)
        size = max(0, int(number(status.get("steps_per_epoch"))))
        loss = self._files.read(path / "records.bin", lambda file: loss_thumbnail(file, size), size) or LossThumbnail()
        current = "failed" if experiment is None else current_status(folder, status, wanted)
        changed = number(status.get("time")) or _modified(path)
        return RunSummary(folder, experiment, sha256, about, status, score, loss, current, changed)


def _read_experiment(file: Path) -> tuple[Experiment | None, str]:
    try:
        text = file.read_text(encoding="utf-8")
        experiment = Experiment.from_json(text)
        return experiment, str(json.loads(text).get("table_sha256", ""))
    except (OSError, UnicodeDecodeError, PlaygroundError):
        return None, ""


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


# ---- what is written about a run


def may_write(about: dict[str, Any], owner: str | None) -> bool:
    """Whether a run with this about.json is this person's or nobody's."""
    return about.get("owner") in (None, "", owner)


def change_about(id: str, owner: str | None, **fields: Any) -> None:
    """Change name, note or pinned of a run.

    Raises:
        PlaygroundError: there is none of this id, it is another's, or the disk is full.
    """
    folder = own_folder(id, owner)
    cleaned = dict(fields)
    for name, size in (("name", MAX_NAME), ("note", MAX_NOTE)):
        if name in fields:
            cleaned[name] = plain_text(fields[name], size, lines=name == "note")
    try:
        folder.write_about(folder.about() | cleaned)
    except OSError as error:
        raise PlaygroundError(f"This cannot be saved ({error.strerror}): make room on the disk.") from None


def own_folder(id: str, owner: str | None) -> RunFolder:
    """The folder of a run that this person may change.

    Raises:
        PlaygroundError: there is none of this id, or it is another's.
    """
    path = folder_of(id)
    if path is None:
        raise PlaygroundError("This run is not there any more: it may be in the trash.")
    folder = RunFolder(path, id)
    if not may_write(folder.about(), owner):
        raise PlaygroundError("This run is somebody else's: it can be looked at, not changed.")
    return folder


def number(value: Any, default: float = 0.0) -> float:
    """A number of a JSON file, within LARGEST; the default where there is none."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_one and abs(value) <= LARGEST else default  # NaN is not, either
