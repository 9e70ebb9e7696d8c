"""Deleting runs: to a trash beside them, from where they come back for thirty days; and what is cleaned up by age.

Of a run that lies elsewhere, as train --out has it, only the place in home() goes: the folder is its owner's.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import ID, home, path_at
from lstm_core.runs.shelf import may_write, number, own_folder

DAY = 86_400.0
TRASH_DAYS = 30  # a deleted run can be restored for so long
UNPINNED_DAYS = 30  # a run that nobody pinned goes to the trash after so long without training
HIDDEN_DAYS = 1  # and one that is only a part of something else, but a sweep, after so long

log = logging.getLogger(__name__)


def delete(id: str, owner: str | None) -> None:
    """Move a run to the trash.

    Raises:
        PlaygroundError: there is none, it is another's, or it is at work.
    """
    folder = own_folder(id, owner)
    if not _to_trash(folder):
        raise PlaygroundError("This run is training or being scored: stop it, or wait for its score, then delete it.")


def restore(id: str, owner: str | None) -> None:
    """Bring a run back from the trash.

    Raises:
        PlaygroundError: it is not there, or it is another's.
    """
    place = home() / "trash" / id
    if not ID.fullmatch(id) or not path_at(place).is_dir():
        raise PlaygroundError(f"This run is not in the trash any more: it is kept there for {TRASH_DAYS} days.")
    folder = RunFolder(path_at(place), id)
    about = folder.about()
    if not may_write(about, owner):
        raise PlaygroundError("This run is somebody else's: it can be looked at, not changed.")
    try:
        folder.write_about({name: value for name, value in about.items() if name != "deleted"})
        os.rename(place, home() / "runs" / id)
    except OSError as error:
        raise PlaygroundError(f"This run cannot be restored ({error.strerror}).") from None


def clean_up(now: float | None = None) -> list[str]:
    """Remove what was deleted long ago, and move to the trash what is old and not pinned; the ids of both.

    A run that is at work or waits for its turn is left alone, whoever's it is.
    """
    now = time.time() if now is None else now
    return [*_empty_trash(now), *_move_old(now)]


def _empty_trash(now: float) -> Iterator[str]:
    for folder in _folders("trash"):
        if now - number(folder.about().get("deleted"), _modified(folder.path)) > TRASH_DAYS * DAY:
            place = home() / "trash" / folder.id
            if place.is_symlink() or place.is_file():
                place.unlink()
            else:
                shutil.rmtree(place, ignore_errors=True)
            yield folder.id


def _move_old(now: float) -> Iterator[str]:
    for folder in _folders("runs"):
        about, modified = folder.about(), _modified(folder.path)
        age = now - max(number(folder.status().get("time")), number(about.get("created")), modified)
        is_fleeting = about.get("hidden") is True and "sweep" not in about
        days = HIDDEN_DAYS if is_fleeting else UNPINNED_DAYS
        if about.get("pinned") is not True and age > days * DAY and not pool.is_wanted(folder):
            try:
                moved = _to_trash(folder, now)
            except PlaygroundError as error:  # the others are tried all the same
                log.warning("%s: %s", folder.id, error)
                continue
            if moved:
                yield folder.id


def _to_trash(folder: RunFolder, now: float | None = None) -> bool:
    """Whether the run was nobody's work at the moment, and is in the trash now.

    Raises:
        PlaygroundError: the system refuses it.
    """
    if pool.is_wanted(folder) and not _has_ended(folder):
        return False
    about = folder.about()
    with folder.locked(0.02) as is_mine:
        if not is_mine:
            return False
        pool.unwant(folder)
        if os.name != "nt":  # nobody can begin to train it in between
            _move(folder, about, now)
    if os.name == "nt":  # which moves no folder with an open file in it, such as the lock
        _move(folder, about, now)
    return True


def _has_ended(folder: RunFolder) -> bool:
    """Whether the mark of a wanted run is only left over, with no command to obey."""
    status = folder.status()
    ended = status.get("status") in ("paused", "stopped", "finished", "failed")
    return ended and folder.control_size <= number(status.get("control"))


def _move(folder: RunFolder, about: dict, now: float | None) -> None:
    trash = home() / "trash"
    try:
        folder.write_about(about | {"deleted": time.time() if now is None else now})
        trash.mkdir(mode=0o700, exist_ok=True)
        os.rename(home() / "runs" / folder.id, trash / folder.id)
    except OSError as error:
        raise PlaygroundError(f"This run cannot be moved to the trash ({error.strerror}).") from None


def _folders(name: str) -> list[RunFolder]:
    try:
        places = [place for place in (home() / name).iterdir() if ID.fullmatch(place.name)]
        return [RunFolder(path_at(place), place.name) for place in places]
    except FileNotFoundError:
        return []


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()  # somebody else has just moved it
