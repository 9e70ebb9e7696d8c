"""Deleting a sweep: it and its trials go to the trash, and come back together. Its winner, an ordinary run, stays."""

from __future__ import annotations

import os
import shutil
import time

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs import trash as runs_trash
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import ID, home, path_at
from lstm_core.runs.locks import take
from lstm_core.runs.shelf import may_write, number
from lstm_core.runs.sweeps.files import SweepFolder

_OTHERS = "This sweep is somebody else's: it can be looked at, not changed."


def own_sweep(id: str, owner: str | None) -> SweepFolder:
    """The sweep, if this person may change it.

    Raises:
        PlaygroundError: there is none of this id, or it is another's.
    """
    folder = SweepFolder.of(id)
    if folder is None:
        raise PlaygroundError("This sweep is not there any more: it may be in the trash.")
    if not may_write(folder.about(), owner):
        raise PlaygroundError(_OTHERS)
    return folder


def delete(id: str, owner: str | None) -> None:
    """Move a sweep and its trials to the trash.

    Raises:
        PlaygroundError: there is none, it is another's, or it is at work.
    """
    folder = own_sweep(id, owner)
    lock = take(folder.file("lock"), seconds=0.1)
    if lock is None:
        raise PlaygroundError("This sweep is at work: pause it, then delete it.")
    try:
        trials = _trials("runs", id)
        if any(pool.is_wanted(one) or one.is_locked for one in trials):
            raise PlaygroundError(
                "A trial of this sweep is still training: wait until it ends, or press Go on and then Pause."
            )
        for one in trials:
            runs_trash.delete(one.id, owner)
        if os.name != "nt":  # nobody can go on with it in between
            _move(folder, to_trash=True)
    finally:
        lock.release()
    if os.name == "nt":  # which moves no folder with an open file in it, such as the lock
        _move(folder, to_trash=True)


def restore(id: str, owner: str | None) -> None:
    """Bring a sweep and its trials back from the trash.

    Raises:
        PlaygroundError: it is not there, or it is another's.
    """
    folder = SweepFolder(path_at(home() / "trash" / "sweeps" / id), id)
    if not ID.fullmatch(id) or not folder.exists:
        raise PlaygroundError(
            f"This sweep is not in the trash any more: it is kept there for {runs_trash.TRASH_DAYS} days."
        )
    if not may_write(folder.about(), owner):
        raise PlaygroundError(_OTHERS)
    _move(folder, to_trash=False)
    for one in _trials("trash", id):
        runs_trash.restore(one.id, owner)


def clean_up(now: float | None = None) -> list[str]:
    """Remove the sweeps that were deleted long ago; their ids."""
    now, place, gone = time.time() if now is None else now, home() / "trash" / "sweeps", []
    for path in place.iterdir() if place.is_dir() else ():
        about = SweepFolder(path_at(path), path.name).about()
        if now - number(about.get("deleted"), now) > runs_trash.TRASH_DAYS * runs_trash.DAY:
            if path.is_symlink() or path.is_file():
                path.unlink()
            else:
                shutil.rmtree(path, ignore_errors=True)
            gone.append(path.name)
    return gone


def _trials(place: str, id: str) -> list[RunFolder]:
    """The runs of the sweep there, its winner left out."""
    names = [path.name for path in (home() / place).iterdir() if ID.fullmatch(path.name)]
    found = [RunFolder(path_at(home() / place / name), name) for name in names]
    abouts = [(one, one.about()) for one in found]
    return [one for one, about in abouts if about.get("sweep") == id and about.get("hidden") is True]


def _move(folder: SweepFolder, to_trash: bool) -> None:
    base, there, trash = RunFolder(folder.file("base")), home() / "sweeps", home() / "trash" / "sweeps"
    about = {name: value for name, value in base.about().items() if name != "deleted"}
    source, target = (there, trash) if to_trash else (trash, there)
    try:
        base.write_about(about | ({"deleted": time.time()} if to_trash else {}))
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.rename(source / folder.id, target / folder.id)
    except OSError as error:
        what = "moved to the trash" if to_trash else "restored"
        raise PlaygroundError(f"This sweep cannot be {what} ({error.strerror}).") from None
